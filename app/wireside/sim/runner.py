"""One CPU's schedule: what runs, what waits, and until when."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from wireside.kernel.core.task import Task
from wireside.sim.run import NEVER, ProgramRun

if TYPE_CHECKING:
    from collections.abc import Callable

    from wireside.kernel.core.net import Cpu
    from wireside.sim.env import Call


BASE_SLICE_NS = 3_000_000
"""A task's turn while others want the CPU. Linux: kernel/sched/fair.c sysctl_sched_base_slice (2 CPUs and more)."""


class Runner:
    """One CPU's schedule. `busy_until` ends its IRQ or softirq slice; `task_end` the running task's slice, ns."""

    __slots__ = (
        "armed",
        "armed_at",
        "busy_until",
        "cpu",
        "current",
        "irqs",
        "ksoftirqd",
        "last",
        "more",
        "queue",
        "softirq_at",
        "task_end",
        "task_since",
        "timers_due",
    )

    def __init__(self, cpu: Cpu) -> None:
        self.cpu = cpu
        self.armed: Call | None = None
        self.armed_at = NEVER
        self.busy_until = 0
        self.irqs: deque[tuple[Callable[[Cpu, Any], None], Any]] = deque()
        self.timers_due = False
        self.softirq_at = 0
        self.more = False
        """A round of softirqs is under way; its next slice follows."""
        self.current: ProgramRun | None = None
        self.task_end = 0
        self.task_since = 0
        """The part of the running slice before this ns is already accounted; moves with stolen time."""
        self.last: ProgramRun | None = None
        self.queue: deque[ProgramRun] = deque()
        net = cpu.machine.nets[0]
        self.ksoftirqd = ProgramRun(
            f"ksoftirqd/{cpu.id}", Task(10 + cpu.id, f"ksoftirqd/{cpu.id}", net, cpu.id), None
        )

    def turn_left(self, run: ProgramRun) -> int:
        """What is left of a task's turn while others want the CPU, ns."""
        return max(0, BASE_SLICE_NS - run.used_ns)
