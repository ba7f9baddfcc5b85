"""A listener's side of the handshake: request socks in the hash table, children in the accept queue."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from wireside.catalog.counters import Tcp, TcpExt
from wireside.catalog.drop_reasons import DropReason
from wireside.catalog.stages import Stage
from wireside.catalog.sysctls import (
    TCP_ABORT_ON_OVERFLOW,
    TCP_CONGESTION_CONTROL,
    TCP_INVALID_RATELIMIT,
    TCP_KEEPALIVE_TIME,
    TCP_MAX_SYN_BACKLOG,
    TCP_SACK,
    TCP_SYNACK_RETRIES,
    TCP_SYNCOOKIES,
    TCP_TIMESTAMPS,
    TCP_WINDOW_SCALING,
)
from wireside.catalog.tcp_states import TcpState
from wireside.kernel.ip_output import ip_queue_xmit
from wireside.kernel.skbuff import (
    ACK,
    IPPROTO_TCP,
    RST,
    SYN,
    TCPOLEN_TSTAMP_ALIGNED,
    SkBuff,
    SynOptions,
    consume_skb,
    kfree_skb_reason,
    skb_birth,
)
from wireside.kernel.sock import SOCK_RCVBUF_LOCK, sock_def_readable
from wireside.kernel.tcp_control import tcp_v4_send_ack, tcp_v4_send_reset
from wireside.kernel.tcp_establish import (
    TCP_MAX_WSCALE,
    device_advmss,
    tcp_assign_congestion_control,
    tcp_initialize_rcv_mss,
)
from wireside.kernel.tcp_minisocks import tcp_in_window
from wireside.kernel.tcp_output import HEADERS, SKB_HEAD_TRUESIZE, tcp_sync_mss
from wireside.kernel.tcp_sock import MASK, TCP_MSS_DEFAULT, TcpSock, before, tcp_full_space
from wireside.kernel.tcp_timer import tcp_init_xmit_timers, tcp_reset_keepalive_timer
from wireside.kernel.tcp_window import tcp_select_initial_window
from wireside.kernel.timer import TimerList

if TYPE_CHECKING:
    from wireside.kernel.net import Cpu

TCP_WRITE_XMIT = int(Stage.TCP_WRITE_XMIT)
TCP_TIMEOUT_INIT_NS = 1_000_000_000


class RequestSockQueue:
    """A listener's two numbers and its queue of established children. Linux: struct request_sock_queue."""

    __slots__ = ("accept", "qlen", "sk_max_ack_backlog", "warned", "young")

    def __init__(self, sk_max_ack_backlog: int) -> None:
        self.accept: deque[TcpSock] = deque()
        self.sk_max_ack_backlog = sk_max_ack_backlog
        self.qlen = 0
        """Handshakes under way."""
        self.young = 0
        """Those whose SYN-ACK has never been sent again."""
        self.warned = False

    @property
    def sk_ack_backlog(self) -> int:
        """Children waiting for accept()."""
        return len(self.accept)

    def is_full(self) -> bool:
        """No room for one more child; the test is `>`, so backlog + 1 fit. Linux: sk_acceptq_is_full()."""
        return len(self.accept) > self.sk_max_ack_backlog


class RequestSock:
    """struct tcp_request_sock: a handshake under way, in the hash table as NEW_SYN_RECV."""

    __slots__ = (
        "acked",
        "flow_in",
        "flow_out",
        "id",
        "last_oow_ack_ns",
        "listener",
        "mss",
        "num_timeout",
        "rcv_isn",
        "rcv_wnd",
        "rcv_wscale",
        "sack_ok",
        "snd_wscale",
        "snt_isn",
        "snt_synack_ns",
        "timeout_ns",
        "timer",
        "ts_off",
        "ts_recent",
        "tstamp_ok",
        "window_clamp",
        "wscale_ok",
    )

    def __init__(self, listener: TcpSock, skb: SkBuff, isn: int) -> None:
        net = listener.net
        opt = skb.opt or SynOptions(TCP_MSS_DEFAULT)
        self.id = net.machine.sock_id()
        self.listener = listener
        self.flow_in = skb.flow
        self.flow_out = (skb.flow[2], skb.flow[3], skb.flow[0], skb.flow[1])
        self.rcv_isn = skb.seq
        self.snt_isn = isn
        self.mss = opt.mss or TCP_MSS_DEFAULT
        self.wscale_ok = opt.wscale is not None and bool(net.sysctl[TCP_WINDOW_SCALING])
        self.snd_wscale = min(opt.wscale or 0, TCP_MAX_WSCALE)
        self.sack_ok = opt.sack_ok and bool(net.sysctl[TCP_SACK])
        self.tstamp_ok = skb.tsval is not None and bool(net.sysctl[TCP_TIMESTAMPS])
        self.ts_recent = skb.tsval or 0
        self.ts_off = net.machine.rng.getrandbits(32)
        self.acked = False
        self.num_timeout = 0
        self.timeout_ns = TCP_TIMEOUT_INIT_NS
        self.snt_synack_ns = 0
        self.last_oow_ack_ns = 0
        self.timer = TimerList(reqsk_timer_handler, self)
        full = tcp_full_space(listener)
        clamp = listener.window_clamp
        if listener.sk_userlocks & SOCK_RCVBUF_LOCK and (clamp > full or not clamp):
            clamp = full
        mss = device_advmss(listener) - (TCPOLEN_TSTAMP_ALIGNED if self.tstamp_ok else 0)
        self.rcv_wnd, self.window_clamp, self.rcv_wscale = tcp_select_initial_window(
            net, full, mss, clamp, wscale_ok=self.wscale_ok
        )


def tcp_listendrop(listener: TcpSock, skb: SkBuff) -> None:
    """A listener drops a SYN; no drop tracer sees it. Linux: include/net/tcp.h tcp_listendrop()."""
    listener.sk_drops += 1
    listener.net.mib[TcpExt.ListenDrops] += 1
    consume_skb(listener.net, skb)


def tcp_conn_request(cpu: Cpu, listener: TcpSock, skb: SkBuff, isn: int = 0) -> None:
    """A SYN for a listener. Linux: net/ipv4/tcp_input.c tcp_conn_request()."""
    net = listener.net
    sysctl = net.sysctl
    queue: RequestSockQueue = listener.icsk_accept_queue
    if not isn and queue.qlen > queue.sk_max_ack_backlog:
        net.mib[TcpExt.TCPReqQFullDrop] += 1
        if not queue.warned:
            queue.warned = True
            net.event(
                cpu,
                "tcp",
                f"{net.name}: possible SYN flooding on port {listener.sk_num}: dropping requests",
                2,
            )
        tcp_listendrop(listener, skb)
        return
    if queue.is_full():
        net.mib[TcpExt.ListenOverflows] += 1
        tcp_listendrop(listener, skb)
        return
    if not isn and not sysctl[TCP_SYNCOOKIES]:
        limit = sysctl[TCP_MAX_SYN_BACKLOG]
        if limit - queue.qlen < limit >> 2:
            tcp_listendrop(listener, skb)
            return
    req = RequestSock(listener, skb, isn or net.machine.rng.getrandbits(32))
    consume_skb(net, skb)
    net.ehash[req.flow_in] = req
    net.requests[req.id] = req
    queue.qlen += 1
    queue.young += 1
    net.machine.timers.mod_timer(req.timer, cpu.now, cpu.now + req.timeout_ns)
    tcp_v4_send_synack(cpu, req)


def tcp_v4_send_synack(cpu: Cpu, req: RequestSock) -> None:
    """Send the second segment of the handshake. Linux: net/ipv4/tcp_output.c tcp_make_synack()."""
    net = req.listener.net
    skb = SkBuff(net.machine.skb_id(), req.flow_out, IPPROTO_TCP, 0, req.snt_isn, SYN | ACK)
    skb.end_seq = (req.snt_isn + 1) & MASK
    skb.ack_seq = (req.rcv_isn + 1) & MASK
    skb.window = min(req.rcv_wnd, 65535)
    skb.opt = SynOptions(device_advmss(req.listener), req.rcv_wscale if req.wscale_ok else None, req.sack_ok)
    skb.hdr_len = HEADERS + 20
    skb.truesize = SKB_HEAD_TRUESIZE
    if req.tstamp_ok:
        skb.tsval = (cpu.now // 1_000_000 + req.ts_off) & MASK
        skb.tsecr = req.ts_recent
    req.snt_synack_ns = cpu.now
    net.mib[Tcp.OutSegs] += 1
    skb_birth(net, skb)
    cpu.charge(TCP_WRITE_XMIT, skb)
    ip_queue_xmit(cpu, net, skb)


def reqsk_unlink(req: RequestSock) -> None:
    """Forget a request. Linux: inet_csk_reqsk_queue_drop()."""
    net = req.listener.net
    if net.ehash.get(req.flow_in) is req:
        del net.ehash[req.flow_in]
    net.requests.pop(req.id, None)
    net.machine.timers.timer_delete(req.timer)
    queue: RequestSockQueue | None = req.listener.icsk_accept_queue
    if queue is not None:
        queue.qlen -= 1
        if not req.num_timeout:
            queue.young -= 1


def reqsk_timer_handler(cpu: Cpu, arg: Any) -> None:
    """No final ACK yet: send the SYN-ACK again, or give up. Linux: reqsk_timer_handler()."""
    req: RequestSock = arg
    listener = req.listener
    net = listener.net
    if listener.sk_state != TcpState.LISTEN:
        reqsk_unlink(req)
        return
    queue: RequestSockQueue = listener.icsk_accept_queue
    max_retries = listener.syn_tries or net.sysctl[TCP_SYNACK_RETRIES]
    if queue.qlen << 1 > max(8, queue.sk_max_ack_backlog):
        young = queue.young << 1
        while max_retries > 2 and queue.qlen >= young:
            max_retries -= 1
            young <<= 1
    net.mib[TcpExt.TCPTimeouts] += 1
    if req.num_timeout >= max_retries:
        reqsk_unlink(req)
        return
    net.mib[Tcp.RetransSegs] += 1
    net.mib[TcpExt.TCPSynRetrans] += 1
    if not req.num_timeout:
        queue.young -= 1
    req.num_timeout += 1
    tcp_v4_send_synack(cpu, req)
    req.timeout_ns = min(TCP_TIMEOUT_INIT_NS << req.num_timeout, listener.rto_max_ns)
    net.machine.timers.mod_timer(req.timer, cpu.now, cpu.now + req.timeout_ns)


def tcp_check_req(cpu: Cpu, req: RequestSock, skb: SkBuff) -> TcpSock | None:
    """A segment for a request: the child socket when it completes the handshake, else None and dealt with.

    Linux: net/ipv4/tcp_minisocks.c tcp_check_req().
    """
    listener = req.listener
    net = listener.net
    flags = skb.tcp_flags
    mib = net.mib
    if skb.seq == req.rcv_isn and flags & SYN and not flags & (ACK | RST):
        consume_skb(net, skb)
        limit = net.sysctl[TCP_INVALID_RATELIMIT] * 1_000_000
        if req.last_oow_ack_ns and cpu.now - req.last_oow_ack_ns < limit:
            mib[TcpExt.TCPACKSkippedSynRecv] += 1
            return None
        req.last_oow_ack_ns = cpu.now or 1
        tcp_v4_send_synack(cpu, req)
        net.machine.timers.mod_timer(req.timer, cpu.now, cpu.now + req.timeout_ns)
        return None
    if flags & ACK and skb.ack_seq != (req.snt_isn + 1) & MASK:
        tcp_v4_send_reset(cpu, net, skb)
        kfree_skb_reason(net, skb, DropReason.TCP_INVALID_ACK_SEQUENCE)
        return None
    paws = req.tstamp_ok and skb.tsval is not None and before(skb.tsval, req.ts_recent)
    left = (req.rcv_isn + 1) & MASK
    if paws or not tcp_in_window(skb.seq, skb.end_seq, left, (left + max(req.rcv_wnd, 1)) & MASK):
        if not flags & RST:
            tsval = (cpu.now // 1_000_000 + req.ts_off) & MASK if req.tstamp_ok else None
            window = req.rcv_wnd >> req.rcv_wscale
            tcp_v4_send_ack(cpu, net, skb, (req.snt_isn + 1) & MASK, left, window, tsval, req.ts_recent)
        if paws:
            mib[TcpExt.PAWSEstab] += 1
        kfree_skb_reason(net, skb, DropReason.TCP_OVERWINDOW)
        return None
    if flags & (RST | SYN):
        mib[TcpExt.EmbryonicRsts] += 1
        mib[Tcp.AttemptFails] += 1
        reqsk_unlink(req)
        consume_skb(net, skb)
        return None
    if not flags & ACK:
        kfree_skb_reason(net, skb, DropReason.TCP_FLAGS)
        return None
    queue: RequestSockQueue = listener.icsk_accept_queue
    if queue.is_full():
        tcp_listen_overflow(cpu, req, skb)
        return None
    return tcp_v4_syn_recv_sock(cpu, req, skb)


def tcp_listen_overflow(cpu: Cpu, req: RequestSock, skb: SkBuff) -> None:
    """The handshake completes but the accept queue is full. Linux: tcp_check_req(), tcp_v4_syn_recv_sock()."""
    net = req.listener.net
    net.mib[TcpExt.ListenOverflows] += 1
    net.mib[TcpExt.ListenDrops] += 1
    req.listener.sk_drops += 1
    if net.sysctl[TCP_ABORT_ON_OVERFLOW]:
        tcp_v4_send_reset(cpu, net, skb)
        net.mib[TcpExt.EmbryonicRsts] += 1
        reqsk_unlink(req)
    else:
        req.acked = True
    kfree_skb_reason(net, skb, DropReason.TCP_LISTEN_OVERFLOW)


def tcp_v4_syn_recv_sock(cpu: Cpu, req: RequestSock, skb: SkBuff) -> TcpSock:
    """Create the child socket. Linux: net/ipv4/tcp_ipv4.c tcp_v4_syn_recv_sock(), tcp_create_openreq_child()."""
    listener = req.listener
    net = listener.net
    child = TcpSock(net, net.machine.sock_id())
    child.sk_rcvbuf, child.sk_sndbuf = listener.sk_rcvbuf, listener.sk_sndbuf
    child.sk_userlocks = listener.sk_userlocks
    child.sk_linger, child.linger2 = listener.sk_linger, listener.linger2
    child.sk_reuse, child.sk_reuseport = listener.sk_reuse, listener.sk_reuseport
    child.nonagle, child.keepopen = listener.nonagle, listener.keepopen
    child.icsk_user_timeout_ns = listener.icsk_user_timeout_ns
    child.rto_min_us, child.rto_max_ns = listener.rto_min_us, listener.rto_max_ns
    child.ca_ops = net.sysctl[TCP_CONGESTION_CONTROL]
    child.comm = listener.comm
    child.sk_state = TcpState.SYN_RECV
    child.flow_in, child.flow_out = req.flow_in, req.flow_out
    child.rcv_saddr, child.sk_num = req.flow_out[0], listener.sk_num
    child.iss, child.irs = req.snt_isn, req.rcv_isn
    child.rcv_nxt = child.copied_seq = child.rcv_wup = (req.rcv_isn + 1) & MASK
    child.snd_una = child.snd_nxt = child.snd_sml = child.write_seq = child.pushed_seq = (
        req.snt_isn + 1
    ) & MASK
    child.snd_una = req.snt_isn
    child.snd_wl1 = req.rcv_isn
    child.tstamp_ok, child.sack_ok, child.wscale_ok = req.tstamp_ok, req.sack_ok, req.wscale_ok
    child.ts_recent, child.ts_off = req.ts_recent, req.ts_off
    child.rcv_wnd = child.rcv_ssthresh = req.rcv_wnd
    child.window_clamp = req.window_clamp
    child.rcv_wscale, child.snd_wscale = (req.rcv_wscale, req.snd_wscale) if req.wscale_ok else (0, 0)
    if not req.wscale_ok:
        child.window_clamp = min(child.window_clamp, 65535)
    child.snd_wnd = child.max_window = skb.window << child.snd_wscale
    child.mss_clamp = req.mss
    child.advmss = device_advmss(child)
    child.lrcvtime_ns = child.lsndtime_ns = cpu.now
    child.first_tx_ns = req.snt_synack_ns
    tcp_sync_mss(child)
    tcp_initialize_rcv_mss(child)
    tcp_init_xmit_timers(child)
    tcp_assign_congestion_control(child)
    child.retrans_stamp_ns = 0
    reqsk_unlink(req)
    net.ehash[req.flow_in] = child
    net.sockets[child.id] = child
    net.bind_ports.setdefault(child.sk_num, []).append(child)
    net.mib[Tcp.PassiveOpens] += 1
    if child.keepopen:
        tcp_reset_keepalive_timer(cpu, child, net.sysctl[TCP_KEEPALIVE_TIME] * 1_000_000_000)
    child.request = req if not req.num_timeout else None
    queue: RequestSockQueue = listener.icsk_accept_queue
    queue.accept.append(child)
    return child


def tcp_child_process(cpu: Cpu, listener: TcpSock) -> None:
    """Wake whoever waits in accept(). Linux: net/ipv4/tcp_minisocks.c tcp_child_process()."""
    sock_def_readable(cpu, listener)
