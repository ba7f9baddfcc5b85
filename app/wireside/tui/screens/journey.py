"""The journey's screen: the packet's way, what the tools print, and the knobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from wireside.catalog.actions import Where
from wireside.paint.layout import SEARCH, Layout, layout
from wireside.paint.timeline import instant_at, neighbour
from wireside.paint.ui import Ui
from wireside.paint.words import span
from wireside.tui.knobs import KnobKeys
from wireside.tui.screens.run import RunScreen
from wireside.tui.tools import ToolKeys

if TYPE_CHECKING:
    from textual import events

    from wireside.session.session import Session
    from wireside.tui.seat import Seat

FOCUS = ("", "knobs", "tools", "timeline")
"""Who has the keyboard, in the order of Tab; "timeline" where the screen has room for it."""


class JourneyScreen(RunScreen):
    """One scenario playing."""

    WHERE = Where.JOURNEY
    PANES: ClassVar[tuple[str, ...]] = (
        "status", "journey", "narration", "tools", "knobs", "gauges", "events", "timeline", "footer",
    )  # fmt: skip

    def __init__(self, seat: Seat) -> None:
        self.knobs = KnobKeys(seat.session)
        self.tools = ToolKeys()
        self.focus_pane = ""
        self._branches = len(seat.session.branches)
        super().__init__(seat)

    def _turned(self) -> None:
        """Say it when turning a knob has made another run of this one."""
        branches = self.session.branches
        if len(branches) > self._branches:
            self.note = f"Another run from here on: the one that was known up to {span(branches[-1].known_ns)} is left."
        self._branches = len(branches)

    def take(self, session: Session) -> None:
        """Show another session, or the same one begun again."""
        super().take(session)
        self.knobs.take(session)
        self._branches = len(session.branches)

    @property
    def where(self) -> Where:
        """The field in which a sysctl or a value is typed, or the screen."""
        if self.knobs.searching:
            return Where.SYSCTL_SEARCH
        return Where.KNOB_VALUE if self.knobs.typing else Where.JOURNEY

    def layout_of(self, w: int, h: int) -> Layout:
        """The knobs take more room while one of all sysctls is looked for."""
        return layout(w, h, SEARCH if self.knobs.searching else self.focus_pane)

    def chosen(self) -> Ui:
        """The pane with the keyboard, the state of the knobs, and the tool that the story or the reader chose last."""
        self.tools.follow(self.frame.beat)
        return Ui(
            self.focus_pane,
            self.knobs.shown,
            self.tools.tab,
            self.tools.first,
            self.keys,
            self.fps_shown,
            real_time=self.real_time,
            note=self.note,
        )

    def write(self, event: events.Key) -> None:
        """Into the value, or the search, of the knobs pane."""
        self.knobs.write(event)

    def _focus(self, direction: int) -> None:
        order = [name for name in FOCUS if name != "timeline" or name in self.plan.panes]
        here = order.index(self.focus_pane) if self.focus_pane in order else 0
        self._focus_on(order[(here + direction) % len(order)])

    def _focus_on(self, name: str) -> None:
        self.focus_pane = name
        self.knobs.say("")
        self.place_panes()

    def _move(self, direction: int) -> None:
        """Up (-1) or down (+1) in the pane that has the keyboard; the knobs get it when none has."""
        if self.where.field or self.focus_pane == "knobs":
            self.knobs.choose(direction)
        elif self.focus_pane == "tools":
            self.tools.scroll(self.frame, self.panes["tools"].new.h, direction)
        else:
            self._focus_on("knobs")

    def _change(self, direction: int) -> None:
        """Left (-1) or right (+1) in the pane that has the keyboard; the knobs get it when none has."""
        if self.where.field or self.focus_pane == "knobs":
            self.knobs.turn_by(direction)
            self._turned()
        elif self.focus_pane == "tools":
            self.tools.jump(self.frame, self.panes["tools"].new.h, direction)
        elif self.focus_pane == "timeline":
            self._scrub(direction)
        else:
            self._focus_on("knobs")

    def _scrub(self, direction: int) -> None:
        """Along the timeline: one column to the left (-1) or the right (+1)."""
        frame = self.seat.frame()  # keys may come faster than frames
        self.travel(neighbour(frame, self.chosen(), self.panes["timeline"].new.w, direction))

    def pointed(self, name: str, x: int, y: int) -> None:
        """The mouse is pressed, or drawn, in a pane: on the timeline the run goes there."""
        if name == "timeline":
            if self.focus_pane != name:
                self._focus_on(name)
            self.travel(instant_at(self.frame, self.chosen(), self.panes[name].new.w, x))

    def wheeled(self, name: str, direction: int) -> None:
        """The wheel was turned over a pane: lines of the tools, columns of the timeline."""
        if name == "timeline":
            self._scrub(direction)
        elif name == "tools":
            self.tools.scroll(self.frame, self.panes[name].new.h, direction)

    def do_focus(self) -> None:
        """Give the keyboard to the next pane."""
        self._focus(+1)

    def do_focus_back(self) -> None:
        """Give the keyboard to the pane before."""
        self._focus(-1)

    def do_up(self) -> None:
        """The knob or line above."""
        self._move(-1)

    def do_down(self) -> None:
        """The knob or line below."""
        self._move(+1)

    def do_less(self) -> None:
        """Turn the chosen knob down, or go to the state before."""
        self._change(-1)

    def do_more(self) -> None:
        """Turn the chosen knob up, or go to the next state."""
        self._change(+1)

    def do_type(self) -> None:
        """Set the value that is typed, take in the sysctl that was found, or begin to type a value."""
        if self.where.field:
            searching = self.knobs.searching
            self.knobs.enter()
            self._turned()
            if searching and not self.knobs.searching:
                self._focus_on("knobs")
        elif self.focus_pane in {"", "knobs"}:
            if not self.focus_pane:
                self._focus_on("knobs")
            self.knobs.enter()

    def do_find(self) -> None:
        """Look for one of all sysctls."""
        self.knobs.begin_search()
        self._focus_on("knobs")

    def do_back(self) -> None:
        """One step back: out of what is typed, then no pane has the keyboard."""
        searching = self.knobs.searching
        if not self.knobs.back():
            self._focus_on("")
        elif searching:
            self._focus_on("knobs")

    def do_tab_1(self) -> None:
        """Sockets."""
        self.tools.show(1)

    def do_tab_2(self) -> None:
        """Counters."""
        self.tools.show(2)

    def do_tab_3(self) -> None:
        """Events."""
        self.tools.show(3)

    def do_tab_4(self) -> None:
        """Packets."""
        self.tools.show(4)
