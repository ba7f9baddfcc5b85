"""Where each pane stands, for any terminal size."""

from __future__ import annotations

from dataclasses import dataclass, field

from wireside.paint.surface import Rect

MIN_WIDTH, MIN_HEIGHT = 80, 24


@dataclass(frozen=True, slots=True)
class Layout:
    """The rectangles of the panes by name; empty `panes` means that the terminal is too small."""

    w: int
    h: int
    panes: dict[str, Rect] = field(default_factory=dict)

    @property
    def too_small(self) -> bool:
        """Whether nothing but an apology fits."""
        return not self.panes


SEARCH = "search"
"""As the focus: the knobs take all the room below the journey, so that one of all sysctls can be found."""


def layout(w: int, h: int, focus: str = "") -> Layout:
    """Divide `w` by `h` cells; `focus` names the pane that wins where two share one place, or SEARCH.

    Panes: status, journey, narration, tools, knobs, gauges, events, timeline, footer. Below 120 columns knobs and gauges
    share one place; of the timeline the story's line is always there, its strips and the events when there is room.
    """
    if w < MIN_WIDTH or h < MIN_HEIGHT:
        return Layout(w, h)
    panes = {"status": Rect(0, 0, w, 1), "footer": Rect(0, h - 1, w, 1)}
    journey = _journey_height(w, h)
    narration = 5 if h < 28 or (h < 40 and w >= 100) else 6
    timeline = 1 if h < 32 else 5 if h < 46 else 7
    panes["journey"] = Rect(0, 1, w, journey)
    if focus == SEARCH:
        panes["knobs"] = Rect(0, 1 + journey, w, h - 1 - timeline - 1 - journey)
        if timeline:
            panes["timeline"] = Rect(0, h - 1 - timeline, w, timeline)
        return Layout(w, h, panes)
    panes["narration"] = Rect(0, 1 + journey, w, narration)
    top = 1 + journey + narration
    below = h - 1 - timeline
    if timeline:
        panes["timeline"] = Rect(0, below, w, timeline)
    _middle(panes, Rect(0, top, w, below - top), focus)
    return Layout(w, h, panes)


def whole(w: int, h: int, pane: str) -> Layout:
    """One pane for the whole terminal."""
    return Layout(w, h) if w < MIN_WIDTH or h < MIN_HEIGHT else Layout(w, h, {pane: Rect(0, 0, w, h)})


def _journey_height(w: int, h: int) -> int:
    """Rows for the pipeline: what the rest can spare, odd lanes first."""
    if h < 28:
        return 10
    if h < 34:
        return 13
    return 14 if h < 44 else min(22, 14 + (h - 40) // 2)


def _middle(panes: dict[str, Rect], area: Rect, focus: str) -> None:
    if area.w < 116:
        right = 34 if area.w < 100 else 39
        left = Rect(area.x, area.y, area.w - right, area.h)
        panes["tools"] = left
        panes["knobs" if focus == "knobs" else "gauges"] = Rect(left.right, area.y, right, area.h)
        return
    gauges = 39 if area.w < 150 else 48
    knobs = 27 if area.w < 150 else 48
    left = Rect(area.x, area.y, area.w - gauges - knobs, area.h)
    panes["knobs"] = Rect(left.right, area.y, knobs, area.h)
    panes["gauges"] = Rect(left.right + knobs, area.y, gauges, area.h)
    if area.h >= 16:
        half = area.h // 2 + 1
        panes["tools"] = Rect(left.x, left.y, left.w, half)
        panes["events"] = Rect(left.x, left.y + half, left.w, area.h - half)
    else:
        panes["tools"] = left
