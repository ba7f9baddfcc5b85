"""A session: one run, at the reader's pace, forward and back, with what the reader has changed in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from wireside.session.commands import ALL, START, Position
from wireside.session.knobs import KnobRow, knob_row
from wireside.session.machine import Machine, forget
from wireside.session.pace import Pace
from wireside.session.quiet import Crossing, crossing, is_quiet
from wireside.session.recording import Recording
from wireside.sim import heap

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from wireside.errors import CommandError
    from wireside.scenario.spec import Beat, Scenario
    from wireside.session.commands import Command
    from wireside.session.film import Mark
    from wireside.session.needs import Origin, Remember, WorldLike
    from wireside.session.story import Story
    from wireside.snapshot import HostSnapshot, WorldSnapshot


class Branch(NamedTuple):
    """A run that was left: a knob was turned in its past."""

    time_ns: int
    """Up to here the present run is like it."""
    commands: tuple[Command, ...]
    known_ns: int
    """How far it was known."""


class Session:
    """Owns a run; `advance` moves it by wall time, everything else is a key that somebody pressed."""

    def __init__(self, origin: Origin, remember: Remember = forget) -> None:
        self.origin = origin
        self.scenario: Scenario = origin.scenario
        self.seed = origin.seed
        self.focus = focus_host(origin.scenario)
        self._remember = remember
        self.restart()

    def restart(self) -> None:
        """Begin again at 0 with a new world; knobs and pace are as the scenario has them."""
        self.machine = Machine(self.origin, self.focus, self._remember)
        heap.settle()
        self.pace = Pace(self.scenario.scale)
        self.ended = False
        self.backwards = False
        self.goal: Position | None = None
        """Where the run is being taken to, as fast as it can."""
        self._goal_beats = ALL
        self.branches: tuple[Branch, ...] = ()
        self.crossing: Crossing | None = None
        world = self.world
        self._at_start = {(k.host, k.name): world.knob_value(k.host, k.name) for k in self.scenario.knobs}
        self._seen: tuple[object, ...] = ()
        self._moved_ns = 0
        self._look()
        if self.story.due:
            self._tell()

    @property
    def world(self) -> WorldLike:
        """The world as of now."""
        return self.machine.world

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
        return self.machine.story

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
        waits = self.story.due and not self.paused and not self.backwards and self.goal is None
        return self.pace.left_to_read_s if waits else 0.0

    @property
    def known_ns(self) -> int:
        """The furthest instant of this run that was reached."""
        return self.machine.film.known_ns

    def advance(self, wall_dt: float, deadline: float | None = None) -> bool:
        """Let `wall_dt` seconds pass, at most until `deadline` (perf_counter); True if the run moved or a beat was told.

        The run stops at the moment of a beat, and waits there until the beat before it could be read. When the
        deadline comes first, simulated time lags and `behind` says so.
        """
        pace = self.pace
        pace.pass_time(wall_dt)
        before = self.machine.position
        if self.goal is not None:
            self._on_the_way(self.goal, deadline)
        elif self.backwards and not self.paused:
            self._run_back()
        while not self.paused and self.goal is None and not self.backwards:
            self.machine.obey()
            if self.story.due:
                if pace.left_to_read_s > 0:
                    pace.forfeit()
                    break
                self._tell()
            elif not self._run_on(deadline):
                break
        moved = self.machine.position != before
        if moved:
            self._look()
        return moved

    def _run_on(self, deadline: float | None) -> bool:
        """Run as far as the time granted allows, or to where the pace or the story changes; False when it is used up."""
        pace, now, end = self.pace, self.now, self.scenario.duration_ns
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
        on_time = self.machine.leg(goal, deadline)
        pace.used(self.now - now, rate)
        if not on_time:
            pace.behind = True
            pace.forfeit()
        return on_time

    def _run_back(self) -> None:
        pace, now = self.pace, self.now
        ns = pace.granted_ns(pace.scale)
        if ns < 1:
            return
        pace.used(ns, pace.scale)
        if now > ns:
            self._go(Position(now - ns))
        else:
            self.go_home()

    def _on_the_way(self, goal: Position, deadline: float | None) -> None:
        if self.machine.go(goal, deadline, beats=self._goal_beats):
            self.goal = None
        self._arrived()

    def _crossing(self) -> Crossing | None:
        """The quiet stretch that the run is in, if it is one worth crossing fast."""
        now = self.now
        if self.crossing is not None and now < self.crossing.until_ns:
            return self.crossing
        self.crossing = None
        at, upcoming = self.story.next_at(), self.world.upcoming()
        moments = [at, upcoming if upcoming >= 0 else None, None if self.ended else self.scenario.duration_ns]
        nearest = min((t for t in moments if t is not None), default=None)
        if nearest is not None and crossing(now, nearest, self._moved_ns, self.scale) is not None:
            self._look()
            found = crossing(now, nearest, self._moved_ns, self.scale)
            if found is not None and is_quiet(self.snapshot):
                self.crossing = found
        return self.crossing

    def go(self, goal: Position, deadline: float | None = None, *, beats: int = ALL) -> None:
        """Go to a moment and stay there; what is not there when the deadline comes goes on in `advance`.

        The way ends where so many `beats` have been told.
        """
        self.pace.paused, self.backwards = True, False
        self.goal, self._goal_beats = goal, beats
        self._on_the_way(goal, deadline)

    def play_to(self, t_ns: int) -> None:
        """Run to `t_ns` without regard to wall time, never waiting or pausing."""
        paused = self.pace.paused
        self._go(Position(max(t_ns, self.now)))
        self.pace.paused = paused

    def step(self) -> None:
        """Go to the next thing that happens, and stay paused there: the beat that is due, or the run's next event."""
        self._step(self.machine.step)

    def step_back(self) -> None:
        """Go to the last moment before this one at which `step` would have stopped, and stay there."""
        self._step(self.machine.step_back)

    def _step(self, move: Callable[[], None]) -> None:
        self.pace.paused, self.backwards, self.goal = True, False, None
        move()
        self._arrived()

    def go_home(self) -> None:
        """Go to the beginning of this run, and stay there."""
        self.go(START)

    def play_backwards(self) -> None:
        """From now on time runs backwards; again: forward."""
        self.backwards = not self.backwards or self.paused
        self.pace.paused = False
        self.pace.forfeit()
        self.goal = self.crossing = None

    def marks(self) -> list[Mark]:
        """The beats told, the knobs turned and the losses, as far as the run is known, by time."""
        return self.machine.marks()

    def go_to_mark(
        self, direction: int, deadline: float | None = None, kinds: Collection[str] = ("beat", "knob", "loss")
    ) -> None:
        """Go to the next (+1) or previous (-1) mark, and stay there; beyond the last one known, to the next beat."""
        here = self.machine.position
        marks = [mark.position for mark in self.marks() if mark.kind in kinds]
        if direction < 0:
            earlier = (each for each in marks if _sides(each, here) < 0)
            self.go(max(earlier, default=START), deadline)
            return
        later = min((each for each in marks if _sides(each, here) > 0), default=None)
        if later is not None:
            self.go(later, deadline)
        else:
            self.go(Position(max(self.known_ns, self.scenario.duration_ns)), deadline, beats=here.told + 1)

    def toggle_pause(self) -> None:
        """Pause, or go on; while the run waits for its reader: do not wait."""
        if self.hold_s > 0:
            self._tell()
        elif self.backwards or self.goal is not None:
            self.backwards, self.goal = False, None
            self.pace.paused = True
        else:
            self.pace.paused = not self.paused

    def change_pace(self, direction: int) -> None:
        """Show more (+1) or less (-1) simulated time per second than the story does, until it begins again."""
        self.pace.change(direction)
        self.crossing = None

    def turn(self, host: str, name: str, value: str) -> str:
        """Turn a knob now and return the sentence that says when it takes effect; CommandError when it cannot be."""
        machine, commands, known, now = self.machine, self.machine.commands, self.known_ns, self.now
        said = machine.turn(host, name, value)
        self.crossing, self.backwards, self.goal = None, False, None
        if known > now:
            self.branches = (*self.branches, Branch(now, commands, known))
        self._look()
        return said

    def knobs(self) -> tuple[KnobRow, ...]:
        """The scenario's knobs as they stand."""
        value, start, kernel = self.world.knob_value, self._at_start, self.scenario.kernel
        return tuple(
            knob_row(knob, value(knob.host, knob.name), start[knob.host, knob.name], kernel)
            for knob in self.scenario.knobs
        )

    def recording(self) -> Recording:
        """The run as data, with the moment that is shown."""
        return Recording(self.origin, self.machine.commands, self.machine.position)

    def take_up(self, recording: Recording, deadline: float | None = None) -> None:
        """Go on with a recording of this session's origin, at its moment; what is far off is reached in `advance`.

        CommandError when one of its knobs could not be turned on the way.
        """
        self.machine.commands = recording.commands
        self.go(recording.moment, deadline)
        if (refused := self.refusal()) is not None:
            raise refused

    def refusal(self) -> CommandError | None:
        """Why a knob of a recording that somebody has changed could not be turned; it is told once."""
        refused, self.machine.refused = self.machine.refused, None
        return refused

    def _go(self, goal: Position) -> None:
        self.machine.go(goal)
        self._arrived()

    def _arrived(self) -> None:
        """The run is at another instant, and did not come there at the reader's pace."""
        self.crossing = None
        if self.machine.position[:2] == START[:2] and self.story.due:
            self.machine.tell()
        self.ended = self.now >= self.scenario.duration_ns
        self.pace.came_to(self.beat, self.story.scale(self.scenario.scale))
        self._look()
        self._moved_ns = self.now

    def _look(self) -> None:
        self.snapshot = self.world.snapshot(screen=True)
        seen = _visible(self.snapshot)
        if len(seen) != len(self._seen) or any(
            new is not old for new, old in zip(seen, self._seen, strict=True)
        ):
            self._seen, self._moved_ns = seen, self.now

    def _tell(self) -> None:
        self.machine.tell()
        beat = self.beat
        assert beat is not None
        self.pace.told(beat)
        self.crossing = None


def _visible(world: WorldSnapshot) -> tuple[object, ...]:
    """The parts of a snapshot that are the same objects as before when nothing has happened that could be seen."""
    return tuple(
        part
        for host in world.hosts
        for part in (host.counters, host.drops, host.wire_drops, host.states, host.programs, host.books)
    )


def _sides(mark: Position, here: Position) -> int:
    """Whether a mark comes before (-1) or after (+1) `here`; 0: this is it.

    Of a loss it is not known how many beats had been told: whoever is at its instant is there.
    """
    parts = 1 if mark.told == ALL else 3 if mark.whole else 2
    return (mark[:parts] > here[:parts]) - (mark[:parts] < here[:parts])


def focus_host(scenario: Scenario) -> str:
    """The host to watch: the scenario's choice, else the first whose program has a port of its own, else the first."""
    listening = (program.on for program in scenario.programs if "port" in program.params)
    return scenario.focus or next(listening, scenario.hosts[0].name)
