"""Sending again: one segment, or all that are marked lost as far as cwnd allows."""

from __future__ import annotations

from errno import EAGAIN, EBUSY
from typing import TYPE_CHECKING

from wireside.catalog.counters import Tcp, TcpExt
from wireside.catalog.fates import MERGED
from wireside.catalog.inet import FIN, MASK, SYN
from wireside.catalog.sysctls import TCP_RETRANS_COLLAPSE
from wireside.kernel.core.dev_tx import qdisc_holds
from wireside.kernel.core.sock import sk_wmem_free
from wireside.kernel.ip.ip_output import ip_route_output
from wireside.kernel.tcp.send.tcp_output import (
    tcp_current_mss,
    tcp_small_queue_check,
    tcp_transmit_skb,
    tcp_write_xmit,
)
from wireside.kernel.tcp.send.tcp_tso import (
    EVER_RETRANS,
    LOST,
    SACKED_ACKED,
    SACKED_RETRANS,
    page_frags,
    skb_segs,
    tcp_adjust_pcount,
    tcp_fragment,
    tcp_tso_segs,
)
from wireside.kernel.tcp.send.tcp_xmit_timer import tcp_rearm_rto, tcp_reset_xmit_timer
from wireside.kernel.tcp.sock.tcp_sock import (
    ICSK_TIME_NONE,
    ICSK_TIME_REO_TIMEOUT,
    ICSK_TIME_RETRANS,
    TCP_CA_CWR,
    TCP_CA_LOSS,
    TCP_CA_RECOVERY,
    TCP_NAGLE_OFF,
    TSQ_THROTTLED,
    after,
    before,
    tcp_packets_in_flight,
    tcp_wnd_end,
)

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu
    from wireside.kernel.core.skbuff import SkBuff
    from wireside.kernel.tcp.sock.tcp_sock import TcpSock


def tcp_trim_head(tp: TcpSock, skb: SkBuff, count: int) -> None:
    """Cut `count` acknowledged bytes off the front of a queued segment. Linux: tcp_trim_head()."""
    skb.seq = (skb.seq + count) & MASK
    skb.len -= count
    skb.truesize -= count
    sk_wmem_free(tp, count)


def skb_still_in_host_queue(tp: TcpSock, skb: SkBuff) -> bool:
    """What was sent last of this segment has not left the host yet: to send it again would not help.

    Linux: net/ipv4/tcp_output.c skb_still_in_host_queue(). Differs: a copy on the NIC's ring counts as gone.
    """
    if not tp.sk_wmem_alloc:
        return False
    dev = ip_route_output(tp.net, skb.flow[2])
    if dev is None or not qdisc_holds(dev, skb):
        return False
    tp.tsq_flags |= TSQ_THROTTLED
    tp.net.mib[TcpExt.TCPSpuriousRtxHostQueues] += 1
    return True


def tcp_retransmit_skb(cpu: Cpu, tp: TcpSock, skb: SkBuff, segs: int) -> int:
    """Send up to `segs` segments of `skb` again and count them as retransmitted; 0, or why that did not work.

    -EBUSY: it is still in our own queue, -EAGAIN: the window forbids it, above 0: our own queue is full. An attempt
    counts for what may be undone, even so. Linux: net/ipv4/tcp_output.c tcp_retransmit_skb().
    """
    error = __tcp_retransmit_skb(cpu, tp, skb, segs)
    if not error:
        skb.sacked |= SACKED_RETRANS
        tp.retrans_out += skb.gso_segs
    if not tp.retrans_stamp_ns:
        tp.retrans_stamp_ns = skb.skb_mstamp_ns
    tp.undo_retrans = max(tp.undo_retrans, 0) + skb.gso_segs
    return error


def __tcp_retransmit_skb(cpu: Cpu, tp: TcpSock, skb: SkBuff, segs: int) -> int:
    """The sending itself, which a loss probe shares. Linux: net/ipv4/tcp_output.c __tcp_retransmit_skb()."""
    if skb_still_in_host_queue(tp, skb):
        return -EBUSY
    mss = tcp_current_mss(tp)
    if before(skb.seq, tp.snd_una) and skb.len:
        tcp_trim_head(tp, skb, (tp.snd_una - skb.seq) & MASK)
    room = (tcp_wnd_end(tp) - skb.seq) & MASK
    if not before(skb.seq, tcp_wnd_end(tp)):
        if skb.seq != tp.snd_una:
            return -EAGAIN
        room = mss
    length = mss * segs
    if length > room:
        length = room - room % mss or room
    if skb.len > length:
        tcp_fragment(tp, tp.tcp_rtx_queue, tp.tcp_rtx_queue.index(skb), length, mss)
    else:
        prior = skb.gso_segs
        if skb_segs(skb, mss) != prior:
            tcp_adjust_pcount(tp, skb, prior - skb.gso_segs)
        if skb.len < min(room, mss):
            tcp_retrans_try_collapse(tp, skb, min(room, mss))
    mib = tp.net.mib
    count = skb.gso_segs
    mib[Tcp.RetransSegs] += count
    if skb.tcp_flags & SYN:
        mib[TcpExt.TCPSynRetrans] += count
    tp.total_retrans += count
    tp.bytes_retrans += skb.len
    skb.retrans += 1
    error = tcp_transmit_skb(cpu, tp, skb)
    skb.sacked |= EVER_RETRANS
    if error:
        mib[TcpExt.TCPRetransFail] += count
    return error


def tcp_retrans_try_collapse(tp: TcpSock, to: SkBuff, space: int) -> None:
    """Send small neighbours along, as many as make one full segment. Linux: tcp_retrans_try_collapse()."""
    if not tp.net.sysctl[TCP_RETRANS_COLLAPSE] or to.tcp_flags & SYN:
        return
    queue = tp.tcp_rtx_queue
    index = queue.index(to) + 1
    space -= to.len
    while index < len(queue):
        skb = queue[index]
        space -= skb.len
        if to.tcp_flags & FIN or skb.gso_segs > 1 or (skb.sacked | to.sacked) & SACKED_ACKED:
            break
        if space < 0 or after(skb.end_seq, tcp_wnd_end(tp)):
            break
        tcp_collapse_retrans(tp, to, skb)


def tcp_collapse_retrans(tp: TcpSock, to: SkBuff, skb: SkBuff) -> None:
    """Append the next segment of the retransmit queue to `to`. Linux: tcp_collapse_retrans()."""
    tp.tcp_rtx_queue.remove(skb)
    to.len += skb.len
    to.end_seq = skb.end_seq
    to.tcp_flags |= skb.tcp_flags
    to.truesize += skb.len
    to.nr_frags = page_frags(tp, to)
    to.sacked |= skb.sacked & EVER_RETRANS
    sk_wmem_free(tp, skb.truesize - skb.len)
    tcp_adjust_pcount(tp, skb, skb.gso_segs)
    skb.fate = MERGED


def tcp_xmit_retransmit_queue(cpu: Cpu, tp: TcpSock) -> None:
    """Send again what is marked lost, oldest first, while cwnd has room.

    Linux: net/ipv4/tcp_output.c tcp_xmit_retransmit_queue().
    """
    if not tp.packets_out:
        return
    mib = tp.net.mib
    counter = TcpExt.TCPSlowStartRetrans if tp.ca_state == TCP_CA_LOSS else TcpExt.TCPFastRetrans
    head = tp.tcp_rtx_queue[0]
    max_segs = tcp_tso_segs(tp, tcp_current_mss(tp))
    rearm = False
    mstamp_ns = cpu.now or 1
    index = 0
    while index < len(tp.tcp_rtx_queue):
        skb = tp.tcp_rtx_queue[index]
        index += 1
        room = tp.snd_cwnd - tcp_packets_in_flight(tp)
        if room <= 0 or tp.retrans_out >= tp.lost_out:
            break
        if not skb.sacked & LOST or skb.sacked & (SACKED_ACKED | SACKED_RETRANS):
            continue
        if tcp_small_queue_check(tp, skb, 1) or tcp_retransmit_skb(cpu, tp, skb, min(room, max_segs)):
            return
        skb.skb_mstamp_ns = mstamp_ns
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
    mss = tcp_current_mss(tp)
    if queue and not before(tcp_wnd_end(tp), (queue[0].seq + min(queue[0].len, mss)) & MASK):
        before_out = tp.packets_out
        tcp_write_xmit(cpu, tp, mss, TCP_NAGLE_OFF, 2)
        if tp.packets_out == before_out:
            tcp_rearm_rto(cpu, tp)
            return
    elif not tp.tcp_rtx_queue:
        tp.icsk_pending = ICSK_TIME_NONE
        return
    elif not tcp_probe_last_segment(cpu, tp, mss):
        tcp_rearm_rto(cpu, tp)
        return
    tp.tlp_high_seq = tp.snd_nxt
    tp.net.mib[TcpExt.TCPLossProbes] += 1
    tp.icsk_pending = ICSK_TIME_NONE
    tcp_rearm_rto(cpu, tp)


def tcp_probe_last_segment(cpu: Cpu, tp: TcpSock, mss: int) -> bool:
    """Send the last segment of the flight again; it does not count as retransmitted, nor against cwnd."""
    queue = tp.tcp_rtx_queue
    skb = queue[-1]
    if skb_still_in_host_queue(tp, skb):
        return False
    if skb.gso_segs > 1 and skb.len > (skb.gso_segs - 1) * mss:
        tcp_fragment(tp, queue, len(queue) - 1, (skb.gso_segs - 1) * mss, mss)
        skb = queue[-1]
    tp.tlp_retrans = not __tcp_retransmit_skb(cpu, tp, skb, 1)
    return tp.tlp_retrans
