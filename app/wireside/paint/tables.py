"""The tools pane: sockets, counters, events and packets, one tab each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wireside.catalog.counters import BAD_COUNTERS
from wireside.paint.glyphs import plain
from wireside.paint.panes import event_lines
from wireside.paint.scene import ENDS
from wireside.paint.sockets import draw_sockets, listing
from wireside.paint.strokes import frame
from wireside.paint.words import fit, short_clock

if TYPE_CHECKING:
    from wireside.paint.surface import Surface
    from wireside.paint.view import Look, View

TABS = ("ss", "nstat", "events", "packets")
SOCKETS, COUNTERS, EVENTS = 1, 2, 3


def draw_tools(surface: Surface, look: Look, view: View) -> None:
    """Draw the chosen tab."""
    surface.clear()
    lit = view.focus_pane == "tools" or view.highlight[1] == "tools"
    narrow = surface.w < 54
    frame(surface, look, "" if narrow else "TOOLS", lit=lit)
    x = 1 if narrow else 9
    for number, name in enumerate(TABS, start=1):
        chosen = number == view.tab
        style = look.style("ink", "accent", bold=True) if chosen else look.style("dim")
        x = surface.put(x + 1, 0, f" {number} {name} ", style)
    (draw_sockets, _counters, _events, _packets)[view.tab - 1](surface, look, view)


def room_of(tab: int, height: int) -> int:
    """How many lines of a tool a pane `height` high has room for."""
    return max(1, height - (3 if tab == SOCKETS else 2))


def lines_of(view: View, height: int) -> int:
    """How many lines the chosen tool has to show; an event may need several, so the last one may come to the top."""
    room = room_of(view.tab, height)
    if view.tab == SOCKETS:
        return listing(view, room).total
    if view.tab == EVENTS:
        return len(view.events) + room - 1
    return len(view.moved if view.tab == COUNTERS else view.traces)


def first_of(view: View) -> int:
    """The first line shown: the one scrolled to while the pane has the keyboard, else the top."""
    return view.tool_first if view.focus_pane == "tools" else 0


def _counters(surface: Surface, look: Look, view: View) -> None:
    """The counters that moved, as `nstat` lists them; first those of the story and of trouble, and the latter in red."""
    told = f"{view.beat.when} {view.beat.say}" if view.beat else ""
    moved = sorted(
        view.moved.items(), key=lambda item: (not _is_told(item[0], told), item[0] not in BAD_COUNTERS)
    )
    moved = moved[first_of(view) :]
    columns = 2 if surface.w >= 76 else 1
    rows = surface.h - 2
    width = (surface.w - 4) // columns
    for i, (name, n) in enumerate(moved[: rows * columns]):
        x, y = 2 + (i // rows) * width, 1 + i % rows
        bad = name in BAD_COUNTERS
        surface.put(x, y, fit(name, width - 14, look.glyphs.ellipsis), look.style("text"))
        surface.put_right(x + width - 2, y, str(n), look.style("bad" if bad else "accent", bold=bad))
    if not view.moved:
        surface.put(2, 1, "No counter has moved yet.", look.style("dim"))


def _is_told(name: str, told: str) -> bool:
    """Whether the story speaks of a counter, in full or without the group that nstat puts before its name."""
    short = name
    for group in ("TcpExt", "IpExt", "Tcp", "Udp", "Ip"):
        short = short.removeprefix(group)
    return re.search(rf"\b(?:{name}|{short})\b", told) is not None


def _events(surface: Surface, look: Look, view: View) -> None:
    events = view.events[: len(view.events) - first_of(view)]
    event_lines(surface, look, events, surface.h - 2, 1)


def _packets(surface: Surface, look: Look, view: View) -> None:
    """The newest packets as tcpdump would print them, and how each ended."""
    rows = surface.h - 2
    seen = [trace for trace in view.traces[-200:] if trace.stamps and trace.stamps[0][1] <= view.t]
    seen = seen[: len(seen) - first_of(view)]
    for y, trace in enumerate(reversed(seen[-rows:]), start=1):
        surface.put(2, y, short_clock(trace.stamps[0][1]), look.style("faint"))
        kind = trace.kind if trace.kind in look.palette.roles else "text"
        lost = bool(trace.fate) and trace.fate not in ENDS
        x = surface.put(12, y, look.glyphs.bullet, look.style("bad" if lost else kind))
        right = surface.w - 2
        if trace.fate and (lost or surface.w >= 90):
            right = (
                surface.put_right(right, y, trace.fate, look.style("bad" if lost else "dim", bold=lost)) - 1
            )
        text = trace.label
        if surface.w < 90:
            text = f"{trace.source}: {trace.label.partition(': ')[2] or trace.label}"
        if surface.w < 54:  # room for the numbers is worth more than a word that every line has
            text = text.replace(" Flags ", " ")
        text = fit(plain(text, look.glyphs), right - x - 1, look.glyphs.ellipsis)
        surface.put(x + 1, y, text, look.style("text"))
