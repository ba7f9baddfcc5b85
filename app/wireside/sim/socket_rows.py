"""Sockets as `ss` shows them: what the kernel's diag module reports, and iproute2 prints."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from wireside.catalog.tcp_states import SS_NAME, TcpState
from wireside.kernel.core.net import ip_text
from wireside.kernel.core.skbuff import IPPROTO_UDP
from wireside.kernel.core.sock import Sock
from wireside.kernel.tcp.door.request_sock import RequestSock
from wireside.kernel.tcp.sock.tcp_sock import (
    CA_STATE_NAME,
    ICSK_TIME_NONE,
    ICSK_TIME_PROBE0,
    MASK,
    TCP_INFINITE_SSTHRESH,
    TcpSock,
    after,
    tcp_packets_in_flight,
    tcp_receive_window,
    tcp_wnd_end,
)
from wireside.kernel.udp.udp import UdpSock, udp_rqueue_get
from wireside.snapshot import SocketRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wireside.kernel.core.net import Net
    from wireside.kernel.tcp.send.tcp_minisocks import TimewaitSock

Key = tuple[Any, ...]
MS = 1_000_000
ENDS_SHOWN = 1000
"""Where there are many sockets, so many of the oldest and of the newest get rows."""
MINI_SHOWN = 500
"""Requests, and TIME-WAIT entries, that get rows."""
FORGET_EVERY = 256
FIN_SEEN = (TcpState.CLOSE_WAIT, TcpState.LAST_ACK, TcpState.CLOSING)
"""States in which the peer's FIN counts as one unread byte until read() has returned 0."""


class SocketRows:
    """Builds rows and hands out the previous one again while nothing in it has changed."""

    __slots__ = ("asked", "old", "rows")

    def __init__(self) -> None:
        self.rows: dict[int, tuple[Key, SocketRow]] = {}
        self.old: dict[int, tuple[Key, SocketRow]] = {}
        self.asked = 0

    def row(self, sk: Any, now: int) -> SocketRow:
        """The row of one socket at `now` ns."""
        if isinstance(sk, TcpSock):
            key = _tcp(sk, now)
        elif isinstance(sk, UdpSock):
            key = _udp(sk)
        elif isinstance(sk, RequestSock):
            key = _request(sk, now)
        else:
            key = _timewait(sk, now)
        known = self.rows.get(key[0]) or self.old.get(key[0])
        if known is not None and known[0] == key:
            self.rows[key[0]] = known
            return known[1]
        row = SocketRow(*key)
        self.rows[key[0]] = key, row
        return row

    def forget(self) -> None:
        """Drop rows of sockets that are gone, now and then."""
        self.asked += 1
        if self.asked % FORGET_EVERY == 0:
            self.rows, self.old = {}, self.rows


def timer_time(ms: int) -> str:
    """A time as `ss -o` prints it; 4724 ms really shows as "4.724ms".

    Linux: iproute2 misc/ss.c print_ms_timer().
    """
    seconds, ms = divmod(max(ms, 0), 1000)
    minutes, seconds = divmod(seconds, 60)
    text = ""
    if minutes:
        ms = 0
        text = f"{minutes}min"
        if minutes > 9:
            seconds = 0
    if seconds:
        if seconds > 9:
            ms = 0
        text += f"{seconds}{'.' if ms else 'sec'}"
    if ms:
        text += f"{ms:03d}ms"
    return text


def timer_left(net: Net, expires: int, now: int) -> str:
    """The time until a timer's nominal expiry, in whole ticks as the kernel counts."""
    tick = net.machine.timers.tick_ns
    return timer_time((expires // tick - now // tick) * tick // MS)


def timer_text(tp: TcpSock, now: int) -> str:
    """The one timer that `ss -o` shows of a full socket. Linux: net/ipv4/inet_diag.c inet_sk_diag_fill()."""
    pending = tp.icsk_pending
    if pending == ICSK_TIME_PROBE0:
        return f"persist,{timer_left(tp.net, tp.icsk_timeout, now)},{tp.icsk_probes_out}"
    if pending != ICSK_TIME_NONE:
        return f"on,{timer_left(tp.net, tp.icsk_timeout, now)},{tp.icsk_retransmits}"
    timer = tp.keepalive_timer
    if timer is not None and timer.expires:
        return f"keepalive,{timer_left(tp.net, timer.nominal, now)},{tp.icsk_probes_out}"
    return ""


def endpoint(address: int, port: int) -> str:
    """An address and port as `ss` prints them."""
    return f"{ip_text(address)}:{port or '*'}"


def endpoints(sk: Sock | RequestSock | TimewaitSock) -> tuple[str, str]:
    """Local and peer endpoint of a socket."""
    flow = sk.flow_out
    if flow is not None:
        return endpoint(flow[0], flow[1]), endpoint(flow[2], flow[3])
    assert isinstance(sk, Sock)
    return endpoint(sk.rcv_saddr, sk.sk_num), endpoint(0, 0)


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


def tcp_queues(tp: TcpSock) -> tuple[int, int]:
    """(Recv-Q, Send-Q) of a full socket. Linux: net/ipv4/tcp_diag.c tcp_diag_get_info()."""
    if tp.sk_state == TcpState.LISTEN:
        queue = tp.icsk_accept_queue
        if queue is None:
            return 0, 0
        return queue.sk_ack_backlog, queue.sk_max_ack_backlog
    if tp.sk_state == TcpState.SYN_SENT:
        return 0, 1
    if tp.sk_state == TcpState.CLOSE:
        return 0, 0
    unread = (tp.rcv_nxt - tp.copied_seq) & MASK
    return (0 if unread & 0x80000000 else unread), (tp.write_seq - tp.snd_una) & MASK


def _tcp(tp: TcpSock, now: int) -> Key:
    state = tp.sk_state
    recv_q, send_q = tcp_queues(tp)
    local, peer = endpoints(tp)
    unread = recv_q if state != TcpState.LISTEN else 0
    if unread and state in FIN_SEEN:
        unread -= 1
    return (
        tp.id,
        "tcp",
        SS_NAME[state],
        recv_q,
        send_q,
        local,
        peer,
        tp.comm,
        tp.fd,
        timer_text(tp, now),
        tp.sk_rmem_alloc,
        tp.sk_rcvbuf,
        tp.sk_wmem_alloc,
        tp.sk_wmem_queued,
        tp.sk_sndbuf,
        tp.sk_forward_alloc,
        tp.sk_backlog_len,
        tp.sk_drops,
        len(tp.sk_receive_queue),
        unread,
        len(tp.out_of_order_queue),
        *_tcp_info(tp),
    )


def _tcp_info(tp: TcpSock) -> Key:
    """What `ss -i` shows. Linux: net/ipv4/tcp.c tcp_get_info()."""
    ops = tp.ca_ops
    return (
        tp.rcv_wnd,
        tcp_receive_window(tp),
        tp.rcv_ssthresh,
        tp.window_clamp,
        tp.rcvq_space,
        tp.snd_wnd,
        tp.snd_cwnd,
        tp.snd_ssthresh if tp.snd_ssthresh < TCP_INFINITE_SSTHRESH else 0,
        tp.mss_cache,
        tp.packets_out,
        tcp_packets_in_flight(tp),
        tp.lost_out,
        tp.sacked_out,
        tp.total_retrans,
        tp.icsk_rto_ns,
        (tp.srtt_us >> 3) * 1000,
        (tp.mdev_us >> 2) * 1000,
        tp.icsk_backoff,
        tp.rcv_wscale if tp.wscale_ok and tp.sk_state != TcpState.SYN_SENT else 0,
        tp.snd_wscale,
        CA_STATE_NAME[tp.ca_state],
        ops if isinstance(ops, str) else str(getattr(ops, "name", "")),
        tp.bytes_acked,
        tp.bytes_received,
        tp.segs_out,
        tp.segs_in,
        waits_for(tp),
        tp.rcv_mss,
        tp.delivered,
        tp.dsack_dups,
        tp.reordering,
        tp.reord_seen,
    )


def _udp(sk: UdpSock) -> Key:
    local, peer = endpoints(sk)
    queue = sk.sk_receive_queue
    return (
        sk.id,
        "udp",
        "ESTAB" if sk.flow_out is not None else "UNCONN",
        udp_rqueue_get(sk),
        sk.sk_wmem_alloc,
        local,
        peer,
        sk.comm,
        sk.fd,
        "",
        sk.sk_rmem_alloc,
        sk.sk_rcvbuf,
        sk.sk_wmem_alloc,
        sk.sk_wmem_queued,
        sk.sk_sndbuf,
        sk.sk_forward_alloc,
        sk.sk_backlog_len,
        sk.sk_drops,
        len(queue),
        sum(skb.len for skb in queue),
    )


def _timewait(tw: TimewaitSock, now: int) -> Key:
    """A TIME-WAIT (or FIN-WAIT-2) entry: no queues, no memory of its own."""
    local, peer = endpoints(tw)
    timer = f"timewait,{timer_left(tw.net, tw.nominal, now)},0" if tw.expires else ""
    return (tw.id, "tcp", SS_NAME[TcpState(tw.tw_substate)], 0, 0, local, peer, "", -1, timer)


def _request(req: RequestSock, now: int) -> Key:
    """A handshake under way."""
    local, peer = endpoints(req)
    timer = ""
    if req.timer is not None and req.timer.expires:
        timer = f"on,{timer_left(req.listener.net, req.timer.nominal, now)},{req.num_retrans}"
    return (req.id, "tcp", "SYN-RECV", 0, 0, local, peer, "", -1, timer)


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
