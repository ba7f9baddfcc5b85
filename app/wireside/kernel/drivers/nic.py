"""The simulated network card: an Intel igb-like NIC with its rings, interrupt moderation and counters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from wireside.catalog.counters import NIC_RX_QUEUES, NIC_TX_QUEUES
from wireside.catalog.fates import RX_MISSED
from wireside.catalog.stages import Stage
from wireside.kernel.core.dev_tx import Qdisc
from wireside.kernel.core.napi import flow_hash
from wireside.kernel.core.net import NetDevice
from wireside.kernel.drivers.loopback import register_netdevice
from wireside.kernel.drivers.nic_rx import RxQueue, igb_msix_ring
from wireside.kernel.drivers.nic_tx import TxRing, igb_xmit_frame

if TYPE_CHECKING:
    from wireside.kernel.core.net import Net
    from wireside.kernel.core.skbuff import SkBuff

RX_RING: Final = int(Stage.RX_RING)
MIN_RING: Final = 2


class Wire(Protocol):
    """One direction of a link, as a device sees it."""

    def transmit(self, when: int, skb: SkBuff) -> int:
        """Send a frame as soon as the wire is free at or after `when` ns; the ns at which its last bit has left."""


class Nic:
    """A network card and its driver's settings. Sizes are descriptors, times ns.

    `wire` is where its frames go; the far end calls `frame_arrives`. Queue q interrupts CPU q modulo the CPUs.
    """

    __slots__ = (
        "copybreak",
        "dev",
        "gro",
        "last_arrival",
        "queues",
        "refill_batch",
        "rx_bytes",
        "rx_frames",
        "rx_gap",
        "rx_missed",
        "rx_packets",
        "rx_usecs_ns",
        "tx",
        "wire",
    )

    def __init__(
        self, dev: NetDevice, rx_ring: int, tx_ring: int, queues: int, refill_batch: int, copybreak: int
    ) -> None:
        self.dev = dev
        self.wire: Wire | None = None
        self.refill_batch = refill_batch
        self.copybreak = copybreak
        """Frames up to this length are copied to a small buffer of their own."""
        self.gro = True
        self.rx_usecs_ns = 50_000
        self.rx_frames = 1
        cpus = len(dev.net.machine.cpus)
        self.queues = [RxQueue(self, number, number % cpus, rx_ring) for number in range(queues)]
        self.tx = TxRing(tx_ring)
        self.rx_packets = 0
        self.rx_bytes = 0
        self.rx_missed = 0
        """Frames lost because no descriptor was free; no sk_buff ever existed for them."""
        self.last_arrival = 0
        self.rx_gap = 0
        """Moving average of the time between two arriving frames, ns."""

    def frame_arrives(self, when: int, frame: SkBuff) -> None:
        """A frame comes off the wire at `when`: into the ring of its queue, or lost when no descriptor is free.

        With several queues the flow's hash chooses one (RSS).
        """
        queues = self.queues
        q = queues[0] if len(queues) == 1 else queues[flow_hash(frame.flow) % len(queues)]
        self.rx_gap += (when - self.last_arrival - self.rx_gap) >> 4
        self.last_arrival = when
        if frame.stamps is not None:
            frame.stamps += (RX_RING, when)
        frames = q.frames
        if len(frames) + q.unfilled >= q.size - 1:
            self.rx_missed += 1
            q.drops += 1
            frame.fate = RX_MISSED
            return
        frame.arrival = when
        frames.append(frame)
        self.rx_packets += 1
        self.rx_bytes += frame.hdr_len + frame.len
        if not (q.irq_raised or q.napi.scheduled or (q.moderation is not None and self.rx_frames <= 1)):
            self.moderate(q, when)

    def moderate(self, q: RxQueue, when: int) -> None:
        """Interrupt for received frames: at once, unless the last interrupt was less than rx_usecs ago.

        rx_usecs is the least time between two interrupts (the EITR register), so a lone frame never waits; with
        rx_frames of 2 or more that many waiting frames end the wait early.
        """
        machine = self.dev.net.machine
        ready = when + machine.cpus[q.cpu_id].cost[RX_RING]
        allowed = q.last_irq + self.rx_usecs_ns
        if allowed <= ready or 1 < self.rx_frames <= len(q.frames):
            self.interrupt(q, ready)
        elif q.moderation is None:
            q.moderation_at = allowed
            q.moderation = machine.clock.at(allowed, moderation_over, q)

    def interrupt(self, q: RxQueue, when: int) -> None:
        """Raise the queue's interrupt at `when`, or when it is unmasked."""
        machine = self.dev.net.machine
        if q.moderation is not None:
            machine.clock.cancel(q.moderation)
            q.moderation = None
        q.irq_raised = True
        q.last_irq = when
        machine.sched.raise_hardirq(q.cpu_id, max(when, q.unmasked_at), igb_msix_ring, q)


def moderation_over(q: RxQueue) -> None:
    """rx_usecs have passed since the last interrupt."""
    q.moderation = None
    if q.frames and not q.irq_raised and not q.napi.scheduled:
        q.nic.interrupt(q, q.moderation_at)


def register_nic(
    net: Net,
    *,
    name: str = "eth0",
    mtu: int = 1500,
    rx_ring: int = 256,
    tx_ring: int = 256,
    rx_refill_batch: int = 16,
    rx_usecs_ns: int = 50_000,
    rx_frames: int = 1,
    queues: int = 1,
    gro: bool = True,
    tso: bool = True,
    rps_cpus: tuple[int, ...] = (),
    qdisc: str = "pfifo_fast",
    txqueuelen: int = 1000,
    copybreak: int = 256,
) -> Nic:
    """Give a namespace a NIC; parameters as in a scenario's `nic:`."""
    dev = NetDevice(name, net, mtu, "nic")
    dev.features_gso = tso
    dev.rps_cpus = rps_cpus
    dev.qdisc = Qdisc(txqueuelen if qdisc != "noqueue" else 1 << 62)
    dev.start_xmit = igb_xmit_frame
    nic = Nic(dev, rx_ring, tx_ring, queues, rx_refill_batch, copybreak)
    nic.gro = gro
    nic.rx_usecs_ns = rx_usecs_ns
    nic.rx_frames = rx_frames
    dev.driver = nic
    register_netdevice(net, dev)
    return nic


def set_ring(nic: Nic, rx: int) -> None:
    """Change the size of the receive rings while running (`ethtool -G`), descriptors per queue.

    Differs: a real driver resets the link and loses what waits in the ring; here only what no longer fits is lost.
    """
    for q in nic.queues:
        q.size = max(rx, MIN_RING)
        while len(q.frames) >= q.size:
            q.frames.pop().fate = RX_MISSED
            q.drops += 1
            nic.rx_missed += 1
        q.unfilled = min(q.unfilled, q.size - 1 - len(q.frames))


def rx_rate_pps(nic: Nic, now: int) -> int:
    """Frames per second that arrived lately, lost ones included; falls when nothing comes any more."""
    gap = max(nic.rx_gap, now - nic.last_arrival)
    return 1_000_000_000 // gap if gap > 0 and nic.rx_gap else 0


def rx_ring_used(nic: Nic) -> int:
    """Received frames that wait for the driver, all queues."""
    return sum(len(q.frames) for q in nic.queues)


def ethtool_stats(nic: Nic) -> dict[str, int]:
    """`ethtool -S`: name to value.

    With one queue a frame without descriptor counts as missed; with several, drop-enable mode counts it per queue and
    in rx_fifo_errors. Linux: igb_main.c igb_update_stats(), igb_setup_srrctl().
    """
    single = len(nic.queues) == 1
    tx = nic.tx
    stats = {
        "rx_packets": nic.rx_packets,
        "tx_packets": tx.packets,
        "rx_bytes": nic.rx_bytes,
        "tx_bytes": tx.bytes,
        "rx_no_buffer_count": nic.rx_missed if single else 0,
        "rx_missed_errors": nic.rx_missed if single else 0,
        "rx_fifo_errors": 0 if single else nic.rx_missed,
        "tx_dropped": nic.dev.tx_dropped,
        "tx_restart_queue": tx.restarts,
    }
    names = NIC_TX_QUEUES[0]
    for counter, value in (
        (names.packets, tx.packets),
        (names.bytes, tx.bytes),
        (names.restart, tx.restarts),
    ):
        stats[counter.name.removeprefix("nic.")] = value
    for q in nic.queues:
        words = NIC_RX_QUEUES[q.number]
        drops = 0 if single else q.drops
        for counter, value in ((words.packets, q.packets), (words.bytes, q.bytes), (words.drops, drops)):
            stats[counter.name.removeprefix("nic.")] = value
    return stats
