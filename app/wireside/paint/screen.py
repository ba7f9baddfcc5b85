"""Every pane by name, and a whole screen on one surface."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.paint.controls import draw_knobs
from wireside.paint.gauges import draw_gauges
from wireside.paint.journey import draw_journey
from wireside.paint.layout import SEARCH, layout
from wireside.paint.panes import draw_events, draw_footer, draw_narration, draw_status, draw_too_small
from wireside.paint.surface import Surface
from wireside.paint.tables import draw_tools
from wireside.paint.timeline import draw_timeline

if TYPE_CHECKING:
    from collections.abc import Callable

    from wireside.paint.view import Look, View

DRAW: dict[str, Callable[[Surface, Look, View], None]] = {
    "status": draw_status,
    "journey": draw_journey,
    "narration": draw_narration,
    "tools": draw_tools,
    "knobs": draw_knobs,
    "gauges": draw_gauges,
    "events": draw_events,
    "timeline": draw_timeline,
    "footer": draw_footer,
}


def draw_screen(w: int, h: int, look: Look, view: View) -> Surface:
    """The whole screen at once: for stills and goldens."""
    ground = look.style("text")
    screen = Surface(w, h, ground)
    plan = layout(w, h, SEARCH if view.knobs.search is not None else view.focus_pane)
    if plan.too_small:
        draw_too_small(screen, look)
    for name, rect in plan.panes.items():
        pane = Surface(rect.w, rect.h, ground)
        DRAW[name](pane, look, view)
        screen.blit(pane, rect.x, rect.y)
    return screen
