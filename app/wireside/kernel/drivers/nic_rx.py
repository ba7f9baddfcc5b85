"""The receive side of the NIC driver: descriptor ring, interrupt, poll. Modelled on Intel's igb."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from wireside.catalog.inet import ETH_HLEN, IPPROTO_TCP
from wireside.catalog.stages import Stage
from wireside.kernel.core.gro import tcp_gro_receive
from wireside.kernel.core.napi import Napi, napi_schedule
from wireside.kernel.core.skbuff import NET_SKB_PAD, SK_BUFF_SIZE, SKB_SHARED_INFO_SIZE, skb_alloc_truesize
from wireside.kernel.drivers.nic_tx import igb_arm_tx_irq, igb_clean_tx_irq

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu, Handle
    from wireside.kernel.core.skbuff import SkBuff
    from wireside.kernel.drivers.nic import Nic

NAPI_POLL: Final = int(Stage.NAPI_POLL)
GRO: Final = int(Stage.GRO)
HARDIRQ: Final = int(Stage.HARDIRQ)
HALF_PAGE: Final = 2048
HALF_PAGE_TRUESIZE: Final = SK_BUFF_SIZE + HALF_PAGE
BUILD_SKB_ROOM: Final = HALF_PAGE - SKB_SHARED_INFO_SIZE - NET_SKB_PAD
"""Largest frame that fits a half-page buffer, bytes."""
LARGE_BUFFER: Final = 4096
LARGE_BUFFER_DATA: Final = 3072
"""Half of an order-1 page, and how much of a jumbo frame goes into it. Linux: igb.h IGB_RXBUFFER_3072."""


class RxQueue:
    """One receive queue: a ring of `size` descriptors of which size-1 can hold frames, as on all Intel NICs.

    `frames` are received and not yet polled; `unfilled` descriptors are polled but not yet given back to the NIC.
    """

    __slots__ = (
        "bytes",
        "cpu_id",
        "drops",
        "frames",
        "irq_raised",
        "irqs",
        "last_irq",
        "moderation",
        "moderation_at",
        "napi",
        "nic",
        "number",
        "packets",
        "size",
        "unfilled",
        "unmasked_at",
    )

    def __init__(self, nic: Nic, number: int, cpu_id: int, size: int) -> None:
        self.nic = nic
        self.number = number
        self.cpu_id = cpu_id
        """The CPU its interrupt goes to."""
        self.size = size
        self.frames: deque[SkBuff] = deque()
        self.unfilled = 0
        self.napi = Napi(igb_poll, igb_complete, self, nic.dev)
        self.irq_raised = False
        """The interrupt is on its way to the CPU."""
        self.unmasked_at = 0
        """ns from which on the interrupt may be raised again, once the NAPI is not scheduled."""
        self.moderation: Handle = None
        """Handle of the wait until the next interrupt is allowed."""
        self.moderation_at = 0
        self.last_irq = -1_000_000_000
        """When the last interrupt was raised, ns."""
        self.irqs = 0
        self.packets = 0
        self.bytes = 0
        self.drops = 0


def igb_msix_ring(cpu: Cpu, q: RxQueue) -> None:
    """The interrupt handler of a queue: ask for a poll, nothing more; the interrupt stays masked until it is done.

    Linux: drivers/net/ethernet/intel/igb/igb_main.c igb_msix_ring().
    """
    q.irq_raised = False
    q.irqs += 1
    cpu.charge(HARDIRQ, q.frames[0] if q.frames else None)
    napi_schedule(cpu, q.napi)


def igb_poll(cpu: Cpu, napi: Napi, limit: int) -> int:
    """Free what the NIC has sent, then wrap up to `limit` received frames in sk_buffs; returns how many.

    Descriptors go back to the NIC in batches. Linux: igb_main.c igb_poll(), igb_clean_rx_irq().
    """
    q: RxQueue = napi.driver
    nic = q.nic
    if q.number == 0 and nic.tx.ring:
        igb_clean_tx_irq(cpu, nic)
    frames = q.frames
    count = len(frames)
    if not count:
        return 0
    count = min(count, limit)
    unfilled = q.unfilled + count
    q.unfilled = unfilled if unfilled < nic.refill_batch else unfilled % nic.refill_batch
    q.packets += count
    dev = nic.dev
    gro = nic.gro
    now = cpu.now
    poll_ns = cpu.cost[NAPI_POLL]
    gro_ns = cpu.cost[GRO]
    rx_list = napi.rx_list
    size = 0
    for _ in range(count):
        skb = frames.popleft()
        frame = skb.hdr_len + skb.len
        size += frame
        skb.dev = dev
        igb_build_skb(nic, skb, frame)
        if not gro:
            if skb.stamps is not None:
                skb.stamps += (NAPI_POLL, now)
            now += poll_ns
        else:
            if skb.stamps is not None:
                skb.stamps += (NAPI_POLL, now, GRO, now + poll_ns)
            now += poll_ns + gro_ns
            if skb.protocol == IPPROTO_TCP and not skb.csum_bad and tcp_gro_receive(napi, skb):
                continue
        rx_list.append(skb)
        napi.rx_count += 1
    q.bytes += size
    cpu.now = now
    return count


def igb_build_skb(nic: Nic, skb: SkBuff, frame: int) -> None:
    """Set what the frame's sk_buff weighs: a copied small head, a half-page buffer, or several large ones.

    Linux: igb_main.c igb_build_skb(), igb_construct_skb(), igb_add_rx_frag().
    """
    if frame <= nic.copybreak:
        ip_length = frame - ETH_HLEN
        skb.truesize, usable = skb_alloc_truesize(NET_SKB_PAD + ip_length)
        skb.tailroom = usable - NET_SKB_PAD - ip_length
        skb.head_frag = False
        skb.head_len = skb.len
        skb.nr_frags = 0
    elif frame <= BUILD_SKB_ROOM:
        skb.truesize = HALF_PAGE_TRUESIZE
        skb.tailroom = BUILD_SKB_ROOM - frame
        skb.head_frag = True
        skb.head_len = skb.len
        skb.nr_frags = 0
    else:
        buffers = -(-frame // LARGE_BUFFER_DATA)
        skb.truesize = SK_BUFF_SIZE + LARGE_BUFFER * buffers
        skb.tailroom = 0
        skb.head_frag = True
        skb.head_len = min(skb.len, LARGE_BUFFER_DATA - skb.hdr_len)
        skb.nr_frags = buffers - 1


def igb_complete(cpu: Cpu, napi: Napi) -> None:
    """The poll has found nothing left: give all descriptors back and unmask the interrupt.

    Linux: igb_main.c igb_poll() after napi_complete_done(), igb_ring_irq_enable().
    """
    q: RxQueue = napi.driver
    q.unfilled = 0
    q.unmasked_at = cpu.now
    if q.number == 0 and q.nic.tx.ring:
        igb_arm_tx_irq(q.nic)
    if q.frames:
        q.nic.moderate(q, cpu.now)
