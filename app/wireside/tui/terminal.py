"""The terminal's border: any byte may come in, and however the program ends or stops, the terminal is as it was.

Textual's driver decodes strictly, leaves while answers to its questions are still under way, and knows no signals
but those of Ctrl-Z; what it does well is kept.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import sys
import termios
import time
from codecs import getincrementaldecoder
from collections import deque
from threading import Condition
from typing import TYPE_CHECKING, Any

from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from collections.abc import Mapping

QUERY = "\x1b[?2026$p"
"""Asks the terminal for a mode; its answer means that everything written before has arrived."""
_ASKED = re.compile(r"\x1b\[\?(\d+)\$p")
_ANSWERED = re.compile(r"\x1b\[\?(\d+);\d+\$y")
_LONGEST_ANSWER = 24
SPEAK_NO_MORE = "\x1b[?2048l\x1b[?2004l\x1b[?1004l\x1b[<u"
"""Ends all that the terminal reports by itself: its size, pastes, the focus, keys in kitty's protocol."""
FIRST_ANSWER_S = 1.0
"""A terminal that has not answered its first question after this long is taken to be a silent one."""
LAST_ANSWER_S = 2.0
"""How long leaving waits for a terminal that has answered before."""
POLL_S = 0.1
LEAVE = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


def asks(environ: Mapping[str, str]) -> bool:
    """Whether the terminal may be asked for modes; Apple's prints a part of the question."""
    return environ.get("TERM_PROGRAM", "") != "Apple_Terminal"


class Questions:
    """The questions that are on their way to the terminal, or their answers on the way back; times are monotonic seconds."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._open: deque[str] = deque()
        self._first_asked: float | None = None
        self._answers = 0
        self._tail = ""

    def asked(self, text: str, now: float) -> None:
        """Note the questions in `text`, which goes out."""
        modes = _ASKED.findall(text)
        if modes:
            with self._changed:
                self._open.extend(modes)
                if self._first_asked is None:
                    self._first_asked = now

    def heard(self, text: str) -> None:
        """Note the answers in `text`, which came in; one may be spread over two texts.

        Answers come in the order of the questions: what was asked before an answered one is never answered.
        """
        text = self._tail + text
        end = 0
        for answer in _ANSWERED.finditer(text):
            end = answer.end()
            with self._changed:
                if answer[1] in self._open:
                    while self._open.popleft() != answer[1]:
                        pass
                self._answers += 1
                self._changed.notify_all()
        self._tail = text[max(end, len(text) - _LONGEST_ANSWER) :]

    def patience_s(self, now: float) -> float:
        """How long it is worth waiting for the answer to a question asked at `now`."""
        if self._answers:
            return LAST_ANSWER_S
        if self._first_asked is None:
            return 0.0
        return max(0.0, self._first_asked + FIRST_ANSWER_S - now)

    def wait(self, seconds: float) -> bool:
        """Wait until no question is open; False when that took too long."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._open, seconds)


class Line:
    """The way out to the terminal, as the file that Textual's writer thread writes to.

    Writes everything up to a flush in one piece. When the terminal has gone away, it takes what comes and drops it,
    so that nobody waits for a reader that will never be.
    """

    def __init__(self, fileno: int, encoding: str) -> None:
        self._fileno, self._encoding = fileno, encoding
        self._pending: list[str] = []
        self.gone = False

    def fileno(self) -> int:
        """The terminal's descriptor."""
        return self._fileno

    def write(self, text: str) -> int:
        """Keep `text` for the next flush."""
        self._pending.append(text)
        return len(text)

    def flush(self) -> None:
        """Write what has been kept; characters that the terminal's encoding lacks become question marks."""
        data = "".join(self._pending).encode(self._encoding, "replace")
        self._pending.clear()
        while data and not self.gone:
            try:
                data = data[os.write(self._fileno, data) :]
            except BlockingIOError:
                select.select([], [self._fileno], [], POLL_S)
            except OSError:
                self.gone = True


class TerminalDriver(LinuxDriver):
    """Textual's driver with a tolerant ear and good manners when it leaves."""

    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(app, **options)
        assert sys.__stdout__ is not None
        self._line = Line(sys.__stdout__.fileno(), sys.__stdout__.encoding or "utf-8")
        self._file: Any = self._line
        self._questions = Questions()
        self._asks = asks(os.environ)
        self._listen_to_stops()
        for signum in LEAVE:
            if signal.getsignal(signum) is not signal.SIG_IGN:
                self._loop.add_signal_handler(signum, self._leave, 128 + signum)

    def _listen_to_stops(self) -> None:
        """Answer SIGTSTP and SIGCONT in the loop, between two of its steps."""
        self._loop.add_signal_handler(signal.SIGTSTP, self.suspend, True)
        self._loop.add_signal_handler(signal.SIGCONT, self._continued)

    def _leave(self, status: int) -> None:
        self._app.exit(status)

    def write(self, data: str) -> None:
        """Send text to the terminal, and remember what it asks."""
        if data.endswith("$p"):
            if not self._asks:
                return
            self._questions.asked(data, time.monotonic())
        super().write(data)

    def run_input_thread(self) -> None:
        """Read keys until the driver stops, or the terminal goes away.

        A byte that is no UTF-8 is no key, and a sequence that cannot be understood is not either.
        """
        decode = getincrementaldecoder("utf-8")("ignore").decode
        parser = XTermParser(self._debug)
        while not self.exit_event.is_set():
            if select.select([self.fileno], [], [], POLL_S)[0]:
                try:
                    data = os.read(self.fileno, 4096)
                except OSError:
                    data = b""
                if not data:
                    self._loop.call_soon_threadsafe(self._leave, 128 + signal.SIGHUP)
                    return
                text = decode(data)
                self._questions.heard(text)
                parser = self._understand(parser, text)
            for event in parser.tick():
                self.process_message(event)

    def _understand(self, parser: XTermParser, text: str) -> XTermParser:
        """Pass on the keys in `text`; returns the parser for what follows, a new one where this one stumbled."""
        for character in text:
            try:
                events = list(parser.feed(character))
            except Exception:  # noqa: BLE001  (whatever stumbles over what was typed must not end the program)
                parser = XTermParser(self._debug)
                continue
            for event in events:
                self.process_message(event)
        return parser

    def stop_application_mode(self) -> None:
        """Restore the terminal once it has answered everything, so that no answer is echoed at the prompt."""
        patience = self._questions.patience_s(time.monotonic())
        if patience and self._asks and not self._line.gone:
            self.write(SPEAK_NO_MORE + QUERY)
            self._questions.wait(patience)
        super().stop_application_mode()

    def suspend(self, from_outside: bool = False) -> None:
        """Give the terminal back and stop, as Ctrl-Z does; returns when we are continued in the foreground.

        The whole process group stops, or `make` would keep the shell waiting. Where no shell could continue us the
        kernel stops nobody, and neither do we, unless the signal came from outside.
        """
        continued: list[int] = []
        self.suspend_application_mode()
        self._loop.remove_signal_handler(signal.SIGTSTP)
        self._loop.remove_signal_handler(signal.SIGCONT)
        signal.signal(signal.SIGCONT, lambda signum, _: continued.append(signum))
        os.kill(0, signal.SIGTSTP)
        if not continued and from_outside:
            os.kill(os.getpid(), signal.SIGSTOP)
        self._listen_to_stops()
        self._come_back()

    def _continued(self) -> None:
        """Somebody stopped us without asking; nobody knows what has become of the terminal since."""
        self._wait_for_foreground()
        self.suspend_application_mode()
        self._come_back()

    def _come_back(self) -> None:
        self._wait_for_foreground()
        self.resume_application_mode()
        self._app.post_message(self.SignalResume())

    def _wait_for_foreground(self) -> None:
        """Be stopped, as often as it takes, until the terminal is ours: only then may it be changed."""
        with contextlib.suppress(termios.error):
            termios.tcsetattr(self.fileno, termios.TCSANOW, termios.tcgetattr(self.fileno))
