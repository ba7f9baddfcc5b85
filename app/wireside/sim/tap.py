"""A tap on a link: what tcpdump would write down between two hosts."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING

from wireside.kernel.net import ip_text
from wireside.kernel.skbuff import ACK, IPPROTO_TCP, IPPROTO_UDP, SYN
from wireside.sim.packets import flag_letters
from wireside.snapshot import WireFrame

if TYPE_CHECKING:
    from wireside.kernel.skbuff import Flow, SkBuff
    from wireside.sim.world import World

MASK = 0xFFFFFFFF
KEPT = 100_000
"""Frames that a tap writes down; what comes later is only counted."""
Seen = tuple[int, "SkBuff", bool]


class FrameReader:
    """Tells frames with names and relative numbers, in the order they pass; a flow whose SYN did not pass keeps its own."""

    __slots__ = ("names", "start")

    def __init__(self, names: dict[int, str]) -> None:
        self.names = names
        """Address → name."""
        self.start: dict[Flow, int] = {}
        """Flow → sequence number of its SYN."""

    def read(self, when: int, skb: SkBuff, *, lost: bool = False) -> WireFrame:
        """The frame that begins to leave at `when` ns."""
        saddr, sport, daddr, dport = skb.flow
        if skb.protocol == IPPROTO_TCP and skb.tcp_flags & SYN:
            self.start[skb.flow] = skb.seq
        other = self.start.get((daddr, dport, saddr, sport), 0)
        frame = wire_frame(when, skb, self.start.get(skb.flow, 0), other)
        source, target = self.names.get(saddr, frame.source), self.names.get(daddr, frame.target)
        return replace(frame, source=source, target=target, lost=lost)


class Tap:
    """Writes down the frames of both directions of a link as their senders put them on the wire."""

    __slots__ = ("missed", "names", "seen")

    def __init__(self, names: dict[int, str]) -> None:
        self.names = names
        self.seen: list[Seen] = []
        self.missed = 0
        """Frames that came after the tap was full."""

    def note(self, when: int, skb: SkBuff, *, lost: bool) -> None:
        """A frame begins to leave at `when` ns."""
        if len(self.seen) >= KEPT:
            self.missed += 1
            return
        # A packet changes on its way (GRO adds others to it); its copy does not.
        self.seen.append((when, copy(skb), lost))

    def frames(self) -> list[WireFrame]:
        """All frames in the order of their times."""
        reader = FrameReader(self.names)
        return [reader.read(when, skb, lost=lost) for when, skb, lost in sorted(self.seen, key=_when)]


def wire_frame(when: int, skb: SkBuff, start: int, other: int) -> WireFrame:
    """A packet as a tap sees it; numbers count from `start`, its flow's SYN, and `other`, that of the other direction."""
    saddr, sport, daddr, dport = skb.flow
    source, target = ip_text(saddr), ip_text(daddr)
    if skb.protocol != IPPROTO_TCP:
        if skb.protocol == IPPROTO_UDP:
            return WireFrame(when, source, sport, target, dport, "udp", length=skb.len)
        return WireFrame(when, source, 0, target, 0, "icmp", length=skb.len)
    flags = skb.tcp_flags
    options = _options(skb)
    if skb.sack:
        blocks = (f"{{{(left - other) & MASK}:{(right - other) & MASK}}}" for left, right in skb.sack)
        options = (*options, f"sack {''.join(blocks)}")
    return WireFrame(
        when,
        source,
        sport,
        target,
        dport,
        "tcp",
        flag_letters(flags) if flags else "",
        (skb.seq - start) & MASK,
        (skb.ack_seq - other) & MASK if flags & ACK else None,
        skb.window,
        options,
        skb.len,
    )


def _when(seen: Seen) -> int:
    return seen[0]


def _options(skb: SkBuff) -> tuple[str, ...]:
    opt = skb.opt
    if opt is None:
        return () if skb.tsval is None else ("TS",)
    found = [f"mss {opt.mss}"]
    if opt.sack_ok:
        found.append("sackOK")
    if skb.tsval is not None:
        found.append("TS")
    if opt.wscale is not None:
        found.append(f"wscale {opt.wscale}")
    return tuple(found)


def attach(world: World, a: str, b: str) -> Tap:
    """Tap the link between two hosts or wire peers; one link has one tap."""
    ends = {frozenset((a, b))}
    wires = [wire for wire in world.wires if frozenset((wire.sender.name, wire.receiver)) in ends]
    tap = wires[0].tap
    if tap is None:
        tap = Tap(names_of(world))
        for wire in wires:
            wire.tap = tap
    return tap


def names_of(world: World) -> dict[int, str]:
    """Address → name of every host and wire peer."""
    return {net.address: net.name for net in (*world.nets.values(), *world.peer_nets())}
