"""The timeline: strips of the run, chosen by what it is about, and the story's line with its marks and the instant shown."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from wireside.catalog import places
from wireside.paint.axis import Axis, real_time, story_time
from wireside.paint.glyphs import plain
from wireside.paint.palette import STATE_COLORS, mix
from wireside.paint.pane import PaneSpec
from wireside.paint.strokes import border, strip
from wireside.paint.surface import Rect
from wireside.paint.words import count, short_clock, span

if TYPE_CHECKING:
    from wireside.paint.frame import Frame
    from wireside.paint.look import Look
    from wireside.paint.palette import RGB
    from wireside.paint.surface import Surface
    from wireside.paint.ui import Ui
    from wireside.session.film import Past

LEFT, RIGHT = 13, 14
"""Columns left of the strips, and right of them."""
LEAST_FOR_SPANS = 7
"""From so many rows on it is said how long each stretch lasts."""
SERIES_COLORS = {
    "pps": "accent", "ring": "hot", "rmem": "DATA", "drops": "bad", "accept q": "accent", "SYN reqs": "FIN", **STATE_COLORS,
}  # fmt: skip
_TITLES = {"pps": "pkt/s"}
PARTS = frozenset(("ring", "rmem"))
"""Series that are shares of a limit; the others count."""
ORDER = ("pps", "ring", "accept q", "SYN reqs", "rmem")
_WEIGHTS = {"CLOSE-WAIT": 1.0, "TIME-WAIT": 0.8, "FIN-WAIT-2": 0.7, "ESTAB": 0.3}
"""How much a large pile in a state says about a run; 0.6 for those not listed."""
LOSSES, TRAFFIC = 0.9, 0.2
"""What losses of any number, and packets as such, say about a run."""
SUBJECT = 1.0
ENOUGH = 20
"""So many sockets are half of the largest pile that there can be."""
DARK = 0.4
"""How much of its colour the known future of a strip keeps."""
MARKS = {"beat": ("◆", "!", "warn"), "knob": ("◇", "o", "FIN"), "loss": ("×", "v", "bad")}  # noqa: RUF001
"""Kind of a mark → its character, the same in ASCII, its colour."""


def telling(past: Past, subjects: frozenset[str], most: int) -> list[str]:
    """The `most` series that a run is about: what it speaks of, what filled, what piled up, what was lost.

    It goes by the largest values so far, so that strips do not come and go.
    """
    largest, lost = past.most, past.last("drops")

    def worth(name: str) -> float:
        value = largest.get(name, 0.0)
        if name == "drops":
            weight = LOSSES if lost else 0.0
        elif name == "pps":
            weight = TRAFFIC
        elif name in ORDER:
            weight = min(1.0, value)
        else:
            weight = _WEIGHTS.get(name, 0.6) * value / (value + ENOUGH)
        return weight + SUBJECT if name in subjects and value else weight

    chosen = sorted(past.names(), key=worth, reverse=True)[:most]
    place = {name: number for number, name in enumerate(ORDER)}
    return sorted(chosen, key=lambda name: place.get(name, 99 if name == "drops" else 50))


def axis_of(frame: Frame, ui: Ui, pane_width: int) -> Axis:
    """The axis of a timeline pane so many columns wide."""
    width = max(1, pane_width - LEFT - RIGHT)
    return real_time(frame, width) if ui.real_time else story_time(frame, width)


def instant_at(frame: Frame, ui: Ui, pane_width: int, x: int) -> int:
    """The instant that column `x` of the pane stands for, as far as the run is known, ns."""
    axis = axis_of(frame, ui, pane_width)
    return min(axis.instant(min(x - LEFT, axis.width)), max(frame.past.known_ns, frame.t))


def neighbour(frame: Frame, ui: Ui, pane_width: int, direction: int) -> int:
    """The instant one column to the left (-1) or right (+1) of the one that is shown, as far as the run is known, ns."""
    axis = axis_of(frame, ui, pane_width)
    column = axis.column(frame.t)
    known = max(frame.past.known_ns, frame.t)
    if direction > 0:
        return min(known, max(axis.instant(column + 1), frame.t + 1))
    start = axis.instant(column)
    return start if start < frame.t else max(0, min(axis.instant(column - 1), frame.t - 1))


def draw_timeline(surface: Surface, look: Look, frame: Frame, ui: Ui) -> None:
    """Strips of the whole run, and a line with the story's marks and the moment shown; of one row, the line alone."""
    surface.clear()
    axis = axis_of(frame, ui, surface.w)
    if surface.h < 3:
        _rule(surface, look, frame, axis, 0, focused=ui.focus_pane == SPEC.name)
        return
    lit = SPEC.name in {ui.focus_pane, frame.highlight[1]}
    border(surface, look, SPEC.title, _note(look, frame, ui), lit=lit)
    spans = surface.h >= LEAST_FOR_SPANS
    rows = surface.h - 3 - spans
    names = telling(frame.past, frame.subjects, min(4, rows))
    height = max(1, rows // len(names))
    y = 1
    edges = axis.instants()
    bounds = frame.past.bounds(edges)
    here, known = axis.column(frame.t) + 1, axis.column(frame.past.known_ns) + 2
    for name in names:
        so_far = frame.past.columns(name, edges[: here + 1], bounds[: here + 1], future=False)
        to_come = frame.past.columns(name, edges[here:known], bounds[here:known], future=True)
        _strip(surface, look, frame.past, name, Rect(LEFT, y, axis.width, height), so_far, to_come)
        y += height
    _rule(surface, look, frame, axis, surface.h - 2 - spans)
    if spans:
        _spans(surface, look, axis, surface.h - 2)


def _note(look: Look, frame: Frame, ui: Ui) -> str:
    """What the axis is, and what can be done with it."""
    kind = "real time" if ui.real_time else "story time"
    if ui.focus_pane == SPEC.name:
        other = "story time" if ui.real_time else "real time"
        return plain(f"{kind} · \\ {other} · ← → go there", look.glyphs)
    total = span(frame.scenario.duration_ns)
    return plain(f"{kind}, {total} in all", look.glyphs)


def _strip(
    surface: Surface, look: Look, past: Past, name: str, at: Rect, so_far: list[float], to_come: list[float]
) -> None:
    """One series: so far in its colour, and darker what is known of its future."""
    color = look.palette.rgb(SERIES_COLORS[name])
    top = 1.0 if name in PARTS else max([*so_far, *to_come], default=0.0)
    base, here = at.bottom - 1, len(so_far)
    surface.put(2, base, _TITLES.get(name, name), look.style(color))
    strip(surface, look, Rect(at.x, at.y, here, at.h), so_far, top, color)
    dark: RGB = mix(look.palette.rgb("bg"), color, DARK)
    strip(surface, look, Rect(at.x + here, at.y, at.w - here, at.h), to_come, top, dark)
    last = past.last(name)
    text = f"{last:.0%}" if name in PARTS else count(last)
    surface.put_right(surface.w - 2, base, text, look.style(color, bold=True))


def _rule(surface: Surface, look: Look, frame: Frame, axis: Axis, y: int, *, focused: bool = False) -> None:
    """The story's line: what was, what is known, what will come, the marks on it, and where we are."""
    glyphs = look.glyphs
    here, known = axis.column(frame.t), axis.column(max(frame.past.known_ns, frame.t))
    surface.put(2, y, "story", look.style("accent" if focused else "dim", bold=focused))
    surface.put(LEFT, y, glyphs.rule * here, look.style("accent"))
    surface.put(LEFT + here, y, glyphs.rule * (known - here), look.style("dim"))
    surface.put(LEFT + known, y, glyphs.dash * (axis.width - known), look.style("faint"))
    for k in range(len(axis.edges) - 1, axis.stretches):
        surface.cell(LEFT + axis.border(k), y, MARKS["beat"][not glyphs.unicode], look.style("faint"))
    for at in frame.branches:
        surface.cell(LEFT + axis.column(at), y, "┬" if glyphs.unicode else "Y", look.style("FIN", bold=True))
    for mark in sorted(frame.marks, key=lambda mark: mark.kind == "beat"):
        wide, narrow, color = MARKS[mark.kind]
        future = mark.position.time_ns > frame.t
        style = look.style("dim" if future else color, bold=not future)
        surface.cell(LEFT + axis.column(mark.position.time_ns), y, wide if glyphs.unicode else narrow, style)
    if known > here:
        surface.cell(LEFT + known, y, "●" if glyphs.unicode else "|", look.style("dim"))
    now = ("◯" if known > here else "●") if glyphs.unicode else "O"
    surface.cell(LEFT + here, y, now, look.style("bright", bold=True))
    surface.put_right(
        surface.w - 2, y, plain(f"{short_clock(frame.t)} s", glyphs), look.style("bright", bold=True)
    )


def _spans(surface: Surface, look: Look, axis: Axis, y: int) -> None:
    """How long each stretch lasts."""
    surface.put(2, y, "lasts", look.style("dim"))
    for k, (start, end) in enumerate(pairwise(axis.edges)):
        text, room = plain(span(end - start), look.glyphs), axis.border(k + 1) - axis.border(k)
        if len(text) < room and (k < len(axis.edges) - 2 or not axis.unknown):
            surface.put(LEFT + axis.border(k), y, text, look.style("dim"))


SPEC = PaneSpec(
    "timeline",
    "TIMELINE",
    draw_timeline,
    every=6,
    words=places.PANE_WORDS["timeline"],
    needs=frozenset(
        ("scenario", "t", "past", "marks", "branches", "subjects", "beat", "focus_pane", "real_time")
    ),
)
