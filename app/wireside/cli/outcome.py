"""How a command ends: exit codes, and the one place where errors are shown."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from wireside.cli.streams import abandon

if TYPE_CHECKING:
    from wireside.errors import WiresideError

HOLDS, FAILS, USAGE, CANNOT_WRITE, CRASHED, INTERRUPTED, BROKEN_PIPE = 0, 1, 2, 3, 70, 130, 141


def show_error(error: WiresideError) -> None:
    """Say on standard error what went wrong, where, and what to do next."""
    from wireside.errors import ScenarioErrors

    tell(str(error) if isinstance(error, ScenarioErrors) else f"wireside: {error}")


def show_crash(error: Exception) -> None:
    """Say that the fault is ours, with what a report about it needs."""
    from traceback import format_exception

    from wireside.outside import clean_lines

    tell(clean_lines("".join(format_exception(error))))
    tell("wireside: this is a fault of Wireside itself; please report the lines above.")


def tell(text: str) -> None:
    """Print to standard error; when that cannot be written either, the exit status alone speaks."""
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:
        abandon(sys.stderr)
