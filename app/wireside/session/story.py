"""How far a scenario's story has been told: a frozen state, and what each event of the run makes of it.

A beat waits until its moment: its time, or the event in which its condition first holds. Then it is due. While one is due,
the run stays where it is; the beats due at one instant are told in the order of the scenario.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wireside.scenario.spec import Beat


class Told(NamedTuple):
    """One beat that was told: its number in the scenario, and its moment, ns."""

    number: int
    time_ns: int


@dataclass(frozen=True, slots=True)
class Story:
    """The beats of a scenario by their numbers: those that wait, those that are due, and those told, in order."""

    beats: tuple[Beat, ...]
    waiting: tuple[int, ...]
    due: tuple[int, ...] = ()
    told: tuple[Told, ...] = ()

    @property
    def beat(self) -> Beat | None:
        """The beat told last."""
        return self.beats[self.told[-1].number] if self.told else None

    def next_at(self) -> int | None:
        """The earliest time, ns, at which a waiting beat is to be told; None when none has a time."""
        times = [at for number in self.waiting if (at := self.beats[number].at_ns) is not None]
        return min(times, default=None)

    def scale(self, ordinary: int) -> int:
        """Simulated ns that a second is to show, as the beats told so far ask for."""
        scales = (self.beats[told.number].scale for told in reversed(self.told))
        return next((scale for scale in scales if scale), ordinary)

    def come_to(self, now_ns: int, holding: Iterable[int] = ()) -> Story:
        """Everything up to `now_ns` has happened, and these conditions hold: the beats whose moment this is are due."""
        now_due = set(holding)
        for number in self.waiting:
            at = self.beats[number].at_ns
            if at is not None and at <= now_ns:
                now_due.add(number)
        if not now_due:
            return self
        waiting = tuple(number for number in self.waiting if number not in now_due)
        return replace(self, waiting=waiting, due=(*self.due, *sorted(now_due)))

    def tell(self, now_ns: int) -> Story:
        """The first beat that is due has been told."""
        number, *due = self.due
        return replace(self, due=tuple(due), told=(*self.told, Told(number, now_ns)))


def begin(beats: tuple[Beat, ...]) -> Story:
    """The story before anything has happened."""
    return Story(beats, tuple(range(len(beats))))
