"""Loops that come to nothing: rounds of system calls that fail at once, again and again.

They cost their time on the CPU like any others, but nothing in the world changes by them. So as many of them as fit before
anything else happens are one slice, and a program that spins cannot keep a run from going on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wireside.sim.run import READS, looks_only

if TYPE_CHECKING:
    from wireside.sim.env import KernelEnv
    from wireside.sim.run import ProgramRun, Spin
    from wireside.sim.runner import Runner

MAX_CALLS = 64
"""A round of more calls than this is not watched."""
MAX_SPIN_NS = 10_000_000
"""The longest slice of such rounds while nobody else wants the CPU, ns."""
ASKS = frozenset({"getsockopt", "poll", "fcntl"})
"""Calls that change nothing, whatever they answer."""


def comes_to_nothing(name: str, args: tuple[Any, ...], result: int) -> bool:
    """The call has changed nothing: it failed, asked, read nothing, or slept for no time."""
    if result < 0 or name in ASKS:
        return True
    if name == "sleep":
        return bool(args[0] == 0)
    return name in READS and (not result or looks_only(args))


class Rounds:
    """Watches the rounds of one loop. `began` is when the present one did, ns."""

    __slots__ = ("before", "began", "calls", "moved")

    def __init__(self, now: int) -> None:
        self.began = now
        self.calls: list[tuple[str, int]] = []
        """(name, result) of the present round's calls."""
        self.moved = False
        """A call of the present round has changed something."""
        self.before: tuple[int, list[tuple[str, int]]] = (0, [])
        """How long the round before took, and its calls; none when it moved something."""

    def note(self, name: str, args: tuple[Any, ...], result: int) -> None:
        """A call of the present round has returned."""
        if not self.moved:
            if len(self.calls) < MAX_CALLS and comes_to_nothing(name, args, result):
                self.calls.append((name, result))
            else:
                self.moved = True

    def over(self, now: int) -> tuple[int, int]:
        """The round ends: (ns, system calls) of it when it came to nothing exactly as the one before did, else (0, 0)."""
        took, calls = now - self.began, self.calls
        same = not self.moved and bool(calls) and self.before == (took, calls)
        self.before = (0, []) if self.moved else (took, calls)
        self.restart(now)
        return (took, sum(name != "sleep" for name, _ in calls)) if same else (0, 0)

    def restart(self, now: int) -> None:
        """The next round begins."""
        self.began = now
        self.calls = []
        self.moved = False


def spin(env: KernelEnv, runner: Runner, run: ProgramRun, step: Spin) -> bool:
    """Let as many rounds of a spinning program pass as fit; False when none do, and it has to make its calls itself."""
    rounds = spin_rounds(env, runner, run, step)
    if rounds:
        run.spin(runner.cpu, step, rounds)
        runner.task_end = runner.cpu.now
    return rounds > 0


def spin_rounds(env: KernelEnv, runner: Runner, run: ProgramRun, step: Spin) -> int:
    """How many rounds of a spinning program fit before anything else can happen; 0 when something just has."""
    cpu = runner.cpu
    if cpu.softirq_pending or runner.more or runner.irqs or runner.timers_due:
        return 0
    net = run.task.net
    mark = (sum(net.mib.values()), net.machine.last_skb_id, net.machine.last_sock_id)
    if run.spin_mark != mark:
        run.spin_mark = mark
        return 0
    room = MAX_SPIN_NS
    if runner.queue:
        room = runner.turn_left(run)
    upcoming = env.peek()
    if upcoming >= 0:
        room = min(room, upcoming - cpu.now)
    return max(0, min(room // step.round_ns, step.most))
