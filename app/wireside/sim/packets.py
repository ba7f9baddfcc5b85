"""Packets for people: what a packet is, as tcpdump would say it, and how far it has come."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from wireside.catalog.inet import ACK, FIN, IPPROTO_TCP, IPPROTO_UDP, MASK, RST, SYN, ip_text
from wireside.catalog.packet_kinds import PacketKind
from wireside.snapshot import PacketTrace
from wireside.wire.words import flag_letters

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Iterable

    from wireside.kernel.core.net import Machine, Net
    from wireside.kernel.core.skbuff import Flow, SkBuff

Told = tuple[int, int, int, int, int]
"""What a packet tells and may tell otherwise while it lives, as when GRO merges others into it: (len, seq, ack_seq, window, tcp_flags)."""
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

    def meet(self, trace: deque[SkBuff], oldest: int) -> list[SkBuff]:
        """Take notice of the packets born since the last time, and return them, oldest first; forget those before `oldest`."""
        fresh: list[SkBuff] = []
        seen = self.seen
        for skb in reversed(trace):
            if skb.id <= seen:
                break
            fresh.append(skb)
        if fresh:
            self.seen = fresh[0].id
            fresh.reverse()
        self.alive = [skb for skb in chain(self.alive, fresh) if skb.id >= oldest]
        return fresh

    def follow(self, trace: deque[SkBuff], since: int, oldest: int) -> None:
        """Bring both lists up to date, `ended` back to `since` ns."""
        candidates: Iterable[SkBuff] = self.alive
        ended = self.ended
        if since < self.reaches:
            candidates = [skb for skb in trace if skb.id >= oldest]
            ended = []
        self.reaches = since
        alive: list[SkBuff] = []
        for skb in candidates:
            (ended if skb.fate else alive).append(skb)
        self.alive = alive
        self.ended = [skb for skb in ended if skb.id >= oldest and skb.stamps and skb.stamps[-1] >= since]


class PacketBook:
    """Turns the packets in the machines' traces into PacketTraces; knows each flow's initial sequence number."""

    __slots__ = ("done", "high", "hosts", "isn", "probes", "trails", "words")

    def __init__(self, hosts: dict[int, str]) -> None:
        self.hosts = hosts
        """Address → name."""
        self.isn: dict[Flow, int] = {}
        self.high: dict[Flow, int] = {}
        """Flow → the end of what it has sent so far, to tell a window probe from an ACK."""
        self.trails: dict[str, Trail] = {}
        """By machine."""
        self.probes: dict[int, bool] = {}
        """Ids of window and keepalive probes."""
        self.words: dict[int, tuple[Told, PacketKind, str]] = {}
        """Id → (what it tells, kind, label) of packets that still lived when they were last shown."""
        self.done: dict[int, PacketTrace] = {}
        """Packets that have ended, by id."""

    def meet(self, machines: Iterable[Machine]) -> list[tuple[Machine, Trail, int]]:
        """Learn from the packets born since the last time; (machine, its trail, the oldest number still remembered) of each."""
        found = []
        fresh: list[tuple[int, SkBuff]] = []
        for machine in machines:
            trace = machine.trace
            if trace is None:
                continue
            trail = self.trails.get(machine.name)
            if trail is None:
                trail = self.trails[machine.name] = Trail()
            oldest = machine.last_skb_id - (trace.maxlen or 0) + 1
            fresh += [(skb.stamps[1], skb) for skb in trail.meet(trace, oldest) if skb.stamps]
            found.append((machine, trail, oldest))
        self._learn(fresh)
        return found

    def traces(self, machines: Iterable[Machine], since: int, limit: int) -> tuple[PacketTrace, ...]:
        """Packets whose last stamp is at or after `since` ns, or which still live; at most the newest `limit`."""
        found: list[tuple[int, SkBuff]] = []
        for machine, trail, oldest in self.meet(machines):
            assert machine.trace is not None
            trail.follow(machine.trace, since, oldest)
            found += [(skb.stamps[1], skb) for skb in chain(trail.alive, trail.ended) if skb.stamps]
        found.sort(key=_birth)
        del found[: max(0, len(found) - limit)]
        return tuple([self._trace(skb) for _, skb in found])

    def _learn(self, fresh: list[tuple[int, SkBuff]]) -> None:
        """Look at new packets, oldest first: initial sequence numbers, and window probes, show only in order."""
        fresh.sort(key=_birth)
        isn, high = self.isn, self.high
        for _, skb in fresh:
            if skb.protocol != IPPROTO_TCP:
                continue
            flow = skb.flow
            if skb.tcp_flags & SYN:
                isn.pop(flow, None)
                high.pop(flow, None)
                isn[flow] = skb.seq
                high[flow] = (skb.seq + 1) & MASK
                continue
            end = (skb.seq + skb.len) & MASK
            top = high.get(flow)
            if top is None or (end - top) & MASK < 0x80000000:
                high[flow] = end
            elif skb.len <= 1 and skb.seq == (top - 1) & MASK and not skb.tcp_flags & (FIN | RST):
                self.probes[skb.id] = True
        for book in (self.done, self.words, self.probes, isn, high):
            _forget_oldest(book)

    def _trace(self, skb: SkBuff) -> PacketTrace:
        known = self.done.get(skb.id)
        if known is not None:
            return known
        told = skb.len, skb.seq, skb.ack_seq, skb.window, skb.tcp_flags
        words = self.words.get(skb.id)
        if words is None or words[0] != told:
            words = told, self._kind(skb), self._label(skb)
        stamps = skb.stamps or []
        built = PacketTrace(
            skb.id,
            words[1],
            self.hosts.get(skb.flow[0]) or ip_text(skb.flow[0]),
            self.hosts.get(skb.flow[2]) or ip_text(skb.flow[2]),
            words[2],
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

    def _kind(self, skb: SkBuff) -> PacketKind:
        return kind_of(skb.protocol, skb.tcp_flags, skb.len, probe=skb.id in self.probes)

    def _start(self, skb: SkBuff) -> int:
        """The initial sequence number of a packet's flow; of a flow whose SYN nobody saw, one less than its first packet's."""
        isn = self.isn.get(skb.flow)
        if isn is None:
            isn = _number_of_socket(skb.source, skb.flow, "iss")
            if isn is None:
                isn = (skb.seq - 1) & MASK
            self.isn[skb.flow] = isn
        return isn

    def _other_start(self, skb: SkBuff) -> int:
        """The initial sequence number of the other direction, which a packet acknowledges."""
        saddr, sport, daddr, dport = skb.flow
        back = (daddr, dport, saddr, sport)
        isn = self.isn.get(back)
        if isn is None:
            isn = _number_of_socket(skb.source, skb.flow, "irs")
            self.isn[back] = isn = (skb.ack_seq - 1) & MASK if isn is None else isn
        return isn

    def _label(self, skb: SkBuff) -> str:
        saddr, sport, daddr, dport = skb.flow
        source, destination = ip_text(saddr), ip_text(daddr)
        if skb.protocol == IPPROTO_UDP:
            return f"IP {source}.{sport} > {destination}.{dport}: UDP, length {skb.len}"
        if skb.protocol != IPPROTO_TCP:
            return f"IP {source} > {destination}: ICMP, length {skb.len}"
        start = self._start(skb)
        parts = [f"Flags [{flag_letters(skb.tcp_flags)}]"]
        seq = (skb.seq - start) & MASK
        if skb.tcp_flags & SYN:
            parts.append(f"seq {skb.seq}")
        elif skb.len:
            parts.append(f"seq {seq}:{seq + skb.len}")
        elif skb.tcp_flags & (FIN | RST):
            parts.append(f"seq {seq}")
        if skb.tcp_flags & ACK:
            other = 0 if skb.tcp_flags & SYN else self._other_start(skb)
            parts.append(f"ack {(skb.ack_seq - other) & MASK}")
        parts.append(f"win {skb.window}")
        if skb.opt is not None:
            parts.append(f"options [{_options(skb)}]")
        parts.append(f"length {skb.len}")
        return f"IP {source}.{sport} > {destination}.{dport}: {', '.join(parts)}"


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


def _number_of_socket(source: Net | None, flow: Flow, name: str) -> int | None:
    """The initial sequence number `name` ("iss", "irs") of the socket that sent a packet, if it still exists."""
    if source is None:
        return None
    number = getattr(source.ehash.get((flow[2], flow[3], flow[0], flow[1])), name, None)
    return number if isinstance(number, int) else None


def _options(skb: SkBuff) -> str:
    opt = skb.opt
    assert opt is not None
    parts = [f"mss {opt.mss}"]
    if opt.sack_ok:
        parts.append("sackOK")
    if skb.tsval is not None:
        parts.append(f"TS val {skb.tsval} ecr {skb.tsecr}")
    if opt.wscale is not None:
        parts.append(f"nop,wscale {opt.wscale}")
    return ",".join(parts)
