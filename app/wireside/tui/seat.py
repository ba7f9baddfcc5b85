"""The reader's seat: the run that is watched, and all that stays as it is when another screen is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.paint.viewer import Viewer
from wireside.tui.pacing import Pacer

if TYPE_CHECKING:
    from wireside.paint.look import Look
    from wireside.session.session import Player
    from wireside.tui.fast import FastWriter


class Seat:
    """What all screens share; `writer` is None where every cell goes through Textual."""

    def __init__(self, player: Player, look: Look, writer: FastWriter | None, fps: int) -> None:
        self.look, self.writer, self.fps = look, writer, fps
        self.pacer = Pacer(fps)
        self.take(player)

    def take(self, player: Player) -> None:
        """Watch another player, or the same one begun again."""
        self.player = player
        self.viewer = Viewer(player)
