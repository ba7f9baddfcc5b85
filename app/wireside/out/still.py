"""The pictures of the README: each scenario at a telling moment (`python -m wireside.out.still [FOLDER]`)."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wireside.catalog.actions import Where, footer
from wireside.out.raster import rasterise
from wireside.paint.glyphs import UNICODE
from wireside.paint.look import Look
from wireside.paint.palette import Palette
from wireside.paint.picture import Picture, pictured
from wireside.paint.screen import draw_screen
from wireside.paint.ui import Ui
from wireside.scenario.library import resolve
from wireside.scenario.load import load
from wireside.session.origin import Beginning

if TYPE_CHECKING:
    from wireside.paint.frame import Frame
    from wireside.session.session import Session

FRAMES_PER_S = 30
SIZES = ((80, 24), (120, 36))


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture, as whoever plays the scenario and touches nothing but the tabs sees it."""

    scenario: str
    beat: int
    """The number of the beat, from 1, that has just been told."""
    seconds: float
    """How long after that it is taken, in wall time."""
    tab: int = 1


SHOTS = (
    Shot("first-packet", beat=12, seconds=3, tab=4),
    Shot("ring-overflow", beat=5, seconds=1, tab=2),
    Shot("zero-window", beat=6, seconds=2),
    Shot("udp-overflow", beat=4, seconds=2, tab=3),
    Shot("slow-accept", beat=6, seconds=2),
    Shot("close-wait-leak", beat=6, seconds=3),
)


def look_for_stills() -> Look:
    """Truecolor on dark, in Unicode."""
    return Look(Palette(), UNICODE)


def play_to_moment(session: Session, shot: Shot) -> Frame:
    """Play, frame by frame, until the shot's moment has come; what is seen then."""
    picture = Picture(session.scenario)
    left = round(shot.seconds * FRAMES_PER_S)
    while left > 0 and not session.ended:
        session.advance(1 / FRAMES_PER_S)
        left -= session.beats_said >= shot.beat
        frame = picture.frame(session)
    return frame


def take(shot: Shot, folder: Path) -> list[Path]:
    """Write the shot's pictures into `folder`, one per size."""
    scenario = load(resolve(shot.scenario))
    frame = play_to_moment(pictured(Beginning(scenario, scenario.seed)), shot)
    ui = Ui(tab=shot.tab, keys=footer(Where.JOURNEY), fps=FRAMES_PER_S)
    look, written = look_for_stills(), []
    for w, h in SIZES:
        path = folder / f"{shot.scenario}-{w}x{h}.png"
        rasterise(draw_screen(w, h, look, frame, ui), look.palette).quantize(255).save(path, optimize=True)
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
