"""The journey screen: panes, keys, and the one tick that drives everything."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from wireside.catalog.actions import ALWAYS, BY_KEY, FOOTER, HELP
from wireside.catalog.packet_kinds import PacketKind
from wireside.paint.layout import SEARCH, Layout, layout
from wireside.paint.pane import is_same
from wireside.paint.panes import draw_help, draw_too_small
from wireside.paint.screen import SPECS
from wireside.paint.ui import Ui
from wireside.paint.viewer import Viewer
from wireside.tui.knobs import KnobKeys
from wireside.tui.pacing import Pacer
from wireside.tui.pane import Pane, RichStyles
from wireside.tui.terminal import QUERY
from wireside.tui.tools import ToolKeys

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual import events
    from textual.app import ComposeResult

    from wireside.paint.look import Look
    from wireside.paint.pane import PaneSpec
    from wireside.paint.surface import Surface
    from wireside.session.session import Player
    from wireside.tui.fast import FastWriter

SIMULATION_BUDGET_S = 0.008
"""The longest slice of a tick that goes to the simulation, so that keys are answered at once."""
SHORTEST_SLICE_S = 0.003
LONGEST_TICK_S = 0.016
"""What simulating and drawing may take together, so that a key waits for no more than about this."""
PANES = tuple(SPECS)
FOCUS = ("", "knobs", "tools")
"""Who has the keyboard, in the order of Tab."""
KINDS = tuple(kind for kind in PacketKind if kind is not PacketKind.ICMP)


class JourneyScreen(Screen[None]):
    """One scenario playing."""

    DEFAULT_CSS = """
    JourneyScreen { layers: panes over; overflow: hidden; }
    JourneyScreen Pane { position: absolute; layer: panes; }
    JourneyScreen #pane-over { layer: over; display: none; }
    """

    def __init__(self, player: Player, look: Look, writer: FastWriter | None, fps: int) -> None:
        super().__init__()
        self.look, self.writer, self.fps = look, writer, fps
        self.knobs = KnobKeys(player)
        self.tools = ToolKeys()
        self.focus_pane = ""
        self.pacer = Pacer(fps)
        self.frames = 0
        styles = RichStyles(look.palette)
        ground = look.style("text")
        self.panes = {name: Pane(name, styles, ground) for name in PANES}
        self.over = Pane("over", styles, ground)
        self.plan = Layout(0, 0)
        self._helping = False
        self._stale = True
        self._told = 0, 0
        """How many beats have been told, and for how many seconds the run waits: both are shown at once."""
        self._last = time.perf_counter()
        self._fps_shown, self._fps_since, self._fps_frames = 0.0, self._last, 0
        self._draw_s = 0.004
        self._drawn: dict[str, tuple[object, ...]] = {}
        """Pane → what it was last drawn from."""
        self.take(player)
        self.frame, self.ui = self.viewer.frame(), Ui()

    def take(self, player: Player) -> None:
        """Show another player, or the same one begun again."""
        self.player = player
        self.viewer = Viewer(player)
        self.knobs.take(player)
        self._stale = True

    def compose(self) -> ComposeResult:
        """All panes; `_arrange` shows those that have a place."""
        yield from self.panes.values()
        yield self.over

    def on_mount(self) -> None:
        """Begin to tick."""
        self._arrange()
        self.ticking = self.set_interval(1 / self.fps, self.tick)
        self.app.app_resume_signal.subscribe(self, self.redraw)

    def redraw(self, _: object = None) -> None:
        """Draw every cell again: the terminal may show anything by now."""
        for pane in (*self.panes.values(), self.over):
            pane.forget()
        self._last = time.perf_counter()
        self._arrange()
        self.refresh(layout=True)

    def on_resize(self) -> None:
        """Give every pane its place in the new size."""
        self._arrange()

    def _arrange(self) -> None:
        w, h = self.app.size
        self.plan = layout(w, h, SEARCH if self.knobs.searching else self.focus_pane)
        for name, pane in self.panes.items():
            rect = self.plan.panes.get(name)
            pane.display = rect is not None
            if rect is not None:
                pane.place(rect.x, rect.y, rect.w, rect.h)
        self.over.display = self.plan.too_small or self._helping
        if self.plan.too_small:
            self.over.place(0, 0, max(1, w), max(1, h))
        elif self._helping:
            rows = min(h - 4, len(HELP) + 6)
            self.over.place((w - 74) // 2, (h - rows) // 2, 74, rows)
        self._stale = True
        self._drawn.clear()
        if self.is_attached:
            self._draw(PANES)

    def tick(self) -> None:
        """One frame: simulate a slice, look, draw what is due, write once."""
        start = time.perf_counter()
        elapsed, self._last = start - self._last, start
        if self.app.screen_stack[-1:] != [self]:
            return
        moved = False
        if not self._helping and not self.plan.too_small:
            budget = max(
                SHORTEST_SLICE_S, min(SIMULATION_BUDGET_S, min(LONGEST_TICK_S, 1 / self.fps) - self._draw_s)
            )
            moved = self.player.advance(elapsed, start + budget)
            told = self.player.beats_said, math.ceil(self.player.hold_s)
            if told != self._told:
                self._told, self._stale = told, True
        if not moved and not self._stale:
            self._fps_since, self._fps_frames = start, 0
            return
        simulated = time.perf_counter()
        if not self.pacer.ready(start):
            return
        everything, self._stale = self._stale, False
        self._count_frame(start)
        due = PANES if everything else [name for name in PANES if self.frames % SPECS[name].every == 0]
        self._draw(due)
        self._draw_s += 0.1 * (time.perf_counter() - simulated - self._draw_s)

    def _count_frame(self, now: float) -> None:
        self.frames += 1
        self._fps_frames += 1
        if now - self._fps_since >= 1.0:
            self._fps_shown = self._fps_frames / (now - self._fps_since)
            self._fps_since, self._fps_frames = now, 0

    def look_up(self) -> None:
        """See what is to be shown now."""
        self.frame = self.viewer.frame()
        self.tools.follow(self.frame.beat)
        self.ui = Ui(
            self.focus_pane, self.knobs.shown, self.tools.tab, self.tools.first, FOOTER, self._fps_shown
        )

    def _draw(self, names: Iterable[str]) -> None:
        if self.over.display:
            self._draw_over()
            return
        self.look_up()
        writer = self.writer if self.writer is not None and self.writer.available() else None
        for name in names:
            if name in self.plan.panes:
                self._draw_pane(SPECS[name], writer)
        if writer is not None and writer.flush(QUERY):
            self.pacer.sent(time.perf_counter())

    def _draw_pane(self, spec: PaneSpec, writer: FastWriter | None) -> None:
        """Draw one pane, unless it was drawn from the very same facts."""
        frame, ui = self.frame, self.ui
        seen = spec.seen(frame, ui)
        if not is_same(self._drawn.get(spec.name, ()), seen):
            self._drawn[spec.name] = seen
            self.panes[spec.name].frame(lambda surface: spec.draw(surface, self.look, frame, ui), writer)

    def _draw_over(self) -> None:
        def draw(surface: Surface) -> None:
            if self.plan.too_small:
                draw_too_small(surface, self.look)
            else:
                draw_help(surface, self.look, HELP, KINDS)

        self.over.frame(draw, None)

    def on_key(self, event: events.Key) -> None:
        """Answer a key through the registry of actions, or edit the value being typed."""
        event.stop()
        event.prevent_default()
        self._stale = True
        action = BY_KEY.get(event.key) or BY_KEY.get(event.character or "")
        if event.key in ALWAYS:
            getattr(self, f"do_{BY_KEY[event.key].name}")()
        elif self._helping:
            if action is not None and action.name == "quit":
                self.do_quit()
            else:
                self.do_help()
        elif self.knobs.typing or self.knobs.searching:
            self._type_on(event)
        elif action is not None:
            getattr(self, f"do_{action.name}")()

    def _type_on(self, event: events.Key) -> None:
        searching = self.knobs.searching
        if event.key in {"up", "down"}:
            self.knobs.choose(1 if event.key == "down" else -1)
        elif event.key in {"left", "right"}:
            self.knobs.turn_by(1 if event.key == "right" else -1)
        elif event.key == "enter":
            self.knobs.enter()
        elif event.key == "escape":
            self.knobs.back()
        else:
            self.knobs.write(event)
        if self.knobs.searching != searching:
            self._focus_on("knobs")

    def do_pause(self) -> None:
        """Pause, or go on."""
        self.player.toggle_pause()

    def do_step(self) -> None:
        """Run to the next thing that happens."""
        self.player.step()

    def do_slower(self) -> None:
        """Less simulated time per second."""
        self.player.change_pace(-1)

    def do_faster(self) -> None:
        """More simulated time per second."""
        self.player.change_pace(+1)

    def do_restart(self) -> None:
        """Begin again."""
        self.player.restart()
        self.take(self.player)

    def do_focus(self) -> None:
        """Give the keyboard to the next pane."""
        self._focus(+1)

    def do_focus_back(self) -> None:
        """Give the keyboard to the pane before."""
        self._focus(-1)

    def _focus(self, direction: int) -> None:
        self._focus_on(FOCUS[(FOCUS.index(self.focus_pane) + direction) % len(FOCUS)])

    def _focus_on(self, name: str) -> None:
        self.focus_pane = name
        self.knobs.say("")
        self._arrange()

    def _move(self, direction: int) -> None:
        """Up (-1) or down (+1) in the pane that has the keyboard; the knobs get it when none has."""
        if self.focus_pane == "tools":
            self.tools.scroll(self.frame, self.panes["tools"].new.h, direction)
        elif self.focus_pane == "knobs":
            self.knobs.choose(direction)
        else:
            self._focus_on("knobs")

    def _change(self, direction: int) -> None:
        """Left (-1) or right (+1) in the pane that has the keyboard; the knobs get it when none has."""
        if self.focus_pane == "tools":
            self.tools.jump(self.frame, self.panes["tools"].new.h, direction)
        elif self.focus_pane == "knobs":
            self.knobs.turn_by(direction)
        else:
            self._focus_on("knobs")

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
        """Begin to type a value."""
        if self.focus_pane == "tools":
            return
        if self.focus_pane != "knobs":
            self._focus_on("knobs")
        self.knobs.enter()

    def do_find(self) -> None:
        """Look for one of all sysctls."""
        self.knobs.begin_search()
        self._focus_on("knobs")

    def do_back(self) -> None:
        """One step back: no pane has the keyboard."""
        self._focus_on("")

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

    def do_library(self) -> None:
        """Choose a lesson; the run waits."""
        self._application.open_library()

    def on_screen_resume(self) -> None:
        """Come back to the run as it was."""
        if self.frames:
            self.redraw()

    def do_next(self) -> None:
        """Next scenario of the library."""
        self._application.open_neighbour(+1)

    def do_previous(self) -> None:
        """Previous scenario of the library."""
        self._application.open_neighbour(-1)

    def do_help(self) -> None:
        """Show the keys, or hide them; the run waits meanwhile."""
        self._helping = not self._helping
        self._last = time.perf_counter()
        self._arrange()
        if not self._helping:
            self.refresh(layout=True)

    def do_suspend(self) -> None:
        """Stop as a job of the shell; its `fg` goes on."""
        self._application.suspend_to_shell()

    def do_quit(self) -> None:
        """Leave."""
        self.app.exit(0)

    @property
    def _application(self) -> Any:
        return self.app
