"""Playing a scenario without a screen: run the world, turn knobs at their times, see whether expectations hold."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wireside.out.transcript import judge
from wireside.scenario.expect import conditions_of
from wireside.scenario.units import time_text
from wireside.session.telling import Telling
from wireside.sim import heap
from wireside.sim.attach import attach
from wireside.sim.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from wireside.scenario.expect import Condition
    from wireside.scenario.spec import Expectation, Scenario
    from wireside.scenario.vary import Setting
    from wireside.sim.tap import Tap
    from wireside.snapshot import ProgramRow, WorldSnapshot

SLICE_S = 0.1
"""Wall time after which a run looks up to report progress."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one expectation; `holds` is None when the run ended before its time."""

    that: str
    at_ns: int
    holds: bool | None
    value: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished run: the world at its start and end, and what was expected of it."""

    scenario: Scenario
    seed: int
    kernel: str
    start: WorldSnapshot
    end: WorldSnapshot
    results: tuple[Result, ...]
    held_at_start: tuple[bool, ...]
    """Per expectation, whether it held already before anything happened."""
    silent_beats: tuple[int, ...]
    """Numbers of the beats whose moment did not come; filled only when they were watched."""
    answers: tuple[tuple[Setting, str], ...]
    """What the world said to each knob that was turned."""

    @property
    def broken(self) -> tuple[str, ...]:
        """Where, when and how an expectation failed, or a script's call that promises a result; a line for each."""
        found: list[str] = []
        for each, result in zip(self.scenario.expect, self.results, strict=True):
            if result.holds is False and each.transcript:
                found.append(f"{each.position}: {each.that} does not carry this:")
                found += [f"  {line}" for line in result.value.splitlines()]
            elif result.holds is False:
                when = time_text(result.at_ns)
                found.append(f"{each.position}: at {when}: `{each.that}` does not hold, it is {result.value}")
        for row in self._programs():
            if row.unmet:
                found.append(f"{row.unmet_where}: at {row.unmet_at_ns / 1e9:.6f}s: {row.name}: {row.unmet}")
        return tuple(found)

    @property
    def kept(self) -> int:
        """Calls of scripts that returned what they promise."""
        return sum(row.kept for row in self._programs())

    @property
    def holds(self) -> bool:
        """No expectation failed, and no promise of a script."""
        return all(result.holds is not False for result in self.results) and not any(
            row.unmet for row in self._programs()
        )

    def _programs(self) -> Iterator[ProgramRow]:
        return (row for host in self.end.hosts for row in host.programs)


def play(
    scenario: Scenario,
    *,
    until_ns: int | None = None,
    seed: int | None = None,
    turns: Sequence[Setting] = (),
    watch_beats: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Outcome:
    """Run a scenario to `until_ns` (default: its duration) and judge it; `progress` is told the time, ns, now and then."""
    seed = scenario.seed if seed is None else seed
    end = scenario.duration_ns if until_ns is None else until_ns
    run = _Run(World(scenario, seed=seed), progress)
    heap.collect_seldom()
    promises = _Promises(scenario, run.world)
    start = run.world.snapshot()
    telling = run.telling = Telling(scenario, run.world) if watch_beats else None
    answers = []
    pending = sorted((each for each in turns if (each.at_ns or 0) <= end), key=lambda each: each.at_ns or 0)
    moments = {*(t for t in promises.due if t < end), *(each.at_ns or 0 for each in pending), end}
    for stop in sorted(moments):
        run.to(stop)
        snapshot = run.world.snapshot()
        promises.look(stop, snapshot)
        while pending and (pending[0].at_ns or 0) <= stop:
            turn = pending.pop(0)
            answers.append((turn, run.world.command(turn.host, turn.name, turn.value)))
        if telling:
            telling.look()
    last = run.world.snapshot()
    return Outcome(
        scenario=scenario,
        seed=seed,
        kernel=scenario.kernel,
        start=start,
        end=last,
        results=promises.settle(last),
        held_at_start=tuple(
            condition is not None and condition.holds(start) for condition in promises.conditions
        ),
        silent_beats=telling.story.waiting if telling else (),
        answers=tuple(answers),
    )


class _Promises:
    """What a scenario expects: conditions, looked at in their moments, and transcripts, judged at the end."""

    def __init__(self, scenario: Scenario, world: World) -> None:
        self.expect = scenario.expect
        self.conditions: list[Condition | None] = [
            None if each.transcript else conditions_of(scenario, [each.that])[0] for each in scenario.expect
        ]
        self.due = [scenario.duration_ns if each.at_ns is None else each.at_ns for each in scenario.expect]
        self.results: list[Result | None] = [None] * len(self.due)
        self.taps: list[Tap | None] = [
            attach(world, each.transcript.a, each.transcript.b) if each.transcript else None
            for each in scenario.expect
        ]

    def look(self, now_ns: int, snapshot: WorldSnapshot) -> None:
        """Judge the conditions whose moment this is."""
        for index, condition in enumerate(self.conditions):
            if condition is not None and self.due[index] == now_ns:
                self.results[index] = _judge(condition, now_ns, snapshot)

    def settle(self, last: WorldSnapshot) -> tuple[Result, ...]:
        """Every result, the transcripts' too, when the run is over."""
        return tuple(
            self.results[index] or self._late(each, index, last) for index, each in enumerate(self.expect)
        )

    def _late(self, each: Expectation, index: int, last: WorldSnapshot) -> Result:
        condition, tap = self.conditions[index], self.taps[index]
        if condition is not None:
            return Result(each.that, self.due[index], None, condition.value(last))
        assert each.transcript is not None
        assert tap is not None
        verdict = judge(each.transcript, tap.frames(), tap.missed)
        early = verdict.ran_out and last.time_ns < self.due[index]
        return Result(each.that, self.due[index], None if early else verdict.holds, verdict.text)


def _judge(condition: Condition, at_ns: int, snapshot: WorldSnapshot) -> Result:
    return Result(condition.text, at_ns, condition.holds(snapshot), condition.value(snapshot))


class _Run:
    """A world on its way, in slices short enough to report progress."""

    def __init__(self, world: World, progress: Callable[[int], None] | None) -> None:
        self.world = world
        self.progress = progress
        self.telling: Telling | None = None
        """When the beats are to be told on the way."""

    def to(self, stop_ns: int) -> None:
        """Run to `stop_ns`."""
        there = False
        while not there:
            deadline = time.perf_counter() + SLICE_S
            if self.telling is None:
                there = self.world.run_until(stop_ns, deadline)
            else:
                there = _tell_until(self.telling, stop_ns, deadline)
            if self.progress:
                self.progress(self.world.now)


def _tell_until(telling: Telling, stop_ns: int, deadline: float) -> bool:
    """Run to `stop_ns` or the next beat, and tell what is due; True when nothing is left to happen up to there."""
    there = telling.run(stop_ns, deadline) and not telling.story.due
    while telling.story.due:
        telling.tell()
    return there
