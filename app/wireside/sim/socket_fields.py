"""What each field of a socket's row is read from: one table for each kind of socket, by the field's name."""

from __future__ import annotations

from functools import lru_cache
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any

from wireside.catalog.inet import MASK
from wireside.catalog.tcp_states import SS_NAME, TcpState
from wireside.kernel.tcp.door.request_sock import RequestSock
from wireside.kernel.tcp.sock.tcp_sock import (
    CA_STATE_NAME,
    ICSK_TIME_NONE,
    ICSK_TIME_PROBE0,
    TCP_INFINITE_SSTHRESH,
    TcpSock,
    after,
    tcp_packets_in_flight,
    tcp_receive_window,
    tcp_wnd_end,
)
from wireside.kernel.udp.udp import UdpSock, udp_rqueue_get
from wireside.snapshot import SocketRow
from wireside.tools import ss
from wireside.tools.ss import timer_words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wireside.kernel.core.net import Net
    from wireside.kernel.tcp.send.tcp_minisocks import TimewaitSock

    Get = Callable[[Any, int], Any]

MS = 1_000_000
LISTEN, SYN_SENT, CLOSE = TcpState.LISTEN, TcpState.SYN_SENT, TcpState.CLOSE
endpoint = lru_cache(maxsize=1 << 14)(ss.endpoint)
FIN_SEEN = (TcpState.CLOSE_WAIT, TcpState.LAST_ACK, TcpState.CLOSING)
"""States in which the peer's FIN counts as one unread byte until read() has returned 0."""


class SocketFields:
    """How the fields of one kind of socket are read.

    `held` maps a field to the attribute that holds it, `made` to a function of the socket and the time, `always` to its value;
    of any other the row has its default.
    """

    __slots__ = ("get", "in_order", "read_held", "read_made", "rest")

    def __init__(self, held: Mapping[str, str], made: Mapping[str, Get], always: Mapping[str, Any]) -> None:
        others = {**SocketRow._field_defaults, **always}
        for name in (*held, *made):
            others.pop(name, None)
        names = (*held, *made, *others)
        self.rest = tuple(others.values())
        self.in_order = itemgetter(*[names.index(name) for name in SocketRow._fields])
        self.read_held = _held_together(tuple(held.values()))
        self.read_made = tuple(made.values())
        self.get: Mapping[str, Get] = {
            **{name: _held(attribute) for name, attribute in held.items()},
            **made,
            **{name: _always(value) for name, value in others.items()},
        }
        """Field → what reads it alone."""

    def row(self, sk: Any, now: int) -> SocketRow:
        """The row of `sk` at `now` ns."""
        made = [get(sk, now) for get in self.read_made]
        return SocketRow._make(self.in_order((*self.read_held(sk), *made, *self.rest)))


def _always(value: Any) -> Get:
    return lambda sk, now: value


def _held_together(attributes: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """`attrgetter`, but a tuple even of a single attribute."""
    get: Callable[[Any], Any] = attrgetter(*attributes)
    return get if len(attributes) > 1 else lambda sk: (get(sk),)


def _held(attribute: str) -> Get:
    get = attrgetter(attribute)
    return lambda sk, now: get(sk)


def fields_of(sk: Any) -> SocketFields:
    """The table for a socket, a request or a TIME-WAIT entry."""
    if isinstance(sk, TcpSock):
        return TCP
    if isinstance(sk, UdpSock):
        return UDP
    return REQUEST if isinstance(sk, RequestSock) else TIMEWAIT


def timer_left(kind: str, net: Net, expires: int, now: int, count: int) -> str:
    """What `ss -o` says of a timer; the time until its nominal expiry is counted in whole ticks, as the kernel does."""
    tick = net.machine.timers.tick_ns
    return timer_words(kind, (expires // tick - now // tick) * tick // MS, count)


def timer_text(tp: TcpSock, now: int) -> str:
    """The one timer that `ss -o` shows of a full socket. Linux: net/ipv4/inet_diag.c inet_sk_diag_fill()."""
    pending = tp.icsk_pending
    if pending == ICSK_TIME_PROBE0:
        return timer_left("persist", tp.net, tp.icsk_timeout, now, tp.icsk_probes_out)
    if pending != ICSK_TIME_NONE:
        return timer_left("on", tp.net, tp.icsk_timeout, now, tp.icsk_retransmits)
    timer = tp.keepalive_timer
    if timer is not None and timer.expires:
        return timer_left("keepalive", tp.net, timer.nominal, now, tp.icsk_probes_out)
    return ""


def local(sk: Any, now: int) -> str:
    """The local endpoint."""
    flow = sk.flow_out
    return endpoint(sk.rcv_saddr, sk.sk_num) if flow is None else endpoint(flow[0], flow[1])


def peer(sk: Any, now: int) -> str:
    """The peer's endpoint."""
    flow = sk.flow_out
    return endpoint(0, 0) if flow is None else endpoint(flow[2], flow[3])


def waits_for(tp: TcpSock) -> str:
    """Why data waits to be sent: "cwnd", "rwnd", "nagle", "sndbuf", or "" when nothing waits."""
    queue = tp.tcp_write_queue
    if not queue:
        return "sndbuf" if tp.sk_nospace else ""
    if tcp_packets_in_flight(tp) >= tp.snd_cwnd:
        return "cwnd"
    head = queue[0]
    end = (head.seq + min(head.len, tp.mss_cache)) & MASK
    if after(end, tcp_wnd_end(tp)):
        return "rwnd"
    if head.len < tp.mss_cache and tp.packets_out:
        return "nagle"
    return ""


def tcp_recv_q(tp: TcpSock, now: int) -> int:
    """Recv-Q of a full socket: bytes, or of a listener connections. Linux: net/ipv4/tcp_diag.c tcp_diag_get_info()."""
    state = tp.sk_state
    if state == LISTEN:
        return tp.icsk_accept_queue.sk_ack_backlog if tp.icsk_accept_queue is not None else 0
    unread = (tp.rcv_nxt - tp.copied_seq) & MASK
    return 0 if unread & 0x80000000 or state in (SYN_SENT, CLOSE) else unread


def tcp_send_q(tp: TcpSock, now: int) -> int:
    """Send-Q of a full socket: bytes, or a listener's backlog. Linux: net/ipv4/tcp_diag.c tcp_diag_get_info()."""
    state = tp.sk_state
    if state == LISTEN:
        return tp.icsk_accept_queue.sk_max_ack_backlog if tp.icsk_accept_queue is not None else 0
    if state == SYN_SENT:
        return 1
    return 0 if state == CLOSE else (tp.write_seq - tp.snd_una) & MASK


def tcp_unread(tp: TcpSock, now: int) -> int:
    """Payload bytes that read() would give without waiting."""
    unread = (tp.rcv_nxt - tp.copied_seq) & MASK
    if not unread or unread & 0x80000000:
        return 0
    state = tp.sk_state
    if state in FIN_SEEN:
        return unread - 1
    return 0 if state in (LISTEN, SYN_SENT, CLOSE) else unread


def _timewait_timer(tw: TimewaitSock, now: int) -> str:
    return timer_left("timewait", tw.net, tw.nominal, now, 0) if tw.expires else ""


def _timewait_state(tw: TimewaitSock, now: int) -> str:
    return SS_NAME[TcpState(tw.tw_substate)]


def _request_timer(req: RequestSock, now: int) -> str:
    if req.timer is None or not req.timer.expires:
        return ""
    return timer_left("on", req.listener.net, req.timer.nominal, now, req.num_retrans)


_MINISOCK: dict[str, Any] = {"netid": "tcp", "recv_q": 0, "send_q": 0}
"""Requests and TIME-WAIT entries have no queues, no memory and no program of their own."""
REQUEST = SocketFields(
    held={"id": "id"},
    made={"local": local, "peer": peer, "timer": _request_timer},
    always={**_MINISOCK, "state": "SYN-RECV"},
)
TIMEWAIT = SocketFields(
    held={"id": "id"},
    made={"state": _timewait_state, "local": local, "peer": peer, "timer": _timewait_timer},
    always=_MINISOCK,
)
_SOCK = {
    "id": "id",
    "program": "comm",
    "fd": "fd",
    "sk_rmem_alloc": "sk_rmem_alloc",
    "sk_rcvbuf": "sk_rcvbuf",
    "sk_wmem_alloc": "sk_wmem_alloc",
    "sk_wmem_queued": "sk_wmem_queued",
    "sk_sndbuf": "sk_sndbuf",
    "sk_forward_alloc": "sk_forward_alloc",
    "sk_backlog_len": "sk_backlog_len",
    "sk_drops": "sk_drops",
}
"""What every full socket holds."""
_FULL: dict[str, Get] = {
    "local": local,
    "peer": peer,
    "receive_queue_skbs": lambda sk, now: len(sk.sk_receive_queue),
}
TCP = SocketFields(
    held={
        **_SOCK,
        "rcv_wnd": "rcv_wnd",
        "rcv_ssthresh": "rcv_ssthresh",
        "window_clamp": "window_clamp",
        "rcv_space": "rcvq_space",
        "snd_wnd": "snd_wnd",
        "cwnd": "snd_cwnd",
        "mss": "mss_cache",
        "packets_out": "packets_out",
        "lost": "lost_out",
        "sacked": "sacked_out",
        "retrans_total": "total_retrans",
        "rto_ns": "icsk_rto_ns",
        "backoff": "icsk_backoff",
        "snd_wscale": "snd_wscale",
        "bytes_acked": "bytes_acked",
        "bytes_received": "bytes_received",
        "segs_out": "segs_out",
        "segs_in": "segs_in",
        "rcv_mss": "rcv_mss",
        "delivered": "delivered",
        "dsack_dups": "dsack_dups",
        "reordering": "reordering",
        "reord_seen": "reord_seen",
    },
    made={
        **_FULL,
        "state": lambda tp, now: SS_NAME[tp.sk_state],
        "recv_q": tcp_recv_q,
        "send_q": tcp_send_q,
        "timer": timer_text,
        "receive_queue_bytes": tcp_unread,
        "ofo_queue_skbs": lambda tp, now: len(tp.out_of_order_queue),
        "rcv_wnd_left": lambda tp, now: tcp_receive_window(tp),
        "ssthresh": lambda tp, now: tp.snd_ssthresh if tp.snd_ssthresh < TCP_INFINITE_SSTHRESH else 0,
        "in_flight": lambda tp, now: tcp_packets_in_flight(tp),
        "srtt_ns": lambda tp, now: (tp.srtt_us >> 3) * 1000,
        "rttvar_ns": lambda tp, now: (tp.mdev_us >> 2) * 1000,
        "rcv_wscale": lambda tp, now: tp.rcv_wscale if tp.wscale_ok and tp.sk_state != SYN_SENT else 0,
        "ca_state": lambda tp, now: CA_STATE_NAME[tp.ca_state],
        "congestion_control": lambda tp, now: getattr(tp.ca_ops, "name", tp.ca_ops),
        "nonblocking_reason": lambda tp, now: waits_for(tp),
    },
    always={"netid": "tcp"},
)
"""Linux: net/ipv4/tcp.c tcp_get_info(), of what `ss -i` shows."""
UDP = SocketFields(
    held={**_SOCK, "send_q": "sk_wmem_alloc"},
    made={
        **_FULL,
        "state": lambda sk, now: "ESTAB" if sk.flow_out is not None else "UNCONN",
        "recv_q": lambda sk, now: udp_rqueue_get(sk),
        "receive_queue_bytes": lambda sk, now: sum(skb.len for skb in sk.sk_receive_queue),
    },
    always={"netid": "udp"},
)
