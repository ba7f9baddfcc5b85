"""The knobs pane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.catalog import places
from wireside.paint.cells import tail
from wireside.paint.glyphs import plain
from wireside.paint.pane import PaneSpec
from wireside.paint.search import draw_search
from wireside.paint.strokes import border
from wireside.paint.words import fit, rounded, wrap
from wireside.session.knobs import with_sysctls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wireside.paint.frame import Frame
    from wireside.paint.look import Look
    from wireside.paint.surface import Surface
    from wireside.paint.ui import Ui
    from wireside.session.knobs import KnobRow


def draw_knobs(surface: Surface, look: Look, frame: Frame, ui: Ui) -> None:
    """Each knob with its value; a mark where it is not the default; below, when a change takes effect."""
    if ui.knobs.search is not None:
        draw_search(surface, look, frame, ui)
        return
    surface.clear()
    knobs, glyphs = ui.knobs, look.glyphs
    offered = rows_shown(frame, ui)
    focused = ui.focus_pane == "knobs"
    border(
        surface, look, SPEC.title, _corner(surface, look, ui), lit=focused or frame.highlight[1] == "knobs"
    )
    width = surface.w - 4
    note, color = _note(offered, ui)
    rows = surface.h - 2
    lines = wrap(plain(note, glyphs), width) if note else []
    if len(lines) > rows - 1:
        lines = wrap(plain(note, glyphs).partition("; ")[2] or note, width)[: rows - 1]
    if not knobs.message:
        lines = _shortened(lines, max(rows - len(offered), rows // 2, 1), look)
    if focused and offered and (doc := offered[knobs.chosen].doc) != note:
        more = [*wrap(plain(doc, glyphs), width), ""]
        if len(offered) + len(lines) + len(more) < rows:
            lines = more + lines
    shown = max(1, rows - len(lines))
    first = max(0, min(knobs.chosen - shown // 2, len(offered) - shown))
    for y, index in enumerate(range(first, min(len(offered), first + shown)), start=1):
        typed = knobs.typed if index == knobs.chosen else None
        _knob_row(surface, look, offered[index], y, typed, chosen=index == knobs.chosen and focused)
    for i, line in enumerate(lines):
        surface.put(2, surface.h - 1 - len(lines) + i, line, look.style(color))
    if not offered:
        for y, line in enumerate(wrap("This scenario offers no knobs.", width), start=1):
            surface.put(2, y, line, look.style("dim"))


def rows_shown(frame: Frame, ui: Ui) -> tuple[KnobRow, ...]:
    """The rows of the pane: the scenario's own knobs, and below them the sysctls that the reader has there."""
    return with_sysctls(frame.knob_rows, ui.knobs.extra, frame.host.sysctl, frame.scenario.kernel)


def _shortened(lines: list[str], most: int, look: Look) -> list[str]:
    """At most so many lines; the last one says when there is more."""
    if len(lines) <= most:
        return lines
    return [*lines[: most - 1], f"{lines[most - 1][:-1]}{look.glyphs.ellipsis}"]


def _corner(surface: Surface, look: Look, ui: Ui) -> str:
    """The keys that act here, or what the mark means."""
    if ui.knobs.typed is not None:
        return "Esc cancels"
    if ui.focus_pane == "knobs":
        return "/ any sysctl"
    return f"{look.glyphs.mark} not the default" if surface.w >= 48 else ""


def _note(rows: Sequence[KnobRow], ui: Ui) -> tuple[str, str]:
    knobs = ui.knobs
    if knobs.message:
        return knobs.message, "bad" if knobs.refused else "good"
    if not rows:
        return "", "dim"
    if ui.focus_pane != "knobs":
        return "Tab: turn them live.", "dim"
    row = rows[min(knobs.chosen, len(rows) - 1)]
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


SPEC = PaneSpec(
    "knobs",
    "KNOBS",
    draw_knobs,
    every=8,
    words=places.PANE_WORDS["knobs"],
    needs=frozenset(("scenario", "world", "focus", "knob_rows", "beat", "knobs", "focus_pane")),
)
