"""A world and the story told of it: the run goes on to its goal, or to the event at which the next beat is due."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from wireside.scenario.expect import conditions_of
from wireside.session.story import begin

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wireside.scenario.expect import Condition
    from wireside.scenario.spec import Beat, Scenario
    from wireside.session.story import Story


class WatchLike(Protocol):
    """A run that stops at the event in which one of its conditions first holds."""

    looked: int
    """The last instant at which it was looked whether time alone had made a condition true, ns."""

    @property
    def fired(self) -> tuple[int, ...]:
        """The numbers of the conditions that hold where the run stopped."""

    def run(self, until: int, wall_deadline: float | None = None) -> bool:
        """Run to `until` ns; False when a condition holds, or the wall deadline came, as of now."""

    def look(self) -> bool:
        """Whether any condition holds at this instant."""

    def keep(self, numbers: Iterable[int]) -> None:
        """From now on wait for these only."""


class Watched(Protocol):
    """What telling a story needs of a world."""

    @property
    def now(self) -> int:
        """Simulated time, ns."""

    def watch(self, conditions: Mapping[int, Condition], looked: int = -1) -> WatchLike:
        """A run that stops where one of these holds; `looked` is the attribute of that name of an earlier one."""


class Telling:
    """Runs a world and keeps its story; nobody's pace and no wall clock is in it, so that every run tells the same."""

    def __init__(self, scenario: Scenario, world: Watched, told: tuple[Story, int] | None = None) -> None:
        """Begin, or go on from a story `told` so far and where its conditions were last looked at (see `looked`)."""
        self.world = world
        self.story = told[0] if told else begin(scenario.beats)
        self.whole = False
        """Whether everything of the present instant has happened."""
        numbers = [number for number in self.story.waiting if scenario.beats[number].when]
        conditions = conditions_of(scenario, [scenario.beats[number].when for number in numbers])
        self._watch = world.watch(dict(zip(numbers, conditions, strict=True)), told[1] if told else -1)
        if not told:
            self.look()

    @property
    def looked(self) -> int:
        """The last instant at which it was looked whether time alone had made a condition true, ns."""
        return self._watch.looked

    def run(self, goal_ns: int, wall_deadline: float | None = None) -> bool:
        """Run to `goal_ns`, or to the moment of a beat, which is due then; False when the wall deadline came first.

        While a beat is due, the run stays where it is.
        """
        if self.story.due:
            return True
        at = self.story.next_at()
        stop = goal_ns if at is None else min(goal_ns, max(at, self.world.now))
        return self._run(stop, wall_deadline)

    def complete(self) -> None:
        """Let the rest of the present instant happen, even while a beat is due."""
        while not self.whole:
            self._run(self.world.now, None)

    def _run(self, stop: int, wall_deadline: float | None) -> bool:
        self.whole = self._watch.run(stop, wall_deadline)
        if self.whole or self._watch.fired:
            self._come(self._watch.fired)
            return True
        return False

    def look(self) -> None:
        """See which beats are due at this instant; to be called when something was changed from outside."""
        self._come(self._watch.fired if self._watch.look() else ())

    def tell(self) -> Beat:
        """Tell the first beat that is due."""
        self.story = self.story.tell(self.world.now)
        beat = self.story.beat
        assert beat is not None
        return beat

    def _come(self, holding: Iterable[int]) -> None:
        story = self.story.come_to(self.world.now, holding)
        if story is not self.story:
            self.story = story
            self._watch.keep([number for number in story.waiting if story.beats[number].when])
