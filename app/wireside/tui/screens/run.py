"""What every screen of a run does: its pace, its time forward and back, its recording."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from wireside.errors import RecordingError
from wireside.outside import clean
from wireside.session import recording
from wireside.session.commands import Position
from wireside.tui.screens.ticking import TickingScreen

if TYPE_CHECKING:
    from wireside.session.session import Session
    from wireside.tui.seat import Seat

MS, S = 1_000_000, 1_000_000_000
PATIENCE_S = 0.05
"""A key waits so long for the instant it goes to; what is not there then comes in the frames after it."""


class RunScreen(TickingScreen):
    """A screen that shows a run, and from which one moves in it."""

    def __init__(self, seat: Seat) -> None:
        self.real_time = False
        super().__init__(seat)

    @property
    def session(self) -> Session:
        """The run that is watched."""
        return self.seat.session

    def run_on(self, elapsed: float, start: float) -> bool:
        """Let the run go on for a slice, and tell of a knob that it could not turn."""
        moved = super().run_on(elapsed, start)
        if (refused := self.session.refusal()) is not None:
            self.note, self._stale = refused.what, True
        return moved

    def take(self, session: Session) -> None:
        """Show another session, or the same one begun again."""
        self.seat.take(session)
        self._stale = True

    @property
    def idle(self) -> frozenset[str]:
        """Without a library there is no scenario before or after this one."""
        return frozenset() if self.application.has_neighbours else frozenset(("next", "previous"))

    def travel(self, t_ns: int) -> None:
        """Go to an instant, and stay there."""
        self.session.go(Position(max(0, t_ns)), time.perf_counter() + PATIENCE_S)

    def do_pause(self) -> None:
        """Pause, or go on."""
        self.session.toggle_pause()

    def do_step(self) -> None:
        """Run to the next thing that happens."""
        self.session.step()

    def do_step_back(self) -> None:
        """Back to what happened before."""
        self.session.step_back()

    def do_backwards(self) -> None:
        """Let time run backwards, or forward again."""
        self.session.play_backwards()

    def do_mark_before(self) -> None:
        """To the mark before."""
        self.session.go_to_mark(-1, time.perf_counter() + PATIENCE_S)

    def do_mark_after(self) -> None:
        """To the next mark; beyond those that are known, to the next beat."""
        self.session.go_to_mark(+1, time.perf_counter() + PATIENCE_S)

    def do_beat_before(self) -> None:
        """To the beat before."""
        self.session.go_to_mark(-1, time.perf_counter() + PATIENCE_S, kinds=("beat",))

    def do_beat_after(self) -> None:
        """To the next beat."""
        self.session.go_to_mark(+1, time.perf_counter() + PATIENCE_S, kinds=("beat",))

    def do_home(self) -> None:
        """To the beginning of the run."""
        self.session.go_home()

    def do_end(self) -> None:
        """To the furthest instant that was reached."""
        self.travel(self.session.known_ns)

    def do_back_1ms(self) -> None:
        """A millisecond back."""
        self.travel(self.session.now - MS)

    def do_on_1ms(self) -> None:
        """A millisecond on."""
        self.travel(self.session.now + MS)

    def do_back_1s(self) -> None:
        """A second back."""
        self.travel(self.session.now - S)

    def do_on_1s(self) -> None:
        """A second on."""
        self.travel(self.session.now + S)

    def do_real_time(self) -> None:
        """The timeline in real time, or in the story's."""
        self.real_time = not self.real_time

    def do_save(self) -> None:
        """Write the run and the moment shown into a file beside which wireside was started."""
        seat, scenario = self.seat, self.session.scenario
        if not scenario.text:
            self.note = "This scenario did not come from a file, so that it cannot be saved."
            return
        path = seat.saved or recording.free_name(Path(), clean(scenario.id))
        try:
            recording.save(self.session.recording(), path)
        except RecordingError as error:
            self.note = f"{error.what}. {error.next_step}"
        else:
            seat.saved = path
            self.note = f"Saved: `wireside play {path}` opens it here."

    def do_slower(self) -> None:
        """Less simulated time per second."""
        self.session.change_pace(-1)

    def do_faster(self) -> None:
        """More simulated time per second."""
        self.session.change_pace(+1)

    def do_restart(self) -> None:
        """Begin again."""
        self.session.restart()
        self.take(self.session)

    def do_next(self) -> None:
        """Next scenario of the library."""
        self.application.open_neighbour(+1)

    def do_previous(self) -> None:
        """Previous scenario of the library."""
        self.application.open_neighbour(-1)
