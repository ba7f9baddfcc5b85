"""Frames in the words of a transcript: hosts by name, numbers from both sides' SYNs, options without padding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wireside.catalog.inet import ACK, IPPROTO_TCP, IPPROTO_UDP, MASK, SYN, ip_text
from wireside.wire.words import flag_letters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wireside.wire.frame import Frame

Flow = tuple[int, int, int, int]
"""(saddr, sport, daddr, dport)."""


@dataclass(frozen=True, slots=True)
class ToldFrame:
    """One frame as its sender puts it on the wire; numbers relative to both sides' SYNs."""

    time_ns: int
    source: str
    """The host's name, or its address."""
    sport: int
    target: str
    dport: int
    protocol: str
    """"tcp", "udp" or "icmp"."""
    flags: str = ""
    """tcpdump's letters."""
    seq: int = 0
    ack: int | None = None
    """None without the ACK flag."""
    win: int = 0
    """As the header has it, unscaled."""
    options: tuple[str, ...] = ()
    """In tcpdump's words and its own order, without padding: "mss 1460", "sackOK", "TS", "wscale 10", "sack {1:101}"."""
    length: int = 0
    lost: bool = False
    """The link loses it."""

    @property
    def label(self) -> str:
        """The frame as one line without the time; unlike tcpdump it tells `seq` even of an empty ACK."""
        parts = self._tcp_parts() if self.protocol == "tcp" else [self.protocol.upper()]
        parts.append(f"length {self.length}")
        if self.lost:
            parts.append("lost")
        if self.protocol == "icmp":
            return f"{self.source} > {self.target}: {', '.join(parts)}"
        return f"{self.source}:{self.sport} > {self.target}:{self.dport}: {', '.join(parts)}"

    def _tcp_parts(self) -> list[str]:
        end = f":{self.seq + self.length}" if self.length else ""
        parts = [f"Flags [{self.flags}]", f"seq {self.seq}{end}"]
        if self.ack is not None:
            parts.append(f"ack {self.ack}")
        parts.append(f"win {self.win}")
        if self.options:
            parts.append(f"options [{','.join(self.options)}]")
        return parts


class Teller:
    """Tells the frames of a wire in the order they pass; a flow whose SYN did not pass keeps its own numbers."""

    __slots__ = ("names", "start")

    def __init__(self, names: Mapping[int, str]) -> None:
        self.names = names
        """Address → name."""
        self.start: dict[Flow, int] = {}
        """Flow → sequence number of its SYN."""

    def tell(self, frame: Frame) -> ToldFrame:
        """The next frame."""
        flow = frame.saddr, frame.sport, frame.daddr, frame.dport
        if frame.protocol == IPPROTO_TCP and frame.flags & SYN:
            self.start[flow] = frame.seq
        other = self.start.get((frame.daddr, frame.dport, frame.saddr, frame.sport), 0)
        return tell(frame, self.start.get(flow, 0), other, self.names)


def tell(frame: Frame, start: int, other: int, names: Mapping[int, str]) -> ToldFrame:
    """A frame whose numbers count from `start`, its flow's SYN, and `other`, that of the other direction."""
    source = names.get(frame.saddr) or ip_text(frame.saddr)
    target = names.get(frame.daddr) or ip_text(frame.daddr)
    if frame.protocol != IPPROTO_TCP:
        udp = frame.protocol == IPPROTO_UDP
        ports = (frame.sport, frame.dport) if udp else (0, 0)
        kind = "udp" if udp else "icmp"
        return ToldFrame(
            frame.time_ns, source, ports[0], target, ports[1], kind, length=frame.length, lost=frame.lost
        )
    return ToldFrame(
        frame.time_ns,
        source,
        frame.sport,
        target,
        frame.dport,
        "tcp",
        flag_letters(frame.flags) if frame.flags else "",
        (frame.seq - start) & MASK,
        (frame.ack_seq - other) & MASK if frame.flags & ACK else None,
        frame.window,
        _options(frame, other),
        frame.length,
        frame.lost,
    )


def _options(frame: Frame, other: int) -> tuple[str, ...]:
    found = []
    if frame.mss is not None:
        found.append(f"mss {frame.mss}")
    if frame.sack_ok:
        found.append("sackOK")
    if frame.tsval is not None:
        found.append("TS")
    if frame.wscale is not None:
        found.append(f"wscale {frame.wscale}")
    if frame.sack:
        blocks = (f"{{{(left - other) & MASK}:{(right - other) & MASK}}}" for left, right in frame.sack)
        found.append(f"sack {''.join(blocks)}")
    return tuple(found)
