"""A listener's door: which SYN is let in, which is answered with a cookie, and which is turned away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.catalog.counters import TcpExt
from wireside.catalog.drop_reasons import DropReason
from wireside.catalog.inet import ACK, FIN, RST, SYN, TCPOLEN_TSTAMP_ALIGNED
from wireside.catalog.sysctls import TCP_MAX_SYN_BACKLOG, TCP_SYNCOOKIES
from wireside.kernel.core.secure_seq import secure_tcp_seq
from wireside.kernel.core.skbuff import consume_skb, kfree_skb_reason
from wireside.kernel.core.sock import sock_def_readable
from wireside.kernel.tcp.door.request_sock import (
    RequestSock,
    RequestSockQueue,
    inet_csk_reqsk_queue_hash_add,
    tcp_openreq_init,
    tcp_openreq_init_rwin,
    tcp_v4_send_synack,
)
from wireside.kernel.tcp.door.tcp_establish import tcp_advmss
from wireside.kernel.tcp.door.tcp_input import tcp_rcv_state_process
from wireside.kernel.tcp.door.tcp_openreq import tcp_listendrop
from wireside.kernel.tcp.door.tcp_syncookies import cookie_v4_check, send_cookie
from wireside.kernel.tcp.send.tcp_control import tcp_v4_send_reset
from wireside.kernel.tcp.sock.tcp_state import tcp_drop_reason

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu
    from wireside.kernel.core.skbuff import SkBuff
    from wireside.kernel.tcp.sock.tcp_sock import TcpSock


def tcp_v4_rcv_listen(cpu: Cpu, listener: TcpSock, skb: SkBuff, isn: int = 0) -> None:
    """A segment for a listener; `isn` as for tcp_conn_request().

    Linux: tcp_v4_do_rcv(), tcp_rcv_state_process() in TCP_LISTEN.
    """
    net = listener.net
    flags = skb.tcp_flags
    if not flags & SYN:
        done, child = cookie_v4_check(cpu, listener, skb)
        if child is not None:
            tcp_child_process(cpu, listener, child, skb)
        if done:
            return
    if flags & ACK:
        tcp_v4_send_reset(cpu, net, skb)
        kfree_skb_reason(net, skb, DropReason.TCP_FLAGS)
    elif flags & RST:
        tcp_drop_reason(listener, skb, DropReason.TCP_RESET)
    elif flags & SYN and not flags & FIN:
        tcp_conn_request(cpu, listener, skb, isn)
        consume_skb(net, skb)
    else:
        tcp_drop_reason(listener, skb, DropReason.TCP_FLAGS)


def tcp_child_process(cpu: Cpu, listener: TcpSock, child: TcpSock, skb: SkBuff) -> None:
    """The new child takes the segment that completed its handshake; then whoever waits in accept() wakes.

    Linux: net/ipv4/tcp_minisocks.c tcp_child_process().
    """
    child.segs_in += skb.gso_segs
    if skb.len:
        child.data_segs_in += skb.gso_segs
    tcp_rcv_state_process(cpu, child, skb)
    sock_def_readable(cpu, listener)


def tcp_syn_flood_action(cpu: Cpu, listener: TcpSock) -> bool:
    """The SYN queue is full: True to answer with a cookie, False to drop. Linux: tcp_syn_flood_action()."""
    net = listener.net
    mode = net.sysctl[TCP_SYNCOOKIES]
    net.mib[TcpExt.TCPReqQFullDoCookies if mode else TcpExt.TCPReqQFullDrop] += 1
    queue: RequestSockQueue = listener.icsk_accept_queue
    if not queue.warned and mode != 2:
        queue.warned = True
        does = "sending cookies" if mode else "dropping requests"
        net.event(cpu, "tcp", f"{net.name}: possible SYN flooding on port {listener.sk_num}: {does}", 2)
    return bool(mode)


def tcp_conn_request(cpu: Cpu, listener: TcpSock, skb: SkBuff, isn: int = 0) -> None:
    """A SYN for a listener; `isn` is set when it replaces a TIME_WAIT entry, which skips the queue's limits.

    The SYN itself is consumed by the caller, so that no drop tracer sees one that is turned away.
    Linux: net/ipv4/tcp_input.c tcp_conn_request().
    """
    net = listener.net
    queue: RequestSockQueue = listener.icsk_accept_queue
    cookies = 0
    want_cookie = False
    if not isn:
        cookies = net.sysctl[TCP_SYNCOOKIES]
        if cookies == 2 or queue.qlen > queue.sk_max_ack_backlog:
            want_cookie = tcp_syn_flood_action(cpu, listener)
            if not want_cookie:
                tcp_listendrop(listener, "SYN")
                return
    if queue.is_full():
        net.mib[TcpExt.ListenOverflows] += 1
        tcp_listendrop(listener, "SYN")
        return
    req = RequestSock(listener, skb.flow, skb.seq)
    tcp_openreq_init(req, skb)
    if want_cookie:
        if not req.tstamp_ok:
            req.sack_ok = req.wscale_ok = False
            req.snd_wscale = 0
    elif not isn:
        limit = net.sysctl[TCP_MAX_SYN_BACKLOG]
        if not cookies and limit - queue.qlen < limit >> 2:
            tcp_listendrop(listener, "SYN")
            return
        isn = secure_tcp_seq(net, req.flow_out, cpu.now)
    tcp_openreq_init_rwin(
        req, tcp_advmss(listener, req.flow_out[2]) - (TCPOLEN_TSTAMP_ALIGNED if req.tstamp_ok else 0)
    )
    if want_cookie:
        send_cookie(cpu, req)
        return
    req.snt_isn = isn
    inet_csk_reqsk_queue_hash_add(cpu, req)
    tcp_v4_send_synack(cpu, req)
