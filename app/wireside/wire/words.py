"""Frames in the words of `tcpdump -n`, with its own idea of relative sequence numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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

End = tuple[int, int]


@dataclass(slots=True)
class Start:
    """Where the two directions of a conversation begin to count; `low` is the end with the smaller address and port."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Numbers:
    """What is subtracted from a frame's sequence number, and from its acknowledgement and SACK blocks."""

    seq: int = 0
    ack: int = 0
    sack: int = 0


class Conversations:
    """Tells frames with relative numbers, as tcpdump does.

    A conversation begins with its first segment that acknowledges, or anew with a SYN-ACK; that segment is told with the
    numbers that it carries, the later ones count from there. tcpdump: print-tcp.c tcp_print().
    """

    def __init__(self) -> None:
        self._starts: dict[tuple[End, End], Start] = {}

    def numbers(self, frame: Frame) -> Numbers:
        """From where this frame's numbers count; it may begin a conversation."""
        if not frame.flags & ACK:
            return Numbers()
        here, there = (frame.saddr, frame.sport), (frame.daddr, frame.dport)
        upward = here < there
        key = (here, there) if upward else (there, here)
        start = self._starts.get(key)
        if start is None or frame.flags & SYN:
            other = (frame.ack_seq - 1) & MASK
            low, high = (frame.seq, other) if upward else (other, frame.seq)
            self._starts[key] = Start(low, high)
            return Numbers(sack=other)
        mine, other = (start.low, start.high) if upward else (start.high, start.low)
        return Numbers(mine, other, other)

    def line(self, frame: Frame) -> str:
        """The frame as `tcpdump -n` prints it, without the time."""
        source, target = ip_text(frame.saddr), ip_text(frame.daddr)
        if frame.protocol == IPPROTO_TCP:
            return f"IP {source}.{frame.sport} > {target}.{frame.dport}: {self._segment(frame)}"
        if frame.protocol == IPPROTO_UDP:
            return f"IP {source}.{frame.sport} > {target}.{frame.dport}: UDP, length {frame.length}"
        return f"IP {source} > {target}: {icmp_words(frame)}, length {ICMP_HLEN + frame.length}"

    def _segment(self, frame: Frame) -> str:
        from_ = self.numbers(frame)
        parts = [f"Flags [{flag_letters(frame.flags)}]"]
        if frame.length or frame.flags & (SYN | FIN | RST):
            seq = (frame.seq - from_.seq) & MASK
            parts.append(f"seq {seq}:{seq + frame.length & MASK}" if frame.length else f"seq {seq}")
        if frame.flags & ACK:
            parts.append(f"ack {frame.ack_seq - from_.ack & MASK}")
        parts.append(f"win {frame.window}")
        if frame.flags & URG:
            parts.append(f"urg {frame.urgent}")
        options = option_words(frame, from_.sack)
        if options:
            parts.append(f"options [{options}]")
        parts.append(f"length {frame.length}")
        return ", ".join(parts)


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
