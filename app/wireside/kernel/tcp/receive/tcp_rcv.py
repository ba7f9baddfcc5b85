"""What a receiver does with data: measure, queue, wake the reader, and decide when to acknowledge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.counters import TcpExt
from wireside.catalog.drop_reasons import DropReason
from wireside.catalog.inet import FIN, MASK, PSH
from wireside.catalog.stages import Stage
from wireside.catalog.sysctls import (
    TCP_BACKLOG_ACK_DEFER,
    TCP_COMP_SACK_DELAY_NS,
    TCP_COMP_SACK_NR,
    TCP_COMP_SACK_SLACK_NS,
)
from wireside.catalog.tcp_states import TcpState
from wireside.kernel.core.hrtimer import hrtimer_start
from wireside.kernel.core.sock import RCV_SHUTDOWN, sk_forced_mem_schedule, sk_state_change, sock_def_readable
from wireside.kernel.tcp.ack.tcp_ack import tcp_fast_path_check
from wireside.kernel.tcp.receive.tcp_ofo import (
    tcp_data_queue_ofo,
    tcp_dsack_set,
    tcp_ofo_queue,
    tcp_sack_remove,
)
from wireside.kernel.tcp.receive.tcp_rmem import (
    tcp_queue_rcv,
    tcp_rcv_rtt_measure,
    tcp_try_rmem_schedule,
)
from wireside.kernel.tcp.send.tcp_control import (
    TCP_ATO_MIN_NS,
    tcp_enter_pingpong_mode,
    tcp_in_pingpong_mode,
    tcp_send_ack,
    tcp_send_delayed_ack,
)
from wireside.kernel.tcp.send.tcp_minisocks import tcp_time_wait
from wireside.kernel.tcp.sock.tcp_sock import (
    ICSK_ACK_NOMEM,
    ICSK_ACK_NOW,
    ICSK_ACK_SCHED,
    TCP_ACK_DEFERRED,
    TCP_DELACK_TIMER_DEFERRED,
    after,
    before,
    tcp_receive_window,
)
from wireside.kernel.tcp.sock.tcp_state import free_queue, tcp_drop_reason, tcp_set_state
from wireside.kernel.tcp.sock.tcp_stream import tcp_data_ready
from wireside.kernel.tcp.sock.tcp_window import __tcp_select_window as select_window
from wireside.kernel.tcp.sock.tcp_window import tcp_grow_window, tcp_measure_rcv_mss

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu
    from wireside.kernel.core.skbuff import SkBuff
    from wireside.kernel.tcp.sock.tcp_sock import TcpSock

RECEIVE_QUEUE: Final = int(Stage.RECEIVE_QUEUE)
TCP_MAX_QUICKACKS: Final = 16


def tcp_incr_quickack(tp: TcpSock, most: int) -> None:
    """Acknowledge the next segments at once, about half a window of them. Linux: tcp_incr_quickack()."""
    quickacks = (tp.rcv_wnd // (2 * tp.rcv_mss) if tp.rcv_mss else 0) or 2
    tp.ack_quick = max(tp.ack_quick, min(quickacks, most))


def tcp_enter_quickack_mode(tp: TcpSock) -> None:
    """Something unusual came: acknowledge at once for a while. Linux: tcp_enter_quickack_mode()."""
    tcp_incr_quickack(tp, TCP_MAX_QUICKACKS)
    tp.ack_pingpong = 0
    tp.ack_ato_ns = TCP_ATO_MIN_NS


def tcp_event_data_recv(cpu: Cpu, tp: TcpSock, skb: SkBuff) -> None:
    """New data has been queued: adapt ACK timing and the window. Linux: tcp_event_data_recv()."""
    tp.ack_pending |= ICSK_ACK_SCHED
    if skb.len != tp.rcv_mss or skb.gso_size or skb.tcp_flags & PSH:
        tcp_measure_rcv_mss(tp, skb)
    else:
        tp.last_seg_size = 0
    tcp_rcv_rtt_measure(cpu, tp)
    now = cpu.now
    if not tp.ack_ato_ns:
        tcp_incr_quickack(tp, TCP_MAX_QUICKACKS)
        tp.ack_ato_ns = TCP_ATO_MIN_NS
    else:
        gap = now - tp.lrcvtime_ns
        if gap <= TCP_ATO_MIN_NS // 2:
            tp.ack_ato_ns = (tp.ack_ato_ns >> 1) + TCP_ATO_MIN_NS // 2
        elif gap < tp.ack_ato_ns:
            tp.ack_ato_ns = min((tp.ack_ato_ns >> 1) + gap, tp.icsk_rto_ns)
        elif gap > tp.icsk_rto_ns:
            tcp_incr_quickack(tp, TCP_MAX_QUICKACKS)
    tp.lrcvtime_ns = now
    if skb.len >= 128:
        tcp_grow_window(tp, skb, adjust=True)


def tcp_ack_snd_check(cpu: Cpu, tp: TcpSock, *, ofo_possible: bool = True) -> None:
    """Acknowledge now, or owe it. Linux: net/ipv4/tcp_input.c __tcp_ack_snd_check()."""
    pending = tp.ack_pending
    if not pending & ICSK_ACK_SCHED:
        return
    # The window is looked at first: finding half of the space used up ends the quick ACKs.
    if (
        (
            (tp.rcv_nxt - tp.rcv_wup) & MASK > tp.rcv_mss
            and (tp.rcv_nxt == tp.copied_seq or select_window(tp) >= tp.rcv_wnd)
        )
        or (tp.ack_quick and not tcp_in_pingpong_mode(tp))
        or pending & ICSK_ACK_NOW
    ):
        if tp.sk_lock_owned and tp.net.sysctl[TCP_BACKLOG_ACK_DEFER]:
            tp.tsq_flags |= TCP_ACK_DEFERRED
            return
        tcp_send_ack(cpu, tp)
        return
    if not ofo_possible or not tp.out_of_order_queue:
        tcp_send_delayed_ack(cpu, tp)
        return
    net = tp.net
    if not tp.sack_ok or tp.compressed_ack >= net.sysctl[TCP_COMP_SACK_NR]:
        tcp_send_ack(cpu, tp)
        return
    if tp.compressed_ack_rcv_nxt != tp.rcv_nxt:
        tp.compressed_ack_rcv_nxt = tp.rcv_nxt
        tp.dup_ack_counter = 0
    if tp.dup_ack_counter < 3:
        tp.dup_ack_counter += 1
        tcp_send_ack(cpu, tp)
        return
    tp.compressed_ack += 1
    if tp.compressed_ack_timer is None:
        rtt_us = tp.rcv_rtt_us
        if tp.srtt_us and tp.srtt_us < rtt_us:
            rtt_us = tp.srtt_us
        delay = min(net.sysctl[TCP_COMP_SACK_DELAY_NS], rtt_us * 125 // 20)
        # The timer may be late by the slack, and without another one to share an interrupt with it is.
        delay += net.sysctl[TCP_COMP_SACK_SLACK_NS]
        tp.compressed_ack_timer = hrtimer_start(cpu, delay, tcp_compressed_ack_kick, tp)


def tcp_compressed_ack_kick(cpu: Cpu, tp: TcpSock) -> None:
    """The time to hold back duplicate ACKs is over. Linux: net/ipv4/tcp_timer.c tcp_compressed_ack_kick()."""
    tp.compressed_ack_timer = None
    if tp.sk_lock_owned:
        tp.tsq_flags |= TCP_DELACK_TIMER_DEFERRED
    elif tp.compressed_ack:
        tp.compressed_ack -= 1
        tcp_send_ack(cpu, tp)


def tcp_data_queue(cpu: Cpu, tp: TcpSock, skb: SkBuff) -> bool:
    """Queue data in order, keep it out of order, or refuse it; False when the packet has been dropped.

    Linux: net/ipv4/tcp_input.c tcp_data_queue().
    """
    net = tp.net
    seq, end_seq = skb.seq, skb.end_seq
    tp.dsack = None
    if seq == tp.rcv_nxt or (before(seq, tp.rcv_nxt) and after(end_seq, tp.rcv_nxt)):
        if seq != tp.rcv_nxt:
            tcp_dsack_set(tp, seq, tp.rcv_nxt)
        if not tcp_receive_window(tp) and (skb.len or not skb.tcp_flags & FIN):
            net.mib[TcpExt.TCPZeroWindowDrop] += 1
            tcp_out_of_window(cpu, tp, skb, DropReason.TCP_ZEROWINDOW)
            return False
        return tcp_queue_in_order(cpu, tp, skb)
    if not after(end_seq, tp.rcv_nxt):
        net.mib[TcpExt.DelayedACKLost] += 1
        tcp_dsack_set(tp, seq, end_seq)
        tcp_out_of_window(cpu, tp, skb, DropReason.TCP_OLD_DATA)
        return False
    if not before(seq, (tp.rcv_nxt + tcp_receive_window(tp)) & MASK):
        tcp_out_of_window(cpu, tp, skb, DropReason.TCP_OVERWINDOW)
        return False
    tcp_data_queue_ofo(cpu, tp, skb)
    return True


def tcp_out_of_window(cpu: Cpu, tp: TcpSock, skb: SkBuff, reason: DropReason) -> None:
    """Refuse a segment, and tell the peer at once where we are."""
    tcp_enter_quickack_mode(tp)
    tp.ack_pending |= ICSK_ACK_SCHED
    tcp_drop_reason(tp, skb, reason)


def tcp_queue_in_order(cpu: Cpu, tp: TcpSock, skb: SkBuff) -> bool:
    """The in-order part of tcp_data_queue()."""
    net = tp.net
    if not tcp_try_rmem_schedule(cpu, tp, skb, skb.truesize):
        tp.ack_pending |= ICSK_ACK_NOMEM | ICSK_ACK_NOW | ICSK_ACK_SCHED
        sock_def_readable(cpu, tp)
        if tp.sk_receive_queue and skb.len:
            net.mib[TcpExt.TCPRcvQDrop] += 1
            tcp_drop_reason(tp, skb, DropReason.PROTO_MEM)
            return False
        sk_forced_mem_schedule(tp, skb.truesize)
    if skb.stamps is not None:
        skb.stamps += (RECEIVE_QUEUE, cpu.now)
    cpu.now += cpu.cost[RECEIVE_QUEUE]
    fin = bool(skb.tcp_flags & FIN)
    tcp_queue_rcv(tp, skb)
    if skb.len:
        tcp_event_data_recv(cpu, tp, skb)
    if fin:
        tcp_fin(cpu, tp)
    if tp.out_of_order_queue:
        if tcp_ofo_queue(tp):
            tcp_fin(cpu, tp)
        if not tp.out_of_order_queue:
            tp.ack_pending |= ICSK_ACK_NOW
    if tp.selective_acks:
        tcp_sack_remove(tp)
    tcp_fast_path_check(tp)
    if not tp.orphan:
        tcp_data_ready(cpu, tp)
    return True


def tcp_fin(cpu: Cpu, tp: TcpSock) -> None:
    """The peer will send no more. Linux: net/ipv4/tcp_input.c tcp_fin()."""
    tp.ack_pending |= ICSK_ACK_SCHED
    tp.sk_shutdown |= RCV_SHUTDOWN
    tp.sock_done = True
    state = tp.sk_state
    if state in (TcpState.SYN_RECV, TcpState.ESTABLISHED):
        tcp_set_state(cpu, tp, TcpState.CLOSE_WAIT)
        tcp_enter_pingpong_mode(tp)
    elif state == TcpState.FIN_WAIT1:
        tcp_send_ack(cpu, tp)
        tcp_set_state(cpu, tp, TcpState.CLOSING)
    elif state == TcpState.FIN_WAIT2:
        tcp_send_ack(cpu, tp)
        tcp_time_wait(cpu, tp, TcpState.TIME_WAIT, 0)
    for skb in tp.out_of_order_queue:
        free_queue(tp, skb)
    tp.out_of_order_queue.clear()
    tp.selective_acks.clear()
    tp.dsack = None
    if not tp.orphan:
        sk_state_change(cpu, tp)
