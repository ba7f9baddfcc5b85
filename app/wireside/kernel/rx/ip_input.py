"""IPv4 receive: is the packet sound, is it ours, and who handles its protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.counters import Ip, IpExt
from wireside.catalog.drop_reasons import DropReason
from wireside.catalog.inet import ETH_HLEN, IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP
from wireside.catalog.stages import Stage
from wireside.kernel.core.skbuff import kfree_skb_reason, skb_orphan
from wireside.kernel.rx.icmp import icmp_rcv
from wireside.kernel.tcp.door.tcp_ipv4 import tcp_v4_rcv
from wireside.kernel.udp.udp import udp_rcv

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu, Net
    from wireside.kernel.core.skbuff import SkBuff

IP_RCV: Final = int(Stage.IP_RCV)
_RECEIVES: Final = Ip.InReceives
_DELIVERS: Final = Ip.InDelivers
_OCTETS: Final = IpExt.InOctets
_NOECT: Final = IpExt.InNoECTPkts


def ip_rcv(cpu: Cpu, net: Net, skb: SkBuff) -> None:
    """Receive one IPv4 packet; a GRO super-packet counts once, but with all its segments in InNoECTPkts.

    Linux: net/ipv4/ip_input.c ip_rcv(), ip_rcv_core(), ip_local_deliver(). Differs: no netfilter, no fragments.
    """
    if skb.destructor is not None:
        skb_orphan(cpu, skb)
    if skb.stamps is not None:
        skb.stamps += (IP_RCV, cpu.now)
    cpu.now += cpu.cost[IP_RCV]
    mib = net.mib
    mib[_RECEIVES] += 1
    mib[_OCTETS] += skb.hdr_len + skb.len - ETH_HLEN
    mib[_NOECT] += skb.gso_segs
    flow = skb.flow
    if (
        (flow[2] != net.address or flow[0] == net.address)
        and skb.dev is not net.lo
        and (flow[2] not in net.secondary or flow[0] == net.address)
    ):
        ip_rcv_not_local(net, skb)
        return
    protocol = skb.protocol
    if protocol == IPPROTO_TCP:
        mib[_DELIVERS] += 1
        tcp_v4_rcv(cpu, net, skb)
    elif protocol == IPPROTO_UDP:
        mib[_DELIVERS] += 1
        udp_rcv(cpu, net, skb)
    elif protocol == IPPROTO_ICMP:
        mib[_DELIVERS] += 1
        icmp_rcv(cpu, net, skb)
    else:
        mib[Ip.InUnknownProtos] += 1
        kfree_skb_reason(net, skb, DropReason.IP_NOPROTO)


def ip_rcv_not_local(net: Net, skb: SkBuff) -> None:
    """Drop a packet that routing does not deliver here: a martian, or one for another host.

    Linux: net/ipv4/route.c ip_route_input_slow(), ip_error(). Differs: a host has one device and never forwards.
    """
    saddr, _, daddr, _ = skb.flow
    if saddr == net.address:
        reason = DropReason.IP_LOCAL_SOURCE
    elif daddr >> 24 == 127 or saddr >> 24 == 127:
        reason = DropReason.IP_LOCALNET
    else:
        net.mib[Ip.InAddrErrors] += 1
        kfree_skb_reason(net, skb, DropReason.IP_INADDRERRORS)
        return
    kfree_skb_reason(net, skb, reason)
