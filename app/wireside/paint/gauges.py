"""The pane QUEUES & STATES: bars up to a limit, fullest first, and below them heaps of what has none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wireside.catalog import places
from wireside.paint.glyphs import plain
from wireside.paint.palette import mix
from wireside.paint.pane import PaneSpec
from wireside.paint.piles import NO_LIMIT
from wireside.paint.strokes import border, gauge
from wireside.paint.surface import Rect
from wireside.paint.words import count, fit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wireside.paint.frame import Frame
    from wireside.paint.look import Look
    from wireside.paint.palette import RGB
    from wireside.paint.piles import Pile
    from wireside.paint.surface import Surface
    from wireside.paint.ui import Ui

LABEL, BAR = 2, 14
"""Columns at which names and bars begin."""
MUTED = 0.58
"""Strength at which harmless heaps are filled."""
DIVIDED = 6
"""From so many rows on, a dotted line parts bars and heaps."""
SHORTEST = 5
"""Columns that a bar keeps whatever the numbers."""
WIDE = 38
"""From this width on a row says which of several it means."""


def draw_gauges(surface: Surface, look: Look, frame: Frame, ui: Ui) -> None:
    """Queues and states, each with a bar or a heap and a number."""
    surface.clear()
    rows = surface.h - 2
    beyond = next((pile for pile in frame.piles if pile.over and pile.part > 1), None)
    note = rows >= DIVIDED and beyond is not None
    bars, heaps, divider = _chosen(frame, rows - note)
    phrase = "limits first" if divider else "fullest first"
    if beyond is not None and not note:
        phrase = f"{look.glyphs.arrow} +1 skb"
    border(
        surface,
        look,
        SPEC.title,
        phrase if surface.w >= 33 and bars else "",
        lit=frame.highlight[1] == "gauges",
    )
    texts = {pile.name: _text(pile, surface.w) for pile in bars}
    length = surface.w - 2 - BAR - 1 - max([9, *map(len, texts.values())])
    hill = Hill.of(frame, heaps, surface.w) if heaps else None
    shown = [*bars, *heaps]
    if not divider:
        order = {name: place for place, name in enumerate(frame.telling)}
        shown.sort(key=lambda pile: order[pile.name])
    y = 1
    for pile in shown:
        if hill is not None and pile.part == NO_LIMIT:
            if divider and pile is heaps[0]:
                _divider(surface, look, hill.scale, y)
                y += 1
            _heap(surface, look, pile, hill, y, pointed=pile.name == frame.pointed)
        else:
            _bar(surface, look, pile, texts[pile.name], y, length, pointed=pile.name == frame.pointed)
        y += 1
        if note and pile is beyond:
            surface.put(LABEL, y, f"{look.glyphs.arrow} {pile.over}", look.style("dim"))
            y += 1
    _programs(surface, look, frame, y)
    _hidden(surface, look, frame, {pile.name for pile in (*bars, *heaps)})


def _chosen(frame: Frame, rows: int) -> tuple[list[Pile], list[Pile], int]:
    """The bars and heaps that `rows` hold, the most telling ones, and how many rows part them."""
    limited, heaps = frame.piles, frame.heaps
    for n in range(min(rows, len(frame.telling)), 0, -1):
        names = set(frame.telling[:n])
        bars = [pile for pile in limited if pile.name in names]
        below = [pile for pile in heaps if pile.name in names]
        divider = int(rows >= DIVIDED and bool(bars) and bool(below))
        if n + divider <= rows:
            return bars, below, divider
    return [], [], 0


def _text(pile: Pile, width: int) -> str:
    """What stands at the right: all of it when a bar of some length is left, else the short form."""
    room = width - 2 - BAR - 1 - SHORTEST
    texts = (
        f"{pile.text} {pile.where}" if pile.where and width >= WIDE else pile.text,
        pile.text,
        pile.short,
    )
    return next((text for text in texts if len(text) <= room), pile.short or pile.text)


def _tint(look: Look, pile: Pile) -> RGB:
    if pile.at_limit:
        return look.palette.rgb("bad")
    return look.palette.rgb(pile.color) if pile.color else look.palette.heat(pile.part)


def _label(surface: Surface, look: Look, pile: Pile, y: int, *, pointed: bool) -> None:
    """The name of a row; the one that the story points at is in the finger's colour."""
    surface.put(LABEL, y, pile.name, look.style("warn" if pointed else "text", bold=pointed))


def _bar(surface: Surface, look: Look, pile: Pile, text: str, y: int, length: int, *, pointed: bool) -> None:
    tint = _tint(look, pile)
    if pile.at_limit:
        surface.put(LABEL - 1, y, "!", look.style("bad", bold=True))
    _label(surface, look, pile, y, pointed=pointed)
    gauge(surface, look, Rect(BAR, y, length, 1), pile.part, tint)
    if pile.over and pile.part > 1:
        surface.put(BAR + length, y, look.glyphs.arrow, look.style("bad", bold=True))
    surface.put_right(surface.w - 2, y, text, look.style(tint, bold=True))


def scale_of(most: float, room: int) -> int:
    """How many sockets one ■ stands for, so that `most` of them fit into `room`: 1, 2, 5, 10 and so on."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if most <= step * factor * room:
                return step * factor
        step *= 10


@dataclass(frozen=True, slots=True)
class Hill:
    """What the heaps of one picture have in common, so that equal heights are equal numbers."""

    scale: int
    """Sockets that one ■ stands for."""
    room: int
    numbers: int
    """Columns of the numbers."""
    rates: dict[str, str]
    """State → what came and left in the last second."""

    @classmethod
    def of(cls, frame: Frame, heaps: Sequence[Pile], width: int) -> Hill:
        """The measures for a pane of `width` columns; the largest heap so far must fit."""
        rates = {pile.name: _rate(frame, pile) for pile in heaps}
        tail = max(len(text) for text in rates.values())
        numbers = max(len(pile.text) for pile in heaps)
        room = max(1, width - 2 - BAR - numbers - tail - (2 if tail else 1))
        so_far = frame.past.most
        most = max(so_far.get(pile.name, 1) for pile in heaps)
        return cls(scale_of(most, room), room, numbers, rates)


def _divider(surface: Surface, look: Look, scale: int, y: int) -> None:
    glyphs = look.glyphs
    surface.put(1, y, glyphs.lane * (surface.w - 2), look.style("faint"))
    words = f" no limit, 1 {glyphs.slot} = {scale} " if scale > 1 else " no limit, no heat "
    surface.put(LABEL, y, words, look.style("dim"))


def _heap(surface: Surface, look: Look, pile: Pile, hill: Hill, y: int, *, pointed: bool) -> None:
    """A population: squares, its number, and its rates."""
    palette, end = look.palette, surface.w - 2
    tint, fault = palette.rgb(pile.color or "text"), pile.color == "bad"
    filled = tint if fault else mix(palette.rgb("bg"), tint, MUTED)
    _label(surface, look, pile, y, pointed=pointed)
    squares = look.glyphs.slot * min(hill.room, -(-pile.count // hill.scale))
    surface.put(BAR, y, squares, look.style(filled))
    tail = max(map(len, hill.rates.values()))
    if tail:
        surface.put_right(end, y, hill.rates[pile.name], look.style("dim"))
        end -= tail + 1
    surface.put_right(end, y, pile.text, look.style("bad" if fault else "bright", bold=True))


def _rate(frame: Frame, pile: Pile) -> str:
    rate = frame.past.rate(pile.name)
    if rate is None or not any(rate):
        return ""
    return f"+{count(rate[0])} -{count(rate[1])}/s"


def _programs(surface: Surface, look: Look, frame: Frame, y: int) -> int:
    """What each program of the scenario does, where rows are left."""
    colors = {"running": "good", "runnable": "warn", "sleeping": "hot"}
    for host in frame.world.hosts:
        for program in host.programs:
            if y >= surface.h - 1:
                return y
            name = fit(program.name, BAR - LABEL - 1, look.glyphs.ellipsis)
            surface.put(LABEL, y, plain(name, look.glyphs), look.style("text"))
            words = fit(
                plain(program.doing or program.state, look.glyphs), surface.w - BAR - 2, look.glyphs.ellipsis
            )
            surface.put_right(surface.w - 2, y, words, look.style(colors.get(program.state, "dim")))
            y += 1
    return y


def _hidden(surface: Surface, look: Look, frame: Frame, shown: set[str]) -> None:
    """What found no row and is not empty stands in the frame, the most telling first."""
    piles = {pile.name: pile for pile in (*frame.piles, *frame.heaps)}
    words = ""
    for name in frame.telling:
        pile = piles[name]
        if name in shown or not pile.count or (pile.part != NO_LIMIT and not pile.fault):
            continue
        more = f"{words}  {name} {pile.text}" if words else f"{name} {pile.text}"
        if len(more) > surface.w - 6:
            break
        words = more
    if words:
        surface.put_right(surface.w - 2, surface.h - 1, f" {words} ", look.style("dim"))


SPEC = PaneSpec(
    "gauges",
    "QUEUES & STATES",
    draw_gauges,
    every=2,
    words=places.PANE_WORDS["gauges"],
    needs=frozenset(("world", "past", "piles", "heaps", "telling", "beat")),
)
