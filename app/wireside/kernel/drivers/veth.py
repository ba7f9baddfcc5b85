"""Devices without hardware: veth pairs between two namespaces of a machine, and tun."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from wireside.catalog.drop_reasons import DropReason
from wireside.catalog.inet import ETH_HLEN
from wireside.catalog.stages import Stage
from wireside.kernel.core.napi import Napi, napi_schedule
from wireside.kernel.core.net import NetDevice
from wireside.kernel.core.skbuff import NET_SKB_PAD, kfree_skb_reason, skb_alloc_truesize, skb_orphan
from wireside.kernel.drivers.loopback import register_netdevice
from wireside.kernel.rx.backlog import netif_rx

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu, Net
    from wireside.kernel.core.skbuff import SkBuff
    from wireside.kernel.drivers.nic import Wire

NAPI_POLL: Final = int(Stage.NAPI_POLL)


class Veth:
    """One end of a veth pair. Linux: drivers/net/veth.c."""

    __slots__ = ("dev", "peer")

    def __init__(self, dev: NetDevice) -> None:
        self.dev = dev
        self.peer: NetDevice | None = None


def register_veth(net: Net, *, name: str = "veth0", mtu: int = 1500, rps_cpus: tuple[int, ...] = ()) -> Veth:
    """Give a namespace one end of a veth pair: no queue, and super-packets pass uncut (those of TCP)."""
    dev = NetDevice(name, net, mtu, "veth")
    dev.features_gso = True
    dev.rps_cpus = rps_cpus
    dev.start_xmit = veth_xmit
    veth = Veth(dev)
    dev.driver = veth
    register_netdevice(net, dev)
    return veth


def veth_pair(one: Veth, other: Veth) -> None:
    """Join two ends, which must belong to one machine."""
    assert one.dev.net.machine is other.dev.net.machine, "a veth pair joins namespaces of one machine"
    one.peer = other.dev
    other.peer = one.dev


def veth_xmit(cpu: Cpu, dev: NetDevice, skb: SkBuff) -> bool:
    """Put a packet into this CPU's backlog as received by the peer. Linux: drivers/net/veth.c veth_xmit()."""
    peer = dev.driver.peer
    assert peer is not None, f"{dev.name} has no peer"
    if dev.ptype_all is not None:
        dev.ptype_all(cpu.now, skb)
    length = skb.hdr_len + skb.len
    skb.dev = peer
    if netif_rx(cpu, skb):
        dev.tx_packets += 1
        dev.tx_bytes += length
        peer.rx_packets += 1
        peer.rx_bytes += length
    return True


class Tun:
    """A device whose frames come one by one from outside, without ring, interrupt, coalescing or GRO.

    What the host sends goes to the wire; without one nobody reads the device, and `tx_ring` keeps `txqueuelen` packets.
    Differs: in Linux the writing process runs the receive path; here CPU 0 does, in softirq. Linux: drivers/net/tun.c.
    """

    __slots__ = ("dev", "frames", "napi", "tx_ring", "txqueuelen", "wire")

    def __init__(self, dev: NetDevice, txqueuelen: int) -> None:
        self.dev = dev
        self.txqueuelen = txqueuelen
        self.tx_ring: deque[SkBuff] = deque()
        self.wire: Wire | None = None
        self.frames: deque[SkBuff] = deque()
        self.napi = Napi(tun_poll, tun_complete, self, dev)

    def frame_arrives(self, when: int, frame: SkBuff) -> None:
        """A frame comes in at `when`."""
        frame.arrival = when
        self.frames.append(frame)
        if not self.napi.scheduled:
            self.napi.scheduled = True
            self.dev.net.machine.sched.raise_hardirq(0, when, tun_wake, self)


def register_tun(
    net: Net, *, name: str = "tun0", mtu: int = 1500, rps_cpus: tuple[int, ...] = (), txqueuelen: int = 500
) -> Tun:
    """Give a namespace a tun device."""
    dev = NetDevice(name, net, mtu, "tun")
    dev.rps_cpus = rps_cpus
    dev.start_xmit = tun_net_xmit
    tun = Tun(dev, txqueuelen)
    dev.driver = tun
    register_netdevice(net, dev)
    return tun


def tun_wake(cpu: Cpu, tun: Tun) -> None:
    """Let the softirq of this CPU take the frames; costs nothing."""
    tun.napi.scheduled = False
    napi_schedule(cpu, tun.napi)


def tun_poll(cpu: Cpu, napi: Napi, limit: int) -> int:
    """Build up to `limit` sk_buffs and pass them up. Linux: drivers/net/tun.c tun_get_user(), tun_alloc_skb()."""
    tun: Tun = napi.driver
    frames = tun.frames
    count = min(len(frames), limit)
    dev = tun.dev
    for _ in range(count):
        skb = frames.popleft()
        cpu.charge(NAPI_POLL, skb)
        length = skb.hdr_len + skb.len
        ip_length = length - ETH_HLEN
        skb.truesize, usable = skb_alloc_truesize(NET_SKB_PAD + ip_length)
        skb.tailroom = usable - NET_SKB_PAD - ip_length
        skb.head_frag = False
        skb.head_len = skb.len
        skb.nr_frags = 0
        skb.dev = dev
        dev.rx_packets += 1
        dev.rx_bytes += length
        napi.rx_list.append(skb)
        napi.rx_count += 1
    return count


def tun_complete(cpu: Cpu, napi: Napi) -> None:
    """Frames that came while the last poll ended need another one."""
    if napi.driver.frames:
        napi_schedule(cpu, napi)


def tun_net_xmit(cpu: Cpu, dev: NetDevice, skb: SkBuff) -> bool:
    """Hand a packet to whoever reads the device. Linux: drivers/net/tun.c tun_net_xmit()."""
    tun: Tun = dev.driver
    skb_orphan(cpu, skb)
    skb.sk = None
    if tun.wire is None:
        if len(tun.tx_ring) < tun.txqueuelen:
            tun.tx_ring.append(skb)
        else:
            dev.tx_dropped += skb.gso_segs
            kfree_skb_reason(dev.net, skb, DropReason.FULL_RING)
        return True
    dev.tx_packets += 1
    dev.tx_bytes += skb.hdr_len + skb.len
    tun.wire.transmit(cpu.now, skb)
    return True
