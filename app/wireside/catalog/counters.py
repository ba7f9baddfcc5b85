"""Every SNMP counter the model bumps, in namespaces named as the kernel groups them: `TcpExt.ListenOverflows`.

The attribute names are exactly the kernel's; a counter's `name` is the spelling of `nstat`. Counters are compared
and hashed by identity, so that they serve as dict keys on the hot path.
"""

from __future__ import annotations

from functools import cache

from wireside.catalog.counters_tcp import Tcp, TcpExt
from wireside.catalog.kinds import Counter, NicCounter

# fmt: off
INPUT, FORWARD, OUTPUT = "net/ipv4/ip_input.c", "net/ipv4/ip_forward.c", "net/ipv4/ip_output.c"
FRAGMENT, ICMP, UDP = "net/ipv4/ip_fragment.c", "net/ipv4/icmp.c", "net/ipv4/udp.c"


class Ip:
    """Group Ip of /proc/net/snmp (RFC 4293)."""

    InReceives = Counter("IpInReceives", "IP packets that reached the IP layer, bad ones included.", f"{INPUT} ip_rcv_core()")
    InHdrErrors = Counter("IpInHdrErrors", "IP packets dropped for a bad header or an expired TTL.", f"{INPUT} ip_rcv_core(), {FORWARD} ip_forward()", bad=True, modelled=False)
    InAddrErrors = Counter("IpInAddrErrors", "IP packets dropped because their destination is not ours and forwarding is off.", "net/ipv4/route.c ip_error()", bad=True)
    ForwDatagrams = Counter("IpForwDatagrams", "IP packets passed on to another host.", f"{FORWARD} ip_forward()", modelled=False)
    InUnknownProtos = Counter("IpInUnknownProtos", "IP packets for a protocol nobody handles.", f"{INPUT} ip_protocol_deliver_rcu()", bad=True)
    InDiscards = Counter("IpInDiscards", "Good IP packets dropped on receipt for lack of memory.", f"{INPUT} ip_rcv_core()", bad=True, modelled=False)
    InDelivers = Counter("IpInDelivers", "IP packets handed to TCP, UDP or ICMP.", f"{INPUT} ip_protocol_deliver_rcu()")
    OutRequests = Counter("IpOutRequests", "IP packets that local protocols asked to send.", f"{OUTPUT} __ip_local_out()")
    OutDiscards = Counter("IpOutDiscards", "Outgoing IP packets dropped inside the host.", f"{OUTPUT} ip_finish_output2()", bad=True)
    OutNoRoutes = Counter("IpOutNoRoutes", "Outgoing IP packets dropped for want of a route.", f"{OUTPUT} __ip_queue_xmit()", bad=True)
    ReasmTimeout = Counter("IpReasmTimeout", "Fragmented packets given up because pieces did not come in time.", f"{FRAGMENT} ip_expire()", bad=True, modelled=False)
    ReasmReqds = Counter("IpReasmReqds", "Fragments received.", f"{FRAGMENT} ip_defrag()", modelled=False)
    ReasmOKs = Counter("IpReasmOKs", "Packets put together from fragments.", f"{FRAGMENT} ip_frag_reasm()", modelled=False)
    ReasmFails = Counter("IpReasmFails", "Packets that could not be put together from fragments.", f"{FRAGMENT} ip_defrag()", bad=True, modelled=False)
    FragOKs = Counter("IpFragOKs", "Outgoing packets that were split into fragments.", f"{OUTPUT} ip_do_fragment()", modelled=False)
    FragFails = Counter("IpFragFails", "Packets too big for the next link that must not be fragmented.", f"{FORWARD} ip_forward(), {OUTPUT} ip_fragment()", bad=True, modelled=False)
    FragCreates = Counter("IpFragCreates", "Fragments made.", f"{OUTPUT} ip_do_fragment()", modelled=False)
    OutTransmits = Counter("IpOutTransmits", "IP packets handed to a device, own and forwarded.", f"{OUTPUT} ip_finish_output2()")


class IpExt:
    """Group IpExt of /proc/net/netstat."""

    InNoRoutes = Counter("IpExtInNoRoutes", "Received IP packets for which no route exists.", "net/ipv4/route.c ip_error()", bad=True, modelled=False)
    InTruncatedPkts = Counter("IpExtInTruncatedPkts", "IP packets whose frame is shorter than their header says.", f"{INPUT} ip_rcv_core()", bad=True, modelled=False)
    InBcastPkts = Counter("IpExtInBcastPkts", "Broadcast IP packets received.", f"{INPUT} ip_rcv_finish_core()", modelled=False)
    OutBcastPkts = Counter("IpExtOutBcastPkts", "Broadcast IP packets sent.", f"{OUTPUT} ip_finish_output2()", modelled=False)
    InOctets = Counter("IpExtInOctets", "Bytes of IP packets received, IP headers included.", f"{INPUT} ip_rcv_core()")
    OutOctets = Counter("IpExtOutOctets", "Bytes of IP packets sent, IP headers included.", f"{OUTPUT} ip_finish_output2()")
    InCsumErrors = Counter("IpExtInCsumErrors", "IP packets whose header checksum was wrong.", f"{INPUT} ip_rcv_core()", bad=True, modelled=False)
    InNoECTPkts = Counter("IpExtInNoECTPkts", "Packets received that cannot be marked for congestion (not ECN-capable).", f"{INPUT} ip_rcv_core()")
    InECT1Pkts = Counter("IpExtInECT1Pkts", "Packets received with the ECN mark ECT(1).", f"{INPUT} ip_rcv_core()", modelled=False)
    InECT0Pkts = Counter("IpExtInECT0Pkts", "Packets received with the ECN mark ECT(0).", f"{INPUT} ip_rcv_core()", modelled=False)
    InCEPkts = Counter("IpExtInCEPkts", "Packets received that a router marked as having met congestion.", f"{INPUT} ip_rcv_core()", modelled=False)


class Udp:
    """Group Udp of /proc/net/snmp (RFC 4113)."""

    InDatagrams = Counter("UdpInDatagrams", "Datagrams a program has read.", f"{UDP} udp_recvmsg()")
    NoPorts = Counter("UdpNoPorts", "Datagrams for a port nobody listens on.", f"{UDP} __udp4_lib_rcv()", bad=True)
    InErrors = Counter("UdpInErrors", "Datagrams that arrived but were lost on this host; includes RcvbufErrors.", f"{UDP} __udp_queue_rcv_skb()", bad=True)
    OutDatagrams = Counter("UdpOutDatagrams", "Datagrams sent.", f"{UDP} udp_send_skb()")
    RcvbufErrors = Counter("UdpRcvbufErrors", "Datagrams dropped because the socket's receive buffer was full.", f"{UDP} __udp_queue_rcv_skb()", bad=True)
    SndbufErrors = Counter("UdpSndbufErrors", "Datagrams not sent because the host's send queues were full.", f"{UDP} udp_send_skb(), udp_sendmsg()", bad=True)
    InCsumErrors = Counter("UdpInCsumErrors", "Datagrams whose checksum was wrong.", f"{UDP} __udp4_lib_rcv(), udp_recvmsg()", bad=True)
    IgnoredMulti = Counter("UdpIgnoredMulti", "Broadcast or multicast datagrams nobody wanted.", f"{UDP} __udp4_lib_mcast_deliver()", modelled=False)
    MemErrors = Counter("UdpMemErrors", "Datagrams dropped because UDP as a whole was over udp_mem.", f"{UDP} __udp_queue_rcv_skb()", bad=True, modelled=False)


class Icmp:
    """Group Icmp of /proc/net/snmp."""

    InMsgs = Counter("IcmpInMsgs", "ICMP messages received.", f"{ICMP} icmp_rcv()")
    InErrors = Counter("IcmpInErrors", "ICMP messages that were malformed or made no sense.", f"{ICMP} icmp_rcv()", bad=True)
    InCsumErrors = Counter("IcmpInCsumErrors", "ICMP messages whose checksum was wrong.", f"{ICMP} icmp_rcv()", bad=True, modelled=False)
    InDestUnreachs = Counter("IcmpInDestUnreachs", "Messages received: destination unreachable.", f"{ICMP} icmp_unreach()")
    InTimeExcds = Counter("IcmpInTimeExcds", "Messages received: TTL expired on the way.", f"{ICMP} icmp_unreach()", modelled=False)
    InParmProbs = Counter("IcmpInParmProbs", "Messages received: a router did not understand our header.", f"{ICMP} icmp_unreach()", modelled=False)
    InEchos = Counter("IcmpInEchos", "Pings received.", f"{ICMP} icmp_echo()", modelled=False)
    InEchoReps = Counter("IcmpInEchoReps", "Answers to pings received.", "net/ipv4/ping.c ping_rcv()", modelled=False)
    OutMsgs = Counter("IcmpOutMsgs", "ICMP messages sent.", f"{ICMP} icmp_out_count()")
    OutErrors = Counter("IcmpOutErrors", "ICMP messages that could not be sent.", f"{ICMP} icmp_push_reply()", bad=True, modelled=False)
    OutRateLimitGlobal = Counter("IcmpOutRateLimitGlobal", "ICMP messages withheld by the host-wide rate limit.", f"{ICMP} icmp_global_allow()")
    OutRateLimitHost = Counter("IcmpOutRateLimitHost", "ICMP messages withheld by the rate limit for one destination.", f"{ICMP} icmpv4_xrlim_allow()")
    OutDestUnreachs = Counter("IcmpOutDestUnreachs", "Messages sent: destination unreachable, such as a UDP port nobody listens on.", f"{ICMP} __icmp_send()")
    OutTimeExcds = Counter("IcmpOutTimeExcds", "Messages sent: TTL expired here.", f"{ICMP} __icmp_send()", modelled=False)
    OutParmProbs = Counter("IcmpOutParmProbs", "Messages sent: a header field made no sense.", f"{ICMP} __icmp_send()", modelled=False)
    OutEchos = Counter("IcmpOutEchos", "Pings sent.", f"{ICMP} icmp_out_count()", modelled=False)
    OutEchoReps = Counter("IcmpOutEchoReps", "Answers to pings sent.", f"{ICMP} icmp_reply()", modelled=False)
# fmt: on


def _declared_in(*groups: type) -> tuple[Counter, ...]:
    return tuple(word for group in groups for word in vars(group).values() if isinstance(word, Counter))


GROUPS = (Ip, Icmp, Tcp, Udp, TcpExt, IpExt)
"""The groups in the order nstat prints them."""
ALL_COUNTERS: tuple[Counter, ...] = _declared_in(*GROUPS)
COUNTER_BY_NAME: dict[str, Counter] = {counter.name: counter for counter in ALL_COUNTERS}
"""The nstat spelling to the counter."""
BAD_COUNTERS = frozenset(counter.name for counter in ALL_COUNTERS if counter.bad)
"""Names of those that count a loss or an error."""


@cache
def counters_of(kernel: str) -> tuple[Counter, ...]:
    """Those that a kernel release has."""
    return tuple(counter for counter in ALL_COUNTERS if counter.exists_in(kernel))


GAUGES: tuple[Counter, ...] = (Tcp.CurrEstab,)
"""Counters that also go down; nstat does not show them."""

NIC_QUEUES = 8
"""The most receive or transmit queues a simulated NIC has."""
_DRIVER = "drivers/net/ethernet/intel/igb/igb_main.c igb_update_stats()"


class Nic:
    """The device-wide `ethtool -S` counters of the simulated NIC, which counts as an Intel igb does."""

    rx_packets = NicCounter("nic.rx_packets", "Frames received into the ring.", _DRIVER)
    tx_packets = NicCounter("nic.tx_packets", "Frames sent.", _DRIVER)
    rx_bytes = NicCounter("nic.rx_bytes", "Bytes received into the ring.", _DRIVER)
    tx_bytes = NicCounter("nic.tx_bytes", "Bytes sent.", _DRIVER)
    rx_broadcast = NicCounter("nic.rx_broadcast", "Broadcast frames received.", _DRIVER)
    tx_broadcast = NicCounter("nic.tx_broadcast", "Broadcast frames sent.", _DRIVER)
    rx_crc_errors = NicCounter("nic.rx_crc_errors", "Frames damaged on the wire.", _DRIVER)
    rx_no_buffer_count = NicCounter(
        "nic.rx_no_buffer_count",
        "Frames that came while no descriptor was free; they wait in the NIC's own memory and are not lost yet.",
        _DRIVER,
    )
    rx_missed_errors = NicCounter(
        "nic.rx_missed_errors",
        "Frames lost because the ring stayed full and the NIC's own memory was full too.",
        _DRIVER,
    )
    rx_fifo_errors = NicCounter(
        "nic.rx_fifo_errors", "Frames a queue dropped because its ring was full (drop-enable mode).", _DRIVER
    )
    rx_long_length_errors = NicCounter(
        "nic.rx_long_length_errors", "Frames longer than the MTU allows.", _DRIVER
    )
    tx_dropped = NicCounter("nic.tx_dropped", "Frames the driver could not send.", _DRIVER)
    tx_restart_queue = NicCounter(
        "nic.tx_restart_queue", "Times transmission started again after the ring had been full.", _DRIVER
    )
    tx_timeout_count = NicCounter(
        "nic.tx_timeout_count", "Times the driver reset a hung transmitter.", _DRIVER
    )


class NicRxQueue:
    """The counters of one receive queue, `rx_queue_N_…`."""

    __slots__ = ("alloc_failed", "bytes", "csum_err", "drops", "packets")

    def __init__(self, number: int) -> None:
        prefix = f"nic.rx_queue_{number}_"
        self.packets = NicCounter(
            prefix + "packets", f"Frames the driver took from receive queue {number}.", _DRIVER
        )
        self.bytes = NicCounter(
            prefix + "bytes", f"Bytes the driver took from receive queue {number}.", _DRIVER
        )
        self.drops = NicCounter(
            prefix + "drops", f"Frames lost at the full ring of receive queue {number}.", _DRIVER
        )
        self.csum_err = NicCounter(
            prefix + "csum_err", f"Frames of receive queue {number} with a wrong checksum.", _DRIVER
        )
        self.alloc_failed = NicCounter(
            prefix + "alloc_failed", f"Times receive queue {number} got no memory for a buffer.", _DRIVER
        )


class NicTxQueue:
    """The counters of one transmit queue, `tx_queue_N_…`."""

    __slots__ = ("bytes", "packets", "restart")

    def __init__(self, number: int) -> None:
        prefix = f"nic.tx_queue_{number}_"
        self.packets = NicCounter(prefix + "packets", f"Frames sent from transmit queue {number}.", _DRIVER)
        self.bytes = NicCounter(prefix + "bytes", f"Bytes sent from transmit queue {number}.", _DRIVER)
        self.restart = NicCounter(
            prefix + "restart",
            f"Times transmit queue {number} started again after its ring had been full.",
            _DRIVER,
        )


NIC_TX_QUEUES: tuple[NicTxQueue, ...] = tuple(NicTxQueue(number) for number in range(NIC_QUEUES))
NIC_RX_QUEUES: tuple[NicRxQueue, ...] = tuple(NicRxQueue(number) for number in range(NIC_QUEUES))


def _nic_counters() -> tuple[NicCounter, ...]:
    device = [word for word in vars(Nic).values() if isinstance(word, NicCounter)]
    tx = [counter for q in NIC_TX_QUEUES for counter in (q.packets, q.bytes, q.restart)]
    rx = [
        counter
        for q in NIC_RX_QUEUES
        for counter in (q.packets, q.bytes, q.drops, q.csum_err, q.alloc_failed)
    ]
    return (*device, *tx, *rx)


NIC_COUNTERS: tuple[NicCounter, ...] = _nic_counters()
"""All of them, in the order ethtool prints them."""
__all__ = [
    "ALL_COUNTERS",
    "BAD_COUNTERS",
    "COUNTER_BY_NAME",
    "GAUGES",
    "GROUPS",
    "NIC_COUNTERS",
    "NIC_QUEUES",
    "NIC_RX_QUEUES",
    "NIC_TX_QUEUES",
    "Icmp",
    "Ip",
    "IpExt",
    "Nic",
    "NicRxQueue",
    "NicTxQueue",
    "Tcp",
    "TcpExt",
    "Udp",
    "counters_of",
]
