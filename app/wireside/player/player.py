"""The player: runs a world at a chosen pace, fires the story's beats, and turns knobs."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from wireside.player.history import History
from wireside.player.knobs import KnobRow, knob_row
from wireside.scenario.expect import conditions_of
from wireside.sim import heap

if TYPE_CHECKING:
    from collections.abc import Callable

    from wireside.scenario.spec import Beat, Scenario
    from wireside.snapshot import Event, HostSnapshot, PacketTrace, WorldSnapshot

SCALES: tuple[int, ...] = tuple(step * 10**power for power in range(1, 10) for step in (1, 2, 5))[:-1]
"""Simulated ns per wall second: 10 ns, 20 ns, 50 ns … 1 s, 2 s."""
READING_S = 3.0
"""A beat stays for at least this long (wall seconds) before one that waited for a condition replaces it."""
LONGEST_TICK_S = 0.1
"""A frame that came later than this does not make the run jump."""


class WorldLike(Protocol):
    """What a player needs of a world."""

    @property
    def now(self) -> int:
        """Simulated time, ns."""

    @property
    def event_count(self) -> int:
        """How many events there have been."""

    def run_until(self, t_ns: int, wall_deadline: float | None = None) -> bool:
        """Run to `t_ns`; False when the wall deadline came first."""

    def step(self) -> int:
        """Run to the next instant at which something happens."""

    def snapshot(self) -> WorldSnapshot:
        """The present instant."""

    def traces(self, since_ns: int) -> tuple[PacketTrace, ...]:
        """Packets that moved since then, or still live."""

    def events(self, since: int) -> tuple[Event, ...]:
        """Events from a running number on."""

    def command(self, host: str, name: str, value: str) -> str:
        """Turn a knob."""

    def knob_value(self, host: str, name: str) -> str:
        """A knob's value."""


@dataclass(frozen=True, slots=True)
class Turned:
    """One knob turned: with scenario and seed, the list of these is the whole run."""

    time_ns: int
    host: str
    name: str
    value: str


class Player:
    """Owns a world; `advance` moves it by wall time, everything else is a key that somebody pressed."""

    def __init__(
        self,
        scenario: Scenario,
        make_world: Callable[[], WorldLike],
        seed: int | None = None,
    ) -> None:
        self.scenario = scenario
        self.seed = scenario.seed if seed is None else seed
        self._make_world = make_world
        waiting = [i for i, beat in enumerate(scenario.beats) if beat.when]
        texts = [scenario.beats[i].when for i in waiting]
        self._conditions = dict(zip(waiting, conditions_of(scenario, texts), strict=True))
        self.focus = focus_host(scenario)
        self.restart()

    def restart(self) -> None:
        """Begin again at 0 with a new world; turned knobs are as the scenario has them."""
        self.world = self._make_world()
        heap.settle()
        self.scale = max(1, self.scenario.scale)
        self._rest_ns = 0.0
        self.paused = False
        self.behind = False
        self.ended = False
        self.log: list[Turned] = []
        self.history = History(self.scenario.duration_ns)
        self.beat: Beat | None = None
        self.beats_said = 0
        self._waiting = list(range(len(self.scenario.beats)))
        self._due: list[Beat] = []
        self._shown_s = READING_S
        self._at_start = {
            (k.host, k.name): self.world.knob_value(k.host, k.name) for k in self.scenario.knobs
        }
        self.snapshot = self.world.snapshot()
        self.history.sample(self.host)
        self._fire()

    @property
    def now(self) -> int:
        """Simulated time, ns."""
        return self.world.now

    @property
    def host(self) -> HostSnapshot:
        """The host whose receive path is shown."""
        return self.snapshot.host(self.focus)

    def advance(self, wall_dt: float, deadline: float | None = None) -> bool:
        """Run `wall_dt` seconds' worth of simulated time, at most until `deadline` (perf_counter); True if time moved.

        When the deadline comes first, simulated time lags and `behind` says so.
        """
        if self.paused:
            self.behind = False
            return False
        start = self.world.now
        self._shown_s += wall_dt
        wanted = self.scale * min(wall_dt, LONGEST_TICK_S) + self._rest_ns
        goal = start + int(wanted)
        self._rest_ns = wanted - int(wanted)
        end = self.scenario.duration_ns
        if not self.ended and goal >= end > start:
            goal = end
        self.behind = False
        while not self.paused and self.world.now < goal:
            stop = min([goal, *self._due_times(goal)])
            if not self.world.run_until(stop, deadline):
                self.behind = True
                break
            self._look()
        if self.behind:
            self._look()
        if not self.ended and self.world.now >= end:
            self.ended = self.paused = True
        return self.world.now != start

    def play_to(self, t_ns: int) -> None:
        """Run to `t_ns` without regard to wall time, in looks of a thousandth of the run, never pausing."""
        grain = max(1, self.scenario.duration_ns // 1000)
        while self.world.now < t_ns:
            self.world.run_until(min(t_ns, self.world.now + grain))
            self._shown_s = READING_S
            self._look()
            self.paused = False

    def step(self) -> None:
        """Run to the next instant at which something happens, and stay paused there."""
        self.paused = True
        self.world.step()
        self._look()

    def toggle_pause(self) -> None:
        """Pause, or go on."""
        self.paused = not self.paused

    def change_scale(self, direction: int) -> None:
        """Show more (+1) or less (-1) simulated time per second."""
        if direction > 0:
            self.scale = next((step for step in SCALES if step > self.scale), SCALES[-1])
        else:
            self.scale = next((step for step in reversed(SCALES) if step < self.scale), SCALES[0])

    def turn(self, host: str, name: str, value: str) -> str:
        """Turn a knob now and return the sentence that says when it takes effect; CommandError when it cannot be."""
        said = self.world.command(host, name, value)
        self.log.append(Turned(self.world.now, host, name, value))
        self.history.mark(self.world.now, "knob")
        self._look()
        return said

    def knobs(self) -> tuple[KnobRow, ...]:
        """The scenario's knobs as they stand."""
        return tuple(
            knob_row(
                k, self.world.knob_value(k.host, k.name), self._at_start[k.host, k.name], self.scenario.kernel
            )
            for k in self.scenario.knobs
        )

    def _look(self) -> None:
        self.snapshot = self.world.snapshot()
        self.history.sample(self.host)
        self._fire()

    def _due_times(self, goal: int) -> list[int]:
        beats, now = self.scenario.beats, self.world.now
        return [at for i in self._waiting if (at := beats[i].at_ns) is not None and now < at <= goal]

    def _fire(self) -> None:
        """Say the beats whose moment has come.

        A beat with a time is said at that time. One with a condition is noted when the condition first holds, and
        said when the beat before it could be read.
        """
        for index in tuple(self._waiting):
            beat = self.scenario.beats[index]
            if beat.at_ns is not None and self.world.now < beat.at_ns:
                continue
            condition = self._conditions.get(index)
            if condition is not None and not condition.holds(self.snapshot):
                continue
            self._waiting.remove(index)
            if condition is None:
                self._say(beat)
            else:
                self._due.append(beat)
        if self._due and self._shown_s >= READING_S:
            self._say(self._due.pop(0))

    def _say(self, beat: Beat) -> None:
        self.beat = beat
        self.beats_said += 1
        self._shown_s = 0.0
        self.history.mark(self.world.now, "beat")
        if beat.scale:
            self.scale = beat.scale
        if beat.pause:
            self.paused = True


def focus_host(scenario: Scenario) -> str:
    """The host to watch: the scenario's choice, else the first whose program has a port of its own, else the first."""
    listening = (program.on for program in scenario.programs if "port" in program.params)
    return scenario.focus or next(listening, scenario.hosts[0].name)


def deadline_in(seconds: float) -> float:
    """The perf_counter value `seconds` from now."""
    return time.perf_counter() + seconds
