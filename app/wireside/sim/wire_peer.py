"""A peer without a kernel: it sends hand-written segments and keeps what comes back."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wireside.catalog.inet import (
    ACK,
    ETH_HLEN,
    FIN,
    ICMP_DEST_UNREACH,
    ICMP_HLEN,
    ICMP_HOST_UNREACH,
    ICMP_NET_UNREACH,
    ICMP_PKT_FILTERED,
    ICMP_PORT_UNREACH,
    ICMP_PROT_UNREACH,
    IP_HLEN,
    IPPROTO_TCP,
    IPPROTO_UDP,
    MASK,
    PSH,
    RST,
    SYN,
    TCP_HLEN,
    TCPOLEN_TSTAMP_ALIGNED,
    UDP_HLEN,
    URG,
    ip_parse,
)
from wireside.kernel.core.net import Machine, Net
from wireside.kernel.core.skbuff import SkBuff, SynOptions, consume_skb, skb_birth
from wireside.kernel.ip.icmp_send import ICMP_MAX_IP, IcmpSkb
from wireside.scenario.patterns import matches
from wireside.scenario.spec import ECHO, WireSegment
from wireside.sim.frames import frame_of
from wireside.wire.told import tell

if TYPE_CHECKING:
    from collections.abc import Callable

    from wireside.catalog.profiles import KernelProfile
    from wireside.kernel.core.net import Scheduler
    from wireside.sim.env import KernelEnv
    from wireside.sim.link import Medium
    from wireside.wire.told import ToldFrame

FLAG = {"S": SYN, "F": FIN, "R": RST, "P": PSH, ".": ACK, "U": URG, "E": 0x40, "W": 0x80}
UNREACHABLE = {
    "net": ICMP_NET_UNREACH,
    "host": ICMP_HOST_UNREACH,
    "protocol": ICMP_PROT_UNREACH,
    "port": ICMP_PORT_UNREACH,
    "filtered": ICMP_PKT_FILTERED,
}
"""Codes of "destination unreachable" by what a scenario calls them."""
KEPT = 16_384
"""Received frames that a peer remembers."""


class Shape:
    """What is the same in every repetition of a segment, worked out once.

    `sources` addresses from `saddr` on take turns as the sender; `saddr` 0 is the peer's own address.
    """

    __slots__ = ("daddr", "flags", "hdr_len", "opt", "saddr", "seq_length", "sources")

    def __init__(self, segment: WireSegment) -> None:
        flags = 0
        for letter in segment.flags:
            flags |= FLAG[letter]
        if segment.ack is not None:
            flags |= ACK
        self.flags = flags
        self.seq_length = segment.length + bool(flags & SYN) + bool(flags & FIN)
        self.opt = SynOptions(segment.mss or 536, segment.wscale, segment.sack_ok) if flags & SYN else None
        transport = UDP_HLEN if segment.protocol == "udp" else TCP_HLEN + option_bytes(segment)
        self.hdr_len = ETH_HLEN + IP_HLEN + transport
        self.daddr = ip_parse(segment.daddr) if segment.daddr else 0
        network, _, bits = segment.saddr.partition("/")
        self.saddr = ip_parse(network) if network else 0
        self.sources = 1 << 32 - int(bits) if bits else 1


class Answer:
    """A segment to be sent when a certain frame has come, and how many of those came so far."""

    __slots__ = ("came", "segment")

    def __init__(self, segment: WireSegment) -> None:
        self.segment = segment
        self.came = 0

    def due(self, frame: ToldFrame) -> WireSegment | None:
        """The segment, when `frame` is the one that it waits for."""
        after, nth = self.segment.after, self.segment.nth
        if after is None or not matches(after, frame):
            return None
        self.came += 1
        return self.segment if nth in (0, self.came) else None


class WirePeer:
    """The far end of a host's link. Its own sequence numbers begin at `isn`; the other side's are learnt from its SYN.

    `received` holds (ns, SkBuff) of what came in, oldest first. `on_receive(peer, ns, skb)` is called for each; it may send.
    """

    def __init__(
        self, name: str, address: int, env: KernelEnv, profile: KernelProfile, sched: Scheduler, seed: int
    ) -> None:
        self.name = name
        self.env = env
        self.net = Net(name, Machine(name, profile, env, sched, seed), address)
        self.wire: Medium | None = None
        self.target = 0
        """The address of the host at the other end."""
        self.isn = 0
        self.peer_isn: dict[tuple[int, int], int] = {}
        """(our port, its port) → the initial sequence number of the other side."""
        self.peer_ts: dict[tuple[int, int], int] = {}
        """(our port, its port) → the last timestamp of the other side."""
        self.received: deque[tuple[int, SkBuff]] = deque(maxlen=KEPT)
        self.on_receive: Callable[[WirePeer, int, SkBuff], None] | None = None
        self.sent = 0
        self.answers: list[Answer] = []
        self.complains = False
        """It is to send ICMP errors, which are about packets that it has received."""

    def plan(self, segments: tuple[WireSegment, ...]) -> None:
        """Send hand-written segments at their times, and others when what they answer has come."""
        self.complains = any(segment.protocol == "icmp" for segment in segments)
        for segment in segments:
            if segment.after is not None:
                self.answers.append(Answer(segment))
                continue
            self.env.at(segment.at_ns, self._planned, (segment, Shape(segment), segment.repeat))

    def _planned(self, due: tuple[WireSegment, Shape, int]) -> None:
        segment, shape, left = due
        if segment.protocol == "icmp":
            self._complain(segment)
        else:
            self._put(segment, shape)
        if left > 1:
            self.env.at(self.env.now + segment.every_ns, self._planned, (segment, shape, left - 1))

    def send(self, sport: int, dport: int, flags: str = "", **fields: Any) -> SkBuff:
        """Send one segment now; fields as in WireSegment, UDP when `protocol="udp"`. Returns the packet sent."""
        fields.setdefault("protocol", "tcp")
        return self.inject(WireSegment(self.env.now, sport=sport, dport=dport, flags=flags, **fields))

    def _complain(self, segment: WireSegment) -> None:
        """Send an ICMP error about the last packet that came for these ports; nothing when there was none."""
        for _, skb in reversed(self.received):
            if (skb.flow[1], skb.flow[3]) == (segment.dport, segment.sport):
                self.unreachable(skb, UNREACHABLE[segment.unreachable], segment.saddr)
                return

    def unreachable(self, offender: SkBuff, code: int, saddr: str = "") -> None:
        """Tell the host that `offender` could not be delivered, in the name of `saddr` or of its destination."""
        assert self.wire is not None, f"{self.name} is not linked to a host"
        source = ip_parse(saddr) if saddr else offender.flow[2]
        flow = (source, ICMP_DEST_UNREACH, offender.flow[0], code)
        quoted = min(offender.hdr_len + offender.len - ETH_HLEN, ICMP_MAX_IP - IP_HLEN - ICMP_HLEN)
        skb = IcmpSkb(self.net.machine.skb_id(), flow, quoted, offender)
        skb.hdr_len = ETH_HLEN + IP_HLEN + ICMP_HLEN
        skb_birth(self.net, skb)
        self.sent += 1
        self.wire.transmit(self.env.now, skb)

    def inject(self, segment: WireSegment) -> SkBuff:
        """Put a segment on the wire now."""
        return self._put(segment, Shape(segment))

    def _put(self, segment: WireSegment, shape: Shape) -> SkBuff:
        assert self.wire is not None, f"{self.name} is not linked to a host"
        source = self.net.address
        if shape.saddr:
            source = shape.saddr + self.sent % shape.sources
        flow = (source, segment.sport, shape.daddr or self.target, segment.dport)
        skb_id = self.net.machine.skb_id()
        if segment.protocol == "udp":
            skb = SkBuff(skb_id, flow, IPPROTO_UDP, segment.length, 0, 0)
        else:
            skb = self._tcp(segment, shape, skb_id, flow)
        skb.hdr_len = shape.hdr_len
        skb.csum_bad = segment.csum_bad
        skb_birth(self.net, skb)
        self.sent += 1
        self.wire.transmit(self.env.now, skb)
        return skb

    def _tcp(
        self, segment: WireSegment, shape: Shape, skb_id: int, flow: tuple[int, int, int, int]
    ) -> SkBuff:
        seq = (self.isn + segment.seq) & MASK
        skb = SkBuff(skb_id, flow, IPPROTO_TCP, segment.length, seq, shape.flags)
        skb.end_seq = (seq + shape.seq_length) & MASK
        skb.window = segment.win
        if segment.ts is not None:
            skb.tsval, skb.tsecr = segment.ts
            if skb.tsecr == ECHO:
                skb.tsecr = self.peer_ts.get((segment.sport, segment.dport), 0)
        skb.opt = shape.opt
        if segment.ack is not None or segment.sack:
            other = self.peer_isn.get((segment.sport, segment.dport), 0)
            if segment.ack is not None:
                skb.ack_seq = (other + segment.ack) & MASK
            skb.sack = tuple(((other + left) & MASK, (other + right) & MASK) for left, right in segment.sack)
        return skb

    def deliver(self, now: int, skb: SkBuff) -> None:
        """Take a frame off the wire at `now` ns."""
        if skb.protocol == IPPROTO_TCP and skb.tcp_flags & SYN:
            self.peer_isn[skb.flow[3], skb.flow[1]] = skb.seq
        if skb.tsval is not None:
            self.peer_ts[skb.flow[3], skb.flow[1]] = skb.tsval
        consume_skb(self.net, skb)
        self.received.append((now, skb))
        if self.answers:
            self._answer(now, skb)
        if self.on_receive is not None:
            self.on_receive(self, now, skb)

    def _answer(self, now: int, skb: SkBuff) -> None:
        """Plan the segments that were to be sent when a frame like this came."""
        start = self.peer_isn.get((skb.flow[3], skb.flow[1]), 0)
        frame = tell(frame_of(now, skb), start, self.isn, {})
        end = frame.seq + frame.length + bool(skb.tcp_flags & SYN) + bool(skb.tcp_flags & FIN)
        for answer in self.answers:
            segment = answer.due(frame)
            if segment is None:
                continue
            segment = replace(
                segment,
                dport=segment.dport or frame.sport,
                seq=(frame.ack or 0) if segment.seq_answers else segment.seq,
                ack=end if segment.ack_answers else segment.ack,
            )
            # Two peers that answer each other on a link without delay must not stop the clock.
            due = now + max(segment.at_ns, 1)
            self.env.at(due, self._planned, (segment, Shape(segment), segment.repeat))

    def relative(self, skb: SkBuff) -> tuple[int, int]:
        """(seq, ack) of a packet received, relative to both sides' initial numbers."""
        other = self.peer_isn.get((skb.flow[3], skb.flow[1]), 0)
        return (skb.seq - other) & MASK, (skb.ack_seq - self.isn) & MASK


def option_bytes(segment: WireSegment) -> int:
    """Length of a segment's TCP options with padding, bytes."""
    size = 0
    if segment.mss is not None:
        size += 4
    if segment.ts is not None:
        size += TCPOLEN_TSTAMP_ALIGNED
    elif segment.sack_ok:
        size += 4
    if segment.wscale is not None:
        size += 4
    if segment.sack:
        size += 4 + 8 * len(segment.sack)
    return size
