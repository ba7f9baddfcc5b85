"""A real pseudo terminal with a program in it, and what its screen shows."""

import fcntl
import os
import re
import select
import signal
import struct
import sys
import termios
import time
from pathlib import Path

import pyte

W, H = 120, 36
PROGRAM = Path(__file__).with_name("play_fake.py")
QUESTION = re.compile(rb"\x1b\[\?(\d+)\$p")
PATIENCE_S = 30
"""How long a test waits for what must come: long, for the machine may be busy; a passing test never waits."""
KITTY = re.compile(rb"\x1b\[[<>][0-9]*u")


LAUNCHER = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Makes the terminal the controlling one; not done after a fork, for a test's process may have threads."""


class Terminal:
    """Runs `play_fake.py` with `arguments`, or `argv`; answers its questions `answer_after_s` seconds late, None: never."""

    def __init__(self, *arguments, argv=None, answer_after_s=0.0, size=(W, H), **environ):
        self.screen = pyte.Screen(*size)
        self.stream = pyte.ByteStream(self.screen)
        self.sent = b""
        self.answer_after_s = answer_after_s
        self._answers = []
        argv = argv or [sys.executable, str(PROGRAM), *arguments]
        self.fd, inside = os.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self.before = termios.tcgetattr(self.fd)
        env = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONUTF8": "1"}
        for name in ("TERM_PROGRAM", "NO_COLOR"):
            env.pop(name, None)
        self.pid = os.posix_spawn(
            sys.executable,
            [sys.executable, "-c", LAUNCHER, *argv],
            {**env, **environ},
            file_actions=[(os.POSIX_SPAWN_DUP2, inside, fd) for fd in (0, 1, 2)],
            setsid=True,
        )
        os.close(inside)

    @property
    def display(self):
        return "\n".join(self.screen.display)

    def pump(self, seconds):
        """Take what comes within `seconds`, and answer what is due; False when the other side is gone."""
        now = time.monotonic()
        while self._answers and self._answers[0][0] <= now:
            os.write(self.fd, self._answers.pop(0)[1])
        if self._answers:
            seconds = min(seconds, self._answers[0][0] - now)
        if select.select([self.fd], [], [], max(0.0, seconds))[0]:
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                return False
            self.sent += data
            if self.answer_after_s is not None:
                due = time.monotonic() + self.answer_after_s
                for mode in QUESTION.findall(data):
                    answer = b"2" if mode == b"2026" else b"0"
                    self._answers.append((due, b"\x1b[?" + mode + b";" + answer + b"$y"))
            # pyte knows neither modes with an intermediate character nor kitty's keyboard
            self.stream.feed(KITTY.sub(b"", QUESTION.sub(b"", data)))
        return True

    def until(self, condition, seconds=PATIENCE_S):
        """Wait for a condition; whether it has come true. When the other side goes away, that is the last chance."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end or not self.pump(0.05):
                return bool(condition())
        return True

    def shows(self, text, seconds=PATIENCE_S):
        return self.until(lambda: text in self.display, seconds)

    def hides(self, text, seconds=PATIENCE_S):
        return self.until(lambda: text not in self.display, seconds)

    def settle(self, quiet=0.4, limit=20):
        """Take what comes until nothing has come for a while, however slow the machine is."""
        end = time.monotonic() + limit
        before = -1
        while before != len(self.sent) and time.monotonic() < end:
            before = len(self.sent)
            quiet_until = time.monotonic() + quiet
            while time.monotonic() < quiet_until and self.pump(quiet):
                pass

    def press(self, keys):
        os.write(self.fd, keys)

    def kill(self, signum):
        os.kill(self.pid, signum)

    @property
    def unanswered(self):
        """How many answers are still on their way."""
        return len(self._answers)

    def modes(self):
        """The terminal's line settings now."""
        return termios.tcgetattr(self.fd)

    def wait(self):
        """Exit status of the program, which is about to end; a hung one is killed and fails the test."""
        end = time.monotonic() + PATIENCE_S
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                while self.pump(0.05) and select.select([self.fd], [], [], 0)[0]:
                    pass
                return os.waitstatus_to_exitcode(status)
            if time.monotonic() > end:
                self.kill(signal.SIGKILL)
                os.waitpid(self.pid, 0)
                raise AssertionError("the program did not end")
            if not self.pump(0.05):
                time.sleep(0.02)

    def close(self):
        """The terminal's window is closed."""
        os.close(self.fd)
