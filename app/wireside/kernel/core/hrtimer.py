"""High-resolution timers: due to the nanosecond, and run in softirq context on the CPU that armed them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from wireside.kernel.core.net import Cpu, Handle, Machine

T = TypeVar("T")


class HrTimer(Generic[T]):
    """struct hrtimer, from its start until it fires or is cancelled.

    `event` is the scheduler's handle; a timer that is `dead` does nothing any more, even if its time has come already.
    """

    __slots__ = ("arg", "dead", "event", "function")

    def __init__(self, function: Callable[[Cpu, T], None], arg: T) -> None:
        self.function = function
        self.arg = arg
        self.event: Handle = None
        self.dead = False


AnyHrTimer: TypeAlias = HrTimer[Any]
"""A timer as CPUs see it."""


def hrtimer_start(cpu: Cpu, delay_ns: int, function: Callable[[Cpu, T], None], arg: T) -> HrTimer[T]:
    """Let function(cpu, arg) run on this CPU in `delay_ns` ns, or as soon after as its softirqs can.

    Linux: kernel/time/hrtimer.c hrtimer_start_range_ns() with HRTIMER_MODE_REL_PINNED_SOFT.
    """
    timer = HrTimer(function, arg)
    timer.event = cpu.machine.sched.raise_hrtimer(cpu.id, cpu.now + delay_ns, timer)
    return timer


def hrtimer_cancel(machine: Machine, timer: AnyHrTimer) -> None:
    """Make sure that a timer does not run any more. Linux: kernel/time/hrtimer.c hrtimer_try_to_cancel()."""
    timer.dead = True
    machine.clock.cancel(timer.event)


def hrtimer_run_softirq(cpu: Cpu) -> bool:
    """Run the timers whose time has come; never leaves any. Linux: kernel/time/hrtimer.c hrtimer_run_softirq()."""
    expired = cpu.hrtimers
    while expired:
        timer = expired.popleft()
        if not timer.dead:
            timer.dead = True
            timer.function(cpu, timer.arg)
    return False
