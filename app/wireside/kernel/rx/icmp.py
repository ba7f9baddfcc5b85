"""ICMP receive: errors find the socket whose packet they quote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.catalog.counters import Icmp
from wireside.catalog.drop_reasons import DropReason
from wireside.catalog.inet import ICMP_DEST_UNREACH, IPPROTO_TCP, IPPROTO_UDP
from wireside.kernel.core.skbuff import consume_skb, kfree_skb_reason
from wireside.kernel.ip.icmp_send import IcmpSkb
from wireside.kernel.tcp.door.tcp_err import tcp_v4_err
from wireside.kernel.udp.udp import udp_err

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu, Net
    from wireside.kernel.core.skbuff import SkBuff


def icmp_rcv(cpu: Cpu, net: Net, skb: SkBuff) -> None:
    """Receive an ICMP message. Linux: net/ipv4/icmp.c icmp_rcv(), icmp_unreach().

    Differs: of all messages only "destination unreachable" exists here.
    """
    net.mib[Icmp.InMsgs] += 1
    if not isinstance(skb, IcmpSkb) or skb.flow[1] != ICMP_DEST_UNREACH:
        net.mib[Icmp.InErrors] += 1
        kfree_skb_reason(net, skb, DropReason.NOT_SPECIFIED)
        return
    net.mib[Icmp.InDestUnreachs] += 1
    if skb.offender.protocol == IPPROTO_UDP:
        udp_err(cpu, net, skb)
    elif skb.offender.protocol == IPPROTO_TCP:
        tcp_v4_err(cpu, net, skb)
    consume_skb(net, skb)
