"""A real pseudo terminal of 120x36 cells that answers as a good one does, with a program in it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from pathlib import Path

COLUMNS, ROWS = 120, 36
SYNC_QUERY, SYNC_ANSWER = b"\x1b[?2026$p", b"\x1b[?2026;2$y"
"""The program asks this after every frame; the answer says that the frame is on the screen."""


class Terminal:
    """Runs `python ARGUMENTS` in a terminal of its own; what the program tells on its marks pipe is in `marks`."""

    def __init__(self, *arguments: str) -> None:
        marks, child_marks = os.pipe()
        os.set_inheritable(child_marks, True)
        os.set_blocking(marks, False)
        self.started = time.monotonic()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
            env = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONUTF8": "1"}
            words = [word.replace("{marks}", str(child_marks)) for word in arguments]
            os.execve(sys.executable, [sys.executable, *words], env)
        os.close(child_marks)
        self._marks_fd = marks
        self._tail = b""
        self._told = b""
        self.marks: list[tuple[str, int]] = []
        self.chunks: list[tuple[float, bytes]] = []
        """(seconds since the start, what the program wrote)."""
        self.frames: list[tuple[float, int]] = []
        """(seconds since the start, CPU ns used so far) at the end of each frame."""

    def watch(self, seconds: float, until=None) -> bool:
        """Be its terminal for so long, or until until() holds; False when it ended by itself or until() never held."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            ready, _, _ = select.select([self.fd, self._marks_fd], [], [], min(left, 0.05))
            if self.fd in ready and not self._read():
                return False
            if self._marks_fd in ready:
                self._read_marks()
            if until is not None and until():
                return True
        return until is None

    def _read(self) -> bool:
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        now = time.monotonic() - self.started
        self.chunks.append((now, data))
        seen = self._tail + data
        for _ in range(seen.count(SYNC_QUERY)):
            self.frames.append((now, self.cpu_ns()))
            os.write(self.fd, SYNC_ANSWER)
        cut = seen.rfind(SYNC_QUERY)
        rest = seen if cut < 0 else seen[cut + len(SYNC_QUERY) :]
        self._tail = rest[-len(SYNC_QUERY) + 1 :]
        return True

    def _read_marks(self) -> None:
        *lines, self._told = (self._told + os.read(self._marks_fd, 65536)).split(b"\n")
        for line in lines:
            name, _, number = line.decode().partition(" ")
            self.marks.append((name, int(number)))

    def press(self, keys: bytes) -> int:
        """Type; the monotonic ns at which it was done."""
        now = time.monotonic_ns()
        os.write(self.fd, keys)
        return now

    def told(self, name: str) -> list[int]:
        """All numbers told under a name so far."""
        return [number for each, number in self.marks if each == name]

    def cpu_ns(self) -> int:
        """CPU time that all its threads have used, ns."""
        tasks = Path(f"/proc/{self.pid}/task")
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir())

    def rss_mb(self) -> float:
        """Its resident memory, MB."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def close(self) -> None:
        """End the program, politely first."""
        self.press(b"q")
        self.watch(3)
        if os.waitpid(self.pid, os.WNOHANG)[0] == 0:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)
        os.close(self._marks_fd)
