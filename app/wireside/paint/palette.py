"""Named colours, and how they look where there are fewer: truecolor, 256, 16 or none at all."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from wireside.catalog.packet_kinds import PacketKind

if TYPE_CHECKING:
    from collections.abc import Mapping

RGB = tuple[int, int, int]
STEPS = 16
"""Gradients are quantised to this many steps, so that the number of styles stays small."""

DARK: dict[str, RGB] = {
    "bg": (11, 15, 20),
    "panel": (17, 24, 33),
    "bar": (19, 31, 44),
    "track": (31, 43, 56),
    "border": (42, 58, 76),
    "faint": (58, 74, 92),
    "dim": (116, 132, 150),
    "text": (205, 215, 226),
    "bright": (255, 255, 255),
    "accent": (76, 201, 240),
    "select": (27, 58, 82),
    "good": (126, 231, 135),
    "warn": (255, 209, 102),
    "hot": (255, 158, 88),
    "bad": (255, 92, 108),
    "ink": (8, 12, 16),
    PacketKind.SYN: (255, 209, 102),
    PacketKind.SYN_ACK: (255, 184, 76),
    PacketKind.ACK: (126, 231, 135),
    PacketKind.DATA: (91, 157, 255),
    PacketKind.FIN: (199, 125, 255),
    PacketKind.RST: (255, 95, 162),
    PacketKind.PROBE: (255, 158, 88),
    PacketKind.UDP: (76, 201, 240),
    "FIN-WAIT-2": (179, 114, 67),
}
LIGHT: dict[str, RGB] = {
    "bg": (250, 250, 247),
    "panel": (240, 242, 241),
    "bar": (224, 230, 234),
    "track": (214, 220, 224),
    "border": (168, 180, 190),
    "faint": (160, 170, 178),
    "dim": (98, 110, 122),
    "text": (36, 44, 54),
    "bright": (0, 0, 0),
    "accent": (0, 108, 158),
    "select": (200, 224, 240),
    "good": (22, 128, 60),
    "warn": (150, 104, 0),
    "hot": (190, 86, 0),
    "bad": (200, 24, 48),
    "ink": (255, 255, 255),
    PacketKind.SYN: (176, 124, 0),
    PacketKind.SYN_ACK: (188, 100, 0),
    PacketKind.ACK: (22, 140, 66),
    PacketKind.DATA: (36, 100, 214),
    PacketKind.FIN: (136, 60, 200),
    PacketKind.RST: (206, 28, 112),
    PacketKind.PROBE: (196, 90, 0),
    PacketKind.UDP: (0, 128, 170),
    "FIN-WAIT-2": (112, 72, 32),
}

HEAT = ((0.5, "good"), (0.8, "warn"), (0.95, "hot"))
"""The colours of a gauge that is filled less than that; from there on it is "bad"."""
STATE_COLORS = {
    "LISTEN": "DATA",
    "ESTAB": "good",
    "SYN-SENT": "FIN",
    "SYN-RECV": "FIN",
    "FIN-WAIT-1": "hot",
    "FIN-WAIT-2": "FIN-WAIT-2",
    "CLOSING": "hot",
    "TIME-WAIT": "warn",
    "CLOSE-WAIT": "bad",
    "LAST-ACK": "RST",
    "UNCONN": "UDP",
}
"""The role of each state that `ss` names. Red is for CLOSE-WAIT alone: nobody but the program ends it."""

_STANDARD: tuple[RGB, ...] = (
    (0, 0, 0), (170, 0, 0), (0, 170, 0), (170, 85, 0), (0, 0, 170), (170, 0, 170), (0, 170, 170), (170, 170, 170),
    (85, 85, 85), (255, 85, 85), (85, 255, 85), (255, 255, 85), (85, 85, 255), (255, 85, 255), (85, 255, 255), (255, 255, 255),
)  # fmt: skip
_CUBE = (0, 95, 135, 175, 215, 255)
_DARKEST = 90
"""Below this largest channel a colour goes to the grey ramp: the cube's only dark blues are garish."""


class Depth(Enum):
    """How many colours the terminal shows."""

    TRUE = "true"
    C256 = "256"
    C16 = "16"
    MONO = "mono"


class Style(NamedTuple):
    """One combination of colours and weight."""

    fg: RGB
    bg: RGB
    bold: bool


class Ink(NamedTuple):
    """A style as a terminal of the palette's depth shows it.

    Colours are RGB, a palette number, or None for the terminal's own; `reverse` and `dim` stand in for colours
    on a terminal that has none.
    """

    fg: RGB | int | None
    bg: RGB | int | None
    bold: bool
    dim: bool = False
    reverse: bool = False


def luminance(rgb: RGB) -> float:
    """Perceived brightness, 0…255."""
    return 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]


def to_256(rgb: RGB) -> int:
    """The nearest of the 240 fixed colours; dark ones go to the grey ramp (232-255)."""
    if max(rgb) < _DARKEST:
        return 232 + max(0, min(23, round((luminance(rgb) - 8) / 10)))
    cube = [min(range(6), key=lambda i: abs(_CUBE[i] - channel)) for channel in rgb]
    return 16 + 36 * cube[0] + 6 * cube[1] + cube[2]


def to_16(rgb: RGB) -> int:
    """The nearest of the 16 standard colours, compared by hue first: dark tints become black."""
    if max(rgb) < _DARKEST:
        return 0 if luminance(rgb) < 48 else 8
    return min(range(16), key=lambda i: sum((a - b) ** 2 for a, b in zip(_STANDARD[i], rgb, strict=True)))


def mix(a: RGB, b: RGB, part: float) -> RGB:
    """`a` with `part` (0…1, quantised) of `b` in it."""
    step = round(max(0.0, min(1.0, part)) * STEPS)
    return (
        a[0] + (b[0] - a[0]) * step // STEPS,
        a[1] + (b[1] - a[1]) * step // STEPS,
        a[2] + (b[2] - a[2]) * step // STEPS,
    )


class Palette:
    """Styles by number: drawing code asks for an id once, terminals ask what an id looks like."""

    def __init__(self, depth: Depth = Depth.TRUE, roles: Mapping[str, RGB] = DARK) -> None:
        self.depth = depth
        self.roles = dict(roles)
        self.is_light = luminance(self.roles["bg"]) > 128
        self._ids: dict[Style, int] = {}
        self._by_name: dict[tuple[str | RGB, str | RGB, bool], int] = {}
        self.styles: list[Style] = []
        self.style("text", "bg")

    def rgb(self, color: str | RGB) -> RGB:
        """A role's colour; a colour is itself."""
        return self.roles[color] if isinstance(color, str) else color

    def style(self, fg: str | RGB, bg: str | RGB = "bg", *, bold: bool = False) -> int:
        """The id of a combination of roles or colours."""
        key = (fg, bg, bold)
        found = self._by_name.get(key)
        if found is None:
            style = Style(self.rgb(fg), self.rgb(bg), bold)
            found = self._ids.get(style)
            if found is None:
                found = self._ids[style] = len(self.styles)
                self.styles.append(style)
            self._by_name[key] = found
        return found

    def bg_of(self, style: int) -> RGB:
        """The background of a style id."""
        return self.styles[style].bg

    def heat(self, part: float) -> RGB:
        """The colour of a gauge that is `part` full, in four steps from green to red."""
        return self.roles[next((color for limit, color in HEAT if part < limit), "bad")]

    def ink(self, style: int) -> Ink:
        """How this terminal shows a style id."""
        fg, bg, bold = self.styles[style]
        if self.depth is Depth.TRUE:
            return Ink(fg, bg, bold)
        if self.depth is Depth.C256:
            return Ink(to_256(fg), to_256(bg), bold)
        if self.depth is Depth.C16:
            return self._ink16(fg, bg, bold=bold)
        return self._ink_mono(fg, bg, bold=bold)

    def _ink16(self, fg: RGB, bg: RGB, *, bold: bool) -> Ink:
        front, back = to_16(fg), to_16(bg)
        if front == back and fg != bg:
            front = 7 if back != 7 else 0
        return Ink(front, back, bold)

    def _ink_mono(self, fg: RGB, bg: RGB, *, bold: bool) -> Ink:
        """Contrast with the screen decides: a bright ground is shown reversed, faint text dimmed."""
        canvas = luminance(self.roles["bg"])
        if abs(luminance(bg) - canvas) > 62:
            return Ink(None, None, bold=False, reverse=True)
        return Ink(None, None, bold, dim=abs(luminance(fg) - canvas) < 78)


def depth_from_environment(environ: Mapping[str, str]) -> Depth:
    """The colour depth a terminal promises through NO_COLOR, COLORTERM and TERM."""
    term = environ.get("TERM", "")
    if environ.get("NO_COLOR") or term in {"dumb", "vt100", "vt220"}:
        return Depth.MONO
    if environ.get("COLORTERM", "").lower() in {"truecolor", "24bit"}:
        return Depth.TRUE
    if "256" in term or term.startswith(("xterm-kitty", "alacritty", "foot", "wezterm", "tmux")):
        return Depth.C256
    return Depth.C16 if term in {"linux", "screen", "xterm", "ansi", "cygwin"} else Depth.C256


def roles_from_environment(environ: Mapping[str, str]) -> dict[str, RGB]:
    """Dark unless WIRESIDE_THEME=light or COLORFGBG says that the ground is white."""
    theme = environ.get("WIRESIDE_THEME", "")
    ground = environ.get("COLORFGBG", "").rpartition(";")[2]
    if theme == "light" or (not theme and ground in {"7", "15"}):
        return LIGHT
    return DARK
