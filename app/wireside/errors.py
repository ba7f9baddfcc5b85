"""The one small hierarchy of errors that reach a user; `cli` renders them, nothing else does."""

from __future__ import annotations

from dataclasses import dataclass

from wireside.outside import LONGEST_MESSAGE, clean, clipped


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a text file, counted from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class WiresideError(Exception):
    """Something a user can mend: what happened, where, and what to do next; safe to print, whatever it repeats."""

    def __init__(self, what: str, *, where: Position | str | None = None, next_step: str = "") -> None:
        self.what = clipped(clean(what), LONGEST_MESSAGE)
        self.where = clipped(clean(where), LONGEST_MESSAGE) if isinstance(where, str) else where
        self.next_step = clipped(clean(next_step), LONGEST_MESSAGE)
        super().__init__(self.what)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f"\n  {self.next_step}" if self.next_step else ""
        return f"{place}{self.what}{advice}"


class ScenarioError(WiresideError):
    """The scenario file is at fault; `where` is a Position whenever one is known."""


class ScenarioErrors(WiresideError):  # noqa: N818 (one raise, many errors)
    """Everything that is wrong with one scenario file, in the order of its lines."""

    def __init__(self, errors: tuple[ScenarioError, ...]) -> None:
        count = len(errors)
        super().__init__(f"{count} problem{'s' if count != 1 else ''}")
        self.errors = errors

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)


class CommandError(WiresideError):
    """The command line or a knob was given something it cannot take."""


class RecordingError(WiresideError):
    """The recording file is at fault, or cannot be written."""
