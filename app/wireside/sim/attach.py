"""Puts a tap on a link: above its wires, or where devices that share memory pass packets on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.catalog.fates import LINK_LOSS
from wireside.kernel.core.skbuff import SHARING_DEVICES
from wireside.sim.tap import Tap

if TYPE_CHECKING:
    from wireside.kernel.core.skbuff import SkBuff
    from wireside.sim.fleet import Fleet
    from wireside.sim.link import Wire


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


def attach(fleet: Fleet, a: str, b: str) -> Tap:
    """Tap the link between two hosts or wire peers, or the loopback of the host that is both; each has one tap."""
    ends = frozenset((a, b))
    tap = fleet.taps.get(ends)
    if tap is not None:
        return tap
    tap = fleet.taps[ends] = Tap(fleet.names())
    for wire in fleet.wires:
        if ends == {wire.sender.name, wire.receiver}:
            _insert(wire, tap)
    for name in ends:
        net = fleet.nets.get(name)
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
