"""What runs on a machine's CPUs, and when: hard IRQ before softirq before tasks, in slices.

A slice calls one kernel function, which runs to completion and moves `cpu.now` on by what it costs; the next slice
begins there. A task's slice may be interrupted: what IRQ and softirq take is added to its end.
Differs: a hard IRQ waits for the end of a softirq slice (at most a few packets) instead of cutting into it. Wake-ups
do not preempt: a task keeps its CPU until it sleeps or its turn of 3 ms is over (EEVDF base slice, RUN_TO_PARITY).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wireside.catalog.stages import Stage
from wireside.kernel.core.net import HRTIMER_SOFTIRQ
from wireside.kernel.core.softirq import raise_softirq, softirq_step
from wireside.kernel.syscalls.syscall import do_syscall, do_syscall_end, exit_files
from wireside.sim.run import (
    BLOCKED,
    EXITED,
    NEVER,
    RUNNABLE,
    RUNNING,
    SLEEPING,
    ProgramRun,
    Sleep,
    Spin,
)
from wireside.sim.runner import BASE_SLICE_NS, Runner
from wireside.sim.spin import spin

if TYPE_CHECKING:
    from collections.abc import Callable

    from wireside.kernel.core.hrtimer import AnyHrTimer
    from wireside.kernel.core.net import Cpu, Machine
    from wireside.kernel.core.task import Task
    from wireside.sim.env import Call, KernelEnv
    from wireside.sim.events import EventLog

SYSCALL_NS = 100
"""What the cheapest system call costs, ns; no call is free, so that time always moves on."""
RUN_ON = 16
"""Slices in a row without an event; a bound, so that the wall clock is looked at in time."""


class Engine:
    """Runs one machine; the machine's Scheduler. Linux: kernel/softirq.c, kernel/sched/core.c."""

    def __init__(self, env: KernelEnv, log: EventLog | None = None) -> None:
        self.env = env
        self.log = log
        self.runners: list[Runner] = []
        self.running: Runner | None = None
        """Whose slice is being computed right now."""
        self.timer: Call | None = None
        self.timer_at = NEVER
        self.wheel_due: list[int] = []
        """The timer wheel's heap of due times, the machine's own."""

    def attach(self, machine: Machine) -> None:
        """Take over the CPUs of `machine`, which has at least one network namespace."""
        self.wheel_due = machine.timers.due
        self.runners = [Runner(cpu) for cpu in machine.cpus]

    # What the kernel asks for

    def try_to_wake_up(self, cpu: Cpu, task: Task) -> bool:
        """Make a sleeping task runnable as of cpu.now; False when it was not asleep."""
        run: ProgramRun = task.private
        if run.state == BLOCKED:
            task.finish_wait()
            cpu.charge(Stage.WAKEUP)
            self.make_runnable(run, cpu.now)
            return True
        if run.state == RUNNING and run.outcome is None and run.call is not None and not run.woken:
            task.finish_wait()
            cpu.charge(Stage.WAKEUP)
            run.woken = True
            return True
        return False

    def wake_up_new_task(self, cpu: Cpu, parent: Task, child: Task) -> None:
        """A program that was forked begins as of cpu.now, and knows what its parent knows."""
        child.private.begin_as_child_of(parent.private)
        self.make_runnable(child.private, cpu.now)

    def raise_softirq(self, cpu: Cpu) -> None:
        """Softirq work has appeared on `cpu` as of the moment of whoever raised it."""
        runner = self.runners[cpu.id]
        by = self.running
        if by is runner and cpu.in_softirq:
            return
        runner.softirq_at = by.cpu.now if by is not None else self.env.now
        if by is not runner:
            self._arm(runner, runner.softirq_at)

    def raise_hardirq(self, cpu_id: int, when: int, handler: Callable[[Cpu, Any], None], arg: Any) -> None:
        """Interrupt a CPU at `when` ns."""
        self.env.at(when, self._interrupt, (self.runners[cpu_id], handler, arg))

    def raise_hrtimer(self, cpu_id: int, when: int, timer: AnyHrTimer) -> Call:
        """Raise HRTIMER_SOFTIRQ for a timer on a CPU at `when` ns."""
        return self.env.at(when, self._hrtimer, (self.runners[cpu_id].cpu, timer))

    # What the world asks for

    def start(self, run: ProgramRun, when: int) -> None:
        """Let a new program begin at `when` ns."""
        run.task.private = run
        run.timer = self.env.at(when, self._awake, run)

    def make_runnable(self, run: ProgramRun, when: int) -> None:
        """Queue a task on its CPU as of `when` ns."""
        if run.timer is not None:
            run.timer.dead = True
            run.timer = None
        runner = self.runners[run.task.cpu_id]
        run.state = RUNNABLE
        run.ready_at = when
        runner.queue.append(run)
        if runner.current is None:
            runner.cpu.need_resched = True
            if self.running is not runner:
                self._arm(runner, when)

    def _arm_timer(self, when: int) -> None:
        """Plan the event at which the timer wheel has something due."""
        if self.timer is not None:
            self.timer.dead = True
        self.timer_at = when
        self.timer = self.env.at(when, self._tick, None)

    # Events

    def _interrupt(self, irq: tuple[Runner, Callable[[Cpu, Any], None], Any]) -> None:
        runner, handler, arg = irq
        runner.irqs.append((handler, arg))
        if self.env._now >= runner.busy_until:
            self._dispatch(runner)
        else:
            self._arm(runner, runner.busy_until)

    def _hrtimer(self, due: tuple[Cpu, AnyHrTimer]) -> None:
        cpu, timer = due
        cpu.hrtimers.append(timer)
        raise_softirq(cpu, HRTIMER_SOFTIRQ)

    def _tick(self, _: None) -> None:
        self.timer, self.timer_at = None, NEVER
        runner = self.runners[0]
        runner.timers_due = True
        self._arm(runner, max(self.env._now, runner.busy_until))

    def _awake(self, run: ProgramRun) -> None:
        run.timer = None
        self.make_runnable(run, self.env._now)

    def _arm(self, runner: Runner, when: int) -> None:
        if runner.armed is not None:
            if runner.armed_at <= when:
                return
            runner.armed.dead = True
        runner.armed_at = when
        runner.armed = self.env.at(when, self._dispatch, runner)

    def _dispatch(self, runner: Runner) -> None:
        """Run the most urgent slice of a CPU, and plan the next.

        While nothing else in the world happens before the next slice, it follows here and needs no event of its own.
        """
        env = self.env
        now = env._now
        if runner.armed is not None and runner.armed_at <= now:
            runner.armed.dead = True
            runner.armed = None
        heap: list[Any] = env._queue
        cpu = runner.cpu
        for _ in range(RUN_ON):
            if now < runner.busy_until:
                when = runner.busy_until
            else:
                self.running = runner
                if runner.irqs:
                    self._hardirq(runner, now)
                elif runner.timers_due:
                    self._timer_softirq(runner, now)
                elif (runner.more or cpu.softirq_pending) and not cpu.ksoftirqd and now >= runner.softirq_at:
                    self._softirq(runner, now)
                elif runner.current is None:
                    self._switch(runner, now)
                elif now >= runner.task_end:
                    self._slice_over(runner, now)
                self.running = None
                when = self._next(runner)
                due = self.wheel_due
                if due and due[0] < self.timer_at:
                    self._arm_timer(due[0])
            if when >= NEVER:
                return
            if when > env.until or (heap and heap[0][0] <= when):
                break
            if when > now:
                env._now = now = when
        self._arm(runner, when)

    def _next(self, runner: Runner) -> int:
        """The ns at which this CPU next has something to do; NEVER when it is idle."""
        cpu = runner.cpu
        busy = runner.busy_until
        if runner.irqs or runner.timers_due:
            return busy
        current = runner.current
        if cpu.softirq_pending or runner.more:
            if not cpu.ksoftirqd:
                when = runner.softirq_at
                when = max(when, busy)
                return when if current is None or when < runner.task_end else runner.task_end
            thread = runner.ksoftirqd
            if thread.state == SLEEPING:
                thread.state, thread.ready_at = RUNNABLE, cpu.now
                runner.queue.append(thread)
                if self.log is not None:
                    self.log.on_ksoftirqd(cpu)
        if current is not None:
            return runner.task_end
        if runner.queue:
            return max(busy, runner.queue[0].ready_at)
        return NEVER

    # Slices above tasks

    def _hardirq(self, runner: Runner, now: int) -> None:
        cpu = runner.cpu
        handler, arg = runner.irqs.popleft()
        cpu.now = now
        cpu.context = "hardirq"
        handler(cpu, arg)
        cpu.hardirq_ns += cpu.now - now
        self._steal(runner, now)
        runner.softirq_at = now

    def _timer_softirq(self, runner: Runner, now: int) -> None:
        cpu = runner.cpu
        runner.timers_due = False
        cpu.now = now
        cpu.context = "softirq"
        cpu.in_softirq = True
        cpu.machine.timers.expire_timers(cpu, now)
        cpu.in_softirq = False
        cpu.softirq_ns += cpu.now - now
        self._steal(runner, now)

    def _softirq(self, runner: Runner, now: int) -> None:
        cpu = runner.cpu
        cpu.now = now
        cpu.context = "softirq"
        runner.more = softirq_step(cpu)
        runner.busy_until = end = cpu.now
        cpu.softirq_ns += end - now
        if runner.current is not None:
            runner.task_end += end - now
            runner.task_since += end - now

    def _steal(self, runner: Runner, since: int) -> None:
        """Push the running task's end back by the slice that has just been computed."""
        end = runner.cpu.now
        runner.busy_until = end
        if runner.current is not None:
            stolen = end - since
            runner.task_end += stolen
            runner.task_since += stolen

    # Tasks

    def _switch(self, runner: Runner, now: int) -> None:
        queue = runner.queue
        if not queue or queue[0].ready_at > now:
            runner.last = None
            return
        run = queue.popleft()
        runner.cpu.need_resched = False
        runner.current = run
        run.state = RUNNING
        run.used_ns = 0
        self._slice(runner, now)

    def _slice(self, runner: Runner, now: int) -> None:
        """Let the current task do its next system call."""
        cpu = runner.cpu
        run = runner.current
        assert run is not None
        cpu.now = runner.task_since = now
        cpu.context = "task"
        if runner.last is not run:
            runner.last = run
            cpu.charge(Stage.SCHEDULE)
        if run.program is None:
            cpu.context = "ksoftirqd"
            runner.more = softirq_step(cpu)
            runner.task_end = cpu.now
            return
        if run.call is None:
            run.sleep = None
            step = run.program.next(cpu.now, run.result)
            if step.__class__ is Spin:
                if spin(self.env, runner, run, step):
                    return
                step = run.program.next(cpu.now, 0)
            if self.log is not None and run.program.tally.failed != run.program.tally.told:
                self.log.on_failure(cpu.now, run)
            if step is None or step.__class__ is Sleep:
                self._rest(runner, run, step)
                return
            run.call = step  # type: ignore[assignment]
        task = run.task
        if task.waiting:
            task.finish_wait()
        run.woken = False
        began = cpu.now
        run.outcome = None
        run.outcome = do_syscall(cpu, task, run.call)  # type: ignore[arg-type]
        cpu.now = max(cpu.now, began + SYSCALL_NS)
        runner.task_end = cpu.now

    def _rest(self, runner: Runner, run: ProgramRun, step: Sleep | None) -> None:
        cpu = runner.cpu
        cpu.now += SYSCALL_NS
        run.woken = False
        run.result = 0
        if step is None:
            exit_files(cpu, run.task)
            run.state = EXITED
            if self.log is not None:
                self.log.on_exit(cpu, run)
        run.sleep = step
        runner.task_end = cpu.now

    def _slice_over(self, runner: Runner, now: int) -> None:
        cpu = runner.cpu
        run = runner.current
        assert run is not None
        spent = now - runner.task_since
        run.used_ns += spent
        if run.program is None:
            cpu.ksoftirqd_ns += spent
            if not runner.more and not cpu.ksoftirqd:
                run.state = SLEEPING
                runner.current = None
                self._switch(runner, now)
                return
        else:
            cpu.task_ns += spent
            runner.task_since = now
            if run.task.locked_sk is not None:
                cpu.now = now
                do_syscall_end(cpu, run.task)
                if cpu.now > now:
                    runner.task_end = cpu.now
                    return
            if self._goes_to_sleep(run, now):
                runner.current = None
                self._switch(runner, now)
                return
        if run.used_ns >= BASE_SLICE_NS and runner.queue and not (runner.more and run.program is None):
            run.state = RUNNABLE
            run.ready_at = now
            runner.queue.append(run)
            runner.current = None
            self._switch(runner, now)
        else:
            self._slice(runner, now)

    def _goes_to_sleep(self, run: ProgramRun, now: int) -> bool:
        """Settle the outcome of a slice; True when the task leaves its CPU."""
        if run.state == EXITED:
            return True
        if run.sleep is not None:
            sleep, woken = run.sleep, run.woken or run.sleep.until <= now
            if woken:
                run.sleep = None
                return False
            run.state = SLEEPING
            if sleep.until < NEVER:
                run.timer = self.env.at(sleep.until, self._awake, run)
            return True
        if run.outcome is not None:
            run.finish_call()
            return False
        if run.woken:
            return False
        run.state = BLOCKED
        if (call := run.call) is not None and (call.timeout_at or call.wake_at):
            run.timer = self.env.at(call.sleeps_until, self._awake, run)
        return True
