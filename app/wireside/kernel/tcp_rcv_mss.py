"""What segments teach a receiver: their size, the memory they cost, and how much more it may promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.catalog.sysctls import TCP_RMEM
from wireside.kernel.skbuff import FIN, PSH, SYN, URG
from wireside.kernel.sock import SOCK_MIN_RCVBUF
from wireside.kernel.tcp_sock import (
    ICSK_ACK_PUSHED,
    ICSK_ACK_PUSHED2,
    TCP_MIN_MSS,
    TCP_MSS_DEFAULT,
    tcp_space,
    tcp_win_from_space,
)

if TYPE_CHECKING:
    from wireside.kernel.skbuff import SkBuff
    from wireside.kernel.tcp_sock import TcpSock


def tcp_measure_rcv_mss(tp: TcpSock, skb: SkBuff) -> None:
    """Learn the sender's segment size, and how well its packets use memory. Linux: tcp_measure_rcv_mss()."""
    last = tp.last_seg_size
    tp.last_seg_size = 0
    length = skb.gso_size or skb.len
    if length >= tp.rcv_mss:
        if length != tp.rcv_mss:
            ratio = (skb.len << 8) // skb.truesize or 1
            if ratio != tp.scaling_ratio:
                tp.scaling_ratio = ratio
                tcp_set_window_clamp(tp, tcp_win_from_space(tp, tp.sk_rcvbuf))
                tp.rcvq_space = min(tp.rcvq_space, tp.window_clamp)
        tp.rcv_mss = min(length, tp.advmss)
        if skb.tcp_flags & PSH and skb.len == tp.rcv_mss:
            tp.ack_pending |= ICSK_ACK_PUSHED
        return
    header = skb.hdr_len - 34
    with_header = length + header
    if with_header >= TCP_MSS_DEFAULT + 20 or (
        with_header >= TCP_MIN_MSS + 20 and not skb.tcp_flags & (FIN | URG | SYN | PSH)
    ):
        length = with_header - (32 if tp.tstamp_ok else 20)
        tp.last_seg_size = length
        if length == last:
            tp.rcv_mss = length
            return
    if tp.ack_pending & ICSK_ACK_PUSHED:
        tp.ack_pending |= ICSK_ACK_PUSHED2
    tp.ack_pending |= ICSK_ACK_PUSHED


def tcp_set_window_clamp(tp: TcpSock, value: int) -> None:
    """Bound the window by `value`; a wider bound lets rcv_ssthresh catch up with what is promised.

    Linux: net/ipv4/tcp.c tcp_set_window_clamp().
    """
    old = tp.window_clamp
    tp.window_clamp = max(SOCK_MIN_RCVBUF // 2, value)
    if tp.window_clamp < old:
        tp.rcv_ssthresh = min(tp.rcv_ssthresh, tp.window_clamp)
    elif tp.window_clamp > old:
        tp.rcv_ssthresh = max(min(tp.rcv_wnd, tp.window_clamp), tp.rcv_ssthresh)


def tcp_grow_window(tp: TcpSock, skb: SkBuff, *, adjust: bool) -> None:
    """Promise more, as segments prove that they use memory well; with `adjust` their own head does not count.

    Linux: net/ipv4/tcp_input.c tcp_grow_window(), __tcp_grow_window(), truesize_adjust().
    """
    room = min(tp.window_clamp, tcp_space(tp)) - tp.rcv_ssthresh
    if room <= 0 or tp.net.machine.tcp_memory_pressure:
        return
    truesize = skb.truesize
    if adjust and not skb.head_len:
        truesize = max(truesize - 832, skb.len)
    win = tcp_win_from_space(tp, truesize)
    if win <= skb.len:
        incr = 2 * tp.advmss
    else:
        incr = 0
        half = win >> 1
        window = tcp_win_from_space(tp, tp.net.sysctl[TCP_RMEM][2]) >> 1
        while tp.rcv_ssthresh <= window:
            if half <= skb.len:
                incr = 2 * tp.rcv_mss
                break
            half >>= 1
            window >>= 1
    if incr:
        tp.rcv_ssthresh += min(room, max(incr, 2 * skb.len))
        tp.ack_quick |= 1
