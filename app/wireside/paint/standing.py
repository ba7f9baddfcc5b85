"""Which rows stand on top, and which are shown where there is room for few: an order that does not flicker."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from wireside.paint.palette import STATE_COLORS
from wireside.paint.piles import FULL, NO_LIMIT
from wireside.session.history import BY_CHANCE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wireside.paint.piles import Pile

MARGIN = 0.12
"""A row passes the one above it only when it weighs so much more."""
FADE = 0.99
"""What a frame leaves of the fullness that counts for the order: a pulse is remembered for some seconds."""
HELD = 90
"""Frames for which a pile counts as growing after it grew last."""
POINTED, GROWING, AT_LIMIT, SUBJECT, HARMLESS = 3.0, 1.0, 0.6, 0.5, 0.25
"""What each adds to (or, the last, leaves of) a row's worth."""
LASTS = 6
"""Frames for which a heap must be there before it gets a row, unless it is larger than chance makes it."""
WINDOW = "rcv window"
TCP_QUEUES = ("accept q", "SYN reqs", WINDOW)
SPEAKS, YIELDS = 0.25, 0.125
SMALL, LARGE = 30, 0.3
"""A state of so many sockets is worth as much as it ever is by size alone, and that is how much."""


def settled(old: Sequence[str], weights: Mapping[str, float], margin: float = MARGIN) -> list[str]:
    """The names in `weights`, heaviest first, but in the order of `old` where they weigh about the same."""
    order = [name for name in old if name in weights]
    for name, weight in weights.items():
        if name not in old:
            place = next((i for i, other in enumerate(order) if weights[other] < weight), len(order))
            order.insert(place, name)
    for i in range(1, len(order)):
        for j in range(i, 0, -1):
            if weights[order[j]] <= weights[order[j - 1]] + margin:
                break
            order[j - 1], order[j] = order[j], order[j - 1]
    return order


class Standing:
    """Remembers from frame to frame how full each row was, what grew, and where it stood."""

    def __init__(self, subjects: frozenset[str] = frozenset()) -> None:
        self.subjects = subjects
        """Names of the piles that the run is about."""
        self.tcp_tells = WINDOW
        """The queue that speaks for TCP in the journey."""
        self.by_fullness: list[str] = []
        self.by_worth: list[str] = []
        self._peak: dict[str, float] = {}
        self._grew: dict[str, int] = {}
        self._frame = 0
        self._t = -1
        self._by_size: list[str] = []
        self._since: dict[str, int] = {}
        """Heap → the frame since which it is there."""
        self._seen: dict[str, tuple[int, Pile]] = {}
        """Heap → the frame at which it was last not empty, and what it was then."""

    def look(
        self,
        t: int,
        limited: Sequence[Pile],
        heaps: Sequence[Pile],
        pointed: str = "",
        *,
        at_once: bool = False,
    ) -> tuple[list[Pile], list[Pile], list[str]]:
        """(rows with a limit, fullest first; rows without; all names, most telling first) of the frame at `t` ns.

        The row that the story has `pointed` at is the most telling. A heap gets its row when it is there for some
        frames, or `at_once`, and keeps it for a while when it is empty. Frames in which time stands still change nothing.
        """
        fade = FADE if t != self._t else 1.0
        self._frame += t != self._t
        self._t = t
        heaps = self._lasting(heaps, at_once=at_once)
        piles = {pile.name: pile for pile in (*limited, *heaps)}
        peaks = {
            name: max(min(pile.part, 1.0), self._peak.get(name, 0.0) * fade) for name, pile in piles.items()
        }
        self._peak = peaks
        for name, pile in piles.items():
            if pile.grows:
                self._grew[name] = self._frame
        fullness = {
            pile.name: peaks[pile.name] if pile.fault else peaks[pile.name] * HARMLESS for pile in limited
        }
        self.by_fullness = settled(self.by_fullness, fullness)
        self._choose_tcp(piles)
        self.by_worth = settled(
            self.by_worth,
            {name: self._worth(pile) + (name == pointed) * POINTED for name, pile in piles.items()},
        )
        largest = max((pile.count for pile in heaps), default=0) or 1
        self._by_size = settled(self._by_size, {pile.name: pile.count / largest for pile in heaps})
        return (
            [piles[name] for name in self.by_fullness],
            [piles[name] for name in self._by_size],
            self.by_worth,
        )

    def _lasting(self, heaps: Sequence[Pile], *, at_once: bool) -> list[Pile]:
        """The heaps that deserve a row: not a state through which sockets only pass now and then."""
        for pile in heaps:
            self._since.setdefault(pile.name, self._frame)
            self._seen[pile.name] = self._frame, pile
            if at_once or pile.count > BY_CHANCE:
                self._since[pile.name] = self._frame - LASTS
        found = []
        for name, (frame, pile) in list(self._seen.items()):
            has_row = self._frame - self._since[name] >= LASTS
            if self._frame - frame >= (HELD if has_row else 1):
                del self._seen[name], self._since[name]
            elif has_row:
                found.append(pile if frame == self._frame else replace(pile, text="0", count=0, grows=False))
        return found

    def _choose_tcp(self, piles: Mapping[str, Pile]) -> None:
        """A listener's queue speaks from a quarter on, while it is fuller than the window, and yields at an eighth."""
        order = [name for name in self.by_fullness if name in TCP_QUEUES]
        lead = order[0] if order else WINDOW
        enough = YIELDS if lead == self.tcp_tells else SPEAKS
        alone = WINDOW not in piles
        self.tcp_tells = lead if alone or self._peak[lead] >= enough else WINDOW

    def _worth(self, pile: Pile) -> float:
        worth = LARGE * min(1.0, pile.count / SMALL) if pile.name in STATE_COLORS else 0.0
        if pile.color == "bad":
            worth += AT_LIMIT
        if pile.part != NO_LIMIT:
            worth = max(worth, self._peak[pile.name] * (1.0 if pile.fault else HARMLESS))
            worth += AT_LIMIT if pile.fault and self._peak[pile.name] >= FULL else 0.0
        if pile.name in self.subjects and (pile.count or worth):
            worth += SUBJECT
        if self._frame - self._grew.get(pile.name, -HELD) < HELD:
            worth += GROWING
        return worth
