"""The loopback device: what a host sends to itself goes through the backlog of the same CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.catalog.inet import LOOPBACK_MTU
from wireside.kernel.core.net import NetDevice
from wireside.kernel.core.skbuff import skb_orphan
from wireside.kernel.rx.backlog import netif_rx

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu, Net
    from wireside.kernel.core.skbuff import SkBuff


def register_netdevice(net: Net, dev: NetDevice) -> None:
    """Make `dev` the device of a namespace, which also gets its loopback device."""
    net.dev = dev
    lo = NetDevice("lo", net, LOOPBACK_MTU, "lo")
    lo.ifindex = 1
    lo.features_gso = True
    lo.start_xmit = loopback_xmit
    net.lo = lo


def loopback_xmit(cpu: Cpu, dev: NetDevice, skb: SkBuff) -> bool:
    """Turn a sent packet into a received one. Linux: drivers/net/loopback.c loopback_xmit()."""
    if dev.ptype_all is not None:
        dev.ptype_all(cpu.now, skb)
    length = skb.hdr_len + skb.len
    skb_orphan(cpu, skb)
    if netif_rx(cpu, skb):
        dev.tx_packets += 1
        dev.tx_bytes += length
        dev.rx_packets += 1
        dev.rx_bytes += length
    return True
