"""The library's screen: a lesson is chosen while the run underneath waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.screen import Screen

from wireside.catalog.actions import ALWAYS, BY_KEY, LIBRARY_FOOTER
from wireside.paint.layout import MIN_HEIGHT, MIN_WIDTH
from wireside.paint.library import LibraryView, draw_library
from wireside.paint.panes import draw_too_small
from wireside.tui.knobs import typed_on
from wireside.tui.pane import Pane, RichStyles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.app import ComposeResult

    from wireside.paint.library import Lesson
    from wireside.paint.look import Look
    from wireside.paint.surface import Surface


class LibraryScreen(Screen[str]):
    """Ends with the path of the lesson to play, or without one."""

    DEFAULT_CSS = """
    LibraryScreen { layers: panes; overflow: hidden; }
    LibraryScreen Pane { position: absolute; layer: panes; }
    """

    def __init__(self, lessons: Sequence[Lesson], playing: str, look: Look) -> None:
        super().__init__()
        self.look = look
        self.shown = LibraryView(lessons, playing=playing, keys=LIBRARY_FOOTER)
        self.pane = Pane("library", RichStyles(look.palette), look.style("text"))

    def compose(self) -> ComposeResult:
        """One pane for the whole screen."""
        yield self.pane

    def on_mount(self) -> None:
        """Draw, and draw again after the shell had the terminal."""
        self.app.app_resume_signal.subscribe(self, self.redraw)
        self.redraw()

    def on_resize(self) -> None:
        """Fill the new size."""
        self.redraw()

    def redraw(self, _: object = None) -> None:
        """Draw every cell again."""
        self.pane.place(0, 0, *self.app.size)
        self.pane.forget()
        self._draw()
        self.refresh(layout=True)

    def _draw(self) -> None:
        def draw(surface: Surface) -> None:
            if surface.w < MIN_WIDTH or surface.h < MIN_HEIGHT:
                draw_too_small(surface, self.look)
            else:
                draw_library(surface, self.look, self.shown)

        self.pane.frame(draw, None)

    def on_key(self, event: events.Key) -> None:
        """Answer a key through the registry of actions, or type on in the filter."""
        event.stop()
        event.prevent_default()
        action = BY_KEY.get(event.key) or BY_KEY.get(event.character or "")
        filtering = self.shown.filter is not None
        if filtering and event.key not in {*ALWAYS, "up", "down", "enter", "escape"}:
            self.shown.find(typed_on(self.shown.filter or "", event))
        elif action is not None:
            answer = getattr(self, f"do_{action.name}", None)
            if answer is not None:
                answer()
        self._draw()

    def _choose(self, direction: int) -> None:
        if self.shown.found:
            self.shown.chosen = (self.shown.chosen + direction) % len(self.shown.found)

    def do_up(self) -> None:
        """The lesson above."""
        self._choose(-1)

    def do_down(self) -> None:
        """The lesson below."""
        self._choose(+1)

    def do_type(self) -> None:
        """Play the chosen lesson; a damaged one says what is wrong with it."""
        lesson = self.shown.lesson
        if lesson is not None and not lesson.fault:
            self.dismiss(lesson.path)

    def do_find(self) -> None:
        """Begin to filter."""
        self.shown.find("")

    def do_back(self) -> None:
        """One step back: all lessons, then the run that waits."""
        if self.shown.filter is not None:
            self.shown.find(None)
        else:
            self.dismiss(None)

    def do_library(self) -> None:
        """Back to the run that waits."""
        self.dismiss(None)

    def do_suspend(self) -> None:
        """Stop as a job of the shell."""
        suspend = getattr(self.app, "suspend_to_shell", None)
        if suspend is not None:
            suspend()

    def do_quit(self) -> None:
        """Leave."""
        self.app.exit(0)
