"""The timeline: strips of the run so far, chosen by what it is about, and the story's line with its marks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.catalog import places
from wireside.paint.glyphs import plain
from wireside.paint.palette import STATE_COLORS
from wireside.paint.pane import PaneSpec
from wireside.paint.strokes import border, strip
from wireside.paint.surface import Rect
from wireside.paint.words import count, span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wireside.paint.frame import Frame
    from wireside.paint.look import Look
    from wireside.paint.surface import Surface
    from wireside.paint.ui import Ui
    from wireside.session.history import Strips

LEFT, RIGHT = 13, 10
"""Columns left of the strips, and right of them."""
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


def telling(strips: Strips, subjects: frozenset[str], most: int) -> list[str]:
    """The `most` series that a run is about: what it speaks of, what filled, what piled up, what was lost.

    It goes by the largest values so far, so that strips do not come and go.
    """

    def worth(name: str) -> float:
        value = strips.most.get(name, 0.0)
        if name == "drops":
            weight = LOSSES if any(strips.series["drops"]) else 0.0
        elif name == "pps":
            weight = TRAFFIC
        elif name in ORDER:
            weight = min(1.0, value)
        else:
            weight = _WEIGHTS.get(name, 0.6) * value / (value + ENOUGH)
        return weight + SUBJECT if name in subjects and value else weight

    chosen = sorted(strips.series, key=worth, reverse=True)[:most]
    places = {name: place for place, name in enumerate(ORDER)}
    return sorted(chosen, key=lambda name: places.get(name, 99 if name == "drops" else 50))


def sampled(series: Sequence[float], columns: int, upto: float, *, add: bool) -> list[float]:
    """`series` squeezed or stretched into `columns` columns, the whole covering `upto` buckets."""
    out = []
    for column in range(columns):
        first, last = column * upto / columns, (column + 1) * upto / columns
        part = series[int(first) : max(int(first) + 1, int(last))]
        out.append((sum(part) if add else max(part)) if part else 0.0)
    return out


def draw_timeline(surface: Surface, look: Look, frame: Frame, ui: Ui) -> None:
    """Strips of the whole run, and a line with the story's marks and the moment shown."""
    surface.clear()
    strips = frame.strips
    border(
        surface,
        look,
        SPEC.title,
        plain(f"of {span(frame.scenario.duration_ns)}", look.glyphs),
        lit=ui.focus_pane == "timeline" or frame.highlight[1] == "timeline",
    )
    width = surface.w - LEFT - RIGHT
    total = max(frame.scenario.duration_ns, frame.t, 1)
    upto = total / strips.bucket_ns
    rows = surface.h - 3
    names = telling(strips, frame.subjects, min(4, rows))
    height = max(1, rows // len(names))
    y = 1
    for name in names:
        series = strips.series[name]
        color = look.palette.rgb(SERIES_COLORS[name])
        values = sampled(series, width, upto, add=name == "drops")
        top = 1.0 if name in PARTS else max(values, default=0.0)
        surface.put(2, y + height - 1, _TITLES.get(name, name), look.style(color))
        strip(surface, look, Rect(LEFT, y, width, height), values, top, color)
        last = series[-1] if series else 0.0
        text = f"{last:.0%}" if name in PARTS else count(sum(series) if name == "drops" else last)
        surface.put_right(surface.w - 2, y + height - 1, text, look.style(color, bold=True))
        y += height
    _rule(surface, look, frame, Rect(2, surface.h - 2, surface.w - 4, 1), LEFT, width, total)


def _rule(surface: Surface, look: Look, frame: Frame, at: Rect, left: int, width: int, total: int) -> None:
    glyphs = look.glyphs
    head = min(width - 1, frame.t * width // total)
    surface.put(left, at.y, glyphs.rule * head, look.style("accent"))
    surface.put(left + head, at.y, glyphs.dash * (width - head), look.style("faint"))
    for moment, kind in frame.strips.marks:
        x = left + min(width - 1, moment * width // total)
        mark = ("◆" if glyphs.unicode else "!") if kind == "beat" else ("◇" if glyphs.unicode else "o")
        surface.cell(x, at.y, mark, look.style("warn" if kind == "beat" else "FIN", bold=True))
    surface.cell(left + head, at.y, "●" if glyphs.unicode else "O", look.style("bright", bold=True))
    surface.put(at.x, at.y, "story", look.style("dim"))


SPEC = PaneSpec(
    "timeline",
    "TIMELINE",
    draw_timeline,
    every=6,
    words=places.PANE_WORDS["timeline"],
    needs=frozenset(("scenario", "t", "strips", "subjects", "beat", "focus_pane")),
)
