"""Frames no faster than the terminal shows them: over a slow line, lag stays short and frames are left out instead."""

from __future__ import annotations

import math
from collections import deque

PATIENCE_S = 2.0
"""After this long without an answer the terminal is taken to answer no more."""


class Pacer:
    """Counts frames that the terminal has not yet acknowledged; all times are perf_counter seconds.

    A terminal that never answers is not paced.
    """

    def __init__(self, fps: int) -> None:
        self._fps = fps
        self._sent: deque[float] = deque()
        self._shortest_s = math.inf
        self.answers = 0

    def ready(self, now: float) -> bool:
        """Whether another frame may be drawn."""
        if self._sent and now - self._sent[0] > PATIENCE_S:
            self._sent.clear()
            self.answers = 0
        if not self.answers:
            return True
        return len(self._sent) < self.window

    @property
    def window(self) -> int:
        """How many frames may be on their way: as many as the shortest round trip holds, and two."""
        return math.ceil(min(self._shortest_s, 1.0) * self._fps) + 2

    def sent(self, now: float) -> None:
        """A frame and a query have been written."""
        self._sent.append(now)

    def acknowledged(self, now: float) -> None:
        """The terminal has answered a query."""
        if self._sent:
            self._shortest_s = min(self._shortest_s, now - self._sent.popleft())
            self.answers += 1
