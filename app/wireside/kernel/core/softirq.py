"""Softirqs: deferred work of a CPU, run in slices so that other CPUs and the wire can go on in between."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, TypeVar

from wireside.kernel.core.hrtimer import hrtimer_run_softirq
from wireside.kernel.core.net import HRTIMER_SOFTIRQ, NET_RX_SOFTIRQ, NET_TX_SOFTIRQ, TASKLET_SOFTIRQ

if TYPE_CHECKING:
    from collections.abc import Callable

    from wireside.kernel.core.napi import Napi
    from wireside.kernel.core.net import Cpu, Machine

T = TypeVar("T")

SOFTIRQS: Final = NET_TX_SOFTIRQ | NET_RX_SOFTIRQ | TASKLET_SOFTIRQ | HRTIMER_SOFTIRQ
"""Those that run in slices; the timer wheel is a slice of its own."""
MAX_SOFTIRQ_RESTART: Final = 10
"""Rounds in a row before ksoftirqd takes over. Linux: kernel/softirq.c."""
MAX_SOFTIRQ_TIME_NS: Final = 2_000_000
QUIET_NS: Final = 100_000_000
"""Hand-overs to ksoftirqd are told as events at most this often; under a flood there are thousands."""


def tasklet_schedule(cpu: Cpu, function: Callable[[Cpu, T], None], arg: T) -> None:
    """Let function(cpu, arg) run on this CPU when the softirq or system call of now is through.

    Linux: include/linux/interrupt.h tasklet_schedule().
    """
    cpu.tasklets.append((function, arg))
    raise_softirq(cpu, TASKLET_SOFTIRQ)


def tasklet_action(cpu: Cpu) -> bool:
    """Run one piece of work that was put off; True when another waits. Linux: kernel/softirq.c tasklet_action()."""
    waiting = cpu.tasklets
    if waiting:
        function, arg = waiting.popleft()
        function(cpu, arg)
    return bool(waiting)


def open_softirq(machine: Machine, vector: int, action: Callable[[Cpu], bool]) -> None:
    """Install the action of a softirq. Linux: kernel/softirq.c open_softirq()."""
    machine.softirq_vec[vector] = action


def softirq_init(machine: Machine) -> None:
    """Install the actions that need no device. Linux: kernel/softirq.c softirq_init(), kernel/time/hrtimer.c hrtimers_init()."""
    open_softirq(machine, TASKLET_SOFTIRQ, tasklet_action)
    open_softirq(machine, HRTIMER_SOFTIRQ, hrtimer_run_softirq)


class SoftirqRun:
    """Where handle_softirqs() and net_rx_action() are on one CPU, between two slices. Times are ns."""

    __slots__ = (
        "active",
        "budget",
        "end",
        "napi",
        "polling",
        "repoll",
        "restarts",
        "rx_active",
        "time_limit",
        "told_at",
        "vectors",
        "weight",
        "work",
    )

    def __init__(self) -> None:
        self.active = False
        self.vectors = 0
        self.restarts = 0
        self.end = 0
        self.told_at = -QUIET_NS
        """When the last hand-over to ksoftirqd was told as an event."""
        self.rx_active = False
        self.budget = 0
        """Packets left in this net_rx_action round."""
        self.time_limit = 0
        self.polling: deque[Napi] = deque()
        self.repoll: list[Napi] = []
        self.napi: Napi | None = None
        """The NAPI that is being polled."""
        self.weight = 0
        self.work = 0
        """Packets its current poll has taken so far."""


def softirq_run(cpu: Cpu) -> SoftirqRun:
    """The run of this CPU, made when first asked for."""
    run = cpu.softnet.round
    if run is None:
        run = cpu.softnet.round = SoftirqRun()
    return run


def softirq_step(cpu: Cpu) -> bool:
    """Run one slice (at most 8 packets) of softirq work from cpu.now on; True when there is more to do now.

    False with `cpu.ksoftirqd` set means that the rest waits for the ksoftirqd thread, which calls this again.
    Linux: kernel/softirq.c handle_softirqs().
    """
    run = cpu.softnet.round or softirq_run(cpu)
    if not run.active:
        pending = cpu.softirq_pending & SOFTIRQS
        if not pending:
            cpu.ksoftirqd = False
            return False
        cpu.softirq_pending ^= pending
        run.active = True
        run.vectors = pending
        run.restarts = 1
        tick = cpu.machine.timers.tick_ns
        run.end = (cpu.now // tick + -(-MAX_SOFTIRQ_TIME_NS // tick)) * tick
    cpu.in_softirq = True
    vector = run.vectors & -run.vectors
    if not cpu.machine.softirq_vec[vector](cpu):
        run.vectors ^= vector
    cpu.in_softirq = False
    if run.vectors:
        return True
    return _restart(cpu, run)


def _restart(cpu: Cpu, run: SoftirqRun) -> bool:
    """All vectors of a round are done: go round again, hand over to ksoftirqd, or stop."""
    pending = cpu.softirq_pending & SOFTIRQS
    if pending and run.restarts < MAX_SOFTIRQ_RESTART and cpu.now < run.end and not cpu.need_resched:
        run.restarts += 1
        run.vectors = pending
        cpu.softirq_pending ^= pending
        return True
    run.active = False
    if pending and not cpu.ksoftirqd and cpu.now - run.told_at >= QUIET_NS:
        run.told_at = cpu.now
        cpu.machine.nets[0].event(
            cpu,
            "softirq",
            f"CPU {cpu.id}: softirqs go on and on after {run.restarts} rounds: ksoftirqd takes over",
            1,
        )
    cpu.ksoftirqd = pending != 0
    return False


def do_softirq(cpu: Cpu) -> None:
    """Run pending softirqs to the end right here, in the task that called. Linux: do_softirq().

    Differs: a NIC's poll that was handed over to ksoftirqd stays there, because it needs slices of its own: frames
    arrive meanwhile.
    """
    if cpu.in_softirq or softirq_run(cpu).active:
        return
    if cpu.ksoftirqd and any(napi.dev is not None for napi in cpu.softnet.poll_list):
        return
    while softirq_step(cpu):
        pass
    if cpu.ksoftirqd:
        cpu.machine.sched.raise_softirq(cpu)


def local_bh_enable(cpu: Cpu) -> None:
    """Leave a section that kept softirqs out; what was raised meanwhile runs now.

    Linux: kernel/softirq.c __local_bh_enable_ip().
    """
    if cpu.softirq_pending & SOFTIRQS:
        if not cpu.in_softirq:
            do_softirq(cpu)
        elif not softirq_run(cpu).active:
            cpu.machine.sched.raise_softirq(cpu)


def raise_softirq(cpu: Cpu, vector: int) -> None:
    """Mark a softirq as pending and tell the scheduler when none was. Linux: raise_softirq_irqoff()."""
    pending = cpu.softirq_pending
    if not pending & vector:
        cpu.softirq_pending = pending | vector
        if not pending:
            cpu.machine.sched.raise_softirq(cpu)
