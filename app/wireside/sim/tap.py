"""A tap on a link: what tcpdump would write down between two hosts."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from wireside.catalog.fates import LINK_LOSS
from wireside.kernel.core.skbuff import SHARING_DEVICES
from wireside.sim.frames import frame_of
from wireside.wire.told import Teller

if TYPE_CHECKING:
    from wireside.kernel.core.skbuff import SkBuff
    from wireside.sim.link import Wire
    from wireside.sim.world import World
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


class Tapped:
    """A wire whose frames are written down."""

    __slots__ = ("tap", "wire")

    def __init__(self, wire: Wire, tap: Tap) -> None:
        self.wire = wire
        self.tap = tap

    def transmit(self, when: int, skb: SkBuff, lost: bool = False) -> int:
        """Write a frame down with the time at which it begins to leave, and send it."""
        start = max(when, self.wire.free_at)
        done = self.wire.transmit(when, skb, lost)
        self.tap.note(start, skb, lost=skb.fate == LINK_LOSS)
        return done


def attach(world: World, a: str, b: str) -> Tap:
    """Tap the link between two hosts or wire peers, or the loopback of the host that is both; each has one tap."""
    ends = frozenset((a, b))
    tap = world.taps.get(ends)
    if tap is not None:
        return tap
    tap = world.taps[ends] = Tap(names_of(world))
    for wire in world.wires:
        if ends == {wire.sender.name, wire.receiver}:
            _insert(wire, tap)
    for name in ends:
        net = world.nets.get(name)
        device = net.lo if net is not None and len(ends) == 1 else net.dev if net is not None else None
        if device is not None and device.kind in SHARING_DEVICES:
            device.ptype_all = tap.note
    return tap


def _insert(wire: Wire, tap: Tap) -> None:
    """Put a tap directly above the wire of one direction."""
    source = wire.source
    assert source is not None
    if source.wire is wire:
        source.wire = Tapped(wire, tap)
        return
    above = source.wire
    while above.below is not wire:
        above = above.below
    above.below = Tapped(wire, tap)


def names_of(world: World) -> dict[int, str]:
    """Address → name of every host and wire peer."""
    return {net.address: net.name for net in (*world.nets.values(), *world.peer_nets())}
