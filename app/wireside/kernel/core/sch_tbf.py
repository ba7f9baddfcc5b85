"""The token bucket: a queueing discipline that holds a device to a rate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.drop_reasons import DropReason
from wireside.kernel.core.dev_tx import Qdisc, netif_schedule, skb_segment
from wireside.kernel.core.skbuff import kfree_skb_reason, skb_orphan

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu, NetDevice
    from wireside.kernel.core.skbuff import SkBuff

NS: Final = 1_000_000_000


class Tbf(Qdisc):
    """struct tbf_sched_data: `burst` bytes may leave at once, after that `rate_bps` bits per second.

    At most `limit_bytes` wait. `tokens` is what the bucket holds, in ns of transmission; `backlog` is bytes waiting.
    Linux: net/sched/sch_tbf.c. Differs: no peak rate.
    """

    __slots__ = ("armed", "backlog", "buffer", "burst", "limit_bytes", "rate_bps", "t_c", "tokens")
    bypass = False

    def __init__(self, rate_bps: int, burst: int, limit_bytes: int) -> None:
        super().__init__(1 << 62)
        self.rate_bps = rate_bps
        self.burst = burst
        self.limit_bytes = limit_bytes
        self.buffer = self.tokens = self.l2t_ns(burst)
        self.t_c = 0
        self.backlog = 0
        self.armed = False

    def l2t_ns(self, length: int) -> int:
        """How long `length` bytes take at the rate. Linux: psched_l2t_ns()."""
        return length * 8 * NS // self.rate_bps

    def enqueue(self, cpu: Cpu, dev: NetDevice, skb: SkBuff) -> bool:
        """Let a packet wait; False when the queue is full. A super-packet larger than the bucket is cut up first.

        Linux: tbf_enqueue(), tbf_segment().
        """
        frames = [skb]
        if skb.gso_segs > 1 and skb.hdr_len + skb.len > self.burst:
            frames = skb_segment(dev.net.machine, skb)
        queued = 0
        for frame in frames:
            length = frame.hdr_len + frame.len
            if length <= self.burst and self.backlog + length <= self.limit_bytes:
                self.queue.append(frame)
                self.backlog += length
                queued += 1
            else:
                self.dropped += 1
                skb_orphan(cpu, frame)
                kfree_skb_reason(dev.net, frame, DropReason.QDISC_DROP)
        return queued > 0

    def dequeue(self, cpu: Cpu, dev: NetDevice) -> SkBuff | None:
        """The next packet, if there are tokens for it; else come back when there are. Linux: tbf_dequeue()."""
        if self.gso_skb:
            return self.gso_skb.popleft()
        skb = self.queue[0]
        length = skb.hdr_len + skb.len
        tokens = min(min(cpu.now - self.t_c, self.buffer) + self.tokens, self.buffer) - self.l2t_ns(length)
        if tokens < 0:
            if not self.armed:
                self.armed = True
                dev.net.machine.sched.raise_hardirq(0, cpu.now - tokens, qdisc_watchdog, dev)
            return None
        self.t_c = cpu.now
        self.tokens = tokens
        self.backlog -= length
        return self.queue.popleft()


def qdisc_watchdog(cpu: Cpu, dev: NetDevice) -> None:
    """There are tokens again. Linux: net/sched/sch_api.c qdisc_watchdog()."""
    qdisc = dev.qdisc
    if isinstance(qdisc, Tbf):
        qdisc.armed = False
        netif_schedule(cpu, dev)
