"""A rectangle of terminal cells: characters and style ids, and nothing that knows a terminal."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from wireside.paint.cells import in_cells, plain_width, width

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle in cells; `right` and `bottom` are exclusive."""

    x: int
    y: int
    w: int
    h: int

    @property
    def right(self) -> int:
        """First column after it."""
        return self.x + self.w

    @property
    def bottom(self) -> int:
        """First row below it."""
        return self.y + self.h

    def inset(self, dx: int = 1, dy: int = 1) -> Rect:
        """The rectangle inside a margin of `dx` columns and `dy` rows."""
        return Rect(self.x + dx, self.y + dy, max(0, self.w - 2 * dx), max(0, self.h - 2 * dy))


class Surface:
    """`w` by `h` cells; `ch[y]` is the row's text as a list of characters, `st[y]` its style ids.

    A cell holds a character with its combining marks; the second cell of a wide one is empty.

    Everything drawn outside is clipped silently: panes are drawn at any size.
    """

    __slots__ = ("ch", "fill_style", "h", "st", "w", "wide")

    def __init__(self, w: int, h: int, style: int = 0) -> None:
        self.w, self.h, self.fill_style = w, h, style
        self.wide = False
        """Whether a character that does not take exactly one cell was ever drawn."""
        self.ch: list[list[str]] = [[" "] * w for _ in range(h)]
        self.st: list[array[int]] = [array("H", [style]) * w for _ in range(h)]

    def clear(self) -> None:
        """Make every cell a blank of the surface's own style."""
        blank, styles = [" "] * self.w, array("H", [self.fill_style]) * self.w
        for y in range(self.h):
            self.ch[y][:] = blank
            self.st[y][:] = styles

    def put(self, x: int, y: int, text: str, style: int) -> int:
        """Write `text` at (x, y) and return the column after it."""
        cells = text if text.isascii() or plain_width(text) else in_cells(text)
        end = x + len(cells)
        if 0 <= y < self.h:
            first, last = max(x, 0), min(end, self.w)
            if first < last:
                if self.wide:
                    self._part(y, first, last)
                self.ch[y][first:last] = cells[first - x : last - x]
                self.st[y][first:last] = array("H", [style]) * (last - first)
                if cells is not text:
                    self.wide = True
                    self._trim(y, first, last)
        return end

    def _part(self, y: int, first: int, last: int) -> None:
        """Blank the half that would be left of a wide character where columns `first` to `last` are overwritten."""
        row = self.ch[y]
        if not row[first]:
            row[first - 1] = " "
        if last < self.w and not row[last]:
            row[last] = " "

    def _trim(self, y: int, first: int, last: int) -> None:
        """Blank what the edge of the surface leaves of a wide character."""
        row = self.ch[y]
        if not row[first]:
            row[first] = " "
        if last == self.w and not plain_width(row[last - 1]) and width(row[last - 1]) > 1:
            row[last - 1] = " "

    def put_right(self, right: int, y: int, text: str, style: int) -> int:
        """Write `text` so that it ends before column `right`; return its first column."""
        left = right - width(text)
        self.put(left, y, text, style)
        return left

    def cell(self, x: int, y: int, char: str, style: int) -> None:
        """Set one cell to a character that is one cell wide."""
        if 0 <= x < self.w and 0 <= y < self.h:
            if self.wide:
                self._part(y, x, x + 1)
            self.ch[y][x] = char
            self.st[y][x] = style

    def style_at(self, x: int, y: int) -> int:
        """The style id of a cell; the surface's own outside."""
        if 0 <= x < self.w and 0 <= y < self.h:
            return self.st[y][x]
        return self.fill_style

    def fill(self, rect: Rect, char: str, style: int) -> None:
        """Fill a rectangle with one character."""
        line = char * rect.w
        for y in range(rect.y, rect.bottom):
            self.put(rect.x, y, line, style)

    def restyle(self, rect: Rect, style: int) -> None:
        """Change the style of a rectangle and keep its characters."""
        first, last = max(rect.x, 0), min(rect.right, self.w)
        if first < last:
            for y in range(max(rect.y, 0), min(rect.bottom, self.h)):
                self.st[y][first:last] = array("H", [style]) * (last - first)

    def box(self, rect: Rect, borders: str, style: int) -> None:
        """Draw a frame; `borders` is top-left, top, top-right, side, bottom-left, bottom-right."""
        if rect.w < 2 or rect.h < 2:
            return
        tl, edge, tr, side, bl, br = tuple(borders)
        self.put(rect.x, rect.y, tl + edge * (rect.w - 2) + tr, style)
        self.put(rect.x, rect.bottom - 1, bl + edge * (rect.w - 2) + br, style)
        for y in range(rect.y + 1, rect.bottom - 1):
            self.cell(rect.x, y, side, style)
            self.cell(rect.right - 1, y, side, style)

    def blit(self, other: Surface, x: int, y: int) -> None:
        """Copy `other` onto this surface with its top left corner at (x, y)."""
        for row in range(other.h):
            target = y + row
            if 0 <= target < self.h:
                first, last = max(x, 0), min(x + other.w, self.w)
                if first < last:
                    self.wide |= other.wide
                    if self.wide:
                        self._part(target, first, last)
                    self.ch[target][first:last] = other.ch[row][first - x : last - x]
                    self.st[target][first:last] = other.st[row][first - x : last - x]
                    if other.wide:
                        self._trim(target, first, last)

    def copy_from(self, other: Surface) -> None:
        """Become a copy of `other`, which has the same size."""
        self.wide = other.wide
        for y in range(self.h):
            self.ch[y][:] = other.ch[y]
            self.st[y][:] = other.st[y]

    def runs(self, y: int) -> Iterator[tuple[str, int]]:
        """The row as (text, style id) runs of equal style."""
        row, x = self.ch[y], 0
        for style, group in groupby(self.st[y]):
            n = sum(1 for _ in group)
            yield "".join(row[x : x + n]), style
            x += n

    def changed_rows(self, other: Surface) -> list[int]:
        """Rows that differ from those of `other`, which has the same size."""
        return [y for y in range(self.h) if self.ch[y] != other.ch[y] or self.st[y] != other.st[y]]

    def text(self) -> str:
        """The characters alone, lines stripped at the right: what golden files hold."""
        return "\n".join("".join(row).rstrip() for row in self.ch) + "\n"
