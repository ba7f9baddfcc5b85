"""The reader's seat: the run that is watched, and all that stays as it is when another screen is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.paint.picture import Picture
from wireside.tui.pacing import Pacer

if TYPE_CHECKING:
    from pathlib import Path

    from wireside.paint.frame import Frame
    from wireside.paint.look import Look
    from wireside.session.session import Session
    from wireside.tui.fast import FastWriter


class Seat:
    """What all screens share; `writer` is None where every cell goes through Textual."""

    def __init__(self, session: Session, look: Look, writer: FastWriter | None, fps: int) -> None:
        self.look, self.writer, self.fps = look, writer, fps
        self.pacer = Pacer(fps)
        self.take(session)

    def take(self, session: Session) -> None:
        """Watch another session, or the same one begun again."""
        self.session = session
        self.saved: Path | None = None
        """The file that this run was saved to."""
        self._picture = Picture(session.scenario)

    def frame(self) -> Frame:
        """The present moment."""
        return self._picture.frame(self.session)
