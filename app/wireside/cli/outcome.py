"""How a command ends: exit codes, and the one place where errors are shown."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wireside.errors import WiresideError

HOLDS, FAILS, USAGE, INTERRUPTED, BROKEN_PIPE = 0, 1, 2, 130, 141


def show_error(error: WiresideError) -> None:
    """Say on standard error what went wrong, where, and what to do next."""
    from wireside.errors import ScenarioErrors

    if isinstance(error, ScenarioErrors):
        print(error, file=sys.stderr)
    else:
        print(f"wireside: {error}", file=sys.stderr)
