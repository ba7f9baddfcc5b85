"""Conditions that a run waits for: looked at after every event that may have changed them, so that it stops there.

An event is a frame's arrival, an interrupt, a timer, or a slice of a CPU: one system call, or a softirq's work on at most
eight packets. The model computes a slice in one go; its effects stand from its first ns, and nothing finer can be seen.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from itertools import pairwise
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

from wireside.scenario.journeys import PacketCount, PacketField
from wireside.scenario.matches import SocketCount, SocketField
from wireside.scenario.paths import Path
from wireside.scenario.terms import Arithmetic, Comparison, Constant, Time, walk
from wireside.sim.live import Live, population
from wireside.sim.run import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wireside.scenario.expect import Condition
    from wireside.scenario.terms import Get, Term
    from wireside.sim.fleet import Fleet

LOOKS = 1000
"""Looks a run, evenly spaced, at conditions that may come true while nothing happens."""
MANY = 64
"""Sockets of a host that are looked through after an event; where there are more, all of them only LOOKS times a run."""
_BY_CLOCK = {("nic", "rx_rate_pps"), ("sk", "timer"), ("listener", "timer")}
"""Values that change as time goes by; a CPU's do, too."""


class _Waiting(NamedTuple):
    """One condition: what reads it, what may change it, and when the clock alone may make it true."""

    get: Get
    quick: Get
    """The same, but with at most MANY sockets looked through, and not true when that does not decide."""
    hosts: frozenset[str]
    journeys: bool
    """It is about packets, which an event on any host may move."""
    moments: tuple[int, ...]
    dates: tuple[Get, ...]
    """What it compares `time` with that is not known before the run."""
    by_clock: bool
    scans: frozenset[str]
    """Hosts whose sockets it looks through."""


class Watch:
    """The conditions that a world's run waits for, by the number of whoever waits.

    It reads the living world and cannot be frozen with it. Of a world that was thawed a new one is made: with those
    conditions that still wait, and the old one's `looked`, so that it stops at the same instants.
    """

    def __init__(self, fleet: Fleet, conditions: Mapping[int, Condition], looked: int = -1) -> None:
        self.fleet = fleet
        self.looked = looked
        """The last instant at which the clock's own conditions were looked at, ns."""
        self.fired: tuple[int, ...] = ()
        """Those that hold where the run stopped."""
        self._live = Live(fleet)
        self._waiting = {number: _waiting(each.term, self._live) for number, each in conditions.items()}
        self._grain = max(1, fleet.scenario.duration_ns // LOOKS)
        self._near = 0
        """A moment that turns up in the present run no later than this, ns, has to be looked at: it comes before those known."""
        self.keep(self._waiting)

    def keep(self, numbers: Iterable[int]) -> None:
        """From now on wait for these only."""
        self._waiting = {number: self._waiting[number] for number in numbers}
        fleet, waiting = self.fleet, self._waiting.values()
        self._all = tuple((number, each.get) for number, each in self._waiting.items())
        self._quick = tuple((number, each.quick) for number, each in self._waiting.items())
        self._touched: dict[Any, tuple[tuple[int, Get], ...]] = {}
        """Who acts in an event → the conditions that it can change."""
        for engine in fleet.engines.values():
            self._touched[engine] = self._about({net.name for net in engine.runners[0].cpu.machine.nets})
        for wire in fleet.wires:
            self._touched[wire] = self._about({wire.sender.name, wire.receiver})
        self._moments = sorted({t for each in waiting for t in each.moments})
        self._dates = tuple(date for each in waiting for date in each.dates)
        self._by_clock = any(each.by_clock for each in waiting)
        self._scanned = [
            fleet.nets[name] for name in sorted({name for each in waiting for name in each.scans})
        ]
        self._journeys = any(each.journeys for each in waiting)
        self._restless = self._journeys or bool(self._scanned)
        """An event may bring the next moment nearer."""

    def _about(self, hosts: set[str]) -> tuple[tuple[int, Get], ...]:
        return tuple(
            (number, each.quick)
            for number, each in self._waiting.items()
            if each.journeys or each.hosts & hosts
        )

    def run(self, until: int, wall_deadline: float | None = None) -> bool:
        """Run to `until` ns; False when a condition holds (see `fired`) or the deadline came, as of now."""
        self.fired = ()
        env = self.fleet.env
        if not self._waiting:
            return env.run_until(until, wall_deadline)
        while True:
            moment = self._next_moment()
            stop = min(until, max(moment, env.now))
            self._near = min(stop, moment - 1)
            if not env.run_watched(stop, self._after, wall_deadline):
                late = wall_deadline is not None and perf_counter() >= wall_deadline
                if self.fired or late or self._next_moment() > self._near:
                    return False
                continue
            if stop >= moment and self.look():
                return False
            if stop >= until:
                return True

    def look(self) -> bool:
        """Whether any condition holds at this instant, whatever happened; `fired` tells which."""
        self.looked = self.fleet.now
        return self._look_at(self._all)

    def _after(self, function: Any) -> bool:
        """Whether the run has to stop: what has been called made a condition true, or brought a moment nearer."""
        about = self._touched.get(getattr(function, "__self__", None), self._quick)
        fleet = self.fleet
        for _, get in about:
            if get(fleet):
                return self._look_at(about)
        return self._restless and self._next_moment() <= self._near

    def _look_at(self, some: tuple[tuple[int, Get], ...]) -> bool:
        fleet = self.fleet
        self.fired = tuple([number for number, get in some if get(fleet)])
        return bool(self.fired)

    def _next_moment(self) -> int:
        """The next instant, ns, at which something may become true though nothing happens then."""
        looked = self.looked
        place = bisect_right(self._moments, looked)
        found = self._moments[place] if place < len(self._moments) else NEVER
        if self._by_clock or any(population(net) > MANY for net in self._scanned):
            found = min(found, (looked // self._grain + 1) * self._grain)
        if self._journeys:
            followed = self.fleet.followed
            followed.settle()
            found = min(found, followed.next_mark())
        for date in self._dates:
            value = date(self.fleet)
            if isinstance(value, int | float):
                found = min([found, *(t for t in _around(value) if t > looked)])
        return found


def _waiting(term: Term, source: Live) -> _Waiting:
    parts = list(walk(term))
    clocks = sum(isinstance(part, Time) for part in parts)
    moments: set[int] = set()
    dates: list[Get] = []
    for part in parts:
        if isinstance(part, Comparison):
            found, unknown, bare = _bounds(part, source)
            moments |= found
            dates += unknown
            clocks -= bare
    paths = [part for part in parts if isinstance(part, Path)]
    by_clock = clocks > 0 or any(p.part == "cpu" or (p.part, p.field) in _BY_CLOCK for p in paths)
    of_sockets = [part for part in parts if isinstance(part, SocketField | SocketCount)]
    by_clock = by_clock or any(isinstance(p, SocketField) and p.field == "timer" for p in of_sockets)
    scans = {path.host for path in paths if path.part == "sk"}
    scans |= {p.which.host for p in of_sockets if isinstance(p, SocketField) or not p.which.state}
    hosts = {path.host for path in paths} | {part.which.host for part in of_sockets}
    get = term.compile(source)
    return _Waiting(
        get=get,
        quick=_limited(get, source) if scans else get,
        hosts=frozenset(hosts),
        journeys=any(isinstance(part, PacketField | PacketCount) for part in parts),
        moments=tuple(sorted(moments)),
        dates=tuple(dates),
        by_clock=by_clock,
        scans=frozenset(scans),
    )


def _limited(get: Get, source: Live) -> Get:
    """`get` with at most MANY sockets looked through; what that does not decide is not true."""

    def quick(fleet: Fleet) -> bool:
        source.most, source.cut = MANY, False
        holds = bool(get(fleet)) and not source.cut
        source.most = None
        return holds

    return quick


def _around(number: float) -> set[int]:
    """The instants at which the answer to a comparison of `time` with a number may change."""
    return {math.ceil(number), math.floor(number) + 1}


def _bounds(comparison: Comparison, source: Live) -> tuple[set[int], list[Get], int]:
    """What `time` passes in a comparison: the instants, what reads those not known yet, how many `time`s that explains."""
    terms = comparison.terms
    pairs = [*pairwise(terms), *pairwise(terms[::-1])]
    moments: set[int] = set()
    dates: list[Get] = []
    explained = 0
    for term in terms:
        if not isinstance(term, Time):
            continue
        others = [other for one, other in pairs if one is term]
        if not all(_dated(part) for other in others for part in walk(other)):
            continue
        explained += 1
        for other in others:
            get = other.compile(source)
            if any(isinstance(part, PacketField) for part in walk(other)):
                dates.append(get)
            elif isinstance(value := get(None), int | float):
                moments |= _around(value)
    return moments, dates, explained


def _dated(part: Term) -> bool:
    """Whether a part of what `time` is compared with changes only where a packet comes to a stage, if at all."""
    if isinstance(part, PacketField):
        return part.field in {"at", "born"}
    return isinstance(part, Constant | Arithmetic)
