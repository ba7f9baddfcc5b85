"""The timeline's axis: where an instant stands, in story time or in real time."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wireside.paint.frame import Frame

ROOM_S = 5
"""Of a stretch whose end is not known yet, half is shown after so many seconds of the story."""


@dataclass(frozen=True, slots=True)
class Axis:
    """`width` columns in equal stretches; `edges` are the instants at the ends of those that are known, ascending, ns."""

    width: int
    edges: tuple[int, ...]
    unknown: int = 0
    """Stretches after them of which nothing is known but that they will come."""

    @property
    def stretches(self) -> int:
        """How many stretches share the width."""
        return len(self.edges) - 1 + self.unknown

    def column(self, t: int) -> int:
        """The column in which an instant stands."""
        edges = self.edges
        k = min(max(0, bisect_right(edges, t) - 1), len(edges) - 2)
        length = edges[k + 1] - edges[k]
        passed = min(length, max(0, t - edges[k]))
        return min(self.width - 1, (k * length + passed) * self.width // (self.stretches * length))

    def border(self, k: int) -> int:
        """The column at which stretch `k` begins."""
        return min(self.width - 1, k * self.width // self.stretches)

    def instant(self, column: int) -> int:
        """The first instant of a column; of an unknown one, the last that is known."""
        edges, places = self.edges, max(0, column) * self.stretches
        k = places // self.width
        if k >= len(edges) - 1:
            return edges[-1]
        length = edges[k + 1] - edges[k]
        return edges[k] - (-places * length // self.width) - k * length

    def instants(self) -> list[int]:
        """The borders of all columns, one more than there are columns."""
        return [self.instant(column) for column in range(self.width + 1)]


def real_time(frame: Frame, width: int) -> Axis:
    """Every column lasts as long as the next."""
    return Axis(width, (0, max(frame.scenario.duration_ns, frame.past.known_ns, frame.t, 1)))


def story_time(frame: Frame, width: int) -> Axis:
    """What happens from one beat to the next is as wide as from any other to its next; real time when there are no beats.

    Beats of one instant stand together. A stretch whose end is not known yet grows more slowly the longer it lasts.
    """
    beats, known = frame.scenario.beats, max(frame.past.known_ns, frame.t)
    told = [mark for mark in frame.marks if mark.kind == "beat"]
    edges = sorted({0, *(mark.position.time_ns for mark in told)})
    untold = [beat for n, beat in enumerate(beats) if n not in {mark.number for mark in told}]
    while untold and (at := untold[0].at_ns) is not None and at > edges[-1] and at >= known:
        edges.append(at)
        del untold[0]
    end = max(frame.scenario.duration_ns, known, edges[-1] + 1)
    if untold and edges[-1] <= known:
        scales = (beats[mark.number].scale for mark in reversed(told))
        end = known + ROOM_S * next((scale for scale in scales if scale), frame.scenario.scale)
    elif untold:
        return Axis(width, tuple(edges), len(untold))
    return Axis(width, (*edges, end), len(untold))
