"""Numbers that others must not guess: initial sequence numbers, timestamp offsets, where the search for a port begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.inet import MASK
from wireside.catalog.sysctls import TCP_TIMESTAMPS

if TYPE_CHECKING:
    from wireside.kernel.core.net import Net

_MASK64: Final = 0xFFFFFFFFFFFFFFFF


def keyed_hash(net: Net, *words: int) -> int:
    """64 bits that depend on the words and on the machine's secret. Differs: a mixer takes SipHash's place."""
    state = net.hash_secret
    for word in words:
        state = (state ^ word) * 0x9E3779B97F4A7C15 & _MASK64
        state ^= state >> 29
        state = state * 0xBF58476D1CE4E5B9 & _MASK64
        state ^= state >> 32
    return state


def secure_tcp_seq(net: Net, flow: tuple[int, int, int, int], now: int) -> int:
    """The initial sequence number for the segments of `flow`; it grows by one every 64 ns.

    Of two connections with the same four numbers the later has the larger one. RFC: 6528. Linux:
    net/core/secure_seq.c secure_tcp_seq().
    """
    return (keyed_hash(net, *flow) + (now >> 6)) & MASK


def secure_tcp_ts_off(net: Net, saddr: int, daddr: int) -> int:
    """What is added to the clock in timestamps: the same for all connections between two addresses, ms.

    Linux: net/core/secure_seq.c secure_tcp_ts_off().
    """
    return keyed_hash(net, saddr, daddr) & MASK if net.sysctl[TCP_TIMESTAMPS] == 1 else 0


def secure_port_ephemeral(net: Net, saddr: int, daddr: int, dport: int) -> int:
    """Where connect() begins to look for a port, 64 bits. Linux: secure_ipv4_port_ephemeral()."""
    return keyed_hash(net, saddr, daddr, dport)
