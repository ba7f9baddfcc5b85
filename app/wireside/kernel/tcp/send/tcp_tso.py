"""How large the packets get that TCP hands down: Nagle, TSO sizing, deferral, splitting, and cwnd use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.fates import MERGED
from wireside.catalog.inet import FIN, MASK, PSH, TCPOLEN_TSTAMP_ALIGNED
from wireside.catalog.sysctls import (
    TCP_MIN_TSO_SEGS,
    TCP_SLOW_START_AFTER_IDLE,
    TCP_TSO_RTT_LOG,
    TCP_TSO_WIN_DIVISOR,
)
from wireside.kernel.core.skbuff import SK_BUFF_SIZE, SKB_SMALL_HEAD, SkBuff
from wireside.kernel.core.sock import sk_forced_mem_schedule, sk_wmem_free, sk_wmem_queue_add
from wireside.kernel.tcp.sock.tcp_sock import (
    TCP_CA_OPEN,
    TCP_CA_RECOVERY,
    TCP_INIT_CWND,
    TCP_NAGLE_CORK,
    TCP_NAGLE_PUSH,
    after,
    before,
    tcp_wnd_end,
)

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu
    from wireside.kernel.core.sk_buff_head import SkBuffHead
    from wireside.kernel.tcp.sock.tcp_sock import TcpSock

SACKED_ACKED: Final = 0x01
SACKED_RETRANS: Final = 0x02
LOST: Final = 0x04
EVER_RETRANS: Final = 0x80
"""Bits of skb.sacked. Linux: include/net/tcp.h TCPCB_*."""
GSO_MAX_SIZE: Final = 65536
PAGE_FRAG_SIZE: Final = 32768
"""Size of the page fragments that write() fills one after the other. Linux: net/core/sock.c SKB_FRAG_PAGE_ORDER."""
MAX_TSO_DEFERRED_MSS: Final = 3
"""Without tcp_tso_win_divisor a super-packet waits for more ACKs only while no more than so many segments may be sent."""


TSO_DEFER_NS: Final = 1_000_000
"""How far away an ACK may be that a super-packet waits for."""


def page_frags(tp: TcpSock, skb: SkBuff) -> int:
    """Page fragments that a segment's payload touches: write() fills them without gaps. Linux: sk_page_frag_refill()."""
    offset = (skb.seq - tp.iss - 1) & MASK
    return (offset + skb.len - 1) // PAGE_FRAG_SIZE - offset // PAGE_FRAG_SIZE + 1


def skb_segs(skb: SkBuff, mss: int) -> int:
    """Set and return the number of wire segments of a queued skb. Linux: tcp_set_skb_tso_segs()."""
    if skb.len <= mss:
        skb.gso_segs = 1
        skb.gso_size = 0
    else:
        skb.gso_segs = -(-skb.len // mss)
        skb.gso_size = mss
    return skb.gso_segs


def tcp_tso_segs(tp: TcpSock, mss: int) -> int:
    """Most segments of one super-packet: about a millisecond at the pacing rate, more when the RTT is short.

    Not more than the device takes. Linux: net/ipv4/tcp_output.c tcp_tso_segs(), tcp_tso_autosize().
    """
    size = tp.pacing_rate >> 10 if tp.pacing_rate else GSO_MAX_SIZE
    sysctl = tp.net.sysctl
    shift = tp.min_rtt_us >> sysctl[TCP_TSO_RTT_LOG]
    if shift < 32:
        size += GSO_MAX_SIZE >> shift
    return min(max(min(size, GSO_MAX_SIZE - 1) // mss, sysctl[TCP_MIN_TSO_SEGS]), tp.sk_gso_max_segs)


def tcp_bound_to_half_wnd(tp: TcpSock, size: int) -> int:
    """No segment is larger than half of the largest window ever seen. Linux: tcp_bound_to_half_wnd()."""
    cutoff = tp.max_window >> 1 if tp.max_window > 536 else tp.max_window
    if cutoff and size > cutoff:
        return max(cutoff, 68 - 20 - (TCPOLEN_TSTAMP_ALIGNED if tp.tstamp_ok else 0))
    return size


def tcp_xmit_size_goal(tp: TcpSock, mss: int) -> int:
    """How many bytes write() gathers in one skb: whole segments that the device takes, at most half the peer's largest window.

    Linux: net/ipv4/tcp.c tcp_xmit_size_goal().
    """
    goal = tcp_bound_to_half_wnd(tp, GSO_MAX_SIZE - 1 - 320)
    return max(min(goal // mss, tp.sk_gso_max_segs) * mss, mss)


def tcp_nagle_test(tp: TcpSock, skb: SkBuff, mss: int, nonagle: int) -> bool:
    """A small last segment may leave now. Linux: tcp_nagle_test(), tcp_nagle_check(), tcp_minshall_check()."""
    if nonagle & TCP_NAGLE_PUSH or skb.tcp_flags & FIN or skb.len >= mss:
        return True
    if nonagle & TCP_NAGLE_CORK:
        return False
    return bool(nonagle) or not tp.packets_out or not tcp_minshall_check(tp)


def tcp_minshall_check(tp: TcpSock) -> bool:
    """A small segment sent earlier is still unacknowledged."""
    return after(tp.snd_sml, tp.snd_una) and not after(tp.snd_sml, tp.snd_nxt)


def tcp_mss_split_point(tp: TcpSock, skb: SkBuff, mss: int, max_segs: int, nonagle: int) -> int:
    """Bytes of `skb` that may leave now. Linux: tcp_mss_split_point()."""
    window = (tcp_wnd_end(tp) - skb.seq) & MASK
    max_len = mss * max_segs
    if max_len <= window and skb is not tp.tcp_write_queue[-1]:
        return max_len
    needed = min(skb.len, window)
    if max_len <= needed:
        return max_len
    partial = needed % mss
    if partial and (nonagle & TCP_NAGLE_CORK or (not nonagle and tp.packets_out and tcp_minshall_check(tp))):
        return needed - partial
    return needed


def tcp_tso_should_defer(cpu: Cpu, tp: TcpSock, skb: SkBuff, max_segs: int, in_flight: int, mss: int) -> int:
    """Wait for more ACKs before sending a super-packet: 0 no, 1 yes, 2 yes and cwnd is what limits.

    Not when the next ACK is more than a millisecond, or half a round trip, away. Linux: tcp_tso_should_defer(), 6.18.
    """
    if tp.ca_state >= TCP_CA_RECOVERY:
        return 0
    if tp.lsndtime_ns and cpu.now - tp.lsndtime_ns > 1_000_000:
        return 0
    send_win = (tcp_wnd_end(tp) - skb.seq) & MASK
    cong_win = (tp.snd_cwnd - in_flight) * mss
    limit = min(send_win, cong_win)
    if limit >= max_segs * mss or (skb is not tp.tcp_write_queue[-1] and limit >= skb.len):
        return 0
    divisor = tp.net.sysctl[TCP_TSO_WIN_DIVISOR]
    if divisor:
        if limit >= min(tp.snd_wnd, tp.snd_cwnd * mss) // divisor:
            return 0
    elif limit > MAX_TSO_DEFERRED_MSS * mss:
        return 0
    if not tp.tcp_rtx_queue:
        return 0
    srtt_ns = 125 * tp.srtt_us
    if tp.tcp_rtx_queue[0].skb_mstamp_ns + srtt_ns - cpu.now > min(srtt_ns >> 1, TSO_DEFER_NS):
        return 0
    if cong_win < send_win:
        if cong_win <= skb.len:
            return 2
    elif send_win <= skb.len:
        return 1
    return 0 if skb.tcp_flags & FIN else 1


def tcp_fragment(tp: TcpSock, queue: SkBuffHead[SkBuff], index: int, length: int, mss: int) -> None:
    """Split queue[index] after `length` bytes; the rest becomes a new skb behind it.

    Linux: net/ipv4/tcp_output.c tcp_fragment(), tso_fragment().
    """
    skb = queue[index]
    old_segs = skb.gso_segs
    rest = SkBuff(0, skb.flow, skb.protocol, skb.len - length, (skb.seq + length) & MASK, skb.tcp_flags)
    rest.end_seq = skb.end_seq
    rest.truesize = SK_BUFF_SIZE + SKB_SMALL_HEAD + rest.len
    rest.nr_frags = page_frags(tp, rest)
    rest.sacked = skb.sacked
    rest.retrans = skb.retrans
    rest.skb_mstamp_ns = skb.skb_mstamp_ns
    skb.tcp_flags &= ~(FIN | PSH)
    skb.len = length
    skb.end_seq = rest.seq
    skb.truesize -= rest.len
    skb.nr_frags = page_frags(tp, skb)
    sk_forced_mem_schedule(tp, SK_BUFF_SIZE + SKB_SMALL_HEAD)
    sk_wmem_queue_add(tp, SK_BUFF_SIZE + SKB_SMALL_HEAD)
    skb_segs(skb, mss)
    skb_segs(rest, mss)
    queue.insert(index + 1, rest)
    if queue is tp.tcp_rtx_queue and old_segs != skb.gso_segs + rest.gso_segs:
        tcp_adjust_pcount(tp, skb, old_segs - skb.gso_segs - rest.gso_segs)


def tcp_grow_skb(tp: TcpSock, amount: int) -> None:
    """Move up to `amount` bytes of the second skb that waits into the first, for fewer and larger packets.

    Linux: net/ipv4/tcp_output.c tcp_grow_skb(), tcp_eat_one_skb().
    """
    queue = tp.tcp_write_queue
    skb, after_it = queue[0], queue[1]
    moved = min(amount, after_it.len)
    if not moved:
        return
    skb.len += moved
    skb.truesize += moved
    skb.end_seq = (skb.end_seq + moved) & MASK
    after_it.len -= moved
    after_it.truesize -= moved
    after_it.seq = (after_it.seq + moved) & MASK
    if not after_it.len:
        skb.end_seq = after_it.end_seq
        skb.tcp_flags |= after_it.tcp_flags
        del queue[1]
        sk_wmem_free(tp, after_it.truesize)
        after_it.fate = MERGED
    else:
        after_it.nr_frags = page_frags(tp, after_it)
    skb.nr_frags = page_frags(tp, skb)


def tcp_adjust_pcount(tp: TcpSock, skb: SkBuff, decr: int) -> None:
    """A segment in the retransmit queue now counts for `decr` fewer. Linux: tcp_adjust_pcount()."""
    tp.packets_out -= decr
    sacked = skb.sacked
    if sacked & SACKED_ACKED:
        tp.sacked_out -= decr
    if sacked & SACKED_RETRANS:
        tp.retrans_out -= decr
    if sacked & LOST:
        tp.lost_out -= decr
    if not tp.sack_ok and tp.sacked_out and decr > 0:
        tp.sacked_out -= min(tp.sacked_out, decr)


def tcp_cwnd_validate(cpu: Cpu, tp: TcpSock, cwnd_limited: bool) -> None:
    """Remember whether cwnd was used up; an application that does not use it lets it decay.

    RFC: 7661 in spirit. Linux: net/ipv4/tcp_output.c tcp_cwnd_validate().
    """
    if (
        not before(tp.snd_una, tp.cwnd_usage_seq)
        or cwnd_limited
        or (not tp.is_cwnd_limited and tp.packets_out > tp.max_packets_out)
    ):
        tp.is_cwnd_limited = cwnd_limited
        tp.max_packets_out = tp.packets_out
        tp.cwnd_usage_seq = tp.snd_nxt
    if tcp_is_cwnd_limited(tp):
        tp.snd_cwnd_used = 0
        tp.snd_cwnd_stamp_ns = cpu.now
        return
    tp.snd_cwnd_used = max(tp.snd_cwnd_used, tp.packets_out)
    if tp.net.sysctl[TCP_SLOW_START_AFTER_IDLE] and cpu.now - tp.snd_cwnd_stamp_ns >= tp.icsk_rto_ns:
        tcp_cwnd_application_limited(cpu, tp)


def tcp_is_cwnd_limited(tp: TcpSock) -> bool:
    """Growing cwnd makes sense: it was used up lately. Linux: include/net/tcp.h tcp_is_cwnd_limited()."""
    if tp.is_cwnd_limited:
        return True
    return tp.snd_cwnd < tp.snd_ssthresh and tp.snd_cwnd < 2 * tp.max_packets_out


def tcp_cwnd_application_limited(cpu: Cpu, tp: TcpSock) -> None:
    """Bring cwnd down towards what was really used. Linux: tcp_cwnd_application_limited()."""
    if tp.ca_state == TCP_CA_OPEN and not tp.sk_nospace:
        win_used = max(tp.snd_cwnd_used, TCP_INIT_CWND)
        if win_used < tp.snd_cwnd:
            tp.snd_ssthresh = tcp_current_ssthresh(tp)
            tp.snd_cwnd = tp.snd_cwnd + win_used >> 1
        tp.snd_cwnd_used = 0
    tp.snd_cwnd_stamp_ns = cpu.now


def tcp_current_ssthresh(tp: TcpSock) -> int:
    """Ssthresh as it would be after an idle time. Linux: include/net/tcp.h tcp_current_ssthresh()."""
    if tp.ca_state in (2, 3):
        return tp.snd_ssthresh
    return max(tp.snd_ssthresh, (tp.snd_cwnd >> 1) + (tp.snd_cwnd >> 2))


def tcp_slow_start_after_idle_check(cpu: Cpu, tp: TcpSock) -> None:
    """Before sending after an idle time: halve cwnd once per RTO that passed, down to the initial window.

    Linux: include/net/tcp.h tcp_slow_start_after_idle_check(), net/ipv4/tcp_output.c tcp_cwnd_restart().
    """
    if tp.packets_out or not tp.net.sysctl[TCP_SLOW_START_AFTER_IDLE]:
        return
    delta = cpu.now - tp.lsndtime_ns
    if delta <= tp.icsk_rto_ns:
        return
    restart = min(TCP_INIT_CWND, tp.snd_cwnd)
    tp.snd_ssthresh = tcp_current_ssthresh(tp)
    cwnd = tp.snd_cwnd
    delta -= tp.icsk_rto_ns
    while delta > 0 and cwnd > restart:
        cwnd >>= 1
        delta -= tp.icsk_rto_ns
    tp.snd_cwnd = max(cwnd, restart)
    tp.snd_cwnd_stamp_ns = cpu.now
    tp.snd_cwnd_used = 0
