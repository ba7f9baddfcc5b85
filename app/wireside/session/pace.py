"""The reader's clock: how much of the run a second shows, whether it waits, and how long a beat has been readable."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wireside.scenario.spec import Beat

WORDS_A_MINUTE = 200
LEAST_READING_S = 2.0
"""Even one word has to be noticed."""
LONGEST_TICK_S = 0.1
"""A frame that came later than this does not make the run jump."""
FASTEST, SLOWEST = 2_000_000_000, 10
"""Simulated ns that the reader can have per second."""
MOST_STEPS = 30


def reading_s(beat: Beat | None) -> float:
    """How long a beat has to stand before the next one may follow it, in seconds of wall time."""
    if beat is None:
        return 0.0
    return max(LEAST_READING_S, len(beat.say.split()) * 60 / WORDS_A_MINUTE)


def factor_of(steps: int) -> float:
    """The factor so many steps from 1: …, 0.1, 0.2, 0.5, 1, 2, 5, 10, …."""
    power, step = divmod(steps, 3)
    return float((1, 2, 5)[step] * 10**power)


class Pace:
    """Wall seconds come in by `pass_time`, and go out as simulated ns; all the rest is what keeps them from going out."""

    def __init__(self, story_scale: int) -> None:
        self.story_scale = max(1, story_scale)
        """Simulated ns a second, as the story asks for."""
        self.steps = 0
        """How many steps faster (or, below 0, slower) than that the reader wants it."""
        self.paused = False
        self.behind = False
        """The simulation cannot keep up."""
        self._shown: Beat | None = None
        self._stood_s = 0.0
        self._reading_s = 0.0
        self._granted_s = 0.0

    @property
    def factor(self) -> float:
        """What the reader multiplies the story's scale by."""
        return factor_of(self.steps)

    @property
    def scale(self) -> int:
        """Simulated ns that a second shows."""
        story = self.story_scale
        return min(max(round(story * self.factor), min(story, SLOWEST)), max(story, FASTEST))

    def change(self, direction: int) -> None:
        """One step faster (+1) or slower (-1); the factor stays when the story changes its scale."""
        before, scale = self.steps, self.scale
        self.steps = min(MOST_STEPS, max(-MOST_STEPS, before + direction))
        if self.scale == scale:
            self.steps = before

    def pass_time(self, wall_dt: float) -> None:
        """So many seconds have passed: the beat has stood them, and the run may use them."""
        self._stood_s += wall_dt
        self.behind = False
        self._granted_s = 0.0 if self.paused else self._granted_s + min(wall_dt, LONGEST_TICK_S)

    def granted_ns(self, rate: float) -> int:
        """How far the run may go now, at `rate` ns a second."""
        return int(self._granted_s * rate)

    def used(self, ns: int, rate: float) -> None:
        """The run went so far; what is left of a ns stays granted, so that a slow run does not stand still."""
        self._granted_s = max(0.0, self._granted_s - ns / rate)

    def forfeit(self) -> None:
        """The run waits, or is late: the time that it could not use is gone."""
        self._granted_s = 0.0

    def told(self, beat: Beat) -> None:
        """A beat has just appeared: its reading time begins, and what it asks for holds from here on."""
        self._shows(beat)
        if beat.scale:
            self.story_scale = beat.scale
        if beat.pause:
            self.paused = True

    def came_to(self, beat: Beat | None, story_scale: int) -> None:
        """The run is elsewhere, where this beat stands and the story asks for this scale."""
        self.behind = False
        if beat is not self._shown:
            self._shows(beat)
        self.story_scale = max(1, story_scale)

    def _shows(self, beat: Beat | None) -> None:
        self._shown = beat
        self._stood_s = 0.0
        self._reading_s = reading_s(beat)

    @property
    def left_to_read_s(self) -> float:
        """How much longer the beat has to stand before the next one may follow."""
        return max(0.0, self._reading_s - self._stood_s)
