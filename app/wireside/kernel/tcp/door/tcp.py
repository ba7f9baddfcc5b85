"""What system calls do to a TCP socket: write, read, shut down, close."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.counters import TcpExt
from wireside.catalog.errno import ECONNRESET, ENOTCONN
from wireside.catalog.fates import CONSUMED
from wireside.catalog.inet import ACK, FIN, MASK, PSH
from wireside.catalog.stages import Stage
from wireside.catalog.sysctls import TCP_AUTOCORKING
from wireside.catalog.tcp_states import TcpState
from wireside.kernel.core.sock import (
    RCV_SHUTDOWN,
    SEND_SHUTDOWN,
    SOCK_BINDADDR_LOCK,
    sk_state_change,
    sk_wmem_schedule,
    sock_rfree,
)
from wireside.kernel.tcp.door.sock_reuseport import reuseport_migrate_sock
from wireside.kernel.tcp.door.tcp_timer import tcp_reset_keepalive_timer
from wireside.kernel.tcp.receive.tcp_recvmsg import COPY_NS_PER_KIB
from wireside.kernel.tcp.send.tcp_control import tcp_send_active_reset, tcp_send_fin
from wireside.kernel.tcp.send.tcp_minisocks import TCP_TIMEWAIT_LEN_NS, tcp_fin_time_ns, tcp_time_wait
from wireside.kernel.tcp.send.tcp_output import (
    tcp_current_mss,
    tcp_mark_push,
    tcp_new_skb,
    tcp_push_one,
    tcp_push_pending_frames,
    tcp_queue_skb,
)
from wireside.kernel.tcp.send.tcp_tso import page_frags, tcp_slow_start_after_idle_check, tcp_xmit_size_goal
from wireside.kernel.tcp.sock.tcp_orphan import sock_orphan, tcp_abort_on_memory, tcp_check_oom
from wireside.kernel.tcp.sock.tcp_sock import (
    TCP_INFINITE_SSTHRESH,
    TCP_INIT_CWND,
    TCP_NAGLE_CORK,
    TCP_NAGLE_PUSH,
    TCP_TIMEOUT_INIT_US,
    TSQ_THROTTLED,
    TcpSock,
    after,
)
from wireside.kernel.tcp.sock.tcp_state import (
    free_queue,
    tcp_clear_timers,
    tcp_destroy_sock,
    tcp_set_state,
    tcp_write_queue_purge,
)
from wireside.kernel.tcp.sock.tcp_stream import sk_stream_memory_free

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu
    from wireside.kernel.tcp.door.request_sock import RequestSockQueue

TCP_SENDMSG: Final = int(Stage.TCP_SENDMSG)
NEW_STATE: Final = {
    TcpState.ESTABLISHED: (TcpState.FIN_WAIT1, True),
    TcpState.SYN_RECV: (TcpState.FIN_WAIT1, True),
    TcpState.CLOSE_WAIT: (TcpState.LAST_ACK, True),
    TcpState.SYN_SENT: (TcpState.CLOSE, False),
}
"""What close() makes of a state, and whether a FIN follows; other states stay. Linux: net/ipv4/tcp.c new_state[]."""
NEEDS_RESET: Final = (
    TcpState.ESTABLISHED,
    TcpState.CLOSE_WAIT,
    TcpState.FIN_WAIT1,
    TcpState.FIN_WAIT2,
    TcpState.SYN_RECV,
)
"""States in which an abort must tell the peer. Linux: net/ipv4/tcp.c tcp_need_reset()."""
LINGERS: Final = (TcpState.FIN_WAIT1, TcpState.CLOSING, TcpState.LAST_ACK)
"""States that close() waits to leave under SO_LINGER. Linux: net/core/stream.c sk_stream_closing()."""


def forced_push(tp: TcpSock) -> bool:
    """More than half of the largest window waits without PSH. Linux: net/ipv4/tcp.c forced_push()."""
    return after(tp.write_seq, (tp.pushed_seq + (tp.max_window >> 1)) & MASK)


def tcp_push(cpu: Cpu, tp: TcpSock, mss: int, nonagle: int, size_goal: int, *, more: bool) -> None:
    """The end of a write: let the data go, unless corked. Linux: net/ipv4/tcp.c tcp_push()."""
    if not tp.tcp_write_queue:
        return
    skb = tp.tcp_write_queue[-1]
    if not more or forced_push(tp):
        tcp_mark_push(tp, skb)
    if (
        skb.len < size_goal
        and tp.tcp_rtx_queue
        and tp.sk_wmem_alloc >= skb.truesize
        and tp.net.sysctl[TCP_AUTOCORKING]
    ):
        if not tp.tsq_flags & TSQ_THROTTLED:
            tp.net.mib[TcpExt.TCPAutoCorking] += 1
            tp.tsq_flags |= TSQ_THROTTLED
        return
    tcp_push_pending_frames(cpu, tp, mss, TCP_NAGLE_CORK if more else nonagle)


def tcp_sendmsg(cpu: Cpu, tp: TcpSock, copied: int, size: int, *, more: bool = False) -> tuple[int, bool]:
    """Queue bytes `copied`..`size` of a write; returns (bytes queued so far, whether it must wait for memory).

    The first byte of a call takes the PSH of the segment it joins; a mark that the call has made itself stays.
    Linux: net/ipv4/tcp.c tcp_sendmsg_locked().
    """
    cpu.now += cpu.cost[TCP_SENDMSG] + (size - copied) * COPY_NS_PER_KIB // 1024
    mss = tcp_current_mss(tp)
    goal = tcp_xmit_size_goal(tp, mss)
    start = copied
    queue = tp.tcp_write_queue
    while copied < size:
        skb = queue[-1] if queue else None
        room = goal - skb.len if skb is not None and not skb.tcp_flags & FIN else 0
        if skb is None or room <= 0:
            if not sk_stream_memory_free(tp):
                break
            skb = tcp_new_skb(tp, tp.write_seq, ACK)
            tcp_queue_skb(tp, skb)
            tcp_slow_start_after_idle_check(cpu, tp)
            queue = tp.tcp_write_queue
            room = goal
        count = min(room, size - copied)
        if not sk_wmem_schedule(cpu, tp, count):
            break
        if not copied:
            skb.tcp_flags &= ~PSH
        skb.len += count
        skb.truesize += count
        skb.end_seq = tp.write_seq = (skb.end_seq + count) & MASK
        skb.nr_frags = page_frags(tp, skb)
        tp.sk_wmem_queued += count
        tp.sk_forward_alloc -= count
        copied += count
        if copied == size or skb.len < goal:
            continue
        if forced_push(tp):
            tcp_mark_push(tp, skb)
            tcp_push_pending_frames(cpu, tp, mss, TCP_NAGLE_PUSH)
        elif skb is queue[0]:
            tcp_push_one(cpu, tp, mss)
    blocked = copied < size
    if blocked:
        tp.sk_nospace = True
    if copied > start:
        tcp_push(cpu, tp, mss, TCP_NAGLE_PUSH if blocked else tp.nonagle, goal, more=more and not blocked)
    return copied, blocked


def tcp_close_state(cpu: Cpu, tp: TcpSock) -> bool:
    """Take the step that close() or shutdown() means in this state; True when a FIN must follow.

    Linux: net/ipv4/tcp.c tcp_close_state(), new_state[].
    """
    state, fin = NEW_STATE.get(tp.sk_state, (tp.sk_state, False))
    if state != tp.sk_state:
        tcp_set_state(cpu, tp, state)
    return fin


def tcp_shutdown(cpu: Cpu, tp: TcpSock, how: int) -> None:
    """Send a FIN behind all data and keep reading. Linux: net/ipv4/tcp.c tcp_shutdown()."""
    if (
        how & SEND_SHUTDOWN
        and tp.sk_state in (TcpState.ESTABLISHED, TcpState.CLOSE_WAIT)
        and tcp_close_state(cpu, tp)
    ):
        tcp_send_fin(cpu, tp)


def inet_shutdown(cpu: Cpu, tp: TcpSock, how: int) -> int:
    """shutdown(): 0, or -ENOTCONN. `how` has RCV_SHUTDOWN, SEND_SHUTDOWN or both. Linux: net/ipv4/af_inet.c."""
    error = 0
    if tp.sk_state in (TcpState.LISTEN, TcpState.SYN_SENT):
        if tp.sk_state == TcpState.SYN_SENT or how & RCV_SHUTDOWN:
            tcp_disconnect(cpu, tp)
    else:
        error = -ENOTCONN if tp.sk_state == TcpState.CLOSE else 0
        tp.sk_shutdown |= how
        tcp_shutdown(cpu, tp, how)
    sk_state_change(cpu, tp)
    return error


def tcp_drain_unread(tp: TcpSock) -> bool:
    """Throw away what the program has not read; True when there was any."""
    unread = False
    for skb in tp.sk_receive_queue:
        end_seq = (skb.end_seq - bool(skb.tcp_flags & FIN)) & MASK
        unread = unread or after(end_seq, tp.copied_seq)
        sock_rfree(tp, skb.truesize)
        tp.net.consumed += skb.gso_segs
        skb.fate = CONSUMED
    tp.sk_receive_queue.clear()
    return unread


def tcp_close(cpu: Cpu, tp: TcpSock) -> bool:
    """The last descriptor is closed; True when SO_LINGER wants the caller to wait.

    Linux: net/ipv4/tcp.c __tcp_close(), in its order: unread data, SO_LINGER 0, FIN, orphan.
    """
    net = tp.net
    tp.sk_shutdown = RCV_SHUTDOWN | SEND_SHUTDOWN
    if tp.sk_state == TcpState.LISTEN:
        tcp_listen_stop(cpu, tp)
        tcp_orphan(cpu, tp)
        return False
    unread = tcp_drain_unread(tp)
    linger = tp.sk_linger
    if tp.sk_state == TcpState.CLOSE:
        pass
    elif unread:
        net.mib[TcpExt.TCPAbortOnClose] += 1
        tcp_set_state(cpu, tp, TcpState.CLOSE)
        tcp_send_active_reset(cpu, tp)
    elif linger == 0:
        tcp_disconnect(cpu, tp)
        net.mib[TcpExt.TCPAbortOnData] += 1
    elif tcp_close_state(cpu, tp):
        tcp_send_fin(cpu, tp)
    if linger > 0 and tp.sk_state in LINGERS:
        return True
    tcp_orphan(cpu, tp)
    return False


def tcp_disconnect(cpu: Cpu, tp: TcpSock) -> None:
    """Abort a connection, with RST where the peer would notice. Linux: net/ipv4/tcp.c tcp_disconnect()."""
    old = tp.sk_state
    if old == TcpState.LISTEN:
        tcp_listen_stop(cpu, tp)
    elif old != TcpState.CLOSE:
        tcp_set_state(cpu, tp, TcpState.CLOSE)
        unsent = tp.snd_nxt != tp.write_seq and old in (TcpState.CLOSING, TcpState.LAST_ACK)
        if old in NEEDS_RESET or unsent:
            tcp_send_active_reset(cpu, tp)
        if old in NEEDS_RESET or unsent or old == TcpState.SYN_SENT:
            tp.sk_err = ECONNRESET
    tcp_clear_timers(tp)
    tcp_write_queue_purge(tp)
    tcp_forget_connection(tp)


def tcp_forget_connection(tp: TcpSock) -> None:
    """Leave a disconnected socket as good as new, but for what the program has set."""
    tp.flow_in = tp.flow_out = None
    tp.sk_shutdown = 0
    tp.sock_done = False
    tp.srtt_us = tp.icsk_probes_out = tp.icsk_probes_tstamp = tp.icsk_retransmits = 0
    tp.icsk_rto_ns = TCP_TIMEOUT_INIT_US * 1000
    tp.snd_cwnd, tp.snd_ssthresh = TCP_INIT_CWND, TCP_INFINITE_SSTHRESH
    for skb in (*tp.sk_receive_queue, *tp.out_of_order_queue):
        free_queue(tp, skb)
    tp.sk_receive_queue.clear()
    tp.out_of_order_queue.clear()
    tp.selective_acks.clear()
    tp.rcv_nxt = tp.copied_seq = tp.rcv_wup = 0
    if not tp.sk_userlocks & SOCK_BINDADDR_LOCK:
        tp.rcv_saddr = 0


def tcp_orphan(cpu: Cpu, tp: TcpSock) -> None:
    """No program holds the socket any more. Linux: net/ipv4/tcp.c __tcp_close() from sock_orphan() on.

    What came in while close() held the lock is processed when release_sock() lets go of it; FIN_WAIT2 reached then
    is dealt with there.
    """
    sock_orphan(cpu, tp)
    tcp_orphan_fin_wait2(cpu, tp)
    if tp.sk_state == TcpState.CLOSE:
        tcp_destroy_sock(cpu, tp)
    elif tcp_check_oom(cpu, tp, 0):
        tcp_set_state(cpu, tp, TcpState.CLOSE)
        tcp_send_active_reset(cpu, tp)
        tcp_abort_on_memory(tp)
        tcp_destroy_sock(cpu, tp)


def tcp_orphan_fin_wait2(cpu: Cpu, tp: TcpSock) -> None:
    """An orphan whose FIN is acknowledged waits for the peer's a while: as a minisock, when that is at most 60 s."""
    if tp.sk_state != TcpState.FIN_WAIT2:
        return
    if tp.linger2 < 0:
        tcp_set_state(cpu, tp, TcpState.CLOSE)
        tcp_send_active_reset(cpu, tp)
        tp.net.mib[TcpExt.TCPAbortOnLinger] += 1
        return
    timeout = tcp_fin_time_ns(tp)
    if timeout > TCP_TIMEWAIT_LEN_NS:
        tcp_reset_keepalive_timer(cpu, tp, timeout - TCP_TIMEWAIT_LEN_NS)
    else:
        tcp_time_wait(cpu, tp, TcpState.FIN_WAIT2, timeout)


def tcp_listen_stop(cpu: Cpu, listener: TcpSock) -> None:
    """A listener stops: children nobody accepted are reset, or move to another listener of its group.

    Linux: net/ipv4/inet_connection_sock.c inet_csk_listen_stop(), inet_child_forget().
    """
    queue: RequestSockQueue = listener.icsk_accept_queue
    tcp_set_state(cpu, listener, TcpState.CLOSE)
    while queue.accept:
        child = queue.accept.popleft()
        assert child.flow_in is not None
        heir = reuseport_migrate_sock(listener, child.flow_in)
        if heir is not None:
            heir.icsk_accept_queue.accept.append(child)
            heir.net.mib[TcpExt.TCPMigrateReqSuccess] += 1
            continue
        tcp_disconnect(cpu, child)
        sock_orphan(cpu, child)
        tcp_destroy_sock(cpu, child)
    sk_state_change(cpu, listener)
