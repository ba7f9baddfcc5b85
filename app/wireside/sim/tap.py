"""A tap on a link: what tcpdump would write down between two hosts."""

from __future__ import annotations

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
Seen = tuple[int, "Flow", int, int, int, int, int, tuple[str, ...], tuple[tuple[int, int], ...], int, bool]


class Tap:
    """Writes down the frames of both directions of a link as their senders put them on the wire."""

    __slots__ = ("missed", "names", "seen")

    def __init__(self, names: dict[int, str]) -> None:
        self.names = names
        """Address → name."""
        self.seen: list[Seen] = []
        self.missed = 0
        """Frames that came after the tap was full."""

    def note(self, when: int, skb: SkBuff, *, lost: bool) -> None:
        """A frame begins to leave at `when` ns."""
        if len(self.seen) >= KEPT:
            self.missed += 1
            return
        self.seen.append(
            (
                when,
                skb.flow,
                skb.protocol,
                skb.tcp_flags,
                skb.seq,
                skb.ack_seq,
                skb.window,
                _options(skb),
                skb.sack,
                skb.len,
                lost,
            )
        )

    def frames(self) -> list[WireFrame]:
        """All frames in the order of their times, with relative numbers; a flow whose SYN did not pass keeps its own."""
        start: dict[Flow, int] = {}
        return [self._frame(seen, start) for seen in sorted(self.seen, key=_when)]

    def _frame(self, seen: Seen, start: dict[Flow, int]) -> WireFrame:
        when, flow, protocol, flags, seq, ack, window, options, sack, length, lost = seen
        saddr, sport, daddr, dport = flow
        ends = self.names.get(saddr, ip_text(saddr)), sport, self.names.get(daddr, ip_text(daddr)), dport
        if protocol != IPPROTO_TCP:
            kind = "udp" if protocol == IPPROTO_UDP else "icmp"
            return WireFrame(when, *ends, kind, length=length, lost=lost)
        if flags & SYN:
            start[flow] = seq
        other = start.get((daddr, dport, saddr, sport), 0)
        if sack:
            blocks = (f"{{{(left - other) & MASK}:{(right - other) & MASK}}}" for left, right in sack)
            options = (*options, f"sack {''.join(blocks)}")
        return WireFrame(
            when,
            *ends,
            "tcp",
            flag_letters(flags) if flags else "",
            (seq - start.get(flow, 0)) & MASK,
            (ack - other) & MASK if flags & ACK else None,
            window,
            options,
            length,
            lost,
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
    nets = [*world.nets.values(), *world.peer_nets()]
    ends = {frozenset((a, b))}
    wires = [wire for wire in world.wires if frozenset((wire.sender.name, wire.receiver)) in ends]
    tap = wires[0].tap
    if tap is None:
        tap = Tap({net.address: net.name for net in nets})
        for wire in wires:
            wire.tap = tap
    return tap
