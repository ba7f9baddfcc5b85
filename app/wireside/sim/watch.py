"""Conditions that a run waits for: looked at after every event that may have changed them, so that it stops there.

An event is a frame's arrival, an interrupt, a timer, or a slice of a CPU: one system call, or a softirq's work on at most
eight packets. The model computes a slice in one go; its effects stand from its first ns, and nothing finer can be seen.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from wireside.scenario.paths import Path
from wireside.scenario.terms import Arithmetic, Comparison, Constant, Time, walk
from wireside.sim.live import Live
from wireside.sim.run import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wireside.scenario.expect import Condition
    from wireside.scenario.terms import Get, Term
    from wireside.sim.world import World

LOOKS = 1000
"""Looks a run, evenly spaced, at conditions that may come true while nothing happens."""
_BY_CLOCK = {("nic", "rx_rate_pps"), ("sk", "timer"), ("listener", "timer")}
"""Values that change as time goes by; a CPU's do, too."""


class _Waiting(NamedTuple):
    """One condition: what reads it, the hosts it names, and when the clock alone may make it true."""

    get: Get
    hosts: frozenset[str]
    moments: tuple[int, ...]
    by_clock: bool


class Watch:
    """The conditions that a world's run waits for, by the number of whoever waits.

    It reads the living world and cannot be frozen with it. Of a world that was thawed a new one is made: with those
    conditions that still wait, and the old one's `looked`, so that it stops at the same instants.
    """

    def __init__(self, world: World, conditions: Mapping[int, Condition], looked: int = -1) -> None:
        self.world = world
        self.looked = looked
        """The last instant at which the clock's own conditions were looked at, ns."""
        self.fired: tuple[int, ...] = ()
        """Those that hold where the run stopped."""
        source = Live(world)
        self._waiting = {number: _waiting(each.term, source) for number, each in conditions.items()}
        self._grain = max(1, world.scenario.duration_ns // LOOKS)
        self.keep(self._waiting)

    def keep(self, numbers: Iterable[int]) -> None:
        """From now on wait for these only."""
        self._waiting = {number: self._waiting[number] for number in numbers}
        world = self.world
        self._all = tuple((number, each.get) for number, each in self._waiting.items())
        self._touched: dict[Any, tuple[tuple[int, Get], ...]] = {}
        """Who acts in an event → the conditions that it can change."""
        for engine in world.engines.values():
            self._touched[engine] = self._about({net.name for net in engine.runners[0].cpu.machine.nets})
        for wire in world.wires:
            self._touched[wire] = self._about({wire.sender.name, wire.receiver})
        self._moments = sorted({t for each in self._waiting.values() for t in each.moments})
        self._by_clock = any(each.by_clock for each in self._waiting.values())

    def _about(self, hosts: set[str]) -> tuple[tuple[int, Get], ...]:
        return tuple((number, each.get) for number, each in self._waiting.items() if each.hosts & hosts)

    def run(self, until: int, wall_deadline: float | None = None) -> bool:
        """Run to `until` ns; False when a condition holds (see `fired`) or the deadline came, as of now."""
        self.fired = ()
        env = self.world.env
        if not self._waiting:
            return env.run_until(until, wall_deadline)
        while True:
            moment = self._next_moment()
            stop = min(until, max(moment, env.now))
            if not env.run_watched(stop, self._after, wall_deadline):
                return False
            if stop >= moment and self.look():
                return False
            if stop >= until:
                return True

    def look(self) -> bool:
        """Whether any condition holds at this instant, whatever happened; `fired` tells which."""
        self.looked = self.world.now
        return self._look_at(self._all)

    def _after(self, function: Any) -> bool:
        """Whether what has just been called made a condition true."""
        about = self._touched.get(getattr(function, "__self__", None), self._all)
        world = self.world
        for _, get in about:
            if get(world):
                return self._look_at(about)
        return False

    def _look_at(self, some: tuple[tuple[int, Get], ...]) -> bool:
        world = self.world
        self.fired = tuple([number for number, get in some if get(world)])
        return bool(self.fired)

    def _next_moment(self) -> int:
        """The next instant, ns, at which the clock alone may make a condition true."""
        looked = self.looked
        found = next((t for t in self._moments if t > looked), NEVER)
        if self._by_clock:
            found = min(found, (looked // self._grain + 1) * self._grain)
        return found


def _waiting(term: Term, source: Live) -> _Waiting:
    paths = [part for part in walk(term) if isinstance(part, Path)]
    clocks = sum(isinstance(part, Time) for part in walk(term))
    moments: set[int] = set()
    for part in walk(term):
        if isinstance(part, Comparison):
            found, bare = _bounds(part, source)
            moments |= found
            clocks -= bare
    by_clock = clocks > 0 or any(p.part == "cpu" or (p.part, p.field) in _BY_CLOCK for p in paths)
    hosts = frozenset(path.host for path in paths)
    return _Waiting(term.compile(source), hosts, tuple(sorted(moments)), by_clock)


def _bounds(comparison: Comparison, source: Live) -> tuple[set[int], int]:
    """The instants at which `time` passes the numbers it is compared with, and how many `time`s that explains."""
    terms = comparison.terms
    pairs = [*pairwise(terms), *pairwise(terms[::-1])]
    moments: set[int] = set()
    explained = 0
    for term in terms:
        if not isinstance(term, Time):
            continue
        others = [other for one, other in pairs if one is term]
        numbers = [_number(other, source) for other in others]
        if None in numbers:
            continue
        explained += 1
        for number in numbers:
            moments |= {math.ceil(number or 0), math.floor(number or 0) + 1}
    return moments, explained


def _number(term: Term, source: Live) -> int | float | None:
    """The value of a term that is always the same; None of any other."""
    if not all(isinstance(part, Constant | Arithmetic) for part in walk(term)):
        return None
    value = term.compile(source)(None)
    return None if isinstance(value, str) else value
