"""The stages of a packet's journey, in the order a packet meets them."""

from __future__ import annotations

from enum import IntEnum


class Stage(IntEnum):
    """Where a packet can be; the numbers index cost tables and stamps."""

    SYS_WRITE = 0
    TCP_SENDMSG = 1
    UDP_SENDMSG = 2
    TCP_WRITE_XMIT = 3
    IP_OUTPUT = 4
    QDISC = 5
    TX_RING = 6
    WIRE = 7
    RX_RING = 8
    HARDIRQ = 9
    NAPI_POLL = 10
    GRO = 11
    BACKLOG = 12
    NETIF_RECEIVE = 13
    IP_RCV = 14
    TCP_RCV = 15
    UDP_RCV = 16
    SK_BACKLOG = 17
    RECEIVE_QUEUE = 18
    WAKEUP = 19
    SYS_READ = 20
    TX_COMPLETION = 21
    SCHEDULE = 22
