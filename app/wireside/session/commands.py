"""What changes a run from outside: knobs turned. Pausing and pace change nothing, and are no commands."""

from __future__ import annotations

from typing import NamedTuple


class Command(NamedTuple):
    """One knob turned, at the end of the instant `time_ns`; with scenario, seed and settings, the list of these is the run."""

    time_ns: int
    told: int
    """How many beats had been told by then: of a story that waits for its reader, the same instant has several moments."""
    host: str
    """Whose knob it is; "" turns it on every host that has it."""
    name: str
    value: str


ALL = 1 << 30
"""More beats than any story has: as a number of beats told, every one that is due."""


class Position(NamedTuple):
    """A moment of a run, ordered: a time, how many beats have been told, and whether the instant has happened as a whole.

    A beat stops the run at the very event that it waits for; other things of the same instant may come after it.
    """

    time_ns: int
    told: int = ALL
    whole: bool = True
    due: int = 0
    """How many beats are due and not told yet; they tell two moments apart when the instant has not happened as a whole."""


START = Position(0, 0, whole=False)
"""Before anything has happened."""
