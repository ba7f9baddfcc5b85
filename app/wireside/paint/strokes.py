"""The strokes panes are made of: frames, gauges, bricks with trails, strips."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.paint.cells import width
from wireside.paint.palette import RGB, mix
from wireside.paint.surface import Rect
from wireside.paint.words import fit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wireside.paint.look import Look
    from wireside.paint.surface import Surface

TRAIL = (0.40, 0.22, 0.11)


def border(surface: Surface, look: Look, title: str, right: str = "", *, lit: bool = False) -> None:
    """The frame of a whole pane with its title; `lit` marks the one that the story or the keyboard points at.

    What stands at the right is left out where there is no room for it.
    """
    color = "accent" if lit else "border"
    surface.box(Rect(0, 0, surface.w, surface.h), look.glyphs.borders, look.style(color))
    end = 2
    if title:
        title = fit(title, surface.w - 6, look.glyphs.ellipsis)
        end = surface.put(2, 0, f" {title} ", look.style("accent", bold=True))
    if right and end + width(right) + 5 <= surface.w:
        surface.put_right(surface.w - 2, 0, f" {right} ", look.style("dim"))


def gauge(surface: Surface, look: Look, at: Rect, part: float, color: str | RGB | None = None) -> None:
    """A bar of one or more rows that is `part` full; coloured by how full it is unless `color` says otherwise."""
    part = max(0.0, min(1.0, part))
    palette, glyphs = look.palette, look.glyphs
    paint = palette.rgb(color) if color is not None else palette.heat(part)
    if not glyphs.unicode:
        full = min(at.w, round(part * at.w)) if part < 1 else at.w
        for y in range(at.y, at.bottom):
            surface.put(at.x, y, glyphs.slot * full, look.style(paint))
            surface.put(at.x + full, y, glyphs.free * (at.w - full), look.style("faint"))
        return
    eighths = round(part * at.w * 8)
    if part > 0 and eighths == 0:
        eighths = 1
    full, rest = divmod(eighths, 8)
    solid, track = look.style("ink", paint), look.style("dim", "track")
    for y in range(at.y, at.bottom):
        surface.put(at.x, y, " " * full, solid)
        surface.put(at.x + full, y, " " * (at.w - full), track)
        if rest:
            surface.cell(at.x + full, y, glyphs.eighths[rest - 1], look.style(paint, "track"))


def brick(surface: Surface, look: Look, x: float, y: int, color: RGB, width: int = 2) -> None:
    """A packet at column `x` (a float: it moves in eighths of a cell)."""
    glyphs = look.glyphs
    if not glyphs.unicode:
        cell = int(x + 0.5)
        under = look.palette.bg_of(surface.style_at(cell, y))
        surface.cell(cell, y, "o", look.style(color, under, bold=True))
        return
    left = int(x // 1)
    eighth = int((x - left) * 8)
    solid = look.style("ink", color)
    if eighth == 0:
        surface.put(left, y, " " * width, solid)
        return
    under = look.palette.bg_of(surface.style_at(left, y))
    surface.cell(left, y, glyphs.eighths[eighth - 1], look.style(under, color))
    surface.put(left + 1, y, " " * (width - 1), solid)
    under = look.palette.bg_of(surface.style_at(left + width, y))
    surface.cell(left + width, y, glyphs.eighths[eighth - 1], look.style(color, under))


def trail(
    surface: Surface, look: Look, x: float, y: int, color: RGB, direction: int, grounds: frozenset[RGB]
) -> None:
    """The fading trail behind a brick that moves in `direction`; only on `grounds`, so that trails do not pile up."""
    if not look.glyphs.unicode:
        return
    palette = look.palette
    start = int(x // 1)
    for step, strength in enumerate(TRAIL, start=1):
        cell = start - direction * step
        style = surface.style_at(cell, y)
        under = palette.bg_of(style)
        if 2 <= cell < surface.w - 2 and under in grounds:
            surface.st[y][cell] = palette.style(palette.styles[style].fg, mix(under, color, strength))


def strip(surface: Surface, look: Look, at: Rect, values: Sequence[float], top: float, color: RGB) -> None:
    """A multi-row sparkline of `values` (one per column), scaled so that `top` fills the height."""
    levels, ground = look.glyphs.levels, look.palette.rgb("bg")
    for column, value in enumerate(values[: at.w]):
        if value <= 0 or top <= 0:
            continue
        part = min(1.0, value / top)
        left = max(1, round(part * at.h * 8))
        tint = mix(ground, color, 0.45 + 0.55 * part)
        shade, solid = look.style(tint), look.style("ink", tint)
        for y in range(at.bottom - 1, at.y - 1, -1):
            level = min(8, left)
            if level == 8 and look.glyphs.unicode:
                surface.cell(at.x + column, y, " ", solid)
            else:
                surface.cell(at.x + column, y, levels[level], shade)
            left -= level
            if left <= 0:
                break
