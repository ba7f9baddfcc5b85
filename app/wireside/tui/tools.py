"""The keys of the tools pane: which tool, and which of its lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.catalog.places import tool_of
from wireside.paint.sockets import listing
from wireside.paint.tables import SOCKETS, lines_of, room_of

if TYPE_CHECKING:
    from wireside.paint.frame import Frame
    from wireside.scenario.spec import Beat


class ToolKeys:
    """Which tool is shown, and the first line of it that is."""

    def __init__(self) -> None:
        self.tab = SOCKETS
        self.first = 0
        self.beat: Beat | None = None
        """The beat last followed."""

    def follow(self, beat: Beat | None) -> None:
        """A beat that has just been said shows the tool that it points at; the viewer may choose another."""
        if beat is not self.beat:
            self.beat = beat
            tool = tool_of(beat.look_at) if beat is not None else 0
            if tool:
                self.show(tool)

    def show(self, tab: int) -> None:
        """Another tool, from its top."""
        if tab != self.tab:
            self.tab, self.first = tab, 0

    def _clamp(self, frame: Frame, height: int) -> None:
        self.first = max(0, min(self.first, lines_of(frame, self.tab, height) - room_of(self.tab, height)))

    def scroll(self, frame: Frame, height: int, lines: int) -> None:
        """Some lines down (or up, when negative); `height` is the pane's."""
        self._clamp(frame, height)
        self.first += lines
        self._clamp(frame, height)

    def jump(self, frame: Frame, height: int, direction: int) -> None:
        """To the next (+1) or previous (-1) state's sockets; a page where there are no states."""
        self._clamp(frame, height)
        if self.tab == SOCKETS:
            self.first = listing(frame, room_of(self.tab, height)).neighbour(self.first, direction)
        else:
            self.first += direction * room_of(self.tab, height)
        self._clamp(frame, height)
