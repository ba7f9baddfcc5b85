"""How much a receiver dares to promise: the first window, the next ones, how they grow, when to announce a larger one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.counters import TcpExt
from wireside.catalog.inet import FIN, PSH, SYN, URG
from wireside.catalog.sysctls import RMEM_MAX, TCP_APP_WIN, TCP_RMEM, TCP_SHRINK_WINDOW, TCP_WMEM
from wireside.kernel.core.skbuff import SK_BUFF_SIZE, SKB_SHARED_INFO_SIZE, SKB_SMALL_HEAD
from wireside.kernel.core.sock import SOCK_MIN_RCVBUF, SOCK_RCVBUF_LOCK, SOCK_SNDBUF_LOCK
from wireside.kernel.tcp.sock.tcp_sock import (
    ICSK_ACK_NOMEM,
    ICSK_ACK_PUSHED,
    ICSK_ACK_PUSHED2,
    TCP_INIT_CWND,
    TCP_MIN_MSS,
    TCP_MSS_DEFAULT,
    tcp_full_space,
    tcp_receive_window,
    tcp_space,
    tcp_win_from_space,
)

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu, Net
    from wireside.kernel.core.skbuff import SkBuff
    from wireside.kernel.tcp.sock.tcp_sock import TcpSock

TCP_MAX_WSCALE: Final = 14
SKB_HEAD: Final = SK_BUFF_SIZE + SKB_SMALL_HEAD
"""Memory of an sk_buff whose head holds headers only, bytes."""
MAX_TCP_HEADER: Final = 256
"""Headroom reserved for all headers of a segment, bytes. Linux: include/net/tcp.h."""


def round_down(value: int, step: int) -> int:
    """Largest multiple of `step` that is not above `value`."""
    return value - value % step


def round_up(value: int, step: int) -> int:
    """Smallest multiple of `step` that is not below `value`."""
    return -(-value // step) * step


def tcp_select_initial_window(
    net: Net, space: int, mss: int, window_clamp: int, *, wscale_ok: bool
) -> tuple[int, int, int]:
    """Return (rcv_wnd, window_clamp, rcv_wscale) for a SYN or SYN-ACK.

    Linux: net/ipv4/tcp_output.c tcp_select_initial_window().
    """
    clamp = window_clamp or 65535 << TCP_MAX_WSCALE
    space = min(clamp, max(space, 0))
    if space > mss:
        space = round_down(space, mss)
    rcv_wnd = space
    rcv_wscale = 0
    if wscale_ok:
        space = min(max(space, net.sysctl[TCP_RMEM][2], net.sysctl[RMEM_MAX]), clamp)
        rcv_wscale = min(max(space.bit_length() - 16, 0), TCP_MAX_WSCALE)
    return rcv_wnd, min(65535 << rcv_wscale, clamp), rcv_wscale


def tcp_init_buffer_space(cpu: Cpu, tp: TcpSock) -> None:
    """Settle buffers and the window clamp when a connection is established.

    Linux: net/ipv4/tcp_input.c tcp_init_buffer_space().
    """
    if not tp.sk_userlocks & SOCK_SNDBUF_LOCK:
        tcp_sndbuf_expand(tp)
    tp.rcvq_space_time_us = cpu.now // 1000
    tp.rcvq_space_seq = tp.copied_seq
    maxwin = tcp_full_space(tp)
    app_win = tp.net.sysctl[TCP_APP_WIN]
    if tp.window_clamp >= maxwin:
        tp.window_clamp = maxwin
        if app_win and maxwin > 4 * tp.advmss:
            tp.window_clamp = max(maxwin - (maxwin >> app_win), 4 * tp.advmss)
    if app_win and tp.window_clamp > 2 * tp.advmss and tp.window_clamp + tp.advmss > maxwin:
        tp.window_clamp = max(2 * tp.advmss, maxwin - tp.advmss)
    tp.rcv_ssthresh = min(tp.rcv_ssthresh, tp.window_clamp)
    tp.rcvq_space = min(tp.rcv_ssthresh, tp.rcv_wnd, TCP_INIT_CWND * tp.advmss)


def tcp_sndbuf_expand(tp: TcpSock) -> None:
    """Let sk_sndbuf hold two congestion windows of segments, up to tcp_wmem[2].

    Linux: net/ipv4/tcp_input.c tcp_sndbuf_expand().
    """
    head = max(tp.mss_cache, tp.mss_clamp) + MAX_TCP_HEADER + SKB_SHARED_INFO_SIZE
    per_mss = (1 << (head - 1).bit_length()) + SK_BUFF_SIZE
    nr_segs = max(TCP_INIT_CWND, tp.snd_cwnd, tp.reordering + 1)
    sndmem = 2 * nr_segs * per_mss
    if tp.sk_sndbuf < sndmem:
        tp.sk_sndbuf = min(sndmem, tp.net.sysctl[TCP_WMEM][2])


def __tcp_select_window(tp: TcpSock) -> int:
    """The window that memory allows now, without regard to what is already promised.

    Linux: net/ipv4/tcp_output.c __tcp_select_window().
    """
    mss = tp.rcv_mss
    free_space = tcp_space(tp)
    allowed_space = tcp_full_space(tp)
    full_space = min(tp.window_clamp, allowed_space)
    if mss > full_space:
        mss = full_space
        if mss <= 0:
            return 0
    step = 1 << tp.rcv_wscale
    shrink = tp.rcv_wscale and tp.net.sysctl[TCP_SHRINK_WINDOW]
    if shrink:
        free_space = round_down(free_space, step)
    if free_space < full_space >> 1:
        tp.ack_quick = 0
        if tp.net.machine.tcp_memory_pressure:
            tp.rcv_ssthresh = min(tp.rcv_ssthresh, 4 * tp.advmss)
        free_space = round_down(free_space, step)
        if free_space < allowed_space >> 4 or free_space < mss or (shrink and free_space < step):
            return 0
    free_space = min(free_space, tp.rcv_ssthresh)
    if tp.rcv_wscale:
        return round_up(free_space, step)
    window = tp.rcv_wnd
    if window <= free_space - mss or window > free_space:
        return round_down(free_space, mss)
    if mss == full_space and free_space > window + (full_space >> 1):
        return free_space
    return window


def tcp_select_window(cpu: Cpu, tp: TcpSock) -> int:
    """Choose the window for an outgoing segment, promise it, and return the raw header field.

    The right edge never moves left unless tcp_shrink_window says so.
    Linux: net/ipv4/tcp_output.c tcp_select_window().
    """
    net = tp.net
    old_win = tp.rcv_wnd
    if tp.ack_pending & ICSK_ACK_NOMEM:
        tp.pred_flags = False
        tp.rcv_wnd = 0
        tp.rcv_wup = tp.rcv_nxt
        return 0
    cur_win = tcp_receive_window(tp)
    new_win = __tcp_select_window(tp)
    if new_win < cur_win and not (tp.rcv_wscale and net.sysctl[TCP_SHRINK_WINDOW]):
        if new_win == 0:
            net.mib[TcpExt.TCPWantZeroWindowAdv] += 1
        new_win = round_up(cur_win, 1 << tp.rcv_wscale)
    tp.rcv_wnd = new_win
    tp.rcv_wup = tp.rcv_nxt
    new_win = min(new_win, 65535 << tp.rcv_wscale) >> tp.rcv_wscale
    if new_win == 0:
        tp.pred_flags = False
        if old_win:
            net.mib[TcpExt.TCPToZeroWindowAdv] += 1
            net.event(
                cpu, "tcp", f"{net.name}: receive window closed: nothing more fits, the sender must stop", 1
            )
    elif old_win == 0:
        net.mib[TcpExt.TCPFromZeroWindowAdv] += 1
        net.event(cpu, "tcp", f"{net.name}: receive window open again: {tp.rcv_wnd} bytes", 1)
    return new_win


def tcp_clamp_window(tp: TcpSock) -> None:
    """Over the limit: let sk_rcvbuf grow to what is used, up to tcp_rmem[2], and slow the window's growth.

    Linux: net/ipv4/tcp_input.c tcp_clamp_window().
    """
    rmem2 = tp.net.sysctl[TCP_RMEM][2]
    tp.ack_quick = 0
    if (
        tp.sk_rcvbuf < rmem2
        and not tp.sk_userlocks & SOCK_RCVBUF_LOCK
        and not tp.net.machine.tcp_memory_pressure
    ):
        tp.sk_rcvbuf = min(tp.sk_rmem_alloc, rmem2)
    if tp.sk_rmem_alloc > tp.sk_rcvbuf:
        tp.rcv_ssthresh = min(tp.window_clamp, 2 * tp.advmss)


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
    """Promise more, as segments prove that they use memory well.

    With `adjust`, of a packet whose data lies in pages alone only these count. Linux: tcp_grow_window(),
    __tcp_grow_window(), truesize_adjust().
    """
    room = min(tp.window_clamp, tcp_space(tp)) - tp.rcv_ssthresh
    if room <= 0 or tp.net.machine.tcp_memory_pressure:
        return
    truesize = skb.truesize
    if adjust and not skb.head_len and truesize - SKB_HEAD >= skb.len:
        truesize -= SKB_HEAD
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


def window_update_due(tp: TcpSock, copied: int) -> bool:
    """After a read of `copied` bytes the window could double: time to tell the sender.

    Linux: net/ipv4/tcp.c __tcp_cleanup_rbuf().
    """
    if copied <= 0:
        return False
    now_open = tcp_receive_window(tp)
    if 2 * now_open <= tp.window_clamp:
        new_window = __tcp_select_window(tp)
        return bool(new_window and new_window >= 2 * now_open)
    return False
