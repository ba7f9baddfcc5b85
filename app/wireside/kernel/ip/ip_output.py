"""IPv4 transmit: from a transport protocol to the device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.counters import Ip, IpExt
from wireside.catalog.drop_reasons import DropReason
from wireside.catalog.errno import EHOSTUNREACH, EINVAL, ENETUNREACH, ENOBUFS
from wireside.catalog.inet import ETH_HLEN
from wireside.catalog.stages import Stage
from wireside.kernel.core.dev_tx import NET_XMIT_DROP, dev_queue_xmit
from wireside.kernel.core.net import INADDR_LOOPBACK, inet_addr_local
from wireside.kernel.core.skbuff import kfree_skb_reason, skb_orphan

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu, Net, NetDevice
    from wireside.kernel.core.skbuff import SkBuff
    from wireside.kernel.core.sock import Sock

IP_OUTPUT: Final = int(Stage.IP_OUTPUT)
IP_MAX_MTU: Final = 65535
_REQUESTS: Final = Ip.OutRequests
_TRANSMITS: Final = Ip.OutTransmits
_OCTETS: Final = IpExt.OutOctets


def ip_route_output(net: Net, daddr: int) -> NetDevice | None:
    """The device for packets to an address: loopback for the host's own. Linux: ip_route_output_key_hash()."""
    if daddr == net.address or daddr >> 24 == 127 or daddr in net.secondary:
        return net.lo
    return net.dev


def fib_prefsrc(net: Net, daddr: int) -> int:
    """The source of packets to one of this host's addresses: the first address of its subnet.

    Linux: net/ipv4/fib_frontend.c fib_add_ifaddr(). Differs: every subnet of a host is a /24.
    """
    if daddr >> 24 == 127:
        return INADDR_LOOPBACK
    return next(address for address in (net.address, *net.secondary) if address >> 8 == daddr >> 8)


def ip_route_output_key(net: Net, saddr: int, daddr: int) -> tuple[int, int] | int:
    """Source and destination of packets from `saddr` (0: not chosen yet) to `daddr` (0: this host itself), or -errno.

    A source must be an address of the host, and one of 127.0.0.0/8 does not leave it. Linux: net/ipv4/route.c
    ip_route_output_key_hash_rcu(), __mkroute_output(); who asks counts OutNoRoutes.
    """
    if saddr and not inet_addr_local(net, saddr):
        net.mib[Ip.OutNoRoutes] += 1
        return -ENETUNREACH
    if not daddr:
        daddr = saddr or INADDR_LOOPBACK
    if inet_addr_local(net, daddr):
        return saddr or fib_prefsrc(net, daddr), daddr
    if net.dev is None:
        net.mib[Ip.OutNoRoutes] += 1
        return -ENETUNREACH
    if saddr >> 24 == 127:
        return -EINVAL
    return saddr or net.address, daddr


def dst_mtu(net: Net, daddr: int) -> int:
    """The largest packet towards an address, bytes. Linux: net/ipv4/route.c ipv4_mtu()."""
    dev = ip_route_output(net, daddr)
    assert dev is not None, f"{net.name} has no device"
    return min(dev.mtu, IP_MAX_MTU)


def sk_setup_caps(sk: Sock) -> None:
    """Take over what the device on a socket's route carries at once.

    TCP makes super-packets even where `ethtool -K` has turned GSO off (measured on 6.18.44; so since 4.17); only the
    device's own limits keep it from that. Linux: net/core/sock.c.
    """
    assert sk.flow_out is not None
    dev = ip_route_output(sk.net, sk.flow_out[2])
    assert dev is not None, f"{sk.net.name} has no device"
    sk.sk_gso_max_segs = dev.gso_max_segs


def ip_queue_xmit(cpu: Cpu, net: Net, skb: SkBuff) -> int:
    """Send a packet whose flow, lengths, truesize and owner are set; 0, NET_XMIT_DROP, NET_XMIT_CN or -errno.

    Linux: net/ipv4/ip_output.c __ip_queue_xmit(), ip_output(), ip_finish_output2(). Differs: no fragmentation, no
    netfilter, and the neighbour's address is always known.
    """
    if skb.stamps is not None:
        skb.stamps += (IP_OUTPUT, cpu.now)
    cpu.now += cpu.cost[IP_OUTPUT]
    mib = net.mib
    daddr = skb.flow[2]
    dev = ip_route_output(net, daddr)
    if dev is None:
        mib[Ip.OutNoRoutes] += 1
        skb_orphan(cpu, skb)
        kfree_skb_reason(net, skb, DropReason.IP_OUTNOROUTES)
        return -EHOSTUNREACH
    mib[_REQUESTS] += 1
    mib[_TRANSMITS] += 1
    mib[_OCTETS] += skb.hdr_len + skb.len - ETH_HLEN
    skb.dev = dev
    return dev_queue_xmit(cpu, dev, skb)


def ip_send_skb(cpu: Cpu, net: Net, skb: SkBuff) -> int:
    """Send a datagram; 0 or -errno (a queue that is full is -ENOBUFS). Linux: net/ipv4/ip_output.c ip_send_skb()."""
    rc = ip_queue_xmit(cpu, net, skb)
    if rc == NET_XMIT_DROP:
        rc = -ENOBUFS
    elif rc > 0:
        rc = 0
    if rc:
        net.mib[Ip.OutDiscards] += 1
    return rc
