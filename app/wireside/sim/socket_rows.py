"""Sockets as `ss` shows them: which of them get rows, and the same row again while nothing in it has changed."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from wireside.catalog.inet import IPPROTO_UDP
from wireside.catalog.tcp_states import SS_NAME, TcpState
from wireside.sim.socket_fields import fields_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wireside.kernel.core.net import Net
    from wireside.kernel.core.sock import Sock
    from wireside.kernel.tcp.door.request_sock import RequestSock
    from wireside.snapshot import SocketRow

ENDS_SHOWN = 1000
"""Where there are many sockets, so many of the oldest and of the newest get rows."""
MINI_SHOWN = 500
"""Requests, and TIME-WAIT entries, that get rows."""
FORGET_EVERY = 256


class SocketRows:
    """Builds rows and hands out the previous one again while nothing in it has changed."""

    __slots__ = ("asked", "old", "rows")

    def __init__(self) -> None:
        self.rows: dict[int, SocketRow] = {}
        self.old: dict[int, SocketRow] = {}
        self.asked = 0

    def row(self, sk: Any, now: int) -> SocketRow:
        """The row of one socket at `now` ns."""
        number = sk.id
        row = fields_of(sk).row(sk, now)
        known = self.rows.get(number) or self.old.get(number)
        if known == row:
            row = known
        self.rows[number] = row
        return row

    def forget(self) -> None:
        """Drop rows of sockets that are gone, now and then."""
        self.asked += 1
        if self.asked % FORGET_EVERY == 0:
            self.rows, self.old = {}, self.rows


def requests(net: Net) -> list[RequestSock]:
    """The handshakes under way in a namespace, oldest first."""
    return list(net.requests.values())


def shown_sockets(net: Net) -> Iterator[Sock]:
    """The full sockets that get rows, in order of creation."""
    sockets: Iterable[Sock] = net.sockets.values()
    if len(net.sockets) > 2 * ENDS_SHOWN:
        newest = list(islice(reversed(net.sockets.values()), ENDS_SHOWN))
        sockets = (*islice(sockets, ENDS_SHOWN), *reversed(newest))
    return (sk for sk in sockets if sk.sk_state != TcpState.CLOSE or sk.sk_protocol == IPPROTO_UDP)


def socket_rows(net: Net, rows: SocketRows, now: int) -> tuple[tuple[SocketRow, ...], dict[str, int]]:
    """The rows of a namespace's sockets, and the number of TCP sockets by state.

    A TCP socket in CLOSE has none: ss finds sockets by the kernel's hash tables, and it is in no table. At most
    2 * ENDS_SHOWN sockets (the oldest and the newest), MINI_SHOWN requests and MINI_SHOWN TIME-WAIT entries get rows; all
    are counted. Linux: net/ipv4/inet_diag.c inet_diag_dump_icsk().
    """
    shown = [rows.row(sk, now) for sk in shown_sockets(net)]
    states = {SS_NAME[state]: count for state in TcpState if (count := net.tcp_in_state[state])}
    waiting = requests(net)
    if waiting:
        states["SYN-RECV"] = states.get("SYN-RECV", 0) + len(waiting)
        shown += [rows.row(req, now) for req in waiting[:MINI_SHOWN]]
    if net.timewait:
        orphans = net.fin_wait2_minisocks
        for state, count in (
            (TcpState.FIN_WAIT2, orphans),
            (TcpState.TIME_WAIT, len(net.timewait) - orphans),
        ):
            if count:
                states[SS_NAME[state]] = states.get(SS_NAME[state], 0) + count
        shown += [rows.row(tw, now) for tw in islice(net.timewait.values(), MINI_SHOWN)]
    rows.forget()
    return tuple(shown), states
