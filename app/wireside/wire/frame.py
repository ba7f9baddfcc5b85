"""One Ethernet frame with an IPv4 packet: every field that we ever set, in the header's own numbers."""

from __future__ import annotations

from typing import NamedTuple

from wireside.catalog.inet import (
    ETH_HLEN,
    ICMP_HLEN,
    IP_HLEN,
    IPDEFTTL,
    IPPROTO_TCP,
    IPPROTO_UDP,
    TCP_HLEN,
    UDP_HLEN,
)


class Frame(NamedTuple):
    """A TCP segment, UDP datagram or ICMP error in its frame; sequence numbers and window as the header has them.

    `saddr` and `daddr` are IPv4 addresses as numbers. `length` counts payload bytes; of an ICMP error, the bytes of the
    packet that it quotes. Times are ns.
    """

    time_ns: int
    protocol: int
    saddr: int
    daddr: int
    sport: int = 0
    """Of an ICMP message, its type."""
    dport: int = 0
    """Of an ICMP message, its code."""
    length: int = 0
    flags: int = 0
    seq: int = 0
    ack_seq: int = 0
    window: int = 0
    urgent: int = 0
    """The urgent pointer."""
    mss: int | None = None
    sack_ok: bool = False
    tsval: int | None = None
    """None: the segment carries no timestamps."""
    tsecr: int = 0
    wscale: int | None = None
    sack: tuple[tuple[int, int], ...] = ()
    quoted: Frame | None = None
    """Of an ICMP error, the packet that it complains about."""
    ttl: int = IPDEFTTL
    ident: int = 0
    """Identification of the IP header."""
    dont_fragment: bool = True
    csum_bad: bool = False
    """Its transport checksum is wrong."""
    lost: bool = False
    """The link loses it."""

    @property
    def option_bytes(self) -> int:
        """Length of the TCP options, padding included."""
        return sum(size for _, size in options_of(self))

    @property
    def header_bytes(self) -> int:
        """Length of the Ethernet, IP and transport headers."""
        if self.protocol == IPPROTO_TCP:
            return ETH_HLEN + IP_HLEN + TCP_HLEN + self.option_bytes
        return ETH_HLEN + IP_HLEN + (UDP_HLEN if self.protocol == IPPROTO_UDP else ICMP_HLEN)


def options_of(frame: Frame) -> tuple[tuple[str, int], ...]:
    """The TCP options of a frame in Linux's order, as (name, bytes with the padding before it).

    SACK-permitted stands in the padding of the timestamps when both are there.
    Linux: net/ipv4/tcp_output.c tcp_options_write().
    """
    found: list[tuple[str, int]] = []
    if frame.mss is not None:
        found.append(("mss", 4))
    if frame.tsval is not None:
        found.append(("sackOK,TS" if frame.sack_ok else "nop,nop,TS", 12))
    elif frame.sack_ok:
        found.append(("nop,nop,sackOK", 4))
    if frame.wscale is not None:
        found.append(("nop,wscale", 4))
    if frame.sack:
        found.append(("nop,nop,sack", 4 + 8 * len(frame.sack)))
    return tuple(found)
