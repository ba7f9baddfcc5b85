"""Sockets as `ss` shows them: which of them get rows, and the same row again while nothing in it has changed."""

from __future__ import annotations

from heapq import nlargest
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING, Any, cast

from wireside.catalog.inet import IPPROTO_UDP
from wireside.catalog.tcp_states import SS_NAME, TcpState
from wireside.kernel.core.sock import Sock
from wireside.sim.socket_fields import fields_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from wireside.kernel.core.net import Net
    from wireside.kernel.tcp.door.request_sock import RequestSock
    from wireside.snapshot import SocketRow

ENDS_SHOWN = 1000
"""Where there are many sockets, so many of the oldest and of the newest get rows."""
MINI_SHOWN = 500
"""Requests, and TIME-WAIT entries, that get rows."""
SCREEN_SHOWN = 64
"""The same, of each of them, for a snapshot that is made to be looked at and goes by."""
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
        if known is not None and known == row:
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
    return cast("list[RequestSock]", list(net.requests.values()))


def ends(sockets: dict[int, Sock], most: int) -> Iterable[Sock]:
    """Of more than twice `most` sockets so many of the oldest and of the newest, in order of creation."""
    if len(sockets) <= 2 * most:
        return sockets.values()
    newest = [sockets[number] for number in islice(reversed(sockets), most)]
    return (*islice(sockets.values(), most), *reversed(newest))


def shown_sockets(net: Net) -> Iterator[Sock]:
    """The full sockets that get rows, in order of creation."""
    return (sk for sk in ends(net.sockets, ENDS_SHOWN) if _is_listed(sk))


def screen_sockets(net: Net, nets: Mapping[int, Net]) -> Iterator[Sock]:
    """The full sockets that a picture may need, in order of creation: both ends, those that hold most, and their peers.

    `nets` finds the other hosts by their address.
    """
    if len(net.sockets) <= 2 * SCREEN_SHOWN:
        return (sk for sk in net.sockets.values() if _is_listed(sk))
    chosen = {sk.id: sk for sk in ends(net.sockets, SCREEN_SHOWN)}
    for sk in _fullest(net):
        chosen[sk.id] = sk
    for other in nets.values():
        for sk in _fullest(other):
            flow = sk.flow_out
            peer = net.ehash.get(flow) if flow is not None and flow[2] == net.address else None
            if isinstance(peer, Sock):
                chosen[peer.id] = peer
    return (chosen[number] for number in sorted(chosen) if _is_listed(chosen[number]))


def _fullest(net: Net) -> list[Sock]:
    return nlargest(SCREEN_SHOWN, net.holding.values(), key=attrgetter("sk_rmem_alloc"))


def _is_listed(sk: Sock) -> bool:
    """Ss finds sockets by the kernel's hash tables, and a TCP socket in CLOSE is in none. Linux: net/ipv4/inet_diag.c."""
    return sk.sk_state != TcpState.CLOSE or sk.sk_protocol == IPPROTO_UDP


def socket_rows(
    net: Net, rows: SocketRows, now: int, sockets: Iterable[Sock], most: int
) -> tuple[tuple[SocketRow, ...], dict[str, int]]:
    """The rows of some of a namespace's sockets, and the number of all TCP sockets by state.

    At most so many requests and TIME-WAIT entries get rows, too. Linux: net/ipv4/inet_diag.c inet_diag_dump_icsk().
    """
    shown = [rows.row(sk, now) for sk in sockets]
    states = {SS_NAME[state]: count for state in TcpState if (count := net.tcp_in_state[state])}
    waiting = requests(net)
    if waiting:
        states["SYN-RECV"] = states.get("SYN-RECV", 0) + len(waiting)
        shown += [rows.row(req, now) for req in waiting[:most]]
    if net.timewait:
        orphans = net.fin_wait2_minisocks
        for state, count in (
            (TcpState.FIN_WAIT2, orphans),
            (TcpState.TIME_WAIT, len(net.timewait) - orphans),
        ):
            if count:
                states[SS_NAME[state]] = states.get(SS_NAME[state], 0) + count
        shown += [rows.row(tw, now) for tw in islice(net.timewait.values(), most)]
    rows.forget()
    return tuple(shown), states
