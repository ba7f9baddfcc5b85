"""The pictures of the README: each scenario at a telling moment (`python -m wireside.out.still [FOLDER]`)."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from wireside.catalog.actions import FOOTER
from wireside.out.raster import rasterise
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
    from wireside.paint.view import View

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
    Shot("first-packet", "time >= 1268420ns", 25, frames=75, tab=4),
    Shot("ring-overflow", "server.wire_drops.rx_missed_errors >= 100", 50_000, frames=20, tab=2),
    Shot("zero-window", "client.TcpExtTCPWinProbe >= 3", 20_000_000, frames=36),
    Shot("udp-overflow", "server.UdpRcvbufErrors >= 20", 2_000_000, frames=43, tab=3),
)


def look_for_stills() -> Look:
    """Truecolor on dark, in Unicode."""
    return Look(Palette(), UNICODE)


def play_to_moment(player: Player, shot: Shot) -> View:
    """Play until the shot's moment has come, then a few frames at its pace; what is seen then."""
    (condition,) = conditions_of(player.scenario, [shot.moment])
    while not condition.holds(player.snapshot) and player.now < player.scenario.duration_ns:
        player.play_to(player.now + max(1, player.scale // FRAMES_PER_S))
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
        rasterise(draw_screen(w, h, look, view), look.palette).quantize(255).save(path, optimize=True)
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
