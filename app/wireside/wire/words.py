"""Frames in the words of `tcpdump -n`, with its own idea of relative sequence numbers."""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from wireside.catalog.inet import (
    ACK,
    CWR,
    ECE,
    FIN,
    ICMP_DEST_UNREACH,
    ICMP_HLEN,
    ICMP_HOST_UNREACH,
    ICMP_NET_UNREACH,
    ICMP_PKT_FILTERED,
    ICMP_PORT_UNREACH,
    ICMP_PROT_UNREACH,
    IPPROTO_TCP,
    IPPROTO_UDP,
    MASK,
    PSH,
    RST,
    SYN,
    URG,
    ip_text,
)
from wireside.wire.frame import options_of

if TYPE_CHECKING:
    from wireside.wire.frame import Frame

LETTERS = ((FIN, "F"), (SYN, "S"), (RST, "R"), (PSH, "P"), (ACK, "."), (URG, "U"), (ECE, "E"), (CWR, "W"))
UNREACHABLE = {
    ICMP_NET_UNREACH: "net {host} unreachable",
    ICMP_HOST_UNREACH: "host {host} unreachable",
    ICMP_PROT_UNREACH: "{host} protocol {protocol} unreachable",
    ICMP_PORT_UNREACH: "{host} {name} port {port} unreachable",
    ICMP_PKT_FILTERED: "host {host} unreachable - admin prohibited filter",
}
"""By the code of "destination unreachable". tcpdump: print-icmp.c."""

Flow = tuple[int, int, int, int]
"""(saddr, sport, daddr, dport)."""


class Numbers(NamedTuple):
    """What is subtracted from a frame's sequence number, and from its acknowledgement and SACK blocks."""

    seq: int = 0
    ack: int = 0
    sack: int = 0


AS_THEY_ARE = Numbers()
DIRECTIONS = 20_000
"""Directions of conversations that are remembered at least; twice as many at most. The oldest are forgotten together."""


class Conversations:
    """Which numbers frames are told with, as tcpdump has it: relative ones.

    A conversation begins with its first segment that acknowledges, or anew with a SYN-ACK; that segment is told with the
    numbers that it carries, the later ones count from there. tcpdump: print-tcp.c tcp_print().
    """

    __slots__ = ("_starts",)

    def __init__(self) -> None:
        self._starts: dict[Flow, Numbers] = {}
        """Where each direction begins to count."""

    def numbers(self, flow: Flow, flags: int, seq: int, ack_seq: int) -> Numbers:
        """From where the numbers of a segment count; it may begin a conversation. Segments come in the order they pass."""
        if not flags & ACK:
            return AS_THEY_ARE
        known = self._starts.get(flow)
        if known is not None and not flags & SYN:
            return known
        return self._begin(flow, seq, (ack_seq - 1) & MASK)

    def _begin(self, flow: Flow, mine: int, other: int) -> Numbers:
        starts = self._starts
        back = (flow[2], flow[3], flow[0], flow[1])
        starts.pop(flow, None)
        starts.pop(back, None)
        starts[flow] = Numbers(mine, other, other)
        starts[back] = Numbers(other, mine, mine)
        if len(starts) > 2 * DIRECTIONS:
            for key in list(islice(starts, DIRECTIONS)):
                del starts[key]
        return Numbers(sack=other)

    def line(self, frame: Frame) -> str:
        """The next frame as `tcpdump -n` prints it, without the time."""
        flow = frame.saddr, frame.sport, frame.daddr, frame.dport
        tcp = frame.protocol == IPPROTO_TCP
        return line(frame, self.numbers(flow, frame.flags, frame.seq, frame.ack_seq) if tcp else AS_THEY_ARE)


def line(frame: Frame, numbers: Numbers) -> str:
    """A frame as `tcpdump -n` prints it, without the time; a segment's numbers count from `numbers`."""
    source, target = ip_text(frame.saddr), ip_text(frame.daddr)
    if frame.protocol == IPPROTO_TCP:
        return f"IP {source}.{frame.sport} > {target}.{frame.dport}: {_segment(frame, numbers)}"
    if frame.protocol == IPPROTO_UDP:
        return f"IP {source}.{frame.sport} > {target}.{frame.dport}: UDP, length {frame.length}"
    return f"IP {source} > {target}: {icmp_words(frame)}, length {ICMP_HLEN + frame.length}"


def _segment(frame: Frame, numbers: Numbers) -> str:
    parts = [f"Flags [{flag_letters(frame.flags)}]"]
    if frame.length or frame.flags & (SYN | FIN | RST):
        seq = (frame.seq - numbers.seq) & MASK
        parts.append(f"seq {seq}:{seq + frame.length & MASK}" if frame.length else f"seq {seq}")
    if frame.flags & ACK:
        parts.append(f"ack {frame.ack_seq - numbers.ack & MASK}")
    parts.append(f"win {frame.window}")
    if frame.flags & URG:
        parts.append(f"urg {frame.urgent}")
    options = option_words(frame, numbers.sack)
    if options:
        parts.append(f"options [{options}]")
    parts.append(f"length {frame.length}")
    return ", ".join(parts)


@lru_cache(maxsize=256)
def flag_letters(flags: int) -> str:
    """TCP flags as tcpdump writes them; "none" without any."""
    return "".join(letter for bit, letter in LETTERS if flags & bit) or "none"


def option_words(frame: Frame, start: int) -> str:
    """The TCP options in the order of the header; SACK blocks count from `start`."""
    words = []
    for name, _ in options_of(frame):
        word = name
        if name == "mss":
            word = f"mss {frame.mss}"
        elif name.endswith("TS"):
            word = f"{name} val {frame.tsval} ecr {frame.tsecr}"
        elif name == "nop,wscale":
            word = f"{name} {frame.wscale}"
        elif name == "nop,nop,sack":
            blocks = (f"{{{left - start & MASK}:{right - start & MASK}}}" for left, right in frame.sack)
            word = f"{name} {len(frame.sack)} {''.join(blocks)}"
        words.append(word)
    return ",".join(words)


def icmp_words(frame: Frame) -> str:
    """An ICMP error: what could not be reached. tcpdump: print-icmp.c icmp_print()."""
    kind, code, quoted = frame.sport, frame.dport, frame.quoted
    pattern = UNREACHABLE.get(code) if kind == ICMP_DEST_UNREACH else None
    if pattern is None or quoted is None:
        return f"ICMP type {kind} code {code}"
    name = {IPPROTO_TCP: "tcp", IPPROTO_UDP: "udp"}.get(quoted.protocol, str(quoted.protocol))
    host = ip_text(quoted.daddr)
    return "ICMP " + pattern.format(host=host, protocol=quoted.protocol, name=name, port=quoted.dport)
