"""The numbers of IPv4, TCP, UDP and ICMP that headers carry, and how an address is written."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

IPPROTO_ICMP: Final = 1
IPPROTO_TCP: Final = 6
IPPROTO_UDP: Final = 17

FIN: Final = 0x01
SYN: Final = 0x02
RST: Final = 0x04
PSH: Final = 0x08
ACK: Final = 0x10
URG: Final = 0x20
ECE: Final = 0x40
CWR: Final = 0x80

ETH_HLEN: Final = 14
IP_HLEN: Final = 20
TCP_HLEN: Final = 20
UDP_HLEN: Final = 8
ICMP_HLEN: Final = 8
"""Lengths of headers without options, bytes."""
ETH_DATA_LEN: Final = 1500
LOOPBACK_MTU: Final = 65536
"""IP packets on an Ethernet and on the loopback device are at most so long, bytes."""
TCPOLEN_TSTAMP_ALIGNED: Final = 12
"""The timestamp option with its padding, bytes."""
IPDEFTTL: Final = 64
"""Linux: include/uapi/linux/ip.h."""
MASK: Final = 0xFFFFFFFF
"""Sequence numbers, timestamps and windows are counted modulo 2 to the 32nd."""

ICMP_DEST_UNREACH: Final = 3
"""The type of the ICMP errors that the codes below belong to. Linux: include/uapi/linux/icmp.h."""
ICMP_NET_UNREACH: Final = 0
ICMP_HOST_UNREACH: Final = 1
ICMP_PROT_UNREACH: Final = 2
ICMP_PORT_UNREACH: Final = 3
ICMP_FRAG_NEEDED: Final = 4
ICMP_PKT_FILTERED: Final = 13


@lru_cache(maxsize=4096)
def ip_text(address: int) -> str:
    """Dotted-quad text of an IPv4 address."""
    return f"{address >> 24}.{address >> 16 & 255}.{address >> 8 & 255}.{address & 255}"


def ip_parse(text: str) -> int:
    """IPv4 address of dotted-quad text; ValueError when it is none."""
    parts = [int(part) for part in text.split(".")]
    if len(parts) != 4 or not all(0 <= part <= 255 for part in parts):
        raise ValueError(text)
    return parts[0] << 24 | parts[1] << 16 | parts[2] << 8 | parts[3]
