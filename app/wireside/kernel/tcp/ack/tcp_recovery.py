"""RACK: a segment is lost when one sent later has been delivered and enough time has passed. RFC: 8985."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.counters import TcpExt
from wireside.catalog.sysctls import TCP_RECOVERY
from wireside.kernel.tcp.send.tcp_tso import LOST, SACKED_ACKED, SACKED_RETRANS, tcp_fragment
from wireside.kernel.tcp.send.tcp_xmit_timer import (
    TCP_TIMEOUT_MIN_US,
    tcp_reset_xmit_timer,
    usecs_to_jiffies_ns,
)
from wireside.kernel.tcp.sock.tcp_sock import ICSK_TIME_REO_TIMEOUT, TCP_CA_RECOVERY, after

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu
    from wireside.kernel.core.skbuff import SkBuff
    from wireside.kernel.tcp.sock.tcp_sock import TcpSock

RACK_NO_DUPTHRESH: Final = 4


def tcp_mark_skb_lost(tp: TcpSock, skb: SkBuff) -> None:
    """Take a segment for lost; a retransmission may be lost again. Linux: net/ipv4/tcp_input.c tcp_mark_skb_lost()."""
    sacked = skb.sacked
    if sacked & SACKED_ACKED:
        return
    segs = skb.gso_segs
    if sacked & LOST:
        if sacked & SACKED_RETRANS:
            skb.sacked &= ~SACKED_RETRANS
            tp.retrans_out -= segs
            tp.lost += segs
            tp.net.mib[TcpExt.TCPLostRetransmit] += segs
        return
    tp.lost_out += segs
    tp.lost += segs
    skb.sacked |= LOST
    if sacked & SACKED_RETRANS:
        skb.sacked &= ~SACKED_RETRANS
        tp.retrans_out -= segs


def sent_after(t1: int, t2: int, seq1: int, seq2: int) -> bool:
    """Something sent at t1 left after something sent at t2. Linux: tcp_skb_sent_after()."""
    return t1 > t2 or (t1 == t2 and after(seq1, seq2))


def tcp_rack_reo_wnd(tp: TcpSock) -> int:
    """How long a hole may be mere reordering, us. Linux: tcp_rack_reo_wnd()."""
    if not tp.reord_seen and (
        tp.ca_state >= TCP_CA_RECOVERY
        or (tp.sacked_out >= tp.reordering and not tp.net.sysctl[TCP_RECOVERY] & RACK_NO_DUPTHRESH)
    ):
        return 0
    return min((tp.min_rtt_us >> 2) * tp.rack_reo_wnd_steps, tp.srtt_us >> 3)


def tcp_rack_skb_timeout(cpu: Cpu, tp: TcpSock, skb: SkBuff, reo_wnd: int) -> int:
    """Microseconds until the segment counts as lost. Linux: tcp_rack_skb_timeout()."""
    return tp.rack_rtt_us + reo_wnd - (cpu.now // 1000 - skb.skb_mstamp_ns // 1000)


def tcp_rack_detect_loss(cpu: Cpu, tp: TcpSock) -> int:
    """Mark what is lost; return us after which to look again, 0 if never. Linux: tcp_rack_detect_loss()."""
    reo_wnd = tcp_rack_reo_wnd(tp)
    again = 0
    for skb in tp.tcp_rtx_queue:
        if skb.sacked & SACKED_ACKED or (skb.sacked & LOST and not skb.sacked & SACKED_RETRANS):
            continue
        if not sent_after(tp.rack_mstamp_us, skb.skb_mstamp_ns // 1000, tp.rack_end_seq, skb.end_seq):
            continue
        remaining = tcp_rack_skb_timeout(cpu, tp, skb, reo_wnd)
        if remaining <= 0:
            tcp_mark_skb_lost(tp, skb)
        else:
            again = max(again, remaining)
    return again


def tcp_rack_mark_lost(cpu: Cpu, tp: TcpSock) -> bool:
    """Look for losses after an ACK; True when a reordering timer was armed. Linux: tcp_rack_mark_lost()."""
    if not tp.rack_advanced:
        return False
    tp.rack_advanced = False
    again = tcp_rack_detect_loss(cpu, tp)
    if again:
        when = usecs_to_jiffies_ns(tp, again + TCP_TIMEOUT_MIN_US)
        tcp_reset_xmit_timer(cpu, tp, ICSK_TIME_REO_TIMEOUT, min(when, tp.icsk_rto_ns))
    return bool(again)


def tcp_rack_advance(cpu: Cpu, tp: TcpSock, skb: SkBuff, end_seq: int) -> None:
    """A segment that ends at `end_seq` was delivered: remember the latest sent among those. Linux: tcp_rack_advance()."""
    xmit_us = skb.skb_mstamp_ns // 1000
    rtt_us = cpu.now // 1000 - xmit_us
    if skb.sacked & (SACKED_RETRANS | 0x80) and rtt_us < tp.min_rtt_us:
        return
    tp.rack_advanced = True
    tp.rack_rtt_us = rtt_us
    if sent_after(xmit_us, tp.rack_mstamp_us, end_seq, tp.rack_end_seq):
        tp.rack_mstamp_us = xmit_us
        tp.rack_end_seq = end_seq


def tcp_rack_update_reo_wnd(tp: TcpSock, delivered: bool) -> None:
    """Widen the reordering window after a DSACK, narrow it after 16 recoveries. Linux: tcp_rack_update_reo_wnd()."""
    if tp.rack_dsack_seen and delivered:
        tp.rack_reo_wnd_steps = min(255, tp.rack_reo_wnd_steps + 1)
        tp.rack_dsack_seen = False
        tp.rack_reo_wnd_persist = 16
    elif not tp.rack_reo_wnd_persist:
        tp.rack_reo_wnd_steps = 1


def tcp_newreno_mark_lost(tp: TcpSock, snd_una_advanced: bool) -> None:
    """Without SACK: three duplicate ACKs, or a partial ACK, mean the first segment is lost. RFC: 6582."""
    if (tp.ca_state < TCP_CA_RECOVERY and tp.sacked_out >= tp.reordering) or (
        tp.ca_state == TCP_CA_RECOVERY and snd_una_advanced
    ):
        skb = tp.tcp_rtx_queue[0]
        if skb.sacked & LOST:
            return
        if skb.gso_segs > 1:
            tcp_fragment(tp, tp.tcp_rtx_queue, 0, tp.mss_cache, tp.mss_cache)
        tcp_mark_skb_lost(tp, skb)
