"""The transmit half of net/core/dev.c: queueing discipline, software GSO, handing packets to the driver."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from wireside.catalog.drop_reasons import DropReason
from wireside.catalog.inet import FIN, IPPROTO_UDP, MASK, PSH
from wireside.catalog.stages import Stage
from wireside.catalog.sysctls import DEV_WEIGHT, DEV_WEIGHT_TX_BIAS
from wireside.kernel.core.net import NET_TX_SOFTIRQ
from wireside.kernel.core.skbuff import SkBuff, kfree_skb_reason, skb_keep_as_sent, skb_orphan
from wireside.kernel.core.softirq import local_bh_enable, raise_softirq

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu, Machine, NetDevice

QDISC: Final = int(Stage.QDISC)
NET_XMIT_SUCCESS: Final = 0
NET_XMIT_DROP: Final = 1
NET_XMIT_CN: Final = 2


class Qdisc:
    """pfifo_fast with one band in use: a queue of at most `limit` packets. Linux: net/sched/sch_generic.c.

    Differs: all packets have the same priority, so the other two bands would stay empty.
    """

    __slots__ = ("dropped", "gso_skb", "limit", "queue", "requeues", "scheduled", "sent")
    bypass = True
    """A packet that finds the queue empty goes straight to the driver (TCQ_F_CAN_BYPASS)."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        """The device's txqueuelen, packets."""
        self.queue: deque[SkBuff] = deque()
        self.gso_skb: deque[SkBuff] = deque()
        """Packets taken from the queue that the driver refused; they go first."""
        self.dropped = 0
        self.requeues = 0
        self.sent = 0
        self.scheduled = False
        """It waits for the driver or for NET_TX_SOFTIRQ to go on."""

    def enqueue(self, cpu: Cpu, dev: NetDevice, skb: SkBuff) -> bool:
        """Let a packet wait; False when the queue is full. Linux: pfifo_fast_enqueue()."""
        if len(self.queue) < self.limit:
            self.queue.append(skb)
            return True
        self.dropped += 1
        skb_orphan(cpu, skb)
        kfree_skb_reason(dev.net, skb, DropReason.QDISC_DROP)
        return False

    def dequeue(self, cpu: Cpu, dev: NetDevice) -> SkBuff | None:
        """The next packet; None when it must wait. Linux: pfifo_fast_dequeue()."""
        return (self.gso_skb or self.queue).popleft()


def qdisc_len(dev: NetDevice) -> int:
    """Packets that wait in the device's qdisc."""
    qdisc = dev.qdisc
    return 0 if qdisc is None else len(qdisc.queue) + len(qdisc.gso_skb)


def qdisc_holds(dev: NetDevice, original: SkBuff) -> bool:
    """A copy of `original`, a segment queued in a socket, waits in the device's qdisc."""
    qdisc = dev.qdisc
    if qdisc is None:
        return False
    return any(skb.original is original for waiting in (qdisc.gso_skb, qdisc.queue) for skb in waiting)


def dev_queue_xmit(cpu: Cpu, dev: NetDevice, skb: SkBuff) -> int:
    """Send a packet through the device's qdisc; 0, or NET_XMIT_DROP when the queue is full.

    On the way out softirqs run that the packet raised: on veth and loopback the receiver's half of the journey.
    Linux: net/core/dev.c __dev_queue_xmit(), __dev_xmit_skb().
    """
    qdisc = dev.qdisc
    rc = NET_XMIT_SUCCESS
    if qdisc is None:
        dev_hard_start_xmit(cpu, dev, skb)
    else:
        if skb.stamps is not None:
            skb.stamps += (QDISC, cpu.now)
        cpu.now += cpu.cost[QDISC]
        if qdisc.queue or qdisc.gso_skb or not qdisc.bypass:
            rc = _enqueue(cpu, dev, qdisc, skb)
        elif dev_hard_start_xmit(cpu, dev, skb):
            qdisc.sent += 1
    if cpu.softirq_pending:
        local_bh_enable(cpu)
    return rc


def _enqueue(cpu: Cpu, dev: NetDevice, qdisc: Qdisc, skb: SkBuff) -> int:
    """Join the queue behind others. Linux: net/sched/sch_generic.c pfifo_fast_enqueue(), __qdisc_run()."""
    if not qdisc.enqueue(cpu, dev, skb):
        return NET_XMIT_DROP
    if not qdisc.scheduled:
        qdisc_run(cpu, dev)
    return NET_XMIT_SUCCESS


def qdisc_run(cpu: Cpu, dev: NetDevice) -> None:
    """Give waiting packets to the driver until it refuses one or the quota (dev_weight) is used up.

    Linux: net/sched/sch_generic.c __qdisc_run(), sch_direct_xmit().
    """
    qdisc = dev.qdisc
    assert qdisc is not None
    sysctl = cpu.machine.sysctl
    quota = sysctl[DEV_WEIGHT] * sysctl[DEV_WEIGHT_TX_BIAS]
    qdisc.scheduled = False
    while qdisc.gso_skb or qdisc.queue:
        if quota <= 0:
            netif_schedule(cpu, dev)
            return
        skb = qdisc.dequeue(cpu, dev)
        if skb is None:
            return
        quota -= skb.gso_segs
        if not dev_hard_start_xmit(cpu, dev, skb):
            return
        qdisc.sent += 1


def netif_schedule(cpu: Cpu, dev: NetDevice) -> None:
    """Let NET_TX_SOFTIRQ run the device's qdisc. Linux: net/core/dev.c __netif_schedule()."""
    qdisc = dev.qdisc
    assert qdisc is not None
    if dev not in cpu.softnet.output_queue:
        qdisc.scheduled = True
        cpu.softnet.output_queue.append(dev)
        raise_softirq(cpu, NET_TX_SOFTIRQ)


def net_tx_action(cpu: Cpu) -> bool:
    """Run one scheduled qdisc; True when another waits. Linux: net/core/dev.c net_tx_action()."""
    queue = cpu.softnet.output_queue
    if queue:
        qdisc_run(cpu, queue.popleft())
    return bool(queue)


def dev_hard_start_xmit(cpu: Cpu, dev: NetDevice, skb: SkBuff) -> bool:
    """Hand a packet to the driver, cut up first if the device cannot do that; False when the driver is full.

    What the driver refuses waits at the head of the qdisc; a device without one never refuses.
    Linux: net/core/dev.c validate_xmit_skb(), dev_hard_start_xmit().
    """
    start_xmit = dev.start_xmit
    assert start_xmit is not None
    if skb.gso_segs > 1 and (not dev.features_gso or (skb.protocol == IPPROTO_UDP and dev.kind == "veth")):
        segments = skb_segment(dev.net.machine, skb)
        for index, segment in enumerate(segments):
            if not start_xmit(cpu, dev, segment):
                _requeue(dev, segments[index:])
                return False
        return True
    if start_xmit(cpu, dev, skb):
        return True
    _requeue(dev, [skb])
    return False


def _requeue(dev: NetDevice, skbs: list[SkBuff]) -> None:
    """Keep refused packets at the head of the qdisc. Linux: net/sched/sch_generic.c dev_requeue_skb()."""
    qdisc = dev.qdisc
    assert qdisc is not None
    qdisc.requeues += 1
    qdisc.scheduled = True
    qdisc.gso_skb.extendleft(reversed(skbs))


def skb_segment(machine: Machine, skb: SkBuff) -> list[SkBuff]:
    """Cut a super-packet into its wire frames; `skb` becomes the first, the others inherit its stamps so far.

    PSH and FIN stay with the last frame, and the memory charged to the sender is shared out. Linux:
    net/core/skbuff.c skb_segment(), net/ipv4/tcp_offload.c tcp_gso_segment(), net/ipv4/udp_offload.c.
    """
    count, mss, total, seq, flags = skb.gso_segs, skb.gso_size, skb.len, skb.seq, skb.tcp_flags
    share, inner = skb.truesize // count, flags & ~(PSH | FIN)
    frames = [skb]
    trace = machine.trace if skb.stamps is not None else None
    for index in range(1, count):
        start = index * mss
        last = index == count - 1
        length = total - start if last else mss
        frame = SkBuff(
            machine.skb_id(), skb.flow, skb.protocol, length, seq + start & MASK, flags if last else inner
        )
        frame.end_seq = skb.end_seq if last else seq + start + length & MASK
        frame.ack_seq = skb.ack_seq
        frame.window = skb.window
        frame.tsval, frame.tsecr = skb.tsval, skb.tsecr
        frame.sack = skb.sack
        frame.hdr_len = skb.hdr_len
        frame.truesize = share
        frame.retrans = skb.retrans
        frame.dev = skb.dev
        frame.source = skb.source
        frame.sk = skb.sk
        frame.destructor = skb.destructor
        if trace is not None:
            frame.stamps = list(skb.stamps)  # type: ignore[arg-type]
            frame.numbers = skb.numbers
            trace.append(frame)
        frames.append(frame)
    skb_keep_as_sent(skb)
    skb.original = None
    skb.len = mss
    skb.end_seq = seq + mss & MASK
    skb.tcp_flags = inner
    skb.truesize -= share * (count - 1)
    skb.gso_segs = 1
    skb.gso_size = skb.nr_frags = 0
    if machine.on_segment is not None:
        machine.on_segment(frames)
    return frames
