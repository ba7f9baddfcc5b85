"""A run that can be gone to at any instant: from the nearest checkpoint before it, forward as it happened.

Everything that the run leaves behind changes at instants that hang on the run alone: a sample is taken when the story's
scale asks for the next one and something happens, a command acts at the end of its instant, a checkpoint follows a
sample. So it does not matter on which ways, in which steps, and how often an instant is reached.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

from wireside.errors import CommandError
from wireside.session.commands import ALL, START, Command, Position
from wireside.session.film import Film, Mark, Past, Sample, Tail, grown, sample
from wireside.session.rolls import Late, Rolls
from wireside.session.telling import Telling
from wireside.sim.run import NEVER

if TYPE_CHECKING:
    from wireside.session.needs import Frozen, Origin, Remember, WorldLike
    from wireside.session.story import Story
    from wireside.snapshot import Event, WorldSnapshot

SAMPLES_A_SECOND = 10
"""Samples in a second of the story's own pace."""
FULL_STRETCH = 2_000
"""So many samples a stretch of the story may have at that rate; then they move apart as the stretch grows longer."""
LEAST_WORK, BYTES_A_CALL = 600, 20
"""Calls of the model between two checkpoints: these at least, and one for so many bytes of the last checkpoint, so that
writing them takes a twenty-fifth of the time that the run takes."""
CALLS_A_SAMPLE = 25
"""What a sample counts as."""
DENSER = 6
"""In the known past checkpoints stand so much closer: who goes back there goes back further."""
CLOSE = 16
"""Looking for the instant before this one begins in the last such part of the way from the checkpoint."""
MOST_BYTES = 96 << 20
"""What checkpoints may come to; beyond, every second one goes."""


def forget(memory: Any, world: WorldSnapshot, past: Past, rolls: Rolls, scale: int) -> None:
    """Remember nothing."""


@dataclass(frozen=True, slots=True)
class Waypoint:
    """A run at one instant, to go on from."""

    position: Position
    world: Frozen
    story: Story
    looked: int
    tail: Tail
    applied: int
    """Commands given by then."""
    work: int


class Machine:
    """A scenario's run: where it is, what is known of it, and the way to any other instant."""

    def __init__(self, origin: Origin, focus: str, remember: Remember = forget) -> None:
        self.origin, self.focus = origin, focus
        self.scenario = origin.scenario
        self._remember = remember
        self.commands: tuple[Command, ...] = ()
        self.refused: CommandError | None = None
        """Why a command could not be given, the last time that one could not."""
        self.film = Film()
        self._kept: list[Waypoint] = []
        world = origin.begin()
        self._begin(world, None)
        self._sample()
        self._keep()
        self.film.come_to(world.now, world.event_count, world.events(0))

    def _begin(self, world: WorldLike, at: Waypoint | None) -> None:
        """Go on in `world`, which was just made or thawed."""
        self.world = world
        self._applied = at.applied if at else 0
        self.tail = at.tail if at else Tail()
        self.telling = Telling(self.scenario, world, (at.story, at.looked) if at else None)
        self.telling.whole = at is not None and at.position.whole

    @property
    def position(self) -> Position:
        """Where the run is."""
        story = self.telling.story
        return Position(self.world.now, len(story.told), self.telling.whole, len(story.due))

    @property
    def story(self) -> Story:
        """Which beats have been told, are due, and wait."""
        return self.telling.story

    def packets(self) -> Late:
        """The packets of late, as of now."""
        rolls = self.tail.rolls
        return Late(rolls, self.world.now, self.world.traces(max(0, rolls.time_ns)))

    def events(self, most: int) -> tuple[Event, ...]:
        """The last `most` events up to now."""
        return self.film.events(self.world.event_count, most)

    def past(self, world: WorldSnapshot) -> Past:
        """The run up to now, when it looks like `world`."""
        return Past(self.film, self.tail, self._look(world))

    def _look(self, world: WorldSnapshot) -> Sample:
        count = self.tail.count
        before = self.film.samples[count - 1].lost if count else {}
        return sample(world.host(self.focus), before, self._apart(world.time_ns))

    def leg(self, goal_ns: int, deadline: float | None = None) -> bool:
        """Run to `goal_ns`, or to where something must be done first: a beat told, a command given, a sample taken.

        False when the wall deadline came first.
        """
        telling = self.telling
        if telling.story.due:
            return True
        sample_at = self._sample_at()
        stop = min(goal_ns, sample_at)
        if (command := self._next_command()) is not None:
            stop = min(stop, max(command.time_ns, self.world.now))
        on_time = telling.run(stop, deadline)
        if not on_time:
            # The clock on the wall leaves no instant half done: it could not be found again.
            telling.run(self.world.now)
        self._arrived(sample_at)
        self._settle()
        return on_time

    def complete(self) -> None:
        """Let the rest of the present instant happen."""
        if not self.telling.whole:
            sample_at = self._sample_at()
            self.telling.complete()
            self._arrived(sample_at)

    def tell(self) -> None:
        """Tell the first beat that is due."""
        self.obey()
        beat = self.telling.tell()
        now, told = self.world.now, self.story.told[-1]
        self.film.told.setdefault(told.number, now)
        if beat.scale:
            self.tail = replace(self.tail, since_ns=now)
        self._settle()

    def _settle(self) -> None:
        """Where everything of an instant has happened, its commands are given, too."""
        if self.telling.whole:
            self.obey()

    def obey(self) -> None:
        """Give the commands whose moment this is.

        What cannot be given (in a recording that somebody has changed) does nothing, and `refused` says why.
        """
        while (command := self._pending()) is not None:
            self.complete()
            try:
                self.world.command(command.host, command.name, command.value)
            except CommandError as error:
                name = f"{command.name} of {command.host or 'every host'}"
                what = f"at {command.time_ns} ns {name} could not be turned: {error.what}"
                self.refused = CommandError(what, next_step=error.next_step)
            self._obeyed()

    def _pending(self) -> Command | None:
        """The next command, when its moment has come."""
        if self._applied == len(self.commands):
            return None
        command, now = self.commands[self._applied], self.world.now
        waits = command.time_ns == now and command.told > len(self.story.told) and self.story.due
        return None if command.time_ns > now or waits else command

    def turn(self, host: str, name: str, value: str) -> str:
        """Turn a knob now; what was known of the time after it will not happen. CommandError when it cannot be turned."""
        if not self.telling.whole:
            # What is refused changes nothing, and completing the instant is a change.
            self.origin.thaw(self.origin.freeze(self.world)).command(host, name, value)
            self.complete()
        world, events = self.world, self.world.event_count
        said = world.command(host, name, value)
        command = Command(world.now, len(self.story.told), host, name, value)
        self.commands = (*self.commands[: self._applied], command)
        self.film.cut(world.now, self.tail.count, events, self.story)
        here, applied = self.position, self._applied
        self._kept = [each for each in self._kept if each.position <= here and each.applied <= applied]
        self._obeyed()
        return said

    def _obeyed(self) -> None:
        """A command has been given: that is something that has happened, and what follows at once follows now."""
        self._applied += 1
        self.tail = replace(self.tail, still_ns=min(self.tail.still_ns, self.world.now))
        self.telling.look()
        self.telling.whole = False
        self.complete()

    def go(self, goal: Position, deadline: float | None = None, *, beats: int = ALL) -> bool:
        """Go to a moment, past or future, telling and obeying on the way; False when the wall deadline came first.

        Going on with the same goal then leads there. The way ends where so many `beats` have been told.
        """
        self._nearest(goal)
        while not self._reached(goal, beats):
            self.obey()
            if self._reached(goal, beats):
                break
            due, here = self.story.due, self.position
            if due and goal.whole and here.time_ns == goal.time_ns and here.told >= goal.told:
                self.complete()
            elif due:
                self.tell()
            elif not self.leg(goal.time_ns, deadline):
                return False
            if deadline is not None and perf_counter() >= deadline and not self._reached(goal, beats):
                return False
        self._settle()
        return True

    def step(self) -> None:
        """Go to the next thing that happens: the beat that is due is told, a command given, or the world has an event."""
        self._run_to_next()
        if self.story.due:
            self.tell()

    def _run_to_next(self, most_ns: int = NEVER) -> None:
        """Run to the next instant at which something happens, but no further than `most_ns`."""
        self.obey()
        upcoming = None if self.story.due else self._next_instant()
        while upcoming is not None and not self.story.due:
            target = min(upcoming, most_ns)
            if self.world.now >= target and self.telling.whole:
                return
            self.leg(target)
        self.obey()

    def step_back(self) -> None:
        """Go to the last moment before this one at which `step` would have stopped."""
        here = self.position
        starts = [kept.position.time_ns for kept in self._kept if kept.position.time_ns < here.time_ns]
        if starts:
            starts.append(here.time_ns - 1 - (here.time_ns - starts[-1]) // CLOSE)
        for start in reversed(starts):
            found = self._last_step(start, here)
            if found is not None and found.time_ns > start:
                self.go(found)
                return
        self.go(self._last_step(0, here) or START)

    def _last_step(self, start_ns: int, here: Position) -> Position | None:
        """Where a run that is stepped through from `start_ns` on stops last before `here`; None: nowhere."""
        self.go(Position(start_ns) if start_ns else START)
        found = None
        while True:
            before = self.position
            self._run_to_next(here.time_ns)
            if self.position >= here:
                return found
            if self.story.due:
                self.tell()
            if not before < self.position < here:
                return found
            found = self.position

    def _next_instant(self) -> int | None:
        """The next instant at which something happens, is told or is turned."""
        upcoming, at, command = self.world.upcoming(), self.story.next_at(), self._next_command()
        moments = (upcoming if upcoming >= 0 else None, at, command.time_ns if command else None)
        return min((t for t in moments if t is not None), default=None)

    def marks(self) -> list[Mark]:
        """What is known of the run that deserves a mark: beats, knobs turned, losses; by time."""
        film = self.film
        found = [
            Mark(Position(t, k + 1, whole=False), "beat", n) for k, (n, t) in enumerate(film.told.items())
        ]
        found += [Mark(Position(each.time_ns, each.told), "knob") for each in self.commands]
        found += [Mark(Position(event.time_ns), "loss") for event in film.losses_told()]
        return sorted(found)

    def _reached(self, goal: Position, beats: int) -> bool:
        here = self.position
        if here.told >= beats:
            return True
        if here.time_ns < goal.time_ns:
            return False
        if goal.whole:
            return here.whole and (here.told >= goal.told or not here.due) and self._pending() is None
        return (here.told, here.due) >= (goal.told, goal.due) or (here.whole and not here.due)

    def _nearest(self, goal: Position) -> None:
        """Start from where the run is, or from the checkpoint that is nearer to the goal."""
        here = self.position
        index = bisect_left(self._kept, goal.time_ns, key=_time)
        best = self._kept[max(0, index - 1)]
        # A moment within the present instant is ahead only when it is later in every way.
        ahead = here.time_ns < goal.time_ns or (
            here.time_ns == goal.time_ns and here <= goal and here.whole <= goal.whole
        )
        if not ahead or here.time_ns < best.position.time_ns:
            self._begin(self.origin.thaw(best.world), best)

    def _next_command(self) -> Command | None:
        return self.commands[self._applied] if self._applied < len(self.commands) else None

    def _arrived(self, sample_at: int) -> None:
        """The run has come to another instant; a sample was to be taken at `sample_at`."""
        world = self.world
        if self.telling.whole and world.now >= sample_at:
            self._sample()
            if self._worth_keeping():
                self._keep()
        self.film.come_to(world.now, world.event_count, world.events(self.film.events_known))

    def _sample_at(self) -> int:
        """The next instant that is worth a sample: not before its time, and not before something has happened."""
        tail = self.tail
        last = self.film.times[tail.count - 1]
        planned = max(last, tail.since_ns) + self._apart(last)
        return max(planned, tail.still_ns, self.world.now)

    def _apart(self, last_ns: int) -> int:
        """How far from the sample at `last_ns` the next one is, at least."""
        scale, since = self.story.scale(self.scenario.scale), self.tail.since_ns
        return max(1, scale // SAMPLES_A_SECOND, (last_ns - since) // FULL_STRETCH)

    def _sample(self) -> None:
        world, tail = self.world, self.tail
        snapshot = world.snapshot(screen=True)
        new = self._look(snapshot)
        rolls = self.packets().rolls()
        scale = self.story.scale(self.scenario.scale)
        memory = self._remember(tail.memory, snapshot, Past(self.film, tail, new), rolls, scale)
        self.film.add(tail.count, new)
        upcoming = world.upcoming()
        still = upcoming if upcoming >= 0 else NEVER
        self.tail = Tail(tail.count + 1, tail.since_ns, still, grown(tail.most, new), rolls, memory)

    @property
    def _work(self) -> int:
        return self.world.work + CALLS_A_SAMPLE * self.tail.count

    def _worth_keeping(self) -> bool:
        index = bisect_left(self._kept, self.world.now, key=_time)
        last = self._kept[index - 1]
        apart = max(LEAST_WORK, len(last.world.data) // BYTES_A_CALL)
        if self.tail.count < len(self.film.samples):
            apart //= DENSER
        after = self._kept[index] if index < len(self._kept) else None
        if after is not None and after.work - self._work < apart:
            return False
        return self._work - last.work >= apart

    def _keep(self) -> None:
        """Leave a checkpoint."""
        kept = Waypoint(
            self.position,
            self.origin.freeze(self.world),
            self.story,
            self.telling.looked,
            self.tail,
            self._applied,
            self._work,
        )
        insort(self._kept, kept, key=_time)
        if sum(len(each.world.data) for each in self._kept) > MOST_BYTES:
            del self._kept[1::2]


def _time(kept: Waypoint) -> int:
    return kept.position.time_ns
