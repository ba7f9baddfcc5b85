"""The books: every packet that was born is delivered, consumed, dropped, lost, or still somewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wireside.sim.devices import rx_missed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wireside.kernel.core.net import Net
    from wireside.kernel.core.skbuff import SkBuff
    from wireside.kernel.core.sock import Sock
    from wireside.sim.fleet import Fleet


def total_dropped(net: Net) -> int:
    """Packets a host dropped with a reason."""
    return sum(net.drops.values())


def frames(skbs: Iterable[SkBuff] | None) -> int:
    """Wire frames in a queue of packets."""
    return sum([skb.gso_segs for skb in skbs]) if skbs else 0


def queued_frames(fleet: Fleet, net: Net) -> int:
    """Wire frames that are inside a host now, or on their way from it."""
    count = sum([wire.in_flight for wire in fleet.wires if wire.sender is net])
    for cpu in net.machine.cpus:
        softnet = cpu.softnet
        for queue in (softnet.input_pkt_queue, softnet.process_queue):
            if queue:
                count += sum([skb.gso_segs for skb in queue if skb.dev is not None and skb.dev.net is net])
    if net.dev is not None:
        count += _in_device(net.dev)
    return count + queued_in_sockets(net)


def holders(net: Net) -> list[Sock]:
    """The sockets in which received packets wait; those in which none waits any more are forgotten."""
    holding = net.holding
    for sk in [sk for sk in holding.values() if not (sk.sk_rmem_alloc or sk.sk_backlog_len)]:
        del holding[sk.id]
    return list(holding.values())


def queued_in_sockets(net: Net) -> int:
    """Wire frames that wait in sockets to be read."""
    count = 0
    for sk in holders(net):
        count += frames(sk.sk_receive_queue) + frames(sk.sk_backlog)
        count += frames(getattr(sk, "out_of_order_queue", None))
    return count


def _in_device(dev: Any) -> int:
    count = 0
    if dev.qdisc is not None:
        count += frames(dev.qdisc.queue) + frames(dev.qdisc.gso_skb)
    driver = dev.driver
    if hasattr(driver, "queues"):
        for q in driver.queues:
            count += len(q.frames) + _in_napi(q.napi)
    elif hasattr(driver, "frames"):
        count += len(driver.frames) + frames(driver.tx_ring) + _in_napi(driver.napi)
    return count


def _in_napi(napi: Any) -> int:
    count = frames(napi.rx_list)
    if napi.gro_held:
        for bucket in napi.gro_hash:
            count += frames(bucket.values())
    return count


def world_books(fleet: Fleet) -> tuple[int, int]:
    """(packets born, packets accounted for) over all hosts, links and wire peers."""
    born = accounted = 0
    for net in (*fleet.nets.values(), *fleet.peer_nets()):
        born += net.born
        accounted += net.delivered + net.consumed + net.link_lost
        accounted += total_dropped(net) + rx_missed(net) + queued_frames(fleet, net)
    return born, accounted
