"""What the library knows of the lessons, and which of them it shows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from wireside.paint.words import question_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wireside.scenario.spec import Scenario


@dataclass(frozen=True, slots=True)
class Lesson:
    """What the library knows of one scenario."""

    path: str
    title: str
    summary: str
    teaches: tuple[str, ...] = ()
    question: str = ""
    """The first one that it asks."""
    knobs: tuple[str, ...] = ()
    beats: int = 0
    duration_ns: int = 0
    fault: str = ""
    """Why it cannot be played; empty when it can."""

    def matches(self, text: str) -> bool:
        """Whether every word of `text` is somewhere in it."""
        told = (
            f"{self.path} {self.title} {self.summary} {' '.join(self.teaches)} {' '.join(self.knobs)}".lower()
        )
        return all(word in told for word in text.lower().split())


def lesson_of(scenario: Scenario) -> Lesson:
    """A scenario as the library shows it."""
    questions = (question_of(beat.say)[1] for beat in scenario.beats)
    return Lesson(
        path=scenario.path,
        title=scenario.title,
        summary=" ".join(scenario.summary.split()),
        teaches=scenario.teaches,
        question=next((question for question in questions if question), ""),
        knobs=tuple(dict.fromkeys(knob.name for knob in scenario.knobs)),
        beats=len(scenario.beats),
        duration_ns=scenario.duration_ns,
    )


@dataclass(frozen=True, slots=True)
class LibraryView:
    """The state of the library's screen."""

    lessons: tuple[Lesson, ...] = ()
    found: tuple[Lesson, ...] = ()
    """Those that match the filter."""
    chosen: int = 0
    """Index into `found`."""
    filter: str | None = None
    """What is typed to find a lesson; None while nothing is."""
    playing: str = ""
    """The path of the scenario that waits underneath."""

    def find(self, text: str | None) -> LibraryView:
        """With the lessons that match `text`; None: all."""
        found = tuple(lesson for lesson in self.lessons if lesson.matches(text or ""))
        return replace(self, filter=text, found=found, chosen=0)

    def choose(self, direction: int) -> LibraryView:
        """With the next lesson down (+1) or up (-1) chosen."""
        return replace(self, chosen=(self.chosen + direction) % max(1, len(self.found)))

    @property
    def lesson(self) -> Lesson | None:
        """The chosen one."""
        return self.found[self.chosen] if self.found else None


def library_of(lessons: Sequence[Lesson], playing: str = "") -> LibraryView:
    """The library as it opens: all lessons, and the one that is played is chosen."""
    chosen = next((i for i, lesson in enumerate(lessons) if lesson.path == playing), 0)
    return LibraryView(tuple(lessons), tuple(lessons), chosen, playing=playing)
