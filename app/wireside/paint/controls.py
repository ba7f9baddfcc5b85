"""The knobs pane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.paint.cells import tail
from wireside.paint.glyphs import plain
from wireside.paint.search import draw_search
from wireside.paint.strokes import frame
from wireside.paint.words import fit, rounded, wrap

if TYPE_CHECKING:
    from wireside.paint.surface import Surface
    from wireside.paint.view import Look, View
    from wireside.session.knobs import KnobRow


def draw_knobs(surface: Surface, look: Look, view: View) -> None:
    """Each knob with its value; a mark where it is not the default; below, when a change takes effect."""
    if view.knobs.search is not None:
        draw_search(surface, look, view)
        return
    surface.clear()
    knobs, glyphs = view.knobs, look.glyphs
    focused = view.focus_pane == "knobs"
    frame(surface, look, "KNOBS", _corner(surface, look, view), lit=focused or view.highlight[1] == "knobs")
    width = surface.w - 4
    note, color = _note(view)
    rows = surface.h - 2
    lines = wrap(plain(note, glyphs), width) if note else []
    if len(lines) > rows - 1:
        lines = wrap(plain(note, glyphs).partition("; ")[2] or note, width)[: rows - 1]
    if not knobs.message:
        lines = _shortened(lines, max(rows - len(knobs.rows), rows // 2, 1), look)
    if focused and knobs.rows and (doc := knobs.rows[knobs.chosen].doc) != note:
        more = [*wrap(plain(doc, glyphs), width), ""]
        if len(knobs.rows) + len(lines) + len(more) < rows:
            lines = more + lines
    shown = max(1, rows - len(lines))
    first = max(0, min(knobs.chosen - shown // 2, len(knobs.rows) - shown))
    for y, index in enumerate(range(first, min(len(knobs.rows), first + shown)), start=1):
        typed = knobs.typed if index == knobs.chosen else None
        _knob_row(surface, look, knobs.rows[index], y, typed, chosen=index == knobs.chosen and focused)
    for i, line in enumerate(lines):
        surface.put(2, surface.h - 1 - len(lines) + i, line, look.style(color))
    if not knobs.rows:
        for y, line in enumerate(wrap("This scenario offers no knobs.", width), start=1):
            surface.put(2, y, line, look.style("dim"))


def _shortened(lines: list[str], most: int, look: Look) -> list[str]:
    """At most so many lines; the last one says when there is more."""
    if len(lines) <= most:
        return lines
    return [*lines[: most - 1], f"{lines[most - 1][:-1]}{look.glyphs.ellipsis}"]


def _corner(surface: Surface, look: Look, view: View) -> str:
    """The keys that act here, or what the mark means."""
    if view.knobs.typed is not None:
        return "Esc cancels"
    if view.focus_pane == "knobs":
        return "/ any sysctl"
    return f"{look.glyphs.mark} not the default" if surface.w >= 48 else ""


def _note(view: View) -> tuple[str, str]:
    knobs = view.knobs
    if knobs.message:
        return knobs.message, "bad" if knobs.refused else "good"
    if not knobs.rows:
        return "", "dim"
    if view.focus_pane != "knobs":
        return "Tab: turn them live.", "dim"
    row = knobs.rows[min(knobs.chosen, len(knobs.rows) - 1)]
    if knobs.typed is not None and row.allowed:
        return row.allowed, "dim"
    where = "" if row.host else "; on every host"
    return f"takes effect: {row.when}{where}" if row.when else row.doc, "dim"


def _knob_row(surface: Surface, look: Look, row: KnobRow, y: int, typed: str | None, *, chosen: bool) -> None:
    ground = "select" if chosen else "bg"
    surface.put(1, y, " " * (surface.w - 2), look.style("text", ground))
    if chosen:
        surface.cell(1, y, look.glyphs.cursor, look.style("accent", ground))
    right = surface.w - 2
    if typed is not None:
        text = typed + ("▏" if look.glyphs.unicode else "_")
        left = surface.put_right(
            right, y, tail(text, surface.w - 8), look.style("bright", "track", bold=True)
        )
    else:
        mark = look.glyphs.mark if row.changed else " "
        surface.put_right(right, y, mark, look.style("warn", ground, bold=True))
        value = plain(row.value, look.glyphs)
        if len(value) + len(row.label) + 5 > surface.w:
            if row.unit == "bytes":
                value = " ".join(map(rounded, value.split()))
            value = fit(value, surface.w - 12, look.glyphs.ellipsis)
        style = look.style("warn" if row.changed else "accent", ground, bold=row.changed)
        left = surface.put_right(right - 2, y, value, style)
    label = fit(row.label, max(4, left - 3), look.glyphs.ellipsis)
    surface.put(2, y, label, look.style("bright" if chosen else "text", ground, bold=chosen))
