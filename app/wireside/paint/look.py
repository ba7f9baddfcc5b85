"""The look that everything is drawn with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wireside.paint.glyphs import Glyphs
    from wireside.paint.palette import RGB, Palette


@dataclass(frozen=True, slots=True)
class Look:
    """Palette and characters."""

    palette: Palette
    glyphs: Glyphs

    def style(self, fg: str | RGB, bg: str | RGB = "bg", *, bold: bool = False) -> int:
        """A style id of the palette."""
        return self.palette.style(fg, bg, bold=bold)
