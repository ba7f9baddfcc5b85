"""The tools pane: sockets, counters, events and packets, one tab each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wireside.catalog import places
from wireside.catalog.counters import BAD_COUNTERS
from wireside.paint.cells import width as cells
from wireside.paint.glyphs import plain
from wireside.paint.pane import PaneSpec
from wireside.paint.panes import event_lines
from wireside.paint.scene import ENDS
from wireside.paint.sockets import draw_sockets, listing
from wireside.paint.strokes import border
from wireside.paint.words import fit, short_clock

if TYPE_CHECKING:
    from wireside.paint.frame import Frame
    from wireside.paint.look import Look
    from wireside.paint.surface import Surface
    from wireside.paint.ui import Ui

TABS = ("ss", "nstat", "events", "packets")
SOCKETS, COUNTERS, EVENTS = 1, 2, 3
OPTIONS = re.compile(r"options \[.*?\], ")
ROOM_FOR_ADDRESSES, ROOM_FOR_FLAGS = 90, 54
"""Columns of the pane."""


def draw_tools(surface: Surface, look: Look, frame: Frame, ui: Ui) -> None:
    """Draw the chosen tab."""
    surface.clear()
    lit = ui.focus_pane == "tools" or frame.highlight[1] == "tools"
    narrow = surface.w < 54
    border(surface, look, "" if narrow else SPEC.title, lit=lit)
    x = 1 if narrow else 9
    for number, name in enumerate(TABS, start=1):
        chosen = number == ui.tab
        style = look.style("ink", "accent", bold=True) if chosen else look.style("dim")
        x = surface.put(x + 1, 0, f" {number} {name} ", style)
    (draw_sockets, _counters, _events, _packets)[ui.tab - 1](surface, look, frame, ui)


def room_of(tab: int, height: int) -> int:
    """How many lines of a tool a pane `height` high has room for."""
    return max(1, height - (3 if tab == SOCKETS else 2))


def lines_of(frame: Frame, tab: int, height: int) -> int:
    """How many lines a tool has to show in a pane `height` high; an event may need several, so the last one may come to the top."""
    room = room_of(tab, height)
    if tab == SOCKETS:
        return listing(frame, room).total
    if tab == EVENTS:
        return len(frame.events) + room - 1
    return len(frame.moved if tab == COUNTERS else frame.traces)


def first_of(ui: Ui) -> int:
    """The first line shown: the one scrolled to while the pane has the keyboard, else the top."""
    return ui.tool_first if ui.focus_pane == "tools" else 0


def _counters(surface: Surface, look: Look, frame: Frame, ui: Ui) -> None:
    """The counters that moved, as `nstat` lists them; first those of the story and of trouble, and the latter in red."""
    told = f"{frame.beat.when} {frame.beat.say}" if frame.beat else ""
    moved = sorted(
        frame.moved.items(), key=lambda item: (not _is_told(item[0], told), item[0] not in BAD_COUNTERS)
    )
    shown = moved[first_of(ui) :]
    columns = 2 if surface.w >= 76 else 1
    rows = surface.h - 2
    width = (surface.w - 4) // columns
    for i, (name, n) in enumerate(shown[: rows * columns]):
        x, y = 2 + (i // rows) * width, 1 + i % rows
        bad = name in BAD_COUNTERS
        surface.put(x, y, fit(name, width - 14, look.glyphs.ellipsis), look.style("text"))
        surface.put_right(x + width - 2, y, str(n), look.style("bad" if bad else "accent", bold=bad))
    if not moved:
        surface.put(2, 1, "No counter has moved yet.", look.style("dim"))


def _is_told(name: str, told: str) -> bool:
    """Whether the story speaks of a counter, in full or without the group that nstat puts before its name."""
    short = name
    for group in ("TcpExt", "IpExt", "Tcp", "Udp", "Ip"):
        short = short.removeprefix(group)
    return re.search(rf"\b(?:{name}|{short})\b", told) is not None


def _events(surface: Surface, look: Look, frame: Frame, ui: Ui) -> None:
    events = frame.events[: len(frame.events) - first_of(ui)]
    event_lines(surface, look, events, surface.h - 2, 1)


def _packets(surface: Surface, look: Look, frame: Frame, ui: Ui) -> None:
    """The newest packets as tcpdump would print them, and how each ended."""
    rows = surface.h - 2
    seen = [trace for trace in frame.traces[-200:] if trace.stamps and trace.stamps[0][1] <= frame.t]
    seen = seen[: len(seen) - first_of(ui)]
    for y, trace in enumerate(reversed(seen[-rows:]), start=1):
        surface.put(2, y, short_clock(trace.stamps[0][1]), look.style("faint"))
        kind = trace.kind if trace.kind in look.palette.roles else "text"
        lost = bool(trace.fate) and trace.fate not in ENDS
        x = surface.put(12, y, look.glyphs.bullet, look.style("bad" if lost else kind))
        right = surface.w - 2
        if trace.fate and (lost or surface.w >= ROOM_FOR_ADDRESSES):
            right = (
                surface.put_right(right, y, trace.fate, look.style("bad" if lost else "dim", bold=lost)) - 1
            )
        text = packet_text(plain(trace.label, look.glyphs), trace.source, right - x - 1, surface.w)
        text = fit(text, right - x - 1, look.glyphs.ellipsis)
        surface.put(x + 1, y, text, look.style("text"))


def packet_text(label: str, source: str, room: int, w: int) -> str:
    """A line of `tcpdump -n` for a pane `w` wide: what goes first is what a reader of a small pane needs least."""
    if w < ROOM_FOR_ADDRESSES:
        label = f"{source}: {label.partition(': ')[2] or label}"
    if w < ROOM_FOR_FLAGS:  # room for the numbers is worth more than a word that every line has
        label = label.replace(" Flags ", " ")
    return label if cells(label) <= room else OPTIONS.sub("", label)


SPEC = PaneSpec(
    "tools",
    "TOOLS",
    draw_tools,
    every=5,
    words=places.PANE_WORDS["tools"],
    needs=frozenset(("world", "focus", "t", "traces", "events", "beat", "tab", "tool_first", "focus_pane")),
)
