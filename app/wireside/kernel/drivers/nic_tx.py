"""The transmit side of the NIC driver: descriptor ring, TSO, completion. Modelled on Intel's igb."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from wireside.catalog.drop_reasons import DropReason
from wireside.catalog.stages import Stage
from wireside.kernel.core.dev_tx import netif_schedule, skb_segment
from wireside.kernel.core.skbuff import kfree_skb_reason, skb_orphan

if TYPE_CHECKING:
    from collections.abc import Callable

    from wireside.kernel.core.net import Cpu, NetDevice
    from wireside.kernel.core.skbuff import SkBuff
    from wireside.kernel.core.sock import Sock
    from wireside.kernel.drivers.nic import Nic

TX_RING: Final = int(Stage.TX_RING)
TX_COMPLETION: Final = int(Stage.TX_COMPLETION)
DESC_NEEDED: Final = 21
"""The ring stops when fewer descriptors than the largest packet could need are free. Linux: igb.h DESC_NEEDED."""
IGB_TX_QUEUE_WAKE: Final = 32
"""Free descriptors at which a stopped ring starts again. Linux: igb_main.c IGB_TX_QUEUE_WAKE."""
TX_ITR_NS: Final = 50_000
"""Completions are reported so late, or after rx_usecs if that is longer, so that one interrupt serves many.

Linux: igb.h IGB_20K_ITR. Differs: igb adapts this time to the traffic."""


class TxBuffer:
    """struct igb_tx_buffer: what the driver keeps of a packet until it has left.

    The packet itself travels on to the receiver, so its owner and memory are kept here and `destructor` is called
    with this record.
    """

    __slots__ = ("descriptors", "destructor", "done_at", "sk", "truesize")

    def __init__(self, skb: SkBuff, descriptors: int) -> None:
        self.sk: Sock | None = skb.sk
        self.truesize = skb.truesize
        self.destructor: Callable[[Cpu, TxBuffer], None] | None = skb.destructor
        self.descriptors = descriptors
        self.done_at = 0
        """ns at which its last bit has left."""


class TxRing:
    """The transmit ring: `size` descriptors of which size-1 can be used; `used` are not reclaimed yet.

    Differs: one ring and one qdisc per device, however many receive queues there are; no byte queue limits.
    """

    __slots__ = ("bytes", "irq_armed", "irq_at", "packets", "restarts", "ring", "size", "stopped", "used")

    def __init__(self, size: int) -> None:
        self.size = size
        self.ring: deque[TxBuffer] = deque()
        self.used = 0
        self.stopped = False
        self.irq_armed = False
        self.irq_at = 0
        self.packets = 0
        self.bytes = 0
        self.restarts = 0


def tx_descriptors(skb: SkBuff) -> int:
    """Descriptors a packet needs: one, or for TSO a context, the headers, and one per fragment of up to 32 KiB."""
    return 1 if skb.gso_segs == 1 else 2 + max(skb.nr_frags, -(-skb.len // 32768))


def igb_xmit_frame(cpu: Cpu, dev: NetDevice, skb: SkBuff) -> bool:
    """Put a packet on the ring and let the NIC send its frames; False when the ring is stopped.

    A TSO super-packet becomes its wire frames here, in the NIC. Linux: igb_main.c igb_xmit_frame_ring(), igb_maybe_stop_tx().
    """
    nic: Nic = dev.driver
    tx = nic.tx
    room = tx.size - 1 - tx.used
    needed = min(tx_descriptors(skb), tx.size - 1)
    if tx.stopped or room < needed:
        tx.stopped = True
        return False
    wire = nic.wire
    if wire is None:
        dev.tx_dropped += 1
        skb_orphan(cpu, skb)
        kfree_skb_reason(dev.net, skb, DropReason.NOT_SPECIFIED)
        return True
    if skb.stamps is not None:
        skb.stamps += (TX_RING, cpu.now)
    cpu.now = when = cpu.now + cpu.cost[TX_RING]
    buffer = TxBuffer(skb, needed)
    tx.ring.append(buffer)
    tx.used += needed
    if skb.gso_segs == 1:
        _send(nic, buffer, when, skb)
    else:
        for frame in skb_segment(dev.net.machine, skb):
            _send(nic, buffer, when, frame)
    if room - needed < min(DESC_NEEDED, tx.size >> 1):
        tx.stopped = True
    if not tx.irq_armed and not nic.queues[0].napi.scheduled:
        igb_arm_tx_irq(nic)
    return True


def _send(nic: Nic, buffer: TxBuffer, when: int, frame: SkBuff) -> None:
    """Pass one frame to the wire, which sends it as soon as the one before has left."""
    frame.sk = None
    frame.destructor = None
    nic.tx.packets += 1
    nic.tx.bytes += frame.hdr_len + frame.len
    assert nic.wire is not None
    buffer.done_at = nic.wire.transmit(when, frame)


def igb_arm_tx_irq(nic: Nic) -> None:
    """Plan the interrupt that reports the oldest packet on the ring as sent."""
    tx = nic.tx
    if not tx.irq_armed:
        tx.irq_armed = True
        tx.irq_at = tx_irq_due(nic)
        nic.dev.net.machine.clock.at(tx.irq_at, igb_tx_irq, nic)


def tx_irq_due(nic: Nic) -> int:
    """When the oldest packet on the ring must be reported as sent, ns."""
    return nic.tx.ring[0].done_at + max(TX_ITR_NS, nic.rx_usecs_ns)


def igb_tx_irq(nic: Nic) -> None:
    """The planned time has come: interrupt, unless a poll is under way, or has freed everything already."""
    tx = nic.tx
    tx.irq_armed = False
    q = nic.queues[0]
    if not tx.ring or q.irq_raised or q.napi.scheduled:
        return
    if tx_irq_due(nic) > tx.irq_at:
        igb_arm_tx_irq(nic)
    else:
        nic.interrupt(q, tx.irq_at)


def igb_clean_tx_irq(cpu: Cpu, nic: Nic) -> None:
    """Free the packets that have left by now and let a stopped queue go on. Linux: igb_main.c igb_clean_tx_irq()."""
    tx = nic.tx
    ring = tx.ring
    cost = cpu.cost[TX_COMPLETION]
    now = cpu.now
    while ring and ring[0].done_at <= now:
        buffer = ring.popleft()
        tx.used -= buffer.descriptors
        cpu.now += cost
        if buffer.destructor is not None:
            buffer.destructor(cpu, buffer)
    if tx.stopped and tx.size - 1 - tx.used >= min(IGB_TX_QUEUE_WAKE, tx.size >> 1):
        tx.stopped = False
        tx.restarts += 1
        if nic.dev.qdisc is not None:
            netif_schedule(cpu, nic.dev)
