"""The terminal program: one app, one screen."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import App

from wireside.errors import CommandError, WiresideError
from wireside.paint.glyphs import glyphs_from_environment
from wireside.paint.lessons import Lesson, lesson_of
from wireside.paint.look import Look
from wireside.paint.palette import Palette, depth_from_environment, roles_from_environment
from wireside.paint.picture import pictured
from wireside.session.origin import Beginning
from wireside.tui.fast import FastWriter
from wireside.tui.screens import SCREENS
from wireside.tui.screens.journey import JourneyScreen
from wireside.tui.seat import Seat
from wireside.tui.terminal import TerminalDriver

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rich.console import RenderableType

    from wireside.scenario.spec import Scenario
    from wireside.session.recording import Recording
    from wireside.session.session import Session

CRASHED = 70
"""Exit status after a fault of the program itself, as sysexits.h calls it: EX_SOFTWARE."""
OPENING_S = 2.0
"""Of a recording's moment that is not reached so soon, the way there is seen."""


class WiresideApp(App[int]):
    """Plays one scenario after the other on one screen."""

    ENABLE_COMMAND_PALETTE: ClassVar[bool] = False
    ALLOW_SELECT: ClassVar[bool] = False
    BINDINGS: ClassVar[list[Any]] = []

    def __init__(
        self,
        session: Session,
        *,
        look: Look | None = None,
        renderer: str = "auto",
        fps: int = 30,
        neighbours: Sequence[str] = (),
        open_path: Callable[[str], Session] | None = None,
    ) -> None:
        super().__init__(driver_class=TerminalDriver)
        self.look = look or look_from_environment(
            os.environ, getattr(sys.stdout, "encoding", None) or "ascii"
        )
        self._neighbours = list(neighbours)
        self._open_path = open_path
        self._lessons: list[Lesson] = []
        self.fault: WiresideError | None = None
        self._panicked = False
        writer = None if renderer == "safe" else FastWriter(self, self.look.palette)
        self.seat = Seat(session, self.look, writer, fps)

    def get_default_screen(self) -> JourneyScreen:
        """The journey, at once: no blank screen comes first."""
        return JourneyScreen(self.seat)

    def play(self) -> int:
        """Run until the user leaves; the exit status: 0, 128 + n after signal n, CRASHED after a fault of ours.

        Raises WiresideError for what could not be opened on the way; the terminal has been restored by then.
        """
        status = self.run()
        if self.fault is not None:
            raise self.fault
        return CRASHED if self.return_code or self._panicked else status or 0

    def panic(self, *renderables: RenderableType) -> None:
        """Leave with what went wrong on the restored terminal."""
        self._panicked = True
        super().panic(*renderables)

    def on_terminal_supports_synchronized_output(self) -> None:
        """The terminal has shown a frame."""
        self.seat.pacer.acknowledged(time.perf_counter())

    def suspend_to_shell(self) -> None:
        """Stop as a job of the shell, as Ctrl-Z does."""
        if isinstance(self._driver, TerminalDriver):
            self._driver.suspend()

    @property
    def has_neighbours(self) -> bool:
        """Whether there is a library with scenarios before and after this one."""
        return bool(self._neighbours)

    def open_neighbour(self, direction: int) -> None:
        """Play the library's next (+1) or previous (-1) scenario."""
        if not self._neighbours:
            return
        here = self.seat.session.scenario.path
        index = self._neighbours.index(here) if here in self._neighbours else -1 if direction > 0 else 0
        self._open(self._neighbours[(index + direction) % len(self._neighbours)])

    def open_screen(self, name: str) -> None:
        """Show another screen over the present one, and play the scenario that is chosen there, if one is."""
        self.push_screen(SCREENS[name](self.seat), self._open)

    @property
    def lessons(self) -> list[Lesson]:
        """The library, read when it is first asked for."""
        if not self._lessons:
            self._lessons = [self._lesson(path) for path in self._neighbours]
        return self._lessons

    def _lesson(self, path: str) -> Lesson:
        from wireside.scenario.load import load  # noqa: PLC0415

        try:
            return lesson_of(load(path))
        except WiresideError as fault:
            return Lesson(path, Path(path).stem, "", fault=str(fault))

    def _open(self, path: str | None) -> None:
        """Play the scenario at `path`; None: go on with this one."""
        if path is None or self._open_path is None:
            return
        try:
            session = self._open_path(path)
        except WiresideError as fault:
            self.fault = fault
            self.exit(2)
            return
        screen = self.screen_stack[0]
        assert isinstance(screen, JourneyScreen)
        screen.take(session)


def look_from_environment(environ: Mapping[str, str], encoding: str) -> Look:
    """Colours and characters that this terminal can show."""
    palette = Palette(depth_from_environment(environ), roles_from_environment(environ))
    return Look(palette, glyphs_from_environment(environ, encoding))


def make_session(
    scenario: Scenario,
    *,
    seed: int | None = None,
    sysctl: Mapping[str, str] | None = None,
) -> Session:
    """A session of `scenario`."""
    return pictured(Beginning(scenario, scenario.seed if seed is None else seed, dict(sysctl or {})))


def run(
    what: str | Recording,
    *,
    seed: int | None = None,
    kernel: str | None = None,
    sysctl: Mapping[str, str] | None = None,
    renderer: str = "auto",
    fps: int = 30,
) -> int:
    """Play the scenario at a path, or a recording from its moment on, until the user quits; return the exit status.

    `renderer` is "safe" (through Textual's compositor), "fast" or "auto" (cell differences written directly
    wherever that is possible). Raises WiresideError after the terminal has been restored.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CommandError(
            "the picture needs a terminal", next_step="`wireside run SCENARIO` plays a scenario as text."
        )
    from wireside.scenario.library import index, scenario_dir  # noqa: PLC0415
    from wireside.scenario.load import load  # noqa: PLC0415
    from wireside.sim import heap  # noqa: PLC0415

    def open_path(where: str) -> Session:
        return make_session(load(where, kernel=kernel), seed=seed, sysctl=sysctl)

    if isinstance(what, str):
        session = open_path(what)
    else:
        session = pictured(what.beginning)
        session.take_up(what, time.perf_counter() + OPENING_S)

    app = WiresideApp(
        session,
        renderer=renderer,
        fps=fps,
        neighbours=[str(scenario_dir() / f"{name}.yaml") for name in index()],
        open_path=open_path,
    )
    heap.keep_still()
    return app.play()
