"""The knobs pane while a sysctl is looked for: the whole catalog, filtered as one types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.paint.glyphs import plain
from wireside.paint.strokes import border
from wireside.paint.words import fit, wrap
from wireside.session.knobs import with_sysctls

if TYPE_CHECKING:
    from wireside.paint.frame import Frame
    from wireside.paint.look import Look
    from wireside.paint.surface import Surface
    from wireside.paint.ui import Ui
    from wireside.session.knobs import KnobRow

NAME, VALUE = 37, 21
"""Widths: the longest name of the catalog, and three numbers."""
WIDE = 110
"""From this width on what is allowed and when a change takes effect have columns of their own, too."""


def draw_search(surface: Surface, look: Look, frame: Frame, ui: Ui) -> None:
    """What is typed, what it finds with the values now, and for the chosen one its range, unit and moment of effect."""
    surface.clear()
    knobs, glyphs = ui.knobs, look.glyphs
    found = with_sysctls((), knobs.found, frame.host.sysctl, frame.scenario.kernel)
    border(surface, look, "KNOBS", "enter takes it, esc goes back", lit=True)
    end = surface.w - 2
    surface.put(1, 1, " " * (surface.w - 2), look.style("text", "bar"))
    x = surface.put(2, 1, "/ ", look.style("warn", "bar", bold=True))
    typed = (knobs.search or "") + ("▏" if glyphs.unicode else "_")
    surface.put(x, 1, typed[-(surface.w - 30) :], look.style("bright", "bar", bold=True))
    surface.put_right(end, 1, _count(len(found)), look.style("dim", "bar"))
    notes = _notes(surface, look, found[knobs.found_at]) if found else []
    room = surface.h - 3 - len(notes)
    first = max(0, min(knobs.found_at - room // 2, len(found) - room))
    for y, index in enumerate(range(first, min(len(found), first + room)), start=2):
        _row(surface, look, found[index], y, chosen=index == knobs.found_at)
    for y, (line, color) in enumerate(notes, start=surface.h - 1 - len(notes)):
        surface.put(2, y, line, look.style(color))


def _count(n: int) -> str:
    return "no sysctl matches" if n == 0 else f"{n} sysctl{'s' if n > 1 else ''}"


def _notes(surface: Surface, look: Look, row: KnobRow) -> list[tuple[str, str]]:
    width = surface.w - 4
    most = max(1, (surface.h - 5) // 2)
    facts = f"default {row.default}; {row.allowed or 'any text'}; takes effect {_when(row)}; on every host"
    told = [(line, "text") for line in wrap(plain(facts, look.glyphs), width)]
    return [*told, *((line, "dim") for line in wrap(plain(row.doc, look.glyphs), width))][:most]


def _when(row: KnobRow) -> str:
    return row.when or "at once"


def _row(surface: Surface, look: Look, row: KnobRow, y: int, *, chosen: bool) -> None:
    ground = "select" if chosen else "bg"
    glyphs = look.glyphs
    surface.put(1, y, " " * (surface.w - 2), look.style("text", ground))
    if chosen:
        surface.cell(1, y, glyphs.cursor, look.style("accent", ground))
    text = look.style("bright" if chosen else "text", ground, bold=chosen)
    surface.put(2, y, fit(row.name, NAME, glyphs.ellipsis), text)
    at = 2 + NAME + VALUE
    color = "warn" if row.changed else "accent"
    surface.put_right(
        at, y, fit(row.value, VALUE, glyphs.ellipsis), look.style(color, ground, bold=row.changed)
    )
    if row.changed:
        surface.cell(at + 1, y, glyphs.mark, look.style("warn", ground, bold=True))
    if surface.w < WIDE:
        return
    dim = look.style("text" if chosen else "dim", ground)
    surface.put(at + 3, y, fit(plain(row.allowed, glyphs), 26, glyphs.ellipsis), dim)
    surface.put(at + 30, y, fit(plain(_when(row), glyphs), surface.w - at - 32, glyphs.ellipsis), dim)
