import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time
from pathlib import Path

import pyte
import pytest

W, H = 120, 36
PROGRAM = Path(__file__).with_name("play_fake.py")
SYNC_QUERY, SYNC_ANSWER = b"\x1b[?2026$p", b"\x1b[?2026;2$y"


class Terminal:
    """A real pseudo terminal with the program in it, and what its screen shows."""

    def __init__(self, *arguments, **environ):
        self.screen = pyte.Screen(W, H)
        self.stream = pyte.ByteStream(self.screen)
        self.sent = b""
        size = struct.pack("HHHH", H, W, 0, 0)
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, size)
            env = {
                **os.environ,
                "TERM": "xterm-256color",
                "COLORTERM": "truecolor",
                "PYTHONUTF8": "1",
                **environ,
            }
            os.execve(sys.executable, [sys.executable, str(PROGRAM), *arguments], env)
        self.before = termios.tcgetattr(self.fd)

    def read(self, seconds, until=None, gone=None):
        """Read until the screen shows `until`, or `gone` no more; whether it came to that."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([self.fd], [], [], 0.05)[0]:
                try:
                    data = os.read(self.fd, 65536)
                except OSError:
                    return True
                if SYNC_QUERY in data:
                    os.write(self.fd, SYNC_ANSWER)
                self.sent += data
                # pyte does not know the private modes with an intermediate character
                self.stream.feed(data.replace(SYNC_QUERY, b""))
            shown = "\n".join(self.screen.display)
            if (until is not None and until in shown) or (gone is not None and gone not in shown):
                return True
        return until is None and gone is None

    def settle(self, quiet=0.4, limit=20):
        """Read until nothing has come for a while, however slow the machine is."""
        end = time.monotonic() + limit
        before = -1
        while before != len(self.sent) and time.monotonic() < end:
            before = len(self.sent)
            self.read(quiet)

    def press(self, keys):
        os.write(self.fd, keys)

    def wait(self):
        self.read(15)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@pytest.fixture(params=["fast", "safe"])
def renderer(request):
    return request.param


def test_a_session_from_the_first_frame_to_the_restored_terminal(renderer):
    terminal = Terminal(renderer)
    assert terminal.read(15, "quit")
    rows = terminal.screen.display
    assert "wireside" in rows[0]
    assert "PACKET JOURNEY" in rows[1]
    assert any("QUEUES & STATES" in row for row in rows)
    terminal.press(b" ")
    assert terminal.read(15, "paused")
    terminal.press(b"]")
    assert terminal.read(15, "1 s = 200 ")
    terminal.press(b"?")
    assert terminal.read(15, "any key closes")
    terminal.press(b"x")
    assert terminal.read(15, gone="any key closes")
    terminal.press(b"q")
    assert terminal.wait() == 0
    assert b"\x1b[?1049l" in terminal.sent
    assert b"\x1b[?25h" in terminal.sent


def test_both_ways_to_draw_show_the_same_cells():
    screens, sent = [], []
    for way in ("fast", "safe"):
        terminal = Terminal(way, "paused")
        assert terminal.read(15, "quit")
        for key in (*[b"."] * 25, b"\t", b"2", b".", b".", b"1", b"]", b"."):
            terminal.press(key)
            terminal.read(0.05)
        terminal.settle()
        cells = [[terminal.screen.buffer[y][x] for x in range(W)] for y in range(H)]
        screens.append([[(cell.data, cell.fg, cell.bg, cell.bold) for cell in row] for row in cells])
        terminal.press(b"q")
        assert terminal.wait() == 0
        sent.append(len(terminal.sent))
    for fast, safe in zip(*screens, strict=True):
        assert fast == safe
    assert sent[0] < sent[1]


def test_no_color_means_no_colour():
    terminal = Terminal("auto", NO_COLOR="1")
    assert terminal.read(15, "quit")
    terminal.press(b" ")
    assert terminal.read(15, "paused")
    colours = {cell.fg for row in terminal.screen.buffer.values() for cell in row.values()}
    assert colours == {"default"}
    terminal.press(b"q")
    assert terminal.wait() == 0


def test_ascii_when_asked_for():
    terminal = Terminal("auto", WIRESIDE_ASCII="1")
    assert terminal.read(15, "quit")
    assert "\n".join(terminal.screen.display).isascii()
    terminal.press(b"q")
    assert terminal.wait() == 0


def test_a_crash_restores_the_terminal_too():
    terminal = Terminal("fast", "crash")
    assert terminal.read(15, "quit")
    terminal.press(b".")
    assert terminal.wait() != 0
    assert b"\x1b[?1049l" in terminal.sent
    assert b"ZeroDivisionError" in terminal.sent
