"""The socket table, as `ss -tuano` shows it: in the order of the host while it fits, by state when there are many."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from wireside.paint.palette import STATE_COLORS
from wireside.paint.words import fit, grouped, size
from wireside.tools import ss

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wireside.paint.frame import Frame
    from wireside.paint.look import Look
    from wireside.paint.palette import RGB
    from wireside.paint.surface import Surface
    from wireside.paint.ui import Ui
    from wireside.snapshot import HostSnapshot, SocketRow

ORDER = (
    "LISTEN", "CLOSE-WAIT", "SYN-RECV", "SYN-SENT", "ESTAB", "FIN-WAIT-1", "FIN-WAIT-2", "CLOSING", "LAST-ACK", "TIME-WAIT",
    "UNCONN",
)  # fmt: skip
"""States by what they tell about a server."""
_PLACE = {state: place for place, state in enumerate(ORDER)}
LOOSE = 3
"""So many sockets of one state need no heading."""


@dataclass(frozen=True, slots=True)
class Group:
    """The sockets of one state of one host."""

    host: str
    state: str
    count: int
    """How many there are; `rows` may hold fewer of them."""
    rows: Sequence[SocketRow]
    ours: bool
    """Whether the host is the one in focus."""
    headed: bool

    @property
    def lines(self) -> int:
        """The heading, the rows, and one line for those that have none."""
        return self.headed + len(self.rows) + (self.count > len(self.rows))


@dataclass(frozen=True, slots=True)
class Heading:
    """The line above the sockets of a state."""

    group: Group


@dataclass(frozen=True, slots=True)
class Unlisted:
    """The line that stands for sockets without a row."""

    group: Group


Line = tuple[Group, "Heading | Unlisted | SocketRow"]


@dataclass(frozen=True, slots=True)
class Listing:
    """All lines of the table, of which only those that are seen are ever made."""

    groups: Sequence[Group]
    starts: Sequence[int]
    """The line at which each group begins."""
    total: int
    sockets: int

    def lines(self, first: int, count: int) -> Iterator[Line]:
        """`count` lines from line `first` on."""
        last = min(self.total, first + count)
        index = bisect_right(self.starts, first) - 1
        at = first
        while at < last:
            group = self.groups[index]
            within = at - self.starts[index]
            for line in range(within, min(group.lines, last - self.starts[index])):
                yield group, _line(group, line)
            at = self.starts[index] + group.lines
            index += 1

    def overview(self, count: int) -> list[Line]:
        """`count` lines that tell of every group, each cut to what all have room for."""
        room = dict.fromkeys(range(len(self.groups)), 0)
        left = count
        while left > 0 and (open_ := [i for i in room if room[i] < self.groups[i].lines]):
            for i in open_[:left]:
                room[i] += 1
            left -= min(left, len(open_))
        return [
            (self.groups[i], _line(self.groups[i], line))
            for i, lines in room.items()
            for line in range(lines)
        ]

    def neighbour(self, first: int, direction: int) -> int:
        """The first line of the group after (+1) or before (-1) line `first`."""
        if direction > 0:
            return next((start for start in self.starts if start > first), first)
        return next((start for start in reversed(self.starts) if start < first), 0)


def _line(group: Group, line: int) -> Heading | Unlisted | SocketRow:
    line -= group.headed
    if line < 0:
        return Heading(group)
    return group.rows[line] if line < len(group.rows) else Unlisted(group)


def listing(frame: Frame, room: int) -> Listing:
    """The sockets of the host in focus, then those of the others; by state when they do not fit into `room` lines."""
    hosts = [frame.host, *(host for host in frame.world.hosts if host.name != frame.focus)]
    listed = [(host, [row for row in host.sockets if ss.is_listed(row)]) for host in hosts]
    many = sum(len(rows) for _, rows in listed) > room
    groups: list[Group] = []
    for host, rows in listed:
        ours = host.name == frame.focus
        if many:
            groups += _by_state(host, rows, ours=ours)
        elif rows:
            groups.append(Group(host.name, "", len(rows), rows, ours, headed=False))
    ends = list(accumulate(group.lines for group in groups))
    return Listing(groups, [0, *ends[:-1]], ends[-1] if ends else 0, sum(group.count for group in groups))


def _by_state(host: HostSnapshot, listed: Sequence[SocketRow], *, ours: bool) -> Iterator[Group]:
    by_state: dict[str, list[SocketRow]] = {}
    udp = 0
    for row in listed:
        by_state.setdefault(row.state, []).append(row)
        udp += row.netid == "udp" and row.state == "ESTAB"
    for state in sorted(by_state, key=lambda state: _PLACE.get(state, len(ORDER))):
        rows = by_state[state]
        tcp = host.states.get(state, 0) if state != "UNCONN" else 0
        count = max(len(rows), tcp + (udp if state == "ESTAB" else 0))
        yield Group(host.name, state, count, rows, ours, headed=count > LOOSE)


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the columns stand: text from, numbers up to; -1: no room for it."""

    recv_q: int
    send_q: int
    local: int
    peer: int
    timer: int
    cwnd: int
    window: int
    local_width: int
    peer_width: int
    timer_width: int


PORT, TIMER, WIDE_TIMER, CWND, WINDOW = 6, 14, 24, 6, 11
"""Widths: ":65535", "timewait,58sec", "timer:(timewait,58sec,0)", and two numbers with a blank before each."""


def columns(w: int, address: int) -> Columns:
    """The columns that fit into a pane `w` wide, in the order in which they tell; `address` is the longest one's length.

    State, queues and local port are always there, then who ends the socket (timer or owner), the peer, the sender's
    window and the receiver's, and whole addresses.
    """
    rest = w - 2 - 34
    peer = address if rest >= TIMER + 1 + address else PORT if rest >= TIMER + 1 + PORT else 0
    rest -= peer + 1 if peer else 0
    both = rest >= TIMER + CWND + WINDOW
    rest -= CWND + WINDOW if both else 0
    local = address if peer > PORT and rest >= TIMER + address - PORT else PORT
    rest -= local - PORT
    at = 27 + local + 1
    return Columns(
        recv_q=19,
        send_q=26,
        local=27,
        peer=at if peer else -1,
        timer=at + peer + 1 if peer else at,
        cwnd=w - 2 - WINDOW if both else -1,
        window=w - 2 if both else -1,
        local_width=local,
        peer_width=peer,
        timer_width=min(rest, WIDE_TIMER),
    )


def draw_sockets(surface: Surface, look: Look, frame: Frame, ui: Ui) -> None:
    """Draw the table below the pane's first row: all that tells of trouble, or, with the keyboard, the lines chosen."""
    at = columns(surface.w, max(len(host.address) for host in frame.world.hosts) + PORT)
    head = look.style("dim", bold=True)
    state, recv_q, send_q, local, peer = ss.SHORT_HEADERS
    surface.put(2, 1, state, head)
    surface.put_right(at.recv_q, 1, recv_q, head)
    surface.put_right(at.send_q, 1, send_q, head)
    surface.put(at.local, 1, local, head)
    surface.put(at.timer, 1, "Timer, owner" if at.timer_width >= TIMER else "Timer", head)
    if at.peer >= 0:
        surface.put(at.peer, 1, peer, head)
    if at.cwnd >= 0:
        surface.put_right(at.cwnd, 1, "cwnd", head)
        surface.put_right(at.window, 1, "rcv window", head)
    room = surface.h - 3
    table = listing(frame, room)
    focused = ui.focus_pane == "tools"
    first = max(0, min(ui.tool_first, table.total - room))
    shown = list(table.lines(first, room)) if focused else table.overview(room)
    for y, (group, line) in enumerate(shown, start=2):
        if isinstance(line, Heading):
            _heading(surface, look, group, y)
        elif isinstance(line, Unlisted):
            words = f"and {grouped(group.count - len(group.rows))} more"
            surface.put(4, y, words, look.style("dim"))
        else:
            _socket(surface, look, line, y, at, ours=group.ours)
    _foot(surface, look, table, first, room, focused=focused)


def _foot(surface: Surface, look: Look, table: Listing, first: int, room: int, *, focused: bool) -> None:
    """How much there is, and how to see it, in the lower edge."""
    if table.total <= room:
        return
    y, right = surface.h - 1, surface.w - 2
    right = surface.put_right(right, y, f" {grouped(table.sockets)} sockets ", look.style("dim"))
    if focused:
        last = min(table.total, first + room)
        text = f" {grouped(first + 1)}-{grouped(last)} of {grouped(table.total)} lines "
        surface.put_right(right - 1, y, text, look.style("dim"))
        keys = " ↑↓ ←→ " if look.glyphs.unicode else " arrows "
        if len(keys) + len(text) + 4 < right:
            surface.put(2, y, keys, look.style("warn"))


def _heading(surface: Surface, look: Look, group: Group, y: int) -> None:
    color = STATE_COLORS.get(group.state, "hot")
    x = surface.put(2, y, group.state, look.style(color if group.ours else "dim", bold=True))
    x = surface.put(x + 1, y, grouped(group.count), look.style("bright" if group.ours else "text", bold=True))
    if not group.ours:
        host = fit(f"on {group.host}", surface.w - 4 - x, look.glyphs.ellipsis)
        x = surface.put(x + 1, y, host, look.style("dim"))
    surface.put(x + 1, y, look.glyphs.lane * (surface.w - 2 - x - 1), look.style("faint"))


def _heat(look: Look, used: int, most: int) -> RGB:
    return look.palette.heat(used / most if most else 0.0)


def _bytes(text: str) -> str:
    """A number of bytes as ss prints it, while the column holds it."""
    return text if len(text) < 7 else size(int(text))


def _socket(surface: Surface, look: Look, row: SocketRow, y: int, at: Columns, *, ours: bool) -> None:
    line = ss.cells(row)
    color = STATE_COLORS.get(row.state, "hot")
    surface.put(2, y, line.state[:10], look.style(color if ours else "dim"))
    full = row.recv_q if row.state == "LISTEN" else row.sk_rmem_alloc
    most = row.send_q if row.state == "LISTEN" else row.sk_rcvbuf
    surface.put_right(at.recv_q, y, _bytes(line.recv_q), look.style(_heat(look, full, most)))
    waiting = _heat(look, row.sk_wmem_queued, row.sk_sndbuf)
    surface.put_right(at.send_q, y, _bytes(line.send_q), look.style(waiting))
    text = look.style("text" if ours else "dim")
    surface.put(at.local, y, endpoint(line.local, line.local_port, at.local_width), text)
    if at.peer >= 0:
        surface.put(at.peer, y, endpoint(line.peer, line.peer_port, at.peer_width), text)
    if row.netid == "udp" and row.sk_drops:
        surface.put(at.timer, y, fit(f"drops {row.sk_drops}", at.timer_width), look.style("bad", bold=True))
    elif line.timer:
        surface.put(at.timer, y, timer(line.timer, at.timer_width), look.style("warn" if ours else "dim"))
    else:
        owner = f"{row.program} fd {row.fd}" if row.program and row.fd >= 0 else row.program
        if len(owner) > at.timer_width:
            owner = row.program
        surface.put(at.timer, y, fit(owner, at.timer_width, look.glyphs.ellipsis), look.style("dim"))
    if at.cwnd >= 0 and row.netid == "tcp" and row.state != "LISTEN" and row.sk_rcvbuf:
        surface.put_right(at.cwnd, y, ss.INFORMATION["cwnd:"](row), text)
        color = "bad" if row.rcv_wnd_left == 0 else "good"
        surface.put_right(at.window, y, size(row.rcv_wnd_left), look.style(color if ours else "dim"))


def endpoint(address: str, port: str, width: int) -> str:
    """An address and port, or the port alone where both do not fit: never a part of a number."""
    return address + port if len(address + port) <= width else ":" + port


def timer(whole: str, width: int) -> str:
    """A timer as `ss -o` prints it, in the longest form that fits; the time is what is given up last but one."""
    text = whole.removeprefix("timer:(").removesuffix(")")
    kind, _, rest = text.partition(",")
    left, _, count = rest.rpartition(",")
    forms = [whole, text]
    if left:  # what is due at once has no time
        forms += [f"{kind},{left}"] if count == "0" or len(text) > width else []
        forms += [left] if kind in {"timewait", "on"} else []
    return next((form for form in forms if len(form) <= width), kind[:width])
