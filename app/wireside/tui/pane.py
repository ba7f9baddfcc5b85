"""A pane: a widget that shows a Surface, with its strips cached until their row changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.color import Color
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from wireside.paint.surface import Surface

if TYPE_CHECKING:
    from collections.abc import Callable

    from wireside.paint.palette import Palette
    from wireside.tui.fast import FastWriter


def _rich_color(color: tuple[int, int, int] | int | None) -> Color | None:
    if color is None:
        return None
    if isinstance(color, tuple):
        return Color.from_triplet(ColorTriplet(*color))
    return Color.from_ansi(color)


class RichStyles:
    """The palette's styles as Rich styles, made once each."""

    def __init__(self, palette: Palette) -> None:
        self._palette = palette
        self._styles: list[RichStyle] = []

    def __getitem__(self, style: int) -> RichStyle:
        while len(self._styles) <= style:
            ink = self._palette.ink(len(self._styles))
            self._styles.append(
                RichStyle(
                    color=_rich_color(ink.fg),
                    bgcolor=_rich_color(ink.bg),
                    bold=ink.bold,
                    dim=ink.dim,
                    reverse=ink.reverse,
                )
            )
        return self._styles[style]


class Pane(Widget):
    """One rectangle of the screen; `draw` paints its surface, double buffered."""

    ALLOW_SELECT: ClassVar[bool] = False
    can_focus = False

    def __init__(self, name: str, styles: RichStyles, ground: int) -> None:
        super().__init__(id=f"pane-{name}")
        self.pane_name = name
        self._rich = styles
        self._ground = ground
        self._painted = False
        self.new = Surface(1, 1, ground)
        self.old = Surface(1, 1, ground)
        self._strips: list[Strip | None] = [None]

    def place(self, x: int, y: int, w: int, h: int) -> None:
        """Stand at (x, y) with `w` by `h` cells."""
        self.styles.offset = (x, y)
        self.styles.width = w
        self.styles.height = h
        if (self.new.w, self.new.h) != (w, h):
            self.new, self.old = Surface(w, h, self._ground), Surface(w, h, self._ground)
            self._strips = [None] * h
            self._painted = False

    def forget(self) -> None:
        """Draw every cell again next time: what the terminal shows is unknown."""
        self._strips = [None] * self.new.h
        self._painted = False

    def frame(self, draw: Callable[[Surface], None], writer: FastWriter | None) -> None:
        """Draw a new frame and show what changed, through `writer` when there is one."""
        self.new, self.old = self.old, self.new
        draw(self.new)
        dirty = self.new.changed_rows(self.old)
        if not dirty:
            return
        for y in dirty:
            self._strips[y] = None
        if writer is not None and self._painted:
            region = self.region
            writer.diff(self.new, self.old, dirty, region.x, region.y)
        else:
            self.refresh(*[Region(0, y, self.new.w, 1) for y in dirty])

    def _strip(self, y: int) -> Strip:
        if y >= len(self._strips):
            return Strip.blank(self.size.width)
        strip = self._strips[y]
        if strip is None:
            rich = self._rich
            segments = [Segment(text, rich[style]) for text, style in self.new.runs(y)]
            strip = self._strips[y] = Strip(segments, self.new.w)
        return strip

    def render_lines(self, crop: Region) -> list[Strip]:
        """The rows Textual asks for; its style cache and line filters are not needed here."""
        self._painted = True
        rows = [self._strip(y) for y in crop.line_range]
        if crop.x == 0 and crop.right >= self.new.w:
            return rows
        return [row.crop(crop.x, crop.right) for row in rows]
