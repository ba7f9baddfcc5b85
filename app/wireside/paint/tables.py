"""The tools pane: sockets, counters, events and packets, one tab each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wireside.paint.glyphs import plain
from wireside.paint.panes import event_lines
from wireside.paint.strokes import frame
from wireside.paint.words import fit, short_clock, size

if TYPE_CHECKING:
    from wireside.paint.palette import RGB
    from wireside.paint.surface import Surface
    from wireside.paint.view import Look, View
    from wireside.snapshot import SocketRow

TABS = ("ss", "nstat", "events", "packets")
STATE_COLORS = {
    "LISTEN": "DATA",
    "ESTAB": "good",
    "CLOSE-WAIT": "bad",
    "TIME-WAIT": "warn",
    "SYN-SENT": "FIN",
    "SYN-RECV": "FIN",
    "UNCONN": "UDP",
}


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
    (_sockets, _counters, _events, _packets)[view.tab - 1](surface, look, view)


def _heat(look: Look, used: int, most: int) -> RGB:
    return look.palette.heat(used / most if most else 0.0)


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where the columns of the socket table stand: text columns from, numbers up to."""

    state: int
    recv_q: int
    send_q: int
    local: int
    peer: int
    end: int
    wide: bool
    """Whether cwnd and window have columns, too."""


def _columns(w: int, locals_: list[str]) -> _Columns:
    if w < 54:
        return _Columns(2, 19, 26, 27, 34, w - 2, wide=False)
    wide = w >= 66
    end = w - (24 if wide else 2)
    longest = max((len(text) for text in locals_), default=8)
    return _Columns(4, 20, 27, 28, 28 + min(longest + 1, end - 36), end, wide=wide)


def _sockets(surface: Surface, look: Look, view: View) -> None:
    """As `ss -tuan` shows them, this host's first, then those of the others."""
    at = _columns(surface.w, [s.local for s in view.host.sockets])
    head = look.style("dim", bold=True)
    for x, title in ((2, "State"), (at.local, "Local"), (at.peer, "Peer")):
        surface.put(x, 1, title, head)
    surface.put_right(at.recv_q, 1, "Recv-Q", head)
    surface.put_right(at.send_q, 1, "Send-Q", head)
    if at.wide:
        surface.put_right(surface.w - 14, 1, "cwnd", head)
        surface.put_right(surface.w - 2, 1, "rcv window", head)
    rows = [(True, s) for s in view.host.sockets]
    rows += [(False, s) for h in view.world.hosts if h.name != view.focus for s in h.sockets]
    for y, (ours, row) in enumerate(rows[: surface.h - 3], start=2):
        _socket_row(surface, look, row, y, at, ours=ours)
    if len(rows) > surface.h - 3:
        surface.put_right(surface.w - 2, surface.h - 1, f" {len(rows)} sockets ", look.style("dim"))


def _socket_row(surface: Surface, look: Look, row: SocketRow, y: int, at: _Columns, *, ours: bool) -> None:
    color = STATE_COLORS.get(row.state, "hot")
    if at.state > 2:
        surface.put(2, y, look.glyphs.bullet, look.style(color))
    surface.put(at.state, y, row.state[:10], look.style(color if ours else "dim"))
    full = row.recv_q if row.state == "LISTEN" else row.sk_rmem_alloc
    most = row.send_q if row.state == "LISTEN" else row.sk_rcvbuf
    surface.put_right(at.recv_q, y, str(row.recv_q), look.style(_heat(look, full, most)))
    surface.put_right(
        at.send_q, y, str(row.send_q), look.style(_heat(look, row.sk_wmem_queued, row.sk_sndbuf))
    )
    text = look.style("text" if ours else "dim")
    ellipsis, local = look.glyphs.ellipsis, row.local
    if len(local) > at.peer - at.local - 1:
        local = ":" + local.rpartition(":")[2]
    surface.put(at.local, y, fit(local, at.peer - at.local - 1, ellipsis), text)
    surface.put(at.peer, y, fit(row.peer, at.end - at.peer, ellipsis), text)
    if at.wide and row.netid == "tcp" and row.state != "LISTEN":
        surface.put_right(surface.w - 14, y, str(row.cwnd), text)
        color = "bad" if row.rcv_wnd_left == 0 else "good"
        surface.put_right(surface.w - 2, y, size(row.rcv_wnd_left), look.style(color if ours else "dim"))
    elif at.wide and row.netid == "udp" and row.sk_drops:
        surface.put_right(surface.w - 2, y, f"drops {row.sk_drops}", look.style("bad", bold=True))


_LOSSY = (
    "Drop",
    "Overflow",
    "Prune",
    "Err",
    "Fail",
    "Lost",
    "Timeouts",
    "Retrans",
    "ZeroWindow",
    "Abort",
    "Discard",
)


def _counters(surface: Surface, look: Look, view: View) -> None:
    """The counters that moved, as `nstat` lists them; those that tell of trouble first, and in red."""
    moved = sorted(view.moved.items(), key=lambda item: not any(word in item[0] for word in _LOSSY))
    columns = 2 if surface.w >= 76 else 1
    rows = surface.h - 2
    width = (surface.w - 4) // columns
    for i, (name, n) in enumerate(moved[: rows * columns]):
        x, y = 2 + (i // rows) * width, 1 + i % rows
        bad = any(word in name for word in _LOSSY)
        surface.put(x, y, fit(name, width - 14, look.glyphs.ellipsis), look.style("text"))
        surface.put_right(x + width - 2, y, str(n), look.style("bad" if bad else "accent", bold=bad))
    if not moved:
        surface.put(2, 1, "No counter has moved yet.", look.style("dim"))


def _events(surface: Surface, look: Look, view: View) -> None:
    event_lines(surface, look, view.events, surface.h - 2, 1)


def _packets(surface: Surface, look: Look, view: View) -> None:
    """The newest packets as tcpdump would print them, and how each ended."""
    rows = surface.h - 2
    seen = [trace for trace in view.traces[-200:] if trace.stamps and trace.stamps[0][1] <= view.t]
    for y, trace in enumerate(reversed(seen[-rows:]), start=1):
        surface.put(2, y, short_clock(trace.stamps[0][1]), look.style("faint"))
        kind = trace.kind if trace.kind in look.palette.roles else "text"
        lost = trace.fate not in {"", "delivered", "consumed", "merged"}
        x = surface.put(12, y, look.glyphs.bullet, look.style("bad" if lost else kind))
        right = surface.w - 2
        if trace.fate and (lost or surface.w >= 90):
            right = (
                surface.put_right(right, y, trace.fate, look.style("bad" if lost else "dim", bold=lost)) - 1
            )
        text = trace.label
        if surface.w < 90:
            text = f"{trace.source}: {trace.label.partition(': ')[2] or trace.label}"
        text = fit(plain(text, look.glyphs), right - x - 1, look.glyphs.ellipsis)
        surface.put(x + 1, y, text, look.style("text"))
