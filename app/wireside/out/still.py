"""Stills: a surface as a PNG, and the pictures of the README (`python -m wireside.out.still`)."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wireside.catalog.actions import FOOTER
from wireside.errors import WiresideError
from wireside.paint.glyphs import UNICODE
from wireside.paint.palette import Palette
from wireside.paint.screen import draw_screen
from wireside.paint.view import KnobView, Look
from wireside.paint.viewer import Viewer
from wireside.player.player import Player
from wireside.scenario.expect import conditions_of
from wireside.scenario.library import resolve
from wireside.scenario.load import load
from wireside.sim.world import World

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wireside.paint.palette import RGB
    from wireside.paint.surface import Surface
    from wireside.paint.view import View

CELL_W, CELL_H, FONT_SIZE = 12, 24, 20
_FONTS = ("DejaVuSansMono.ttf", "LiberationMono-Regular.ttf", "Menlo.ttc", "consola.ttf")
_BOLD = ("DejaVuSansMono-Bold.ttf", "LiberationMono-Bold.ttf", "Menlo.ttc", "consolab.ttf")
_LEFT = "▏▎▍▌▋▊▉█"
_LOWER = "▁▂▃▄▅▆▇█"
FRAMES_PER_S = 30


SIZES = ((80, 24), (120, 36))


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: which scenario, at which moment, watched at which pace (ns per wall second)."""

    scenario: str
    moment: str
    """A condition to wait for, as a scenario's beats have them."""
    scale: int
    frames: int = 12
    """How many frames to play on at that pace, so that trails and falling packets are seen."""
    tab: int = 1


SHOTS = (
    Shot("first-packet", "time >= 0s", 20_000),
    Shot("ring-overflow", "time >= 0s", 200_000),
    Shot("zero-window", "time >= 0s", 200_000),
    Shot("udp-overflow", "time >= 0s", 200_000),
)


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
            if char != " ":
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
    else:
        pen.text((left, top), char, font=_fonts()[bold], fill=color)


def look_for_stills() -> Look:
    """Truecolor on dark, in Unicode."""
    return Look(Palette(), UNICODE)


def play_to_moment(player: Player, shot: Shot) -> View:
    """Play until the shot's moment has come, then a few frames at its pace; what is seen then."""
    (condition,) = conditions_of(player.scenario, [shot.moment])
    while not condition.holds(player.snapshot) and player.now < player.scenario.duration_ns:
        player.paused = False
        player.advance(1 / FRAMES_PER_S)
    viewer = Viewer(player)
    player.scale = shot.scale
    for _ in range(shot.frames):
        player.paused = False
        player.advance(1 / FRAMES_PER_S)
        player.scale = shot.scale
        view = viewer.view()
    view.knobs = KnobView(player.knobs())
    view.keys, view.tab, view.fps = FOOTER, shot.tab, FRAMES_PER_S
    return view


def take(shot: Shot, folder: Path) -> list[Path]:
    """Write the shot's pictures into `folder`, one per size."""
    scenario = load(resolve(shot.scenario))
    view = play_to_moment(Player(scenario, partial(World, scenario)), shot)
    look, written = look_for_stills(), []
    for w, h in SIZES:
        path = folder / f"{shot.scenario}-{w}x{h}.png"
        rasterise(draw_screen(w, h, look, view), look.palette).save(path, optimize=True)
        written.append(path)
    return written


def main(folder: str = "screenshots") -> int:
    """Take every picture."""
    target = Path(folder)
    target.mkdir(exist_ok=True)
    for shot in SHOTS:
        for path in take(shot, target):
            sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
