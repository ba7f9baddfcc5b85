"""Request socks: handshakes under way, in the hash table as NEW_SYN_RECV, and their SYN-ACK timer."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from wireside.catalog.counters import Tcp, TcpExt
from wireside.catalog.inet import ACK, IPPROTO_TCP, MASK, SYN
from wireside.catalog.stages import Stage
from wireside.catalog.sysctls import TCP_SACK, TCP_SYNACK_RETRIES, TCP_TIMESTAMPS, TCP_WINDOW_SCALING
from wireside.catalog.tcp_states import TcpState
from wireside.kernel.core.secure_seq import secure_tcp_ts_off
from wireside.kernel.core.skbuff import Flow, SkBuff, SynOptions, skb_birth, tcp_syn_options_len
from wireside.kernel.core.sock import SOCK_RCVBUF_LOCK
from wireside.kernel.core.timer import TimerList
from wireside.kernel.ip.ip_output import ip_queue_xmit
from wireside.kernel.tcp.door.sock_reuseport import reuseport_migrate_sock
from wireside.kernel.tcp.door.tcp_establish import tcp_advmss
from wireside.kernel.tcp.send.tcp_output import HEADERS, SKB_HEAD_TRUESIZE
from wireside.kernel.tcp.sock.tcp_sock import TCP_MSS_DEFAULT, TcpSock, tcp_full_space
from wireside.kernel.tcp.sock.tcp_window import TCP_MAX_WSCALE, tcp_select_initial_window

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu

TCP_WRITE_XMIT: Final = int(Stage.TCP_WRITE_XMIT)
TCP_TIMEOUT_INIT_NS: Final = 1_000_000_000
MS: Final = 1_000_000


class RequestSockQueue:
    """A listener's two numbers and its queue of established children. Linux: struct request_sock_queue."""

    __slots__ = ("accept", "acked", "qlen", "sk_max_ack_backlog", "synq_overflow_ns", "warned", "young")

    def __init__(self, sk_max_ack_backlog: int) -> None:
        self.accept: deque[TcpSock] = deque()
        self.sk_max_ack_backlog = sk_max_ack_backlog
        self.qlen = 0
        """Handshakes under way."""
        self.young = 0
        """Those whose SYN-ACK timer has never fired."""
        self.acked = 0
        """Those whose final ACK has come but could not be used: the peer takes them for established."""
        self.warned = False
        self.synq_overflow_ns = -1
        """When a cookie was last sent, to within a second; -1 never."""

    @property
    def sk_ack_backlog(self) -> int:
        """Children waiting for accept()."""
        return len(self.accept)

    def is_full(self) -> bool:
        """No room for one more child; the test is `>`, so backlog + 1 fit. Linux: sk_acceptq_is_full()."""
        return len(self.accept) > self.sk_max_ack_backlog


class RequestSock:
    """struct tcp_request_sock: all that is remembered of a SYN until the handshake is complete."""

    __slots__ = (
        "acked",
        "flow_in",
        "flow_out",
        "id",
        "last_oow_ack_ns",
        "listener",
        "mss",
        "num_retrans",
        "num_timeout",
        "rcv_isn",
        "rcv_wnd",
        "rcv_wscale",
        "sack_ok",
        "snd_wscale",
        "snt_isn",
        "snt_synack_ns",
        "snt_tsval_first",
        "snt_tsval_last",
        "timeout_ns",
        "timer",
        "ts_off",
        "ts_recent",
        "tstamp_ok",
        "window_clamp",
        "wscale_ok",
    )

    def __init__(self, listener: TcpSock, flow_in: Flow, rcv_isn: int) -> None:
        self.id = 0
        self.listener = listener
        self.flow_in = flow_in
        self.flow_out = (flow_in[2], flow_in[3], flow_in[0], flow_in[1])
        self.rcv_isn = rcv_isn
        self.snt_isn = 0
        self.mss = TCP_MSS_DEFAULT
        self.wscale_ok = self.sack_ok = self.tstamp_ok = False
        self.snd_wscale = self.rcv_wscale = 0
        self.ts_recent = self.ts_off = 0
        self.rcv_wnd = self.window_clamp = 0
        self.acked = False
        """The final ACK has come but could not be used: too early (TCP_DEFER_ACCEPT) or no room."""
        self.num_timeout = 0
        self.num_retrans = 0
        self.timeout_ns = TCP_TIMEOUT_INIT_NS
        self.snt_synack_ns = 0
        self.snt_tsval_first = self.snt_tsval_last = 0
        self.last_oow_ack_ns = 0
        self.timer: TimerList[RequestSock] | None = None


def tcp_openreq_init(req: RequestSock, skb: SkBuff) -> None:
    """Agree on the options that a SYN offers. Linux: tcp_parse_options(), tcp_openreq_init()."""
    net = req.listener.net
    opt = skb.opt
    if opt is not None:
        req.mss = min(opt.mss or TCP_MSS_DEFAULT, req.listener.user_mss or MASK)
        if opt.wscale is not None and net.sysctl[TCP_WINDOW_SCALING]:
            req.wscale_ok = True
            req.snd_wscale = min(opt.wscale, TCP_MAX_WSCALE)
        req.sack_ok = opt.sack_ok and bool(net.sysctl[TCP_SACK])
    if skb.tsval is not None and net.sysctl[TCP_TIMESTAMPS]:
        req.tstamp_ok = True
        req.ts_recent = skb.tsval
        req.ts_off = secure_tcp_ts_off(net, req.flow_out[0], req.flow_out[2])


def tcp_openreq_init_rwin(req: RequestSock, mss: int) -> None:
    """Choose the first window and its scale from the listener's buffer, in whole segments of `mss` bytes.

    Linux: net/ipv4/tcp_minisocks.c tcp_openreq_init_rwin(), net/ipv4/syncookies.c cookie_v4_check().
    """
    listener = req.listener
    full = tcp_full_space(listener)
    clamp = listener.window_clamp
    if listener.sk_userlocks & SOCK_RCVBUF_LOCK and (clamp > full or not clamp):
        clamp = full
    req.rcv_wnd, req.window_clamp, req.rcv_wscale = tcp_select_initial_window(
        listener.net, full, mss, clamp, wscale_ok=req.wscale_ok
    )


def inet_csk_reqsk_queue_hash_add(cpu: Cpu, req: RequestSock) -> None:
    """Remember a handshake and start its SYN-ACK timer. Linux: same name."""
    net = req.listener.net
    req.id = net.machine.sock_id()
    net.ehash[req.flow_in] = req
    net.requests[req.id] = req
    net.tcp_entered[TcpState.SYN_RECV] += 1
    queue: RequestSockQueue = req.listener.icsk_accept_queue
    queue.qlen += 1
    queue.young += 1
    req.timer = TimerList(reqsk_timer_handler, req)
    net.machine.timers.mod_timer(req.timer, cpu.now, cpu.now + req.timeout_ns)


def inet_csk_reqsk_queue_drop(req: RequestSock) -> None:
    """Forget a handshake. Linux: same name."""
    net = req.listener.net
    if net.ehash.get(req.flow_in) is req:
        del net.ehash[req.flow_in]
    if net.requests.pop(req.id, None) is None:
        return
    assert req.timer is not None
    net.machine.timers.timer_delete(req.timer)
    queue: RequestSockQueue | None = req.listener.icsk_accept_queue
    if queue is not None:
        queue.qlen -= 1
        queue.acked -= req.acked
        if not req.num_timeout:
            queue.young -= 1


def reqsk_acked(req: RequestSock) -> None:
    """The final ACK has come and could not be used. Linux: inet_rsk(req)->acked = 1."""
    if not req.acked:
        req.acked = True
        queue: RequestSockQueue = req.listener.icsk_accept_queue
        queue.acked += 1


def reqsk_migrate(req: RequestSock) -> bool:
    """Hand a closed listener's request to another member of its SO_REUSEPORT group, if there is one to take it.

    Linux: reqsk_timer_handler(), inet_csk_complete_hashdance() with inet_reqsk_clone().
    """
    heir = reuseport_migrate_sock(req.listener, req.flow_in)
    if heir is None:
        return False
    young = not req.num_timeout
    for listener, change in ((req.listener, -1), (heir, 1)):
        queue: RequestSockQueue = listener.icsk_accept_queue
        queue.qlen += change
        queue.young += change * young
        queue.acked += change * req.acked
    req.listener = heir
    heir.net.mib[TcpExt.TCPMigrateReqSuccess] += 1
    return True


def tcp_synack_tsval(cpu: Cpu, req: RequestSock) -> int:
    """Our clock towards this peer, ms."""
    return (cpu.now // MS + req.ts_off) & MASK


def tcp_v4_send_synack(cpu: Cpu, req: RequestSock, tsval: int | None = None) -> None:
    """Send the second segment of the handshake; a cookie brings its own TSval.

    Linux: net/ipv4/tcp_ipv4.c tcp_v4_send_synack(), net/ipv4/tcp_output.c tcp_make_synack().
    """
    net = req.listener.net
    skb = SkBuff(net.machine.skb_id(), req.flow_out, IPPROTO_TCP, 0, req.snt_isn, SYN | ACK)
    skb.end_seq = (req.snt_isn + 1) & MASK
    skb.ack_seq = (req.rcv_isn + 1) & MASK
    skb.window = min(65535, req.rcv_wnd)
    skb.opt = SynOptions(
        tcp_advmss(req.listener, req.flow_out[2]), req.rcv_wscale if req.wscale_ok else None, req.sack_ok
    )
    if req.tstamp_ok:
        skb.tsval = tcp_synack_tsval(cpu, req) if tsval is None else tsval
        skb.tsecr = req.ts_recent
        if not req.snt_synack_ns:
            req.snt_tsval_first = skb.tsval
        req.snt_tsval_last = skb.tsval
    skb.hdr_len = HEADERS + tcp_syn_options_len(skb.opt, stamped=req.tstamp_ok)
    skb.truesize = SKB_HEAD_TRUESIZE
    if not req.snt_synack_ns:
        req.snt_synack_ns = cpu.now or 1
    net.mib[Tcp.OutSegs] += 1
    skb_birth(net, skb)
    cpu.charge(TCP_WRITE_XMIT, skb)
    ip_queue_xmit(cpu, net, skb)


def tcp_rtx_synack(cpu: Cpu, req: RequestSock) -> None:
    """Send the SYN-ACK again. Linux: net/ipv4/tcp_output.c tcp_rtx_synack()."""
    tcp_v4_send_synack(cpu, req)
    mib = req.listener.net.mib
    mib[Tcp.RetransSegs] += 1
    mib[TcpExt.TCPSynRetrans] += 1
    req.num_retrans += 1


def reqsk_timeout_ns(req: RequestSock) -> int:
    """The wait before the next SYN-ACK, doubled at each. Linux: include/net/tcp.h tcp_reqsk_timeout()."""
    return min(req.timeout_ns << req.num_timeout, req.listener.rto_max_ns)


def max_syn_ack_retries(listener: TcpSock) -> int:
    """How often to repeat a SYN-ACK: less when old requests fill more than half of the queue.

    Half of the room is kept for young requests. Linux: reqsk_timer_handler().
    """
    queue: RequestSockQueue = listener.icsk_accept_queue
    retries = listener.syn_tries or listener.net.sysctl[TCP_SYNACK_RETRIES]
    if queue.qlen << 1 > max(8, queue.sk_max_ack_backlog):
        young = queue.young << 1
        while retries > 2 and queue.qlen >= young:
            retries -= 1
            young <<= 1
    return int(retries)


def syn_ack_recalc(req: RequestSock, max_retries: int, defer_accept: int) -> tuple[bool, bool]:
    """(expire, resend) at a timeout; a request that waits for data keeps quiet until its last period.

    Linux: net/ipv4/inet_connection_sock.c syn_ack_recalc().
    """
    expire = req.num_timeout >= max_retries
    if not defer_accept:
        return expire, True
    return (
        expire and (not req.acked or req.num_timeout >= defer_accept),
        not req.acked or req.num_timeout >= defer_accept - 1,
    )


def reqsk_timer_handler(cpu: Cpu, req: RequestSock) -> None:
    """No usable final ACK yet: send the SYN-ACK again, or give up in silence.

    Linux: net/ipv4/inet_connection_sock.c reqsk_timer_handler().
    """
    if req.listener.sk_state != TcpState.LISTEN and not reqsk_migrate(req):
        inet_csk_reqsk_queue_drop(req)
        return
    listener = req.listener
    net = listener.net
    queue: RequestSockQueue = listener.icsk_accept_queue
    expire, resend = syn_ack_recalc(req, max_syn_ack_retries(listener), listener.rskq_defer_accept)
    net.mib[TcpExt.TCPTimeouts] += 1
    if expire:
        inet_csk_reqsk_queue_drop(req)
        return
    if resend:
        tcp_rtx_synack(cpu, req)
    if not req.num_timeout:
        queue.young -= 1
    req.num_timeout += 1
    assert req.timer is not None
    net.machine.timers.mod_timer(req.timer, cpu.now, cpu.now + reqsk_timeout_ns(req))
