"""What every screen does: one tick that moves the run and draws what is due, keys through the registry, a page of help."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any, ClassVar

from textual.screen import Screen

from wireside.catalog.actions import Where, acting, footer, help_of
from wireside.catalog.packet_kinds import PacketKind
from wireside.paint.layout import Layout
from wireside.paint.pane import is_same
from wireside.paint.panes import draw_help, draw_too_small
from wireside.paint.screen import SPECS
from wireside.tui.pane import Pane, RichStyles
from wireside.tui.terminal import QUERY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual import events
    from textual.app import ComposeResult

    from wireside.paint.pane import PaneSpec
    from wireside.paint.surface import Surface
    from wireside.paint.ui import Ui
    from wireside.tui.fast import FastWriter
    from wireside.tui.seat import Seat

SIMULATION_BUDGET_S = 0.008
"""The longest slice of a tick that goes to the simulation, so that keys are answered at once."""
SHORTEST_SLICE_S = 0.003
LONGEST_TICK_S = 0.016
"""What simulating and drawing may take together, so that a key waits for no more than about this."""
KINDS = tuple(kind for kind in PacketKind if kind is not PacketKind.ICMP)
HELP_WIDTH = 74


class TickingScreen(Screen["str | None"]):
    """A screen of panes over the run; it may end with the path of a scenario to play.

    A screen has a name, its panes, a layout and what the reader chose, and one method `do_<name>` for each action that
    acts on it.
    """

    WHERE: ClassVar[Where]
    PANES: ClassVar[tuple[str, ...]]
    """The panes that it may show, by name."""
    RUNS: ClassVar[bool] = True
    """Whether the run goes on meanwhile; where it does not, a key is answered by a new picture at once."""

    DEFAULT_CSS = """
    TickingScreen { layers: panes over; overflow: hidden; }
    TickingScreen Pane { position: absolute; layer: panes; }
    TickingScreen #pane-over { layer: over; display: none; }
    """

    def __init__(self, seat: Seat) -> None:
        super().__init__()
        self.seat = seat
        self.look = seat.look
        styles = RichStyles(seat.look.palette)
        ground = seat.look.style("text")
        self.panes = {name: Pane(name, styles, ground) for name in self.PANES}
        self.over = Pane("over", styles, ground)
        self.plan = Layout(0, 0)
        self.frames = 0
        self.fps_shown = 0.0
        self._helping = False
        self._stale = True
        self._drawn: dict[str, tuple[object, ...]] = {}
        """Pane → what it was last drawn from."""
        self._told = 0, 0
        """How many beats have been told, and for how many seconds the run waits: both are shown at once."""
        self._last = time.perf_counter()
        self._fps_since, self._fps_frames = self._last, 0
        self._draw_s = 0.004
        self.note = ""
        """What has just become of the run by a key; until the next key."""
        self.frame = seat.frame()

    @property
    def where(self) -> Where:
        """Who takes the keys now: the screen, or a field on it."""
        return self.WHERE

    @property
    def idle(self) -> frozenset[str]:
        """Actions of this screen that can do nothing now, by name."""
        return frozenset()

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        """The footer."""
        return footer(self.where, self.idle)

    def layout_of(self, w: int, h: int) -> Layout:
        """Where the panes stand in a terminal of `w` by `h` cells."""
        raise NotImplementedError

    def chosen(self) -> Ui:
        """What the reader chose."""
        raise NotImplementedError

    def write(self, event: events.Key) -> None:
        """Take a key that is text into the field that is typed in."""

    def compose(self) -> ComposeResult:
        """All panes; `place_panes` shows those that have a place."""
        yield from self.panes.values()
        yield self.over

    def on_mount(self) -> None:
        """Begin to tick."""
        self.place_panes()
        self.ticking = self.set_interval(1 / self.seat.fps, self.tick)
        self.app.app_resume_signal.subscribe(self, self.redraw)

    def on_screen_resume(self) -> None:
        """Come back to the screen as it was."""
        if self.frames:
            self.redraw()

    def on_resize(self) -> None:
        """Give every pane its place in the new size."""
        self.place_panes()

    def redraw(self, _: object = None) -> None:
        """Draw every cell again: the terminal may show anything by now."""
        for pane in (*self.panes.values(), self.over):
            pane.forget()
        self._last = time.perf_counter()
        self.place_panes()
        self.refresh(layout=True)

    def place_panes(self) -> None:
        """Give every pane its place, and draw."""
        w, h = self.app.size
        self.plan = self.layout_of(w, h)
        for name, pane in self.panes.items():
            rect = self.plan.panes.get(name)
            pane.display = rect is not None
            if rect is not None:
                pane.place(rect.x, rect.y, rect.w, rect.h)
        self.over.display = self.plan.too_small or self._helping
        if self.plan.too_small:
            self.over.place(0, 0, max(1, w), max(1, h))
        elif self._helping:
            rows = min(h, len(help_of(self.where, self.idle)) + 6)
            self.over.place((w - HELP_WIDTH) // 2, (h - rows) // 2, HELP_WIDTH, rows)
        self._stale = True
        self._drawn.clear()
        if self.is_attached:
            self.draw(self.PANES)

    def tick(self) -> None:
        """One frame: simulate a slice, look, draw what is due, write once."""
        start = time.perf_counter()
        elapsed, self._last = start - self._last, start
        if self.app.screen_stack[-1:] != [self]:
            return
        moved = self.RUNS and not self._helping and not self.plan.too_small and self.run_on(elapsed, start)
        if not moved and not self._stale:
            self._fps_since, self._fps_frames = start, 0
            return
        simulated = time.perf_counter()
        if not self.seat.pacer.ready(start):
            return
        everything, self._stale = self._stale, False
        self._count_frame(start)
        self.draw(name for name in self.PANES if everything or self.frames % SPECS[name].every == 0)
        self._draw_s += 0.1 * (time.perf_counter() - simulated - self._draw_s)

    def run_on(self, elapsed: float, start: float) -> bool:
        """Let the run go on for a slice; True if it moved or a beat was told."""
        session, tick_s = self.seat.session, min(LONGEST_TICK_S, 1 / self.seat.fps)
        budget = max(SHORTEST_SLICE_S, min(SIMULATION_BUDGET_S, tick_s - self._draw_s))
        moved = session.advance(elapsed, start + budget)
        told = session.beats_said, math.ceil(session.hold_s)
        if told != self._told:
            self._told, self._stale = told, True
        return moved

    def _count_frame(self, now: float) -> None:
        self.frames += 1
        self._fps_frames += 1
        if now - self._fps_since >= 1.0:
            self.fps_shown = self._fps_frames / (now - self._fps_since)
            self._fps_since, self._fps_frames = now, 0

    def draw(self, names: Iterable[str]) -> None:
        """Draw these panes as they are now, unless a page lies over them."""
        if self.over.display:
            self.over.frame(self._draw_over, None)
            return
        self.frame = self.seat.frame()
        ui = self.chosen()
        fast = self.seat.writer
        writer = fast if fast is not None and fast.available(self) else None
        for name in names:
            if name in self.plan.panes:
                self._draw_pane(SPECS[name], ui, writer)
        if writer is not None and writer.flush(QUERY):
            self.seat.pacer.sent(time.perf_counter())

    def _draw_pane(self, spec: PaneSpec, ui: Ui, writer: FastWriter | None) -> None:
        """Draw one pane, unless it was drawn from the very same facts."""
        frame, seen = self.frame, spec.seen(self.frame, ui)
        if not is_same(self._drawn.get(spec.name, ()), seen):
            self._drawn[spec.name] = seen
            self.panes[spec.name].frame(lambda surface: spec.draw(surface, self.look, frame, ui), writer)

    def _draw_over(self, surface: Surface) -> None:
        if self.plan.too_small:
            draw_too_small(surface, self.look)
        else:
            kinds = KINDS if self.RUNS else ()
            draw_help(surface, self.look, help_of(self.where, self.idle), kinds)

    def on_key(self, event: events.Key) -> None:
        """Answer a key through the registry of actions, or type on."""
        event.stop()
        event.prevent_default()
        self._stale, self.note = True, ""
        where = self.where
        action = acting(where, event.key, event.character)
        if self._helping and not (action is not None and action.always):
            self.do_help()
        elif action is None:
            if where.field:
                self.write(event)
        elif action.opens:
            self._open(action.opens)
        else:
            getattr(self, f"do_{action.name}")()
        if not self.RUNS:
            self.tick()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Point at a cell of a pane."""
        self._point(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Draw over a pane with the button held down."""
        if event.button:
            self._point(event)

    def _point(self, event: events.MouseEvent) -> None:
        found = self._pane_at(event)
        if found is not None:
            self._stale, self.note = True, ""
            self.pointed(
                found, event.screen_x - self.plan.panes[found].x, event.screen_y - self.plan.panes[found].y
            )

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """One line up, or one column back."""
        self._wheel(event, -1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """One line down, or one column on."""
        self._wheel(event, +1)

    def _wheel(self, event: events.MouseEvent, direction: int) -> None:
        found = self._pane_at(event)
        if found is not None:
            self._stale = True
            self.wheeled(found, direction)

    def _pane_at(self, event: events.MouseEvent) -> str | None:
        """The pane under the mouse; None where there is none, or a page lies over it."""
        if self.over.display:
            return None
        x, y = event.screen_x, event.screen_y
        places = self.plan.panes.items()
        return next((name for name, at in places if at.x <= x < at.right and at.y <= y < at.bottom), None)

    def pointed(self, name: str, x: int, y: int) -> None:
        """The mouse is pressed, or drawn, at a cell of a pane."""

    def wheeled(self, name: str, direction: int) -> None:
        """The wheel was turned up (-1) or down (+1) over a pane."""

    def _open(self, screen: str) -> None:
        """Another screen over this one; by the same key, back from it."""
        if screen == self.WHERE.screen:
            self.dismiss(None)
        else:
            self.application.open_screen(screen)

    def do_help(self) -> None:
        """Show the keys, or hide them; the run waits meanwhile."""
        self._helping = not self._helping
        self._last = time.perf_counter()
        self.place_panes()
        if not self._helping:
            self.refresh(layout=True)

    def do_back(self) -> None:
        """To the screen underneath."""
        self.dismiss(None)

    def do_suspend(self) -> None:
        """Stop as a job of the shell; its `fg` goes on."""
        self.application.suspend_to_shell()

    def do_quit(self) -> None:
        """Leave."""
        self.app.exit(0)

    @property
    def application(self) -> Any:
        """The app, with what only ours has."""
        return self.app
