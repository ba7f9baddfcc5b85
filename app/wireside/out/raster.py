"""A surface as a picture: Pillow draws the cells, blocks as rectangles, so that nothing shows a seam."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from wireside.errors import WiresideError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wireside.paint.palette import RGB, Palette
    from wireside.paint.surface import Surface

CELL_W, CELL_H, FONT_SIZE = 12, 24, 20
_FONTS = ("DejaVuSansMono.ttf", "LiberationMono-Regular.ttf", "Menlo.ttc", "consola.ttf")
_BOLD = ("DejaVuSansMono-Bold.ttf", "LiberationMono-Bold.ttf", "Menlo.ttc", "consolab.ttf")
_LEFT = "▏▎▍▌▋▊▉█"
_LOWER = "▁▂▃▄▅▆▇█"


@cache
def _fonts() -> tuple[Any, Any]:
    from PIL import ImageFont  # noqa: PLC0415  (Pillow is an extra; nothing else may need it)

    def first_of(names: Sequence[str]) -> Any:
        for name in names:
            try:
                return ImageFont.truetype(name, FONT_SIZE)
            except OSError:
                continue
        return ImageFont.load_default(FONT_SIZE)

    return first_of(_FONTS), first_of(_BOLD)


def rasterise(surface: Surface, palette: Palette) -> Any:
    """The surface as a Pillow image; block characters are drawn as rectangles, so that nothing shows a seam."""
    try:
        from PIL import Image, ImageDraw  # noqa: PLC0415
    except ImportError:
        raise WiresideError(
            "pictures need Pillow", next_step="pip install 'wireside[dev]' or pip install pillow"
        ) from None
    image = Image.new("RGB", (surface.w * CELL_W, surface.h * CELL_H), palette.roles["bg"])
    pen = ImageDraw.Draw(image)
    for y in range(surface.h):
        for x in range(surface.w):
            style = palette.styles[surface.st[y][x]]
            left, top = x * CELL_W, y * CELL_H
            if style.bg != palette.roles["bg"]:
                pen.rectangle((left, top, left + CELL_W - 1, top + CELL_H - 1), fill=style.bg)
            char = surface.ch[y][x]
            if char.strip():
                _glyph(pen, char, left, top, style.fg, bold=style.bold)
    return image


def _glyph(pen: Any, char: str, left: int, top: int, color: RGB, *, bold: bool) -> None:
    right, bottom = left + CELL_W - 1, top + CELL_H - 1
    if char in _LEFT:
        pen.rectangle((left, top, left + round(CELL_W * (_LEFT.index(char) + 1) / 8) - 1, bottom), fill=color)
    elif char in _LOWER:
        pen.rectangle(
            (left, bottom + 1 - round(CELL_H * (_LOWER.index(char) + 1) / 8), right, bottom), fill=color
        )
    elif char == "■":
        pen.rectangle((left + 2, top + 8, right - 2, top + 16), fill=color)
    elif char == "─":
        pen.rectangle((left, top + 12, right, top + 12), fill=color)
    elif char == "│":
        pen.rectangle((left + 6, top, left + 6, bottom), fill=color)
    elif char == "━":
        pen.rectangle((left, top + 11, right, top + 13), fill=color)
    elif char == "┃":
        pen.rectangle((left + 5, top, left + 7, bottom), fill=color)
    elif char in "▞▚":
        up, low = (left + 6, left) if char == "▞" else (left, left + 6)
        pen.rectangle((up, top, up + 5, top + 11), fill=color)
        pen.rectangle((low, top + 12, low + 5, bottom), fill=color)
    elif char in "╭╮╰╯":
        outer = bottom if char in "╭╮" else top
        inner, side = (top + 16 if char in "╭╮" else top + 8), (right if char in "╭╰" else left)
        bend = left + 10 if char in "╭╰" else left + 2
        pen.line([(left + 6, outer), (left + 6, inner), (bend, top + 12), (side, top + 12)], fill=color)
    elif char in "┏┓┗┛":
        pen.rectangle(
            (left + 5, *((top + 11, left + 7, bottom) if char in "┏┓" else (top, left + 7, top + 13))),
            fill=color,
        )
        pen.rectangle(
            (*((left + 5, top + 11, right) if char in "┏┗" else (left, top + 11, left + 7)), top + 13),
            fill=color,
        )
    else:
        pen.text((left, top), char, font=_fonts()[bold], fill=color)
