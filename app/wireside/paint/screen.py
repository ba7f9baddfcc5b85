"""Every pane in one table, and a whole screen on one surface."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from wireside.catalog import places
from wireside.catalog.together import DeclarationError, complete
from wireside.paint import controls, gauges, journey, library, panes, tables, timeline
from wireside.paint.frame import Frame
from wireside.paint.layout import SEARCH, layout
from wireside.paint.panes import draw_too_small
from wireside.paint.surface import Surface
from wireside.paint.ui import Ui

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wireside.paint.look import Look
    from wireside.paint.pane import PaneSpec


def collected(specs: Iterable[PaneSpec]) -> dict[str, PaneSpec]:
    """The panes by name; DeclarationError when two have one name, or a half of one is missing."""
    table: dict[str, PaneSpec] = {}
    known = {field.name for record in (Frame, Ui) for field in fields(record)}
    for spec in specs:
        if spec.name in table:
            raise DeclarationError(f"two panes are called {spec.name!r}")
        if unknown := spec.needs - known:
            raise DeclarationError(
                f"pane {spec.name!r} needs {', '.join(sorted(unknown))}, which no frame has"
            )
        table[spec.name] = spec
    words = {spec.name: spec.words for spec in table.values() if spec.words}
    complete("pane with words", places.PANE_WORDS, words)
    for name, own in words.items():
        if own != places.PANE_WORDS[name]:
            raise DeclarationError(f"pane {name!r} has other words than catalog/places.py has for it")
    return table


SPECS: Mapping[str, PaneSpec] = collected(
    (
        panes.STATUS,
        journey.SPEC,
        panes.NARRATION,
        tables.SPEC,
        controls.SPEC,
        gauges.SPEC,
        panes.EVENTS,
        timeline.SPEC,
        panes.FOOTER,
        library.SPEC,
    )
)


def draw_screen(w: int, h: int, look: Look, frame: Frame, ui: Ui) -> Surface:
    """The whole screen of the journey at once: for stills and goldens."""
    ground = look.style("text")
    screen = Surface(w, h, ground)
    plan = layout(w, h, SEARCH if ui.knobs.search is not None else ui.focus_pane)
    if plan.too_small:
        draw_too_small(screen, look)
    for name, rect in plan.panes.items():
        pane = Surface(rect.w, rect.h, ground)
        SPECS[name].draw(pane, look, frame, ui)
        screen.blit(pane, rect.x, rect.y)
    return screen
