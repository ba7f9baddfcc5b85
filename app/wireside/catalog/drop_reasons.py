"""Why a packet is dropped, in the kernel's words, and where a person with real tools would see it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from wireside.catalog.kinds import brought_by
from wireside.catalog.stages import Stage

# fmt: off
DROPWATCH = "dropwatch, perf trace -e skb:kfree_skb"
"""What sees every drop with a reason: readers of the tracepoint skb:kfree_skb."""
TCPDUMP = "tcpdump"


@dataclass(frozen=True, slots=True)
class Drop:
    """What one drop reason means.

    `twins` are counters of which one, at least, always moves with it (nstat names, or `softnet.` / `nic.` / `qdisc.` names of other
    tools); `visible_to` the tools that show the loss; `since` the first release that has the reason.
    """

    doc: str
    stage: Stage
    """Where on a packet's journey it happens."""
    twins: tuple[str, ...] = ()
    visible_to: tuple[str, ...] = (TCPDUMP, "nstat", DROPWATCH)
    since: str = ""
    loss: bool = True
    modelled: bool = True
    """False: nothing here drops a packet for it."""


_TAPPED = (TCPDUMP, DROPWATCH)


class DropReason(Enum):
    """SKB_DROP_REASON_* without the prefix; each value says what it means.

    Linux: include/net/dropreason-core.h enum skb_drop_reason
    """

    NOT_SPECIFIED = Drop("Dropped; the kernel does not say why.", Stage.TCP_RCV, (), _TAPPED, loss=False)
    NO_SOCKET = Drop("There is no socket for it: TCP answers with a reset, UDP with an ICMP message; or a valid cookie met a full accept queue.", Stage.TCP_RCV, ("TcpOutRsts", "UdpNoPorts", "TcpExtListenOverflows"))
    SOCKET_CLOSE = Drop("The socket was closed while the packet waited in its queue.", Stage.RECEIVE_QUEUE, (), _TAPPED)
    SOCKET_FILTER = Drop("A filter program of the socket refused it.", Stage.TCP_RCV, ("TcpInErrs",), modelled=False)
    SOCKET_RCVBUFF = Drop("The socket's receive buffer is full.", Stage.RECEIVE_QUEUE, ("UdpRcvbufErrors", "UdpInErrors"))
    PKT_TOO_SMALL = Drop("The packet is shorter than its header says.", Stage.IP_RCV, ("IpExtInTruncatedPkts", "TcpInErrs"), modelled=False)
    PKT_TOO_BIG = Drop("The packet is too big for the next link and must not be fragmented.", Stage.IP_RCV, ("IpFragFails",), modelled=False)
    TCP_CSUM = Drop("The TCP checksum is wrong; nobody answers.", Stage.TCP_RCV, ("TcpInCsumErrors", "TcpInErrs"))
    UDP_CSUM = Drop("The UDP checksum is wrong.", Stage.UDP_RCV, ("UdpInCsumErrors", "UdpInErrors"))
    ICMP_CSUM = Drop("The ICMP checksum is wrong.", Stage.IP_RCV, ("IcmpInCsumErrors", "IcmpInErrors"), modelled=False)
    SKB_CSUM = Drop("A checksum that was left for later turned out to be wrong.", Stage.NETIF_RECEIVE, (), _TAPPED, modelled=False)
    NETFILTER_DROP = Drop("The firewall dropped it.", Stage.IP_RCV, (), (TCPDUMP, "nft list ruleset", DROPWATCH), modelled=False)
    OTHERHOST = Drop("The frame carries another host's hardware address.", Stage.IP_RCV, (), (TCPDUMP, "ip -s link", DROPWATCH), modelled=False)
    IP_CSUM = Drop("The checksum of the IP header is wrong.", Stage.IP_RCV, ("IpExtInCsumErrors", "IpInHdrErrors"), modelled=False)
    IP_INHDR = Drop("The IP header is malformed, or its TTL has run out.", Stage.IP_RCV, ("IpInHdrErrors",), modelled=False)
    IP_RPFILTER = Drop("Answers to this source would leave by another device (reverse path filter).", Stage.IP_RCV, ("TcpExtIPReversePathFilter",), modelled=False)
    IP_NOPROTO = Drop("Nobody handles this protocol number.", Stage.IP_RCV, ("IpInUnknownProtos",))
    IP_INADDRERRORS = Drop("The destination is not this host, and forwarding is off.", Stage.IP_RCV, ("IpInAddrErrors",))
    IP_INNOROUTES = Drop("No route leads to the destination.", Stage.IP_RCV, ("IpExtInNoRoutes",), modelled=False)
    IP_OUTNOROUTES = Drop("No route leads to the destination of a packet this host wants to send.", Stage.IP_OUTPUT, ("IpOutNoRoutes",), ("nstat", DROPWATCH))
    IP_LOCAL_SOURCE = Drop("It came from outside but claims one of our own addresses as source.", Stage.IP_RCV, (), _TAPPED, since="6.13")
    IP_INVALID_SOURCE = Drop("The source address cannot be a source.", Stage.IP_RCV, (), _TAPPED, since="6.13", modelled=False)
    IP_INVALID_DEST = Drop("The destination address cannot be a destination.", Stage.IP_RCV, (), _TAPPED, since="6.13", modelled=False)
    IP_LOCALNET = Drop("A loopback address came from outside.", Stage.IP_RCV, (), _TAPPED, since="6.13")
    UNHANDLED_PROTO = Drop("Nobody handles this EtherType.", Stage.NETIF_RECEIVE, (), (TCPDUMP, "ip -s link", DROPWATCH), modelled=False)
    PROTO_MEM = Drop("No receive memory: the socket's buffer or the protocol's limit is reached.", Stage.RECEIVE_QUEUE, ("TcpExtTCPRcvQDrop", "TcpExtPruneCalled", "UdpMemErrors"))
    NOMEM = Drop("The host had no memory.", Stage.NETIF_RECEIVE, (), _TAPPED, modelled=False)
    SOCKET_BACKLOG = Drop("A program had the socket locked and the backlog was full.", Stage.SK_BACKLOG, ("TcpExtTCPBacklogDrop",))
    TCP_FLAGS = Drop("This combination of TCP flags makes no sense here.", Stage.TCP_RCV, (), _TAPPED)
    TCP_ABORT_ON_DATA = Drop("Data came for a connection its program had closed; it is reset.", Stage.TCP_RCV, ("TcpExtTCPAbortOnData",))
    TCP_ZEROWINDOW = Drop("Data came although the window was zero.", Stage.RECEIVE_QUEUE, ("TcpExtTCPZeroWindowDrop",))
    TCP_OLD_DATA = Drop("All of it had already been received.", Stage.TCP_RCV, ("TcpExtDelayedACKLost", "TcpExtTCPDSACKOldSent"), loss=False)
    TCP_OVERWINDOW = Drop("It lies beyond the advertised window.", Stage.TCP_RCV, (), _TAPPED)
    TCP_OFOMERGE = Drop("It repeats bytes of the out-of-order queue.", Stage.TCP_RCV, ("TcpExtTCPOFOMerge", "TcpExtTCPDSACKOfoSent"), loss=False)
    TCP_RFC7323_PAWS = Drop("Its timestamp is older than one seen before.", Stage.TCP_RCV, ("TcpExtPAWSEstab",))
    TCP_RFC7323_PAWS_ACK = Drop("A late pure ACK with an old timestamp.", Stage.TCP_RCV, ("TcpExtPAWSOldAck",), since="6.14", loss=False)
    TCP_RFC7323_TW_PAWS = Drop("Its timestamp is older than one the TIME-WAIT entry knows.", Stage.TCP_RCV, ("TcpExtPAWSTimewait",), since="6.16")
    TCP_RFC7323_TSECR = Drop("It echoes a timestamp this host never sent.", Stage.TCP_RCV, ("TcpExtTSEcrRejected",), since="6.15")
    TCP_LISTEN_OVERFLOW = Drop("The final ACK of a handshake met a full accept queue.", Stage.TCP_RCV, ("TcpExtListenOverflows", "TcpExtListenDrops"), since="6.15")
    TCP_OLD_SEQUENCE = Drop("It ends before the window begins; window probes and keepalives do so on purpose.", Stage.TCP_RCV, (), _TAPPED, loss=False)
    TCP_INVALID_SEQUENCE = Drop("Its sequence number lies outside the window.", Stage.TCP_RCV, ("TcpExtBeyondWindow",))
    TCP_INVALID_END_SEQUENCE = Drop("It begins inside the window and ends outside.", Stage.TCP_RCV, ("TcpExtBeyondWindow",), since="6.17")
    TCP_INVALID_ACK_SEQUENCE = Drop("It acknowledges something that makes no sense in this state.", Stage.TCP_RCV, (), _TAPPED, loss=False)
    TCP_RESET = Drop("It was a reset, and did its work.", Stage.TCP_RCV, (), _TAPPED, loss=False)
    TCP_INVALID_SYN = Drop("A SYN came on an existing connection.", Stage.TCP_RCV, ("TcpExtTCPSYNChallenge",), loss=False)
    TCP_CLOSE = Drop("The connection is closed.", Stage.TCP_RCV, (), _TAPPED)
    TCP_OLD_ACK = Drop("It acknowledges what was already acknowledged.", Stage.TCP_RCV, (), _TAPPED, loss=False)
    TCP_TOO_OLD_ACK = Drop("Its ACK number is far too old.", Stage.TCP_RCV, ("TcpExtTCPChallengeACK",), loss=False)
    TCP_ACK_UNSENT_DATA = Drop("It acknowledges data that was never sent.", Stage.TCP_RCV, ("TcpExtTCPChallengeACK",), loss=False)
    TCP_OFO_QUEUE_PRUNE = Drop("Thrown out of the out-of-order queue to save memory.", Stage.RECEIVE_QUEUE, ("TcpExtOfoPruned",))
    TCP_OFO_DROP = Drop("Out of order, and no receive memory for it.", Stage.RECEIVE_QUEUE, ("TcpExtTCPOFODrop",))
    TCP_MINTTL = Drop("Its TTL is below the socket's IP_MINTTL.", Stage.TCP_RCV, ("TcpExtTCPMinTTLDrop",), modelled=False)
    NEIGH_FAILED = Drop("Nobody answered when asked for the neighbour's hardware address.", Stage.IP_OUTPUT, (), ("ip -s neigh", DROPWATCH), modelled=False)
    NEIGH_QUEUEFULL = Drop("Too many packets wait for the neighbour's hardware address.", Stage.IP_OUTPUT, (), ("ip -s neigh", DROPWATCH), modelled=False)
    QDISC_DROP = Drop("The transmit queue (qdisc) dropped it.", Stage.QDISC, ("qdisc.dropped",), ("tc -s qdisc", DROPWATCH))
    QDISC_OVERLIMIT = Drop("The transmit queue (qdisc) was full.", Stage.QDISC, ("qdisc.dropped",), ("tc -s qdisc", DROPWATCH), since="6.13", modelled=False)
    QDISC_CONGESTED = Drop("The transmit queue (qdisc) dropped it to signal congestion.", Stage.QDISC, ("qdisc.dropped",), ("tc -s qdisc", DROPWATCH), since="6.13", modelled=False)
    CPU_BACKLOG = Drop("The CPU's backlog queue was longer than netdev_max_backlog.", Stage.BACKLOG, ("softnet.dropped",), ("/proc/net/softnet_stat", "ip -s link", DROPWATCH))
    XDP = Drop("An XDP program dropped it.", Stage.NAPI_POLL, (), (DROPWATCH,), modelled=False)
    DEV_READY = Drop("The device is not up.", Stage.TX_RING, (), (DROPWATCH,), modelled=False)
    FULL_RING = Drop("The device's ring was full.", Stage.TX_RING, (), (DROPWATCH,))
    FRAG_REASM_TIMEOUT = Drop("Its other fragments did not come in time.", Stage.IP_RCV, ("IpReasmTimeout", "IpReasmFails"), modelled=False)
    DUP_FRAG = Drop("This fragment had already arrived.", Stage.IP_RCV, (), _TAPPED, loss=False, modelled=False)
    QUEUE_PURGE = Drop("A queue was emptied because its owner went away.", Stage.TX_RING, (), (DROPWATCH,), modelled=False)
    PFMEMALLOC = Drop("It used the kernel's last memory reserve.", Stage.TCP_RCV, ("TcpExtPFMemallocDrop",), since="6.17", modelled=False)

    @property
    def doc(self) -> str:
        """What it means, in one sentence."""
        return self.value.doc

    @property
    def stage(self) -> Stage:
        """Where on a packet's journey it happens."""
        return self.value.stage

    @property
    def modelled(self) -> bool:
        """Whether anything here drops a packet for it."""
        return self.value.modelled

    @property
    def twins(self) -> tuple[str, ...]:
        """Names of the counters that move with it."""
        return self.value.twins

    @property
    def visible_to(self) -> tuple[str, ...]:
        """The real tools that show the loss."""
        return self.value.visible_to

    @property
    def since(self) -> str:
        """The kernel release that brought it; "" when all profiles have it."""
        return self.value.since

    @property
    def is_loss(self) -> bool:
        """Whether something is missing that somebody waits for."""
        return self.value.loss

    def shown_on(self, version: str) -> DropReason:
        """What a kernel of profile `version` prints; a reason that it does not have yet is NOT_SPECIFIED."""
        return self if brought_by(self.since, version) else DropReason.NOT_SPECIFIED

    __hash__ = object.__hash__

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return getattr, (DropReason, self.name)


NO_LOSS = frozenset(reason.name for reason in DropReason if not reason.is_loss)
"""Names of the reasons for which nothing is missing: old data, duplicates, probes, answers."""
# fmt: on
