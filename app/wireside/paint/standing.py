"""Which rows stand on top, and which are shown where there is room for few: an order that does not flicker."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from wireside.paint.palette import STATE_COLORS
from wireside.paint.piles import FULL, NO_LIMIT
from wireside.session.film import BY_CHANCE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wireside.paint.piles import Pile

MARGIN = 0.12
"""A row passes the one above it only when it weighs so much more."""
FADE = 0.74
"""What a second of the story leaves of the fullness that counts for the order: a pulse is remembered for some seconds."""
HELD_S = 3.0
"""Seconds of the story for which a pile counts as growing after it grew last, and for which a row outlives its heap."""
POINTED, GROWING, AT_LIMIT, SUBJECT, HARMLESS = 3.0, 1.0, 0.6, 0.5, 0.25
"""What each adds to (or, the last, leaves of) a row's worth."""
LASTS_S = 0.2
"""Seconds of the story for which a heap must be there before it gets a row, unless it is larger than chance makes it."""
WINDOW = "rcv window"
NEVER = 1 << 62
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


@dataclass(frozen=True, slots=True)
class Standing:
    """How full each row was, what grew, and where it stood, up to an instant: what the next look goes on from."""

    time_ns: int = 0
    by_fullness: tuple[str, ...] = ()
    by_worth: tuple[str, ...] = ()
    by_size: tuple[str, ...] = ()
    tcp_tells: str = WINDOW
    """The queue that speaks for TCP in the journey."""
    peak: Mapping[str, float] = field(default_factory=dict)
    grew: Mapping[str, int] = field(default_factory=dict)
    """Pile → when it grew last, ns."""
    since: Mapping[str, int] = field(default_factory=dict)
    """Heap → since when it is there, ns; long ago for one that got its row at once."""
    seen: Mapping[str, tuple[int, Pile]] = field(default_factory=dict)
    """Heap → when it was last not empty, ns, and what it was then."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one instant, ordered, and the standing that they leave behind."""

    limited: tuple[Pile, ...]
    """Rows with a limit, fullest first."""
    heaps: tuple[Pile, ...]
    telling: tuple[str, ...]
    """All names, most telling first."""
    standing: Standing


def rows(
    before: Standing,
    t: int,
    limited: Sequence[Pile],
    heaps: Sequence[Pile],
    scale: int,
    *,
    subjects: frozenset[str] = frozenset(),
    pointed: str = "",
    at_once: bool = False,
) -> Rows:
    """The rows at `t` ns, at which a second of the story shows `scale` ns, after the standing `before`.

    `subjects` are the names of the piles that the run is about. The row that the story has `pointed` at is the most
    telling. A heap gets its row when it is there for some time, or `at_once`, and keeps it for a while when it is empty.
    """
    fade = FADE ** ((t - before.time_ns) / scale)
    heaps, since, seen = _lasting(before, t, heaps, scale, at_once=at_once)
    piles = {pile.name: pile for pile in (*limited, *heaps)}
    peak = {name: max(min(pile.part, 1.0), before.peak.get(name, 0.0) * fade) for name, pile in piles.items()}
    grew = {**before.grew, **{name: t for name, pile in piles.items() if pile.grows}}
    fullness = {pile.name: peak[pile.name] * (1.0 if pile.fault else HARMLESS) for pile in limited}
    by_fullness = settled(before.by_fullness, fullness)
    worth = {
        name: _worth(pile, peak[name], name in subjects, grew.get(name, -NEVER) > t - HELD_S * scale)
        + (name == pointed) * POINTED
        for name, pile in piles.items()
    }
    by_worth = settled(before.by_worth, worth)
    largest = max((pile.count for pile in heaps), default=0) or 1
    by_size = settled(before.by_size, {pile.name: pile.count / largest for pile in heaps})
    standing = Standing(
        t,
        tuple(by_fullness),
        tuple(by_worth),
        tuple(by_size),
        _tcp_tells(before.tcp_tells, by_fullness, peak, alone=WINDOW not in piles),
        peak,
        grew,
        since,
        seen,
    )
    return Rows(
        tuple(piles[name] for name in by_fullness),
        tuple(piles[name] for name in by_size),
        tuple(by_worth),
        standing,
    )


def _lasting(
    before: Standing, t: int, heaps: Sequence[Pile], scale: int, *, at_once: bool
) -> tuple[list[Pile], dict[str, int], dict[str, tuple[int, Pile]]]:
    """The heaps that deserve a row: not a state through which sockets only pass now and then; what to remember of them."""
    since, seen = dict(before.since), dict(before.seen)
    for pile in heaps:
        since.setdefault(pile.name, t)
        seen[pile.name] = t, pile
        if at_once or pile.count > BY_CHANCE:
            since[pile.name] = -NEVER
    found = []
    for name, (when, pile) in list(seen.items()):
        has_row = t - since[name] >= LASTS_S * scale
        if when < t and (not has_row or t - when >= HELD_S * scale):
            del seen[name], since[name]
        elif has_row:
            found.append(pile if when == t else replace(pile, text="0", count=0, grows=False))
    return found, since, seen


def _tcp_tells(before: str, by_fullness: Sequence[str], peak: Mapping[str, float], *, alone: bool) -> str:
    """A listener's queue speaks from a quarter on, while it is fuller than the window, and yields at an eighth."""
    order = [name for name in by_fullness if name in TCP_QUEUES]
    lead = order[0] if order else WINDOW
    enough = YIELDS if lead == before else SPEAKS
    return lead if alone or peak[lead] >= enough else WINDOW


def _worth(pile: Pile, peak: float, subject: bool, growing: bool) -> float:
    worth = LARGE * min(1.0, pile.count / SMALL) if pile.name in STATE_COLORS else 0.0
    if pile.color == "bad":
        worth += AT_LIMIT
    if pile.part != NO_LIMIT:
        worth = max(worth, peak * (1.0 if pile.fault else HARMLESS))
        worth += AT_LIMIT if pile.fault and peak >= FULL else 0.0
    if subject and (pile.count or worth):
        worth += SUBJECT
    return worth + GROWING if growing else worth
