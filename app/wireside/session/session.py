"""The player: runs a world at a chosen pace, tells its story beat by beat, and turns knobs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from wireside.session.history import History
from wireside.session.knobs import KnobRow, knob_row
from wireside.session.pace import Pace
from wireside.session.quiet import Crossing, crossing, is_quiet
from wireside.session.telling import Telling, Watched
from wireside.sim import heap

if TYPE_CHECKING:
    from collections.abc import Callable

    from wireside.scenario.spec import Beat, Scenario
    from wireside.session.story import Story
    from wireside.snapshot import Event, HostSnapshot, PacketTrace, WorldSnapshot


class WorldLike(Watched, Protocol):
    """What a player needs of a world."""

    @property
    def event_count(self) -> int:
        """How many events there have been."""

    def upcoming(self) -> int:
        """The next instant at which something happens, ns; -1 when nothing ever will."""

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
        self.focus = focus_host(scenario)
        self.restart()

    def restart(self) -> None:
        """Begin again at 0 with a new world; knobs and pace are as the scenario has them."""
        self.world = self._make_world()
        heap.settle()
        self.pace = Pace(self.scenario.scale)
        self.ended = False
        self.log: list[Turned] = []
        self.history = History(self.scenario.duration_ns)
        self.crossing: Crossing | None = None
        self._at_start = {
            (k.host, k.name): self.world.knob_value(k.host, k.name) for k in self.scenario.knobs
        }
        self._seen: tuple[object, ...] = ()
        self._moved_ns = 0
        self._telling = Telling(self.scenario, self.world)
        self._look()
        if self.story.due:
            self._tell()

    @property
    def now(self) -> int:
        """Simulated time, ns."""
        return self.world.now

    @property
    def host(self) -> HostSnapshot:
        """The host whose receive path is shown."""
        return self.snapshot.host(self.focus)

    @property
    def story(self) -> Story:
        """Which beats have been told, are due, and wait."""
        return self._telling.story

    @property
    def beat(self) -> Beat | None:
        """The beat that stands in the narration pane."""
        return self.story.beat

    @property
    def beats_said(self) -> int:
        """How many beats have been told."""
        return len(self.story.told)

    @property
    def scale(self) -> int:
        """Simulated ns per wall second: the story's scale times the reader's factor."""
        return self.pace.scale

    @property
    def paused(self) -> bool:
        """Whether the reader, the story, or the end of the run has stopped it."""
        return self.pace.paused

    @property
    def behind(self) -> bool:
        """Whether the simulation cannot keep up."""
        return self.pace.behind

    @property
    def hold_s(self) -> float:
        """How long the run still waits for its reader, in seconds, before it tells the beat that is due; 0: it does not."""
        return self.pace.left_to_read_s if self.story.due and not self.paused else 0.0

    def advance(self, wall_dt: float, deadline: float | None = None) -> bool:
        """Let `wall_dt` seconds pass, at most until `deadline` (perf_counter); True if the run moved or a beat was told.

        The run stops at the moment of a beat, and waits there until the beat before it could be read. When the
        deadline comes first, simulated time lags and `behind` says so.
        """
        pace = self.pace
        pace.pass_time(wall_dt)
        start, told = self.world.now, len(self.story.told)
        while not self.paused:
            if self.story.due:
                if pace.left_to_read_s > 0:
                    pace.forfeit()
                    break
                self._tell()
            elif not self._run_on(deadline):
                break
        return self.world.now != start or len(self.story.told) != told

    def _run_on(self, deadline: float | None) -> bool:
        """Run as far as the time granted allows, or to where the pace or the story changes; False when it is used up."""
        pace, now, end = self.pace, self.world.now, self.scenario.duration_ns
        if not self.ended and now >= end:
            self.ended = pace.paused = True
            return False
        crossing = self._crossing()
        rate: float = crossing.rate if crossing is not None else pace.scale
        ns = pace.granted_ns(rate)
        if ns < 1:
            return False
        goal = now + ns if crossing is None else min(now + ns, crossing.until_ns)
        if not self.ended:
            goal = min(goal, end)
        on_time = self._telling.run(goal, deadline)
        pace.used(self.world.now - now, rate)
        self._look()
        if not on_time:
            pace.behind = True
            pace.forfeit()
        return on_time

    def _crossing(self) -> Crossing | None:
        """The quiet stretch that the run is in, if it is one worth crossing fast."""
        now = self.world.now
        if self.crossing is not None and now < self.crossing.until_ns:
            return self.crossing
        self.crossing = None
        at, upcoming = self.story.next_at(), self.world.upcoming()
        moments = [at, upcoming if upcoming >= 0 else None, None if self.ended else self.scenario.duration_ns]
        nearest = min((t for t in moments if t is not None), default=None)
        if nearest is not None:
            found = crossing(now, nearest, self._moved_ns, self.scale)
            if found is not None and is_quiet(self.snapshot):
                self.crossing = found
        return self.crossing

    def play_to(self, t_ns: int) -> None:
        """Run to `t_ns` without regard to wall time, in looks of a thousandth of the run, never waiting or pausing."""
        grain = max(1, self.scenario.duration_ns // 1000)
        self.crossing = None
        there = False
        while not there:
            goal = min(t_ns, self.world.now + grain)
            self._telling.run(goal)
            self._look()
            there = goal == t_ns and not self.story.due
            while self.story.due:
                self._tell()
                self.pace.paused = False

    def step(self) -> None:
        """Go to the next thing that happens, and stay paused there: the beat that is due, or the run's next event."""
        self.pace.paused = True
        self.crossing = None
        if not self.story.due:
            upcoming, at = self.world.upcoming(), self.story.next_at()
            goals = [t for t in (at, upcoming) if t is not None and t >= 0]
            if not goals:
                return
            self._telling.run(min(goals))
            self._look()
        if self.story.due:
            self._tell()

    def toggle_pause(self) -> None:
        """Pause, or go on; while the run waits for its reader: do not wait."""
        if self.hold_s > 0:
            self._tell()
        else:
            self.pace.paused = not self.paused

    def change_pace(self, direction: int) -> None:
        """Show more (+1) or less (-1) simulated time per second than the story does, until it begins again."""
        self.pace.change(direction)
        self.crossing = None

    def turn(self, host: str, name: str, value: str) -> str:
        """Turn a knob now and return the sentence that says when it takes effect; CommandError when it cannot be."""
        said = self.world.command(host, name, value)
        self.crossing = None
        self.log.append(Turned(self.world.now, host, name, value))
        self.history.mark(self.world.now, "knob")
        self._telling.look()
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
        seen = _visible(self.snapshot)
        if len(seen) != len(self._seen) or any(
            new is not old for new, old in zip(seen, self._seen, strict=True)
        ):
            self._seen, self._moved_ns = seen, self.world.now

    def _tell(self) -> None:
        self.pace.told(self._telling.tell())
        self.history.mark(self.world.now, "beat")
        self.crossing = None


def _visible(world: WorldSnapshot) -> tuple[object, ...]:
    """The parts of a snapshot that are the same objects as before when nothing has happened that could be seen."""
    return tuple(
        part
        for host in world.hosts
        for part in (host.counters, host.drops, host.wire_drops, host.states, host.programs, host.books)
    )


def focus_host(scenario: Scenario) -> str:
    """The host to watch: the scenario's choice, else the first whose program has a port of its own, else the first."""
    listening = (program.on for program in scenario.programs if "port" in program.params)
    return scenario.focus or next(listening, scenario.hosts[0].name)
