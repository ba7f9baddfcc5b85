"""struct napi_struct: a receive queue that is polled, and how it gets onto a CPU's poll list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from wireside.kernel.core.net import NET_RX_SOFTIRQ
from wireside.kernel.core.softirq import raise_softirq

if TYPE_CHECKING:
    from collections.abc import Callable

    from wireside.kernel.core.net import Cpu, NetDevice
    from wireside.kernel.core.skbuff import Flow, SkBuff

NAPI_POLL_WEIGHT: Final = 64
"""Packets per poll of a driver; no sysctl changes it. Linux: include/linux/netdevice.h."""
GRO_HASH_BUCKETS: Final = 8


class Napi:
    """One polled queue: `poll(cpu, napi, limit)` takes at most `limit` packets and returns how many it took.

    A poll of 64 spans several such slices. When one takes nothing the poll is complete and `complete(cpu, napi)`
    lets the driver unmask its interrupt. Linux: include/linux/netdevice.h struct napi_struct.
    """

    __slots__ = (
        "complete",
        "dev",
        "driver",
        "gro_hash",
        "gro_held",
        "gro_last",
        "last_work",
        "poll",
        "polls",
        "rx_count",
        "rx_list",
        "scheduled",
        "weight",
    )

    def __init__(
        self,
        poll: Callable[[Cpu, Napi, int], int],
        complete: Callable[[Cpu, Napi], None],
        driver: Any,
        dev: NetDevice | None,
    ) -> None:
        self.poll = poll
        self.complete = complete
        self.driver = driver
        self.dev = dev
        self.weight = NAPI_POLL_WEIGHT
        self.scheduled = False
        """On a poll list or being polled (NAPI_STATE_SCHED); its interrupt is masked."""
        self.gro_hash: list[dict[Flow, SkBuff]] = [{} for _ in range(GRO_HASH_BUCKETS)]
        """Packets held for merging, per bucket by flow, oldest first."""
        self.gro_held = 0
        self.gro_last: SkBuff | None = None
        """The packet held last, still held; saves the look-up when one flow sends a train."""
        self.rx_list: list[SkBuff] = []
        """Packets through with GRO that wait for a batch to go up the stack."""
        self.rx_count = 0
        """Wire segments in rx_list."""
        self.polls = 0
        self.last_work = 0
        """Packets the last complete poll took."""


def napi_schedule(cpu: Cpu, napi: Napi) -> None:
    """Put a NAPI on this CPU's poll list and raise NET_RX_SOFTIRQ. Linux: net/core/dev.c ____napi_schedule()."""
    if not napi.scheduled:
        napi.scheduled = True
        cpu.softnet.poll_list.append(napi)
        raise_softirq(cpu, NET_RX_SOFTIRQ)


def flow_hash(flow: Flow) -> int:
    """A 32-bit hash of a flow, the same in every run; spreads flows over queues, CPUs and buckets.

    Differs: Linux uses Toeplitz in the NIC and siphash in software, both with a random key.
    """
    h = flow[0] * 0x9E3779B1 ^ flow[2] * 0x85EBCA6B ^ (flow[1] << 16 | flow[3]) * 0xC2B2AE35
    h ^= h >> 29
    h = h * 0x27D4EB2F & 0xFFFFFFFF
    return h ^ h >> 15
