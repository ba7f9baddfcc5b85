"""Standard input, output and error as a user may leave them: closed, full, or without the characters that we print."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys


class ClosedOutput(io.TextIOBase):
    """Stands for a standard output that is closed, where Python has None: what is written fails instead of vanishing."""

    encoding = "utf-8"

    def write(self, text: str) -> int:
        """Refuse; OSError."""
        raise OSError(errno.EBADF, "standard output is closed")


def prepare() -> None:
    """Give every standard stream something to stand on, and output its characters.

    A descriptor 0 to 2 that is closed would be given to the next file that is opened, so each is taken by /dev/null.
    """
    descriptor = os.open(os.devnull, os.O_RDWR)
    while descriptor <= 2:
        descriptor = os.open(os.devnull, os.O_RDWR)
    os.close(descriptor)
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115  (lives as long as the process)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    if sys.stdout is None:
        sys.stdout = ClosedOutput()
    codecs.register_error("wireside", _spelt_out)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="wireside")
    for name in ("COLUMNS", "LINES"):
        size = os.environ.get(name, "1")
        if not (size.isascii() and size.isdecimal() and len(size) <= 4):
            del os.environ[name]


def _spelt_out(error: UnicodeError) -> tuple[str, int]:
    """What stands for characters that the encoding of a stream does not have."""
    from wireside.paint.glyphs import ASCII, plain

    assert isinstance(error, UnicodeEncodeError)
    return plain(error.object[error.start : error.end], ASCII), error.end


def abandon(stream: object) -> None:
    """Let nothing that is still in a stream's buffer be written, so that Python does not fail once more on its way out."""
    if isinstance(stream, io.TextIOWrapper):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)


def speaks_unicode(stream: object) -> bool:
    """Whether a stream can carry every character."""
    return str(getattr(stream, "encoding", None) or "").lower().replace("-", "").startswith("utf")
