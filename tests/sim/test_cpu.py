"""The engine: who runs on a CPU, what interrupts what, and who pays for the time."""

from __future__ import annotations

import pytest

from wireside.catalog.profiles import PROFILES
from wireside.catalog.stages import Stage, default_costs
from wireside.kernel.core.call import Syscall
from wireside.kernel.core.net import NET_RX_SOFTIRQ, Cpu, Machine, Net
from wireside.kernel.core.task import Task
from wireside.kernel.core.timer import TimerList
from wireside.sim import cpu as engine_module
from wireside.sim.cpu import BASE_SLICE_NS, Engine
from wireside.sim.env import KernelEnv
from wireside.sim.knobs import nudge
from wireside.sim.run import BLOCKED, EXITED, ProgramRun, Sleep, Tally

SWITCH = default_costs()[Stage.SCHEDULE]
WAKE = default_costs()[Stage.WAKEUP]


class Bench:
    """One machine with one CPU, on which calls and softirqs cost what a test says."""

    def __init__(self, monkeypatch):
        self.env = KernelEnv()
        self.engine = Engine(self.env)
        self.machine = Machine("m", PROFILES["6.18"], self.env, self.engine, 1)
        self.cpu = Cpu(0, self.machine, default_costs())
        self.machine.cpus.append(self.cpu)
        self.net = Net("m", self.machine, 1)
        self.machine.nets.append(self.net)
        self.engine.attach(self.machine)
        self.log = []
        self.softirqs = []
        monkeypatch.setattr(engine_module, "do_syscall", self.do_syscall)
        monkeypatch.setattr(engine_module, "softirq_step", self.softirq_step)

    def do_syscall(self, cpu, task, call):
        self.log.append((cpu.now, task.comm, call.name))
        cost, result = call.args
        cpu.now += cost
        if call.name == "wait" and not task.private.calls and not getattr(self, "ready", False):
            return None
        return result

    def softirq_step(self, cpu):
        cost = self.softirqs.pop(0)
        self.log.append((cpu.now, "softirq", cpu.context))
        cpu.now += cost
        cpu.softirq_pending = 0
        return bool(self.softirqs)

    def interrupt(self, cpu, cost):
        self.log.append((cpu.now, "irq", ""))
        cpu.now += cost
        if self.softirqs:
            cpu.softirq_pending = NET_RX_SOFTIRQ
            self.engine.raise_softirq(cpu)

    def program(self, name, *steps):
        task = Task(100, name, self.net, 0)
        run = ProgramRun(name, task, Steps(steps))
        self.engine.start(run, 0)
        return run


class Steps:
    tally = Tally()

    def __init__(self, steps):
        self.steps = list(steps)
        self.results = []

    def next(self, now, result):
        self.results.append((now, result))
        step = self.steps.pop(0) if self.steps else None
        return step(now) if callable(step) else step


@pytest.fixture
def bench(monkeypatch):
    return Bench(monkeypatch)


def test_a_program_does_one_call_after_the_other_and_ends(bench):
    run = bench.program("p", Syscall("a", (1000, 5)), Syscall("b", (500, 7)))
    bench.env.run_until(1_000_000)
    assert bench.log == [(SWITCH, "p", "a"), (SWITCH + 1000, "p", "b")]
    assert [result for _, result in run.program.results] == [0, 5, 7]
    assert run.state == EXITED
    assert bench.cpu.task_ns == SWITCH + 1500 + 100


def test_an_interrupt_runs_at_once_and_pushes_the_end_of_the_call_back(bench):
    run = bench.program("p", Syscall("long", (10_000, 1)))
    bench.softirqs = [2000]
    bench.engine.raise_hardirq(0, 4000, bench.interrupt, 500)
    bench.env.run_until(1_000_000)
    assert bench.log[1:] == [(4000, "irq", ""), (4500, "softirq", "softirq")]
    assert run.program.results[-1] == (SWITCH + 10_000 + 2500, 1)
    assert bench.cpu.hardirq_ns == 500
    assert bench.cpu.softirq_ns == 2000
    assert bench.cpu.task_ns == SWITCH + 10_000 + 100


def test_an_interrupt_waits_for_the_end_of_a_softirq_slice(bench):
    bench.softirqs = [3000, 3000]
    bench.engine.raise_hardirq(0, 0, bench.interrupt, 1000)
    bench.engine.raise_hardirq(0, 2000, bench.interrupt, 1000)
    bench.env.run_until(100_000)
    assert bench.log == [
        (0, "irq", ""),
        (1000, "softirq", "softirq"),
        (4000, "irq", ""),
        (5000, "softirq", "softirq"),
    ]


def test_softirq_raised_inside_a_call_runs_at_that_moment(bench, monkeypatch):
    def sends(cpu, task, call):
        cpu.now += 300
        bench.softirqs = [700]
        cpu.softirq_pending = NET_RX_SOFTIRQ
        bench.engine.raise_softirq(cpu)
        cpu.now += 5000
        return 0

    monkeypatch.setattr(engine_module, "do_syscall", sends)
    run = bench.program("p", Syscall("send", (0, 0)))
    bench.env.run_until(100_000)
    assert bench.log == [(SWITCH + 300, "softirq", "softirq")]
    assert run.program.results[-1] == (SWITCH + 5300 + 700, 0)


def test_a_blocked_program_runs_again_when_it_is_woken(bench):
    run = bench.program("p", Syscall("wait", (200, 9)))
    bench.env.run_until(50_000)
    assert run.state == BLOCKED

    def wakes(cpu, arg):
        bench.ready = True
        assert bench.engine.try_to_wake_up(cpu, run.task)
        assert not bench.engine.try_to_wake_up(cpu, run.task)

    bench.engine.raise_hardirq(0, 60_000, wakes, None)
    bench.env.run_until(100_000)
    assert bench.log[-1] == (60_000 + WAKE + SWITCH, "p", "wait")
    assert run.program.results[-1][1] == 9


def test_a_wake_up_before_the_blocking_call_is_over_is_not_lost(bench):
    run = bench.program("p", Syscall("wait", (5000, 9)))

    def wakes(cpu, arg):
        bench.ready = True
        assert bench.engine.try_to_wake_up(cpu, run.task)

    bench.engine.raise_hardirq(0, SWITCH + 1000, wakes, None)
    bench.env.run_until(100_000)
    assert [what for _, _, what in bench.log] == ["wait", "wait"]
    assert run.state == EXITED


def test_a_sleeper_comes_back_in_time_and_a_nudge_wakes_it_early(bench):
    run = bench.program("p", lambda now: Sleep(now + 40_000), Sleep(1 << 62, "for ever"))
    bench.env.run_until(100_000)
    assert [now for now, _ in run.program.results] == [SWITCH, SWITCH + 40_000 + SWITCH]
    nudge(bench.engine, run)
    bench.env.run_until(200_000)
    assert run.state == EXITED


def test_ksoftirqd_shares_the_cpu_with_programs(bench, monkeypatch):
    def flood(cpu):
        cpu.ksoftirqd = True
        cpu.now += 10_000
        return False

    monkeypatch.setattr(engine_module, "softirq_step", flood)

    class Busy:
        tally = Tally()

        def next(self, now, result):
            return Syscall("work", (10_000, 0))

    run = ProgramRun("busy", Task(1, "busy", bench.net, 0), Busy())
    bench.engine.start(run, 0)
    bench.cpu.softirq_pending = NET_RX_SOFTIRQ
    bench.engine.raise_softirq(bench.cpu)
    bench.env.run_until(20 * BASE_SLICE_NS)
    assert bench.cpu.ksoftirqd_ns == pytest.approx(10 * BASE_SLICE_NS, rel=0.11)
    assert bench.cpu.task_ns == pytest.approx(10 * BASE_SLICE_NS, rel=0.11)


def test_timers_fire_in_softirq_on_cpu_0_and_steal_time_from_a_program(bench):
    fired = []

    def function(cpu, arg):
        fired.append((cpu.now, arg, cpu.in_softirq))
        cpu.now += 2000

    bench.machine.timers.ideal = True
    bench.machine.timers.mod_timer(TimerList(function, "t"), 0, 3000)
    run = bench.program("p", Syscall("long", (10_000, 1)))
    bench.env.run_until(100_000)
    assert fired == [(3000, "t", True)]
    assert run.program.results[-1] == (SWITCH + 12_000, 1)
