"""What a packet is to somebody who watches: the words of the legend, and of `PacketTrace.kind`."""

from __future__ import annotations

from enum import StrEnum


class PacketKind(StrEnum):
    """One kind, one colour; each is spelt as the legend shows it. `sim.packets` tells which one a packet is."""

    SYN = "SYN"
    SYN_ACK = "SYN-ACK"
    ACK = "ACK"
    DATA = "DATA"
    FIN = "FIN"
    RST = "RST"
    PROBE = "PROBE"
    """A window or keepalive probe: an ACK from before what was sent, to make the peer speak."""
    UDP = "UDP"
    ICMP = "ICMP"
