"""Sending again: one segment, or all that are marked lost as far as cwnd allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.catalog.counters import Tcp, TcpExt
from wireside.kernel.skbuff import SYN
from wireside.kernel.tcp_output import (
    tcp_current_mss,
    tcp_small_queue_check,
    tcp_transmit_skb,
    tcp_write_xmit,
)
from wireside.kernel.tcp_sock import (
    ICSK_TIME_REO_TIMEOUT,
    ICSK_TIME_RETRANS,
    MASK,
    TCP_CA_CWR,
    TCP_CA_LOSS,
    TCP_CA_RECOVERY,
    before,
    tcp_packets_in_flight,
    tcp_wnd_end,
)
from wireside.kernel.tcp_tso import skb_segs, tcp_fragment, tcp_tso_segs
from wireside.kernel.tcp_xmit_timer import tcp_rearm_rto, tcp_reset_xmit_timer

if TYPE_CHECKING:
    from wireside.kernel.net import Cpu
    from wireside.kernel.skbuff import SkBuff
    from wireside.kernel.tcp_sock import TcpSock

SACKED_ACKED, SACKED_RETRANS, LOST, EVER_RETRANS = 0x01, 0x02, 0x04, 0x80
"""Bits of skb.sacked. Linux: include/net/tcp.h TCPCB_*."""


def tcp_trim_head(tp: TcpSock, skb: SkBuff, count: int) -> None:
    """Cut `count` acknowledged bytes off the front of a queued segment. Linux: tcp_trim_head()."""
    skb.seq = (skb.seq + count) & MASK
    skb.len -= count
    skb.truesize -= count
    tp.sk_wmem_queued -= count
    tp.sk_forward_alloc += count


def tcp_retransmit_skb(cpu: Cpu, tp: TcpSock, skb: SkBuff, segs: int) -> bool:
    """Send up to `segs` segments of `skb` again; False when the window forbids it.

    Linux: net/ipv4/tcp_output.c __tcp_retransmit_skb(), tcp_retransmit_skb().
    """
    mss = tcp_current_mss(tp)
    if before(skb.seq, tp.snd_una) and skb.len:
        tcp_trim_head(tp, skb, (tp.snd_una - skb.seq) & MASK)
    room = (tcp_wnd_end(tp) - skb.seq) & MASK
    if not before(skb.seq, tcp_wnd_end(tp)):
        if skb.seq != tp.snd_una:
            return False
        room = mss
    length = mss * segs
    if length > room:
        length = room - room % mss or room
    if skb.len > length:
        index = tp.tcp_rtx_queue.index(skb)
        tcp_fragment(tp, tp.tcp_rtx_queue, index, length, mss)
    mib = tp.net.mib
    count = skb.gso_segs
    mib[Tcp.RetransSegs] += count
    if skb.tcp_flags & SYN:
        mib[TcpExt.TCPSynRetrans] += count
    tp.total_retrans += count
    tp.bytes_retrans += skb.len
    skb.retrans += 1
    tcp_transmit_skb(cpu, tp, skb)
    skb.sacked |= EVER_RETRANS | SACKED_RETRANS
    tp.retrans_out += count
    if not tp.retrans_stamp_ns:
        tp.retrans_stamp_ns = cpu.now
    tp.undo_retrans = max(tp.undo_retrans, 0) + count
    return True


def tcp_xmit_retransmit_queue(cpu: Cpu, tp: TcpSock) -> None:
    """Send again what is marked lost, oldest first, while cwnd has room.

    Linux: net/ipv4/tcp_output.c tcp_xmit_retransmit_queue().
    """
    if not tp.packets_out:
        return
    mib = tp.net.mib
    counter = TcpExt.TCPSlowStartRetrans if tp.ca_state == TCP_CA_LOSS else TcpExt.TCPFastRetrans
    head = tp.tcp_rtx_queue[0]
    max_segs = tcp_tso_segs(tp, tp.mss_cache)
    rearm = False
    for skb in list(tp.tcp_rtx_queue):
        room = tp.snd_cwnd - tcp_packets_in_flight(tp)
        if room <= 0 or tp.retrans_out >= tp.lost_out:
            break
        if not skb.sacked & LOST or skb.sacked & (SACKED_ACKED | SACKED_RETRANS):
            continue
        if tcp_small_queue_check(tp, skb, 1) or not tcp_retransmit_skb(cpu, tp, skb, min(room, max_segs)):
            break
        mib[counter] += skb.gso_segs
        if tp.ca_state in (TCP_CA_CWR, TCP_CA_RECOVERY):
            tp.prr_out += skb.gso_segs
        rearm = rearm or (skb is head and tp.icsk_pending != ICSK_TIME_REO_TIMEOUT)
    if rearm:
        tcp_reset_xmit_timer(cpu, tp, ICSK_TIME_RETRANS, tp.icsk_rto_ns)


def tcp_send_loss_probe(cpu: Cpu, tp: TcpSock) -> None:
    """The tail of a flight got no answer: send new data, else the last segment again. RFC: 8985.

    Linux: net/ipv4/tcp_output.c tcp_send_loss_probe().
    """
    if tp.tlp_high_seq:
        tcp_rearm_rto(cpu, tp)
        return
    tp.tlp_retrans = False
    queue = tp.tcp_write_queue
    before_out = tp.packets_out
    if queue and not before(tcp_wnd_end(tp), (queue[0].seq + min(queue[0].len, tp.mss_cache)) & MASK):
        tcp_write_xmit(cpu, tp, tp.mss_cache, 4, 2)
    if tp.packets_out == before_out:
        if not tp.tcp_rtx_queue:
            return
        skb = tp.tcp_rtx_queue[-1]
        mss = tp.mss_cache
        if skb.gso_segs > 1:
            index = len(tp.tcp_rtx_queue) - 1
            tcp_fragment(tp, tp.tcp_rtx_queue, index, (skb.gso_segs - 1) * mss, mss)
            skb = tp.tcp_rtx_queue[-1]
        skb_segs(skb, mss)
        tcp_retransmit_skb(cpu, tp, skb, 1)
        tp.tlp_retrans = True
    tp.tlp_high_seq = tp.snd_nxt
    tp.net.mib[TcpExt.TCPLossProbes] += 1
    tp.icsk_pending = 0
    tcp_rearm_rto(cpu, tp)
