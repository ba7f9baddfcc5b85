"""The packets of late, at several densities: of a busy run a picture shows every 2nd, 4th, 8th … packet.

Which packets are shown hangs on their numbers alone. So the same packets are shown whoever looks, and however often.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wireside.snapshot import PacketTrace

LEVELS = 13
"""Densities: all packets, every 2nd, and so on to every 4,096th."""
DEPTH = 256
"""Packets that are kept at each density."""
_SPREAD = 2_654_435_761
"""Multiplier that spreads packet numbers, so that thinning takes data and ACKs alike (Knuth)."""


def is_shown(number: int, thin: int) -> bool:
    """Whether the packet with this number is the one in `thin` that a brick stands for; `thin` is a power of 2."""
    return not (number * _SPREAD >> 8) & (thin - 1)


@dataclass(frozen=True, slots=True)
class Rolls:
    """At each density the newest packets, by number, in the order of their birth."""

    time_ns: int = -1
    """When the run was last looked at for packets."""
    levels: tuple[Mapping[int, PacketTrace], ...] = ({},) * LEVELS

    def newest(self, level: int) -> list[PacketTrace]:
        """The packets kept at a density, by birth."""
        return sorted(self.levels[level].values(), key=_birth)


class Late:
    """The packets of late as of an instant: those of the last look, and what lives or has moved since; made as asked for."""

    def __init__(self, rolls: Rolls, now_ns: int, fetched: Sequence[PacketTrace]) -> None:
        self._rolls, self._now_ns = rolls, now_ns
        self._alive = {trace.id for trace in fetched}
        self._fresh: list[Sequence[PacketTrace]] = [fetched]
        self._levels: list[Mapping[int, PacketTrace]] = []
        self._sorted: dict[int, list[PacketTrace]] = {}

    def newest(self, level: int) -> list[PacketTrace]:
        """The packets of a density, by birth."""
        found = self._sorted.get(level)
        if found is None:
            found = self._sorted[level] = sorted(self._level(level).values(), key=_birth)
        return found

    def rolls(self) -> Rolls:
        """All of them, for a later look to go on from."""
        self._level(LEVELS - 1)
        return Rolls(self._now_ns, tuple(self._levels))

    def _level(self, level: int) -> Mapping[int, PacketTrace]:
        while len(self._levels) <= level:
            number = len(self._levels)
            if number:
                last, thin = self._fresh[-1], 1 << number
                self._fresh.append([trace for trace in last if is_shown(trace.id, thin)])
            fresh, old = self._fresh[number], self._rolls.levels[number]
            self._levels.append(_developed(old, fresh, self._alive) if fresh or old else old)
        return self._levels[level]


def _developed(
    old: Mapping[int, PacketTrace], fresh: Sequence[PacketTrace], alive: set[int]
) -> Mapping[int, PacketTrace]:
    """`old` with `fresh`; a packet that lives and was not seen again is one that the world has forgotten."""
    kept = {number: trace for number, trace in old.items() if trace.fate or number in alive}
    for trace in fresh[-DEPTH:]:
        kept[trace.id] = trace
    if len(kept) > DEPTH:
        for number in list(kept)[: len(kept) - DEPTH]:
            del kept[number]
    return kept


def _birth(trace: PacketTrace) -> int:
    return trace.stamps[0][1]
