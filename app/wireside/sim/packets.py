"""Packets for people: what a packet is, as tcpdump would say it, and how far it has come."""

from __future__ import annotations

from itertools import chain, islice, takewhile
from typing import TYPE_CHECKING, Any

from wireside.catalog.inet import ACK, FIN, IPPROTO_TCP, IPPROTO_UDP, RST, SYN, ip_text
from wireside.catalog.packet_kinds import PacketKind
from wireside.sim.frames import frame_of
from wireside.snapshot import PacketTrace
from wireside.wire.words import AS_THEY_ARE, line

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Iterable

    from wireside.kernel.core.net import Machine
    from wireside.kernel.core.skbuff import SkBuff

REMEMBERED = 20_000
"""Entries of each kind that are kept. The oldest go first, a few at a time, so that no frame waits for it."""


class Trail:
    """Which packets of one machine's trace may still be shown, so that a frame looks at them and not at the whole trace."""

    __slots__ = ("alive", "ended", "reaches", "seen")

    def __init__(self) -> None:
        self.seen = 0
        """Id of the last packet looked at."""
        self.alive: list[SkBuff] = []
        self.ended: list[SkBuff] = []
        """Those that ended and whose last stamp is at or after `reaches`."""
        self.reaches = 0

    def follow(self, trace: deque[SkBuff], since: int, oldest: int) -> None:
        """Bring both lists up to date, `ended` back to `since` ns; packets before number `oldest` are forgotten."""
        ended = self.ended
        candidates: Iterable[SkBuff]
        if since < self.reaches:
            candidates = trace
            ended = []
        else:
            candidates = chain(self.alive, self._fresh(trace))
        if trace:
            self.seen = trace[-1].id
        self.reaches = since
        alive: list[SkBuff] = []
        for skb in candidates:
            if skb.id >= oldest:
                (ended if skb.fate else alive).append(skb)
        self.alive = alive
        self.ended = [skb for skb in ended if skb.id >= oldest and skb.stamps and skb.stamps[-1] >= since]

    def _fresh(self, trace: deque[SkBuff]) -> list[SkBuff]:
        """The packets born since the last time, oldest first."""
        fresh = list(takewhile(lambda skb: skb.id > self.seen, reversed(trace)))
        fresh.reverse()
        return fresh


class PacketBook:
    """Turns the packets in the machines' traces into PacketTraces."""

    __slots__ = ("done", "hosts", "trails", "words")

    def __init__(self, hosts: dict[int, str]) -> None:
        self.hosts = hosts
        """Address → name."""
        self.trails: dict[str, Trail] = {}
        """By machine."""
        self.words: dict[int, tuple[PacketKind, str]] = {}
        """Id → (kind, label) of packets that still lived when they were last shown."""
        self.done: dict[int, PacketTrace] = {}
        """Packets that have ended, by id."""

    def traces(self, machines: Iterable[Machine], since: int, limit: int) -> tuple[PacketTrace, ...]:
        """Packets whose last stamp is at or after `since` ns, or which still live; at most the newest `limit`."""
        found: list[tuple[int, SkBuff]] = []
        for machine in machines:
            trace = machine.trace
            if trace is None:
                continue
            trail = self.trails.get(machine.name)
            if trail is None:
                trail = self.trails[machine.name] = Trail()
            trail.follow(trace, since, machine.last_skb_id - (trace.maxlen or 0) + 1)
            found += [(skb.stamps[1], skb) for skb in chain(trail.alive, trail.ended) if skb.stamps]
        found.sort(key=_birth)
        del found[: max(0, len(found) - limit)]
        for book in (self.done, self.words):
            _forget_oldest(book)
        return tuple([self._trace(skb) for _, skb in found])

    def _trace(self, skb: SkBuff) -> PacketTrace:
        known = self.done.get(skb.id)
        if known is not None:
            return known
        words = self.words.get(skb.id)
        if words is None:
            words = _words(skb)
        stamps = skb.stamps or []
        built = PacketTrace(
            skb.id,
            words[0],
            self.hosts.get(skb.flow[0]) or ip_text(skb.flow[0]),
            self.hosts.get(skb.flow[2]) or ip_text(skb.flow[2]),
            words[1],
            skb.len,
            tuple(zip(stamps[::2], stamps[1::2], strict=True)),
            skb.fate,
        )
        if skb.fate:
            self.done[skb.id] = built
            self.words.pop(skb.id, None)
        else:
            self.words[skb.id] = words
        return built


def _words(skb: SkBuff) -> tuple[PacketKind, str]:
    """What a packet is and the line that tcpdump on its sender prints of it: the same as long as it lives."""
    frame = frame_of(0, skb)
    if skb.as_sent is not None:
        length, flags, ack_seq, window = skb.as_sent
        frame = frame._replace(length=length, flags=flags, ack_seq=ack_seq, window=window)
    kind = kind_of(frame.protocol, frame.flags, frame.length, probe=skb.probe)
    return kind, line(frame, skb.numbers or AS_THEY_ARE)


def _forget_oldest(book: dict[Any, Any]) -> None:
    for key in list(islice(book, max(0, len(book) - REMEMBERED))):
        del book[key]


def kind_of(protocol: int, flags: int, length: int, *, probe: bool) -> PacketKind:
    """What a packet is, by its protocol, TCP flags and payload; `probe`: it is one, as far as its flags say nothing else."""
    if protocol != IPPROTO_TCP:
        return PacketKind.UDP if protocol == IPPROTO_UDP else PacketKind.ICMP
    if flags & SYN:
        return PacketKind.SYN_ACK if flags & ACK else PacketKind.SYN
    if flags & RST:
        return PacketKind.RST
    if flags & FIN:
        return PacketKind.FIN
    if probe:
        return PacketKind.PROBE
    return PacketKind.DATA if length else PacketKind.ACK


def _birth(entry: tuple[int, SkBuff]) -> tuple[int, int]:
    return entry[0], entry[1].id
