"""What an acknowledgement takes off the retransmit queue, and the round trip that it measures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.counters import TcpExt
from wireside.catalog.fates import CONSUMED
from wireside.catalog.inet import MASK, SYN
from wireside.catalog.limits import INT_MAX
from wireside.catalog.sysctls import TCP_MAX_REORDERING
from wireside.kernel.core.sock import sk_wmem_free
from wireside.kernel.tcp.ack.ack_flag import (
    FLAG_ACKED,
    FLAG_DATA_ACKED,
    FLAG_ORIG_SACK_ACKED,
    FLAG_RETRANS_DATA_ACKED,
    FLAG_SACK_RENEGING,
    FLAG_SET_XMIT_TIMER,
    FLAG_SYN_ACKED,
)
from wireside.kernel.tcp.ack.tcp_recovery import tcp_rack_advance
from wireside.kernel.tcp.ack.tcp_sack import tcp_check_sack_reordering
from wireside.kernel.tcp.send.tcp_retransmit import tcp_trim_head
from wireside.kernel.tcp.send.tcp_rtt import tcp_rtt_estimator, tcp_set_rto
from wireside.kernel.tcp.send.tcp_tso import EVER_RETRANS, LOST, SACKED_ACKED, SACKED_RETRANS, skb_segs
from wireside.kernel.tcp.sock.tcp_sock import after, before

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu
    from wireside.kernel.core.skbuff import SkBuff
    from wireside.kernel.tcp.ack.tcp_sack import SacktagState
    from wireside.kernel.tcp.sock.tcp_sock import TcpSock

TCPCB_RETRANS: Final = SACKED_RETRANS | EVER_RETRANS


def tcp_clean_rtx_queue(
    cpu: Cpu, tp: TcpSock, ack_skb: SkBuff, prior_fack: int, sack: SacktagState | None, flag: int
) -> int:
    """Drop acknowledged segments and take the round trip; returns the flags with what was found.

    `prior_fack` is the end of what was SACKed before this ACK. Linux: net/ipv4/tcp_input.c tcp_clean_rtx_queue().
    """
    queue = tp.tcp_rtx_queue
    una = tp.snd_una
    first_ns = last_ns = acked = 0
    reord = tp.snd_nxt
    while queue:
        skb = queue[0]
        segs = skb.gso_segs
        start_seq = skb.seq
        fully = not after(skb.end_seq, una)
        if not fully:
            segs = tcp_tso_acked(tp, skb, una)
            if not segs:
                break
        sacked = skb.sacked
        if sacked & TCPCB_RETRANS:
            if sacked & SACKED_RETRANS:
                tp.retrans_out -= segs
            flag |= FLAG_RETRANS_DATA_ACKED
        elif not sacked & SACKED_ACKED:
            last_ns = skb.skb_mstamp_ns
            first_ns = first_ns or last_ns
            if before(start_seq, reord):
                reord = start_seq
            if not after(skb.end_seq, tp.high_seq):
                flag |= FLAG_ORIG_SACK_ACKED
        flag |= tcp_count_acked(cpu, tp, skb, ack_skb, segs)
        acked += segs
        if not fully:
            break
        queue.popleft()
        skb.fate = CONSUMED
        sk_wmem_free(tp, skb.truesize)
    if queue and queue[0].sacked & SACKED_ACKED:
        flag |= FLAG_SACK_RENEGING
    flag = tcp_acked_rtt(cpu, tp, ack_skb, first_ns, last_ns, sack, flag)
    if not acked:
        return flag
    if tp.sack_ok:
        if before(reord, prior_fack):
            tcp_check_sack_reordering(tp, reord, timestamps=False)
        return flag
    tcp_remove_reno_sacks(tp, acked)
    return flag & ~FLAG_ORIG_SACK_ACKED if flag & FLAG_RETRANS_DATA_ACKED else flag


def tcp_count_acked(cpu: Cpu, tp: TcpSock, skb: SkBuff, ack_skb: SkBuff, segs: int) -> int:
    """Take `segs` acknowledged segments of `skb` out of the counts; returns FLAG_DATA_ACKED or FLAG_SYN_ACKED."""
    sacked = skb.sacked
    if sacked & SACKED_ACKED:
        tp.sacked_out -= segs
    elif tp.sack_ok:
        tp.delivered += segs
        if not sacked & TCPCB_RETRANS or not tcp_skb_spurious_retrans(tp, skb, ack_skb):
            tcp_rack_advance(cpu, tp, skb, skb.end_seq)
    if sacked & LOST:
        tp.lost_out -= segs
    tp.packets_out -= segs
    if skb.tcp_flags & SYN:
        tp.retrans_stamp_ns = 0
        return FLAG_SYN_ACKED
    return FLAG_DATA_ACKED


def tcp_tso_acked(tp: TcpSock, skb: SkBuff, una: int) -> int:
    """Cut what is acknowledged off a super-packet; how many whole segments that were. Linux: tcp_tso_acked()."""
    if skb.gso_segs == 1 or not after(una, skb.seq):
        return 0
    mss = skb.gso_size or tp.mss_cache
    prior = skb.gso_segs
    tcp_trim_head(tp, skb, (una - skb.seq) & MASK)
    skb_segs(skb, mss)
    return prior - skb.gso_segs


def tcp_acked_rtt(
    cpu: Cpu,
    tp: TcpSock,
    ack_skb: SkBuff,
    first_ns: int,
    last_ns: int,
    sack: SacktagState | None,
    flag: int,
) -> int:
    """Take the round trip from the segments that the ACK covers, from those it SACKs, or from timestamps.

    The last serve when all of them were sent again. RFC: 7323. Returns the flags.
    """
    now = cpu.now
    rtt_us = ca_rtt_us = sack_rtt_us = -1
    if first_ns and not flag & FLAG_RETRANS_DATA_ACKED:
        rtt_us = now // 1000 - first_ns // 1000
        ca_rtt_us = now // 1000 - last_ns // 1000
    if sack is not None and sack.first_sackt_ns:
        sack_rtt_us = now // 1000 - sack.first_sackt_ns // 1000
        ca_rtt_us = now // 1000 - sack.last_sackt_ns // 1000
        if rtt_us < 0:
            rtt_us = sack_rtt_us
    if rtt_us < 0 and flag & FLAG_ACKED and tp.tstamp_ok and ack_skb.tsval is not None and ack_skb.tsecr:
        rtt_us = ca_rtt_us = tcp_rtt_tsopt_us(tp, now, ack_skb.tsecr)
    updated = tcp_ack_update_rtt(tp, rtt_us, ca_rtt_us)
    if flag & FLAG_ACKED or (
        updated
        and tp.tcp_rtx_queue
        and sack_rtt_us >= 0
        and sack_rtt_us > now // 1000 - tp.tcp_rtx_queue[0].skb_mstamp_ns // 1000
    ):
        flag |= FLAG_SET_XMIT_TIMER
    if ca_rtt_us >= 0:
        tp.ca_ops.pkts_acked(cpu, tp, ca_rtt_us)
    return flag


def tcp_skb_spurious_retrans(tp: TcpSock, skb: SkBuff, ack_skb: SkBuff) -> bool:
    """The ACK's timestamp is older than the retransmission: it answers the original. RFC: 3522."""
    return bool(
        tp.tstamp_ok
        and ack_skb.tsval is not None
        and ack_skb.tsecr
        and before(ack_skb.tsecr, (skb.skb_mstamp_ns // 1_000_000 + tp.ts_off) & MASK)
    )


def tcp_limit_reno_sacked(tp: TcpSock) -> bool:
    """Without SACK, no more segments can have been received than are out beside the holes; True if capped."""
    holes = min(max(tp.lost_out, 1), tp.packets_out)
    if tp.sacked_out + holes > tp.packets_out:
        tp.sacked_out = tp.packets_out - holes
        return True
    return False


def tcp_check_reno_reordering(tp: TcpSock, addend: int) -> None:
    """More duplicate ACKs than segments can be missing: the network reorders. Linux: same name."""
    if tcp_limit_reno_sacked(tp):
        tp.reordering = min(tp.packets_out + addend, tp.net.sysctl[TCP_MAX_REORDERING])
        tp.reord_seen += 1
        tp.net.mib[TcpExt.TCPRenoReorder] += 1


def tcp_remove_reno_sacks(tp: TcpSock, acked: int) -> None:
    """Without SACK: one ACKed segment was the hole, the others those of the duplicate ACKs. Linux: same name."""
    tp.delivered += max(acked - tp.sacked_out, 1)
    tp.sacked_out = 0 if acked - 1 >= tp.sacked_out else tp.sacked_out - (acked - 1)
    tcp_check_reno_reordering(tp, acked)


def tcp_rtt_tsopt_us(tp: TcpSock, now: int, tsecr: int) -> int:
    """The time since we sent the timestamp that comes back, us, at least 1 ms; -1 when we cannot have sent it.

    Linux: net/ipv4/tcp_input.c tcp_rtt_tsopt_us().
    """
    delta_ms = now // 1_000_000 + tp.ts_off - tsecr & MASK
    return max(delta_ms, 1) * 1000 if delta_ms < INT_MAX // 1000 else -1


def tcp_synack_rtt_meas(tp: TcpSock, skb: SkBuff, now: int) -> None:
    """Learn the round trip of a handshake from timestamps, where its SYN-ACK was sent again, or as a cookie.

    Linux: net/ipv4/tcp_input.c tcp_synack_rtt_meas(), tcp_ack_update_rtt().
    """
    if tp.tstamp_ok and skb.tsval is not None and skb.tsecr:
        rtt_us = tcp_rtt_tsopt_us(tp, now, skb.tsecr)
        tcp_ack_update_rtt(tp, rtt_us, rtt_us)


def tcp_ack_update_rtt(tp: TcpSock, rtt_us: int, ca_rtt_us: int) -> bool:
    """Feed the estimator, when there is a sample. RFC: 6298. Linux: net/ipv4/tcp_input.c tcp_ack_update_rtt()."""
    if rtt_us < 0:
        return False
    if ca_rtt_us >= 0 and (not tp.min_rtt_us or ca_rtt_us < tp.min_rtt_us):
        tp.min_rtt_us = max(ca_rtt_us, 1)
    tcp_rtt_estimator(tp, rtt_us)
    tcp_set_rto(tp)
    tp.icsk_backoff = 0
    return True
