"""The library's screen: a lesson is chosen while the run underneath waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from wireside.catalog.actions import Where
from wireside.paint.layout import Layout, whole
from wireside.paint.lessons import library_of
from wireside.paint.ui import Ui
from wireside.tui.knobs import typed_on
from wireside.tui.screens.ticking import TickingScreen

if TYPE_CHECKING:
    from textual import events

    from wireside.tui.seat import Seat


class LibraryScreen(TickingScreen):
    """Ends with the path of the lesson to play, or without one."""

    WHERE = Where.LIBRARY
    PANES: ClassVar[tuple[str, ...]] = ("library",)
    RUNS = False

    def __init__(self, seat: Seat) -> None:
        self.shown = library_of(())
        super().__init__(seat)

    def on_mount(self) -> None:
        """List the lessons."""
        self.shown = library_of(self.application.lessons, self.seat.session.scenario.path)

    @property
    def where(self) -> Where:
        """The filter while it is typed, or the list."""
        return Where.LIBRARY if self.shown.filter is None else Where.LESSON_FILTER

    def layout_of(self, w: int, h: int) -> Layout:
        """The list and the chosen lesson are one pane."""
        return whole(w, h, "library")

    def chosen(self) -> Ui:
        """The chosen lesson and the filter."""
        return Ui(keys=self.keys, library=self.shown)

    def write(self, event: events.Key) -> None:
        """Into the filter."""
        self.shown = self.shown.find(typed_on(self.shown.filter or "", event))

    def do_up(self) -> None:
        """The lesson above."""
        self.shown = self.shown.choose(-1)

    def do_down(self) -> None:
        """The lesson below."""
        self.shown = self.shown.choose(+1)

    def do_type(self) -> None:
        """Play the chosen lesson; a damaged one says what is wrong with it."""
        lesson = self.shown.lesson
        if lesson is not None and not lesson.fault:
            self.dismiss(lesson.path)

    def do_find(self) -> None:
        """Begin to filter."""
        self.shown = self.shown.find("")

    def do_back(self) -> None:
        """One step back: all lessons, then the run that waits."""
        if self.shown.filter is not None:
            self.shown = self.shown.find(None)
        else:
            super().do_back()
