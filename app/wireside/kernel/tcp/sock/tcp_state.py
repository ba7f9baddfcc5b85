"""Changing state: the one gate through which every transition goes, and how a connection ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.counters import Tcp, TcpExt
from wireside.catalog.errno import ECONNREFUSED, ECONNRESET, EPIPE, ETIMEDOUT
from wireside.catalog.tcp_states import SS_NAME, TRANSITIONS, TcpState
from wireside.kernel.core.hrtimer import hrtimer_cancel
from wireside.kernel.core.ip_sockglue import skb_errqueue_purge
from wireside.kernel.core.skbuff import SkBuff, consume_skb, kfree_skb_reason
from wireside.kernel.core.sock import (
    RCV_SHUTDOWN,
    SEND_SHUTDOWN,
    SOCK_BINDPORT_LOCK,
    sk_error_report,
    sk_mem_uncharge,
    sk_state_change,
    sock_rfree,
)
from wireside.kernel.ip.inet_bind import inet_bind_unhash
from wireside.kernel.tcp.sock.tcp_orphan import tcp_orphan_count_add

if TYPE_CHECKING:
    from wireside.catalog.drop_reasons import DropReason
    from wireside.kernel.core.net import Cpu
    from wireside.kernel.tcp.sock.tcp_sock import TcpSock

RESET_ERRORS: Final = {TcpState.SYN_SENT: ECONNREFUSED, TcpState.CLOSE_WAIT: EPIPE}
"""What an RST means to the program, by state; ECONNRESET in all others."""


def tcp_set_state(cpu: Cpu, tp: TcpSock, state: TcpState) -> None:
    """Go to another state; only transitions of the catalog's table exist. Linux: net/ipv4/tcp.c tcp_set_state()."""
    old = tp.sk_state
    assert (old, state) in TRANSITIONS, f"no transition {old.name} -> {state.name}"
    mib = tp.net.mib
    port = tp.sk_num
    if state == TcpState.ESTABLISHED:
        mib[Tcp.CurrEstab] += 1
    elif state == TcpState.CLOSE:
        if old in (TcpState.CLOSE_WAIT, TcpState.ESTABLISHED):
            mib[Tcp.EstabResets] += 1
        unhash(tp)
        put_port_unless_bound(tp)
    if (old == TcpState.ESTABLISHED and state != TcpState.CLOSE_WAIT) or old == TcpState.CLOSE_WAIT:
        mib[Tcp.CurrEstab] -= 1
    tp.sk_state = state
    net = tp.net
    net.tcp_in_state[old] -= 1
    net.tcp_in_state[state] += 1
    net.tcp_entered[state] += 1
    if TcpState.CLOSE_WAIT in (old, state):
        count_close_wait(tp, 1 if state == TcpState.CLOSE_WAIT else -1)
    if net.on_event is not None and tp.id not in net.timewait:
        net.event(cpu, "tcp", f"{net.name}: {SS_NAME[old]} → {SS_NAME[state]} (port {port})")


def count_close_wait(tp: TcpSock, change: int) -> None:
    """One more or one less of a program's sockets waits for its close()."""
    held = tp.net.close_wait_of
    held[tp.comm] = held.get(tp.comm, 0) + change


def tcp_drop_reason(tp: TcpSock, skb: SkBuff, reason: DropReason) -> None:
    """Drop a segment and count that for its socket, too. Linux: net/ipv4/tcp_input.c tcp_drop_reason()."""
    tp.sk_drops += skb.gso_segs
    kfree_skb_reason(tp.net, skb, reason)


def sock_prot_inuse_add(tp: TcpSock) -> None:
    """A socket exists from now on; tcp_destroy_sock() ends that. Linux: include/net/sock.h sock_prot_inuse_add()."""
    tp.net.sockets[tp.id] = tp
    tp.net.tcp_in_state[tp.sk_state] += 1
    if tp.sk_state != TcpState.SYN_RECV:  # The request that a child comes from was counted when its SYN came.
        tp.net.tcp_entered[tp.sk_state] += 1


def unhash(tp: TcpSock) -> None:
    """No packet finds this socket any more. Linux: inet_unhash()."""
    net = tp.net
    if tp.flow_in is not None and net.ehash.get(tp.flow_in) is tp:
        del net.ehash[tp.flow_in]
    listeners = net.listening.get(tp.sk_num)
    if listeners and tp in listeners:
        listeners.remove(tp)


def put_port(tp: TcpSock) -> None:
    """Give the local port back. Linux: inet_put_port()."""
    inet_bind_unhash(tp.net, tp.sk_num, tp)


def put_port_unless_bound(tp: TcpSock) -> None:
    """Give the local port back that the kernel chose; one that the program named stays. Linux: tcp_set_state()."""
    if not tp.sk_userlocks & SOCK_BINDPORT_LOCK:
        put_port(tp)
        tp.inet_sport, tp.sk_num = tp.sk_num, 0


def free_queue(tp: TcpSock, skb: SkBuff) -> None:
    """Purge one packet of a receive queue that nobody will read."""
    sock_rfree(tp, skb.truesize)
    consume_skb(tp.net, skb)


def tcp_write_queue_purge(tp: TcpSock) -> None:
    """Forget everything not yet sent or acknowledged. Linux: tcp_write_queue_purge()."""
    for queue in (tp.tcp_rtx_queue, tp.tcp_write_queue):
        for skb in queue:
            tp.sk_wmem_queued -= skb.truesize
            sk_mem_uncharge(tp, skb.truesize)
        queue.clear()
    tp.packets_out = tp.sacked_out = tp.lost_out = tp.retrans_out = 0
    tp.icsk_backoff = 0


def tcp_clear_timers(tp: TcpSock) -> None:
    """Stop every timer of the socket. Linux: tcp_clear_xmit_timers()."""
    timers = tp.net.machine.timers
    for timer in (tp.retransmit_timer, tp.delack_timer, tp.keepalive_timer):
        if timer is not None:
            timers.timer_delete(timer)
    if tp.compressed_ack_timer is not None:
        hrtimer_cancel(tp.net.machine, tp.compressed_ack_timer)
        tp.compressed_ack_timer = None
    tp.icsk_pending = 0
    tp.ack_pending = 0


def tcp_done(cpu: Cpu, tp: TcpSock) -> None:
    """The connection is over; an orphan goes away, others wait for their close(). Linux: tcp_done()."""
    if tp.sk_state in (TcpState.SYN_SENT, TcpState.SYN_RECV):
        tp.net.mib[Tcp.AttemptFails] += 1
    if tp.sk_state != TcpState.CLOSE:
        tcp_set_state(cpu, tp, TcpState.CLOSE)
    tcp_clear_timers(tp)
    tp.sk_shutdown = RCV_SHUTDOWN | SEND_SHUTDOWN
    if tp.orphan:
        tcp_destroy_sock(cpu, tp)
    else:
        sk_state_change(cpu, tp)


def tcp_destroy_sock(cpu: Cpu, tp: TcpSock) -> None:
    """Free everything an orphan holds. Linux: inet_csk_destroy_sock(), inet_sock_destruct()."""
    if tp.net.sockets.pop(tp.id, None) is None:
        return
    tp.net.holding.pop(tp.id, None)
    tp.net.tcp_in_state[tp.sk_state] -= 1
    unhash(tp)
    tcp_clear_timers(tp)
    tcp_write_queue_purge(tp)
    for queue in (tp.sk_receive_queue, tp.out_of_order_queue):
        for skb in queue:
            free_queue(tp, skb)
        queue.clear()
    if tp.sk_backlog:
        for skb in tp.sk_backlog:
            consume_skb(tp.net, skb)
        tp.sk_backlog.clear()
        tp.sk_backlog_len = 0
    skb_errqueue_purge(tp)
    put_port(tp)
    for timer in (tp.retransmit_timer, tp.delack_timer, tp.keepalive_timer):
        if timer is not None:
            timer.arg = None
    tcp_orphan_count_add(cpu, -1)


def tcp_done_with_error(cpu: Cpu, tp: TcpSock, error: int) -> None:
    """The connection is over, and the program is to learn why. Linux: tcp_done_with_error()."""
    tp.sk_err = error
    tcp_write_queue_purge(tp)
    tcp_done(cpu, tp)
    if not tp.orphan:
        sk_error_report(cpu, tp)


def tcp_reset(cpu: Cpu, tp: TcpSock) -> None:
    """An acceptable RST came in. Linux: net/ipv4/tcp_input.c tcp_reset()."""
    if tp.sk_state != TcpState.CLOSE:
        tcp_done_with_error(cpu, tp, RESET_ERRORS.get(tp.sk_state, ECONNRESET))


def tcp_write_err(cpu: Cpu, tp: TcpSock) -> None:
    """The peer did not answer in time. Linux: net/ipv4/tcp_timer.c tcp_write_err()."""
    tcp_done_with_error(cpu, tp, tp.sk_err_soft or ETIMEDOUT)
    tp.net.mib[TcpExt.TCPAbortOnTimeout] += 1
