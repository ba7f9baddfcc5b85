"""The kernel's timer wheel: timers are never early, and late by up to one granule of their level."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, Final, Generic, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from wireside.kernel.core.net import Cpu

T = TypeVar("T")

LVL_SIZE: Final = 64
"""Buckets per level. Linux: kernel/time/timer.c LVL_BITS 6."""
LVL_CLK_SHIFT: Final = 3
"""Each level is 8 times coarser than the one below."""
MAX_SHIFT: Final = 8 * LVL_CLK_SHIFT
"""Nine levels (LVL_DEPTH)."""
SWEEP_FROM: Final = 16
"""Fewer disarmed timers than this are left in their bucket until it is due."""


class TimerList(Generic[T]):
    """struct timer_list: one timer, which calls function(cpu, arg). `expires` is the wheel's due time in ns, 0 when it is not pending."""

    __slots__ = ("arg", "expires", "function", "nominal")

    def __init__(self, function: Callable[[Cpu, T], None], arg: T) -> None:
        self.function = function
        self.arg: T | None = arg
        """None once its owner is gone: a disarmed timer may stay in its bucket for a while."""
        self.nominal = 0
        """When it was asked to fire, ns."""
        self.expires = 0


AnyTimer: TypeAlias = TimerList[Any]
"""A timer as the wheel sees it: what it is given when it fires is its owner's business."""


class TimerWheel:
    """All `timer_list` timers of one machine.

    A timer asked for at time t lands in the bucket of the level that its remaining delay falls into, rounded up.
    Linux: kernel/time/timer.c calc_wheel_index(). With `ideal` a timer fires exactly when asked.
    """

    def __init__(self, hz: int, *, ideal: bool = False) -> None:
        self.tick_ns = 1_000_000_000 // hz
        self.ideal = ideal
        self.buckets: dict[int, list[AnyTimer]] = {}
        self.due: list[int] = []
        """A heap of the buckets' times, each once."""
        self.stale: dict[int, int] = {}
        """Bucket → how many of its timers are disarmed or elsewhere by now."""
        self.pending = 0
        self.last_due = 0
        """The bucket last used: timers armed one after the other share the number that names it."""

    def wheel_time(self, now: int, expires: int) -> int:
        """The ns at which a timer asked for `expires` really fires, when armed at `now`."""
        if self.ideal:
            return expires
        tick = self.tick_ns
        delta = -(-(expires - now) // tick)
        target = now // tick + delta
        shift = 0
        span = LVL_SIZE - 1
        while delta >= span and shift < MAX_SHIFT:
            shift += LVL_CLK_SHIFT
            span <<= LVL_CLK_SHIFT
        return ((target >> shift) + 1 << shift) * tick

    def mod_timer(self, timer: AnyTimer, now: int, expires: int) -> None:
        """Arm or re-arm `timer` to fire at `expires` ns, counted from `now`."""
        due = self.wheel_time(now, expires)
        if due == self.last_due:
            due = self.last_due
        else:
            self.last_due = due
        timer.nominal = expires
        if timer.expires:
            if timer.expires == due:
                return
            self.forget(timer.expires)
        timer.expires = due
        self.pending += 1
        bucket = self.buckets.get(due)
        if bucket is None:
            self.buckets[due] = [timer]
            heappush(self.due, due)
        else:
            bucket.append(timer)

    def timer_delete(self, timer: AnyTimer) -> None:
        """Disarm `timer`; nothing happens when it is not pending."""
        if timer.expires:
            due = timer.expires
            timer.expires = 0
            self.forget(due)

    def forget(self, due: int) -> None:
        """A timer of the bucket `due` is gone; it is swept out when a quarter of the bucket is."""
        self.pending -= 1
        bucket = self.buckets.get(due)
        if bucket is None:
            return
        gone = self.stale.get(due, 0) + 1
        if gone >= SWEEP_FROM and gone * 4 > len(bucket):
            self.buckets[due] = [timer for timer in bucket if timer.expires == due]
            gone = 0
        self.stale[due] = gone

    def next_expiry(self) -> int:
        """The ns of the earliest bucket, or -1 when the wheel is empty."""
        return self.due[0] if self.due else -1

    def expire_timers(self, cpu: Cpu, now: int) -> int:
        """Run all timers due at `now` or before, oldest bucket first; how many there were.

        In a bucket the one armed last runs first, as timers enter it at its head; one that another disarms does not run
        any more. Linux: kernel/time/timer.c enqueue_timer(), expire_timers().
        """
        count = 0
        while self.due and self.due[0] <= now:
            when = heappop(self.due)
            self.stale.pop(when, None)
            for timer in reversed(self.buckets.pop(when)):
                if timer.expires == when:
                    timer.expires = 0
                    self.pending -= 1
                    count += 1
                    timer.function(cpu, timer.arg)
        return count
