"""A tap on a link: what tcpdump would write down between two hosts."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from wireside.sim.frames import frame_of
from wireside.wire.told import Teller

if TYPE_CHECKING:
    from wireside.kernel.core.skbuff import SkBuff
    from wireside.wire.frame import Frame
    from wireside.wire.told import ToldFrame

KEPT = 100_000
"""Frames that a tap writes down; what comes later is only counted."""


class Tap:
    """Writes down the frames of both directions of a link as their senders put them on the wire."""

    __slots__ = ("missed", "names", "seen")

    def __init__(self, names: dict[int, str]) -> None:
        self.names = names
        self.seen: list[Frame] = []
        self.missed = 0
        """Frames that came after the tap was full."""

    def note(self, when: int, skb: SkBuff, *, lost: bool = False) -> None:
        """A frame begins to leave at `when` ns."""
        if len(self.seen) >= KEPT:
            self.missed += 1
            return
        self.seen.append(frame_of(when, skb, lost=lost))

    def frames(self) -> list[ToldFrame]:
        """All frames in the order of their times."""
        teller = Teller(self.names)
        return [teller.tell(frame) for frame in sorted(self.seen, key=attrgetter("time_ns"))]
