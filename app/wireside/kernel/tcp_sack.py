"""Reading SACK blocks: which queued segments the peer already holds. RFC: 2018, 2883."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.catalog.counters import TcpExt
from wireside.catalog.sysctls import TCP_MAX_REORDERING
from wireside.kernel.tcp_recovery import tcp_rack_advance
from wireside.kernel.tcp_retransmit import EVER_RETRANS, LOST, SACKED_ACKED, SACKED_RETRANS
from wireside.kernel.tcp_sock import MASK, TCP_CA_LOSS, after, before
from wireside.kernel.tcp_tso import tcp_fragment

if TYPE_CHECKING:
    from wireside.kernel.net import Cpu
    from wireside.kernel.skbuff import SkBuff
    from wireside.kernel.tcp_sock import TcpSock

FLAG_DATA_SACKED, FLAG_ORIG_SACK_ACKED, FLAG_DSACKING_ACK = 0x20, 0x200, 0x800


def tcp_check_dsack(tp: TcpSock, blocks: tuple[tuple[int, int], ...], ack: int) -> bool:
    """The first block reports something received twice. Linux: net/ipv4/tcp_input.c tcp_check_dsack()."""
    start, end = blocks[0]
    mib = tp.net.mib
    if before(start, ack):
        mib[TcpExt.TCPDSACKRecv] += 1
    elif len(blocks) > 1 and not after(end, blocks[1][1]) and not before(start, blocks[1][0]):
        mib[TcpExt.TCPDSACKOfoRecv] += 1
    else:
        return False
    tp.rack_dsack_seen = True
    if tp.undo_retrans > 0 and tp.undo_marker and after(end, tp.undo_marker):
        tp.undo_retrans = max(0, tp.undo_retrans - max(1, -(-((end - start) & MASK) // max(tp.mss_cache, 1))))
    return True


def tcp_sacktag_one(cpu: Cpu, tp: TcpSock, skb: SkBuff) -> int:
    """Note that the peer holds this segment; returns flags. Linux: tcp_sacktag_one()."""
    if skb.sacked & SACKED_ACKED:
        return 0
    flag = FLAG_DATA_SACKED
    tcp_rack_advance(cpu, tp, skb)
    segs = skb.gso_segs
    if skb.sacked & SACKED_RETRANS:
        if skb.sacked & LOST:
            tp.lost_out -= segs
        tp.retrans_out -= segs
        skb.sacked &= ~(LOST | SACKED_RETRANS)
    else:
        if not skb.sacked & EVER_RETRANS and not after(skb.end_seq, tp.high_seq):
            flag |= FLAG_ORIG_SACK_ACKED
        if skb.sacked & LOST:
            skb.sacked &= ~LOST
            tp.lost_out -= segs
    skb.sacked |= SACKED_ACKED
    tp.sacked_out += segs
    tp.delivered += segs
    if after(skb.seq, tp.highest_sack_seq):
        tp.highest_sack_seq = skb.seq
    return flag


def tcp_highest_sack_seq(tp: TcpSock) -> int:
    """Where the last segment starts that the peer holds. Linux: include/net/tcp.h tcp_highest_sack_seq()."""
    return tp.highest_sack_seq if tp.sacked_out else tp.snd_una


def tcp_check_sack_reordering(tp: TcpSock, low_seq: int, *, timestamps: bool) -> None:
    """What begins at `low_seq` arrived, never sent again, after later segments: the network reorders.

    Linux: net/ipv4/tcp_input.c tcp_check_sack_reordering().
    """
    highest = tcp_highest_sack_seq(tp)
    if not before(low_seq, highest):
        return
    net = tp.net
    distance = -(-((highest - low_seq) & MASK) // max(tp.mss_cache, 1))
    tp.reordering = max(tp.reordering, min(distance, net.sysctl[TCP_MAX_REORDERING]))
    tp.reord_seen = True
    net.mib[TcpExt.TCPTSReorder if timestamps else TcpExt.TCPSACKReorder] += 1


def tcp_sacktag_write_queue(
    cpu: Cpu, tp: TcpSock, blocks: tuple[tuple[int, int], ...], ack: int, prior_una: int
) -> int:
    """Mark what the SACK blocks cover; returns FLAG_* bits. Linux: tcp_sacktag_write_queue()."""
    flag = 0
    if not tp.sacked_out:
        tp.highest_sack_seq = prior_una
    if tcp_check_dsack(tp, blocks, ack):
        flag |= FLAG_DSACKING_ACK
    if not tp.packets_out:
        return flag
    queue = tp.tcp_rtx_queue
    lowest = tp.snd_nxt
    for start, end in blocks:
        if not before(start, end) or after(end, tp.snd_nxt) or not after(end, tp.snd_una):
            continue
        index = 0
        while index < len(queue):
            skb = queue[index]
            if not before(skb.seq, end):
                break
            index += 1
            if not after(skb.end_seq, start):
                continue
            if before(skb.seq, start) or after(skb.end_seq, end):
                if skb.gso_segs == 1 or not tcp_match_skb_to_sack(tp, index - 1, start, end):
                    continue
                skb = queue[index - 1]
                if before(skb.seq, start):
                    continue
            if not skb.sacked & (EVER_RETRANS | SACKED_RETRANS | SACKED_ACKED) and before(
                skb.seq, tcp_highest_sack_seq(tp)
            ):
                lowest = seq_min(skb.seq, lowest)
            flag |= tcp_sacktag_one(cpu, tp, skb)
    if tp.ca_state != TCP_CA_LOSS or tp.undo_marker:
        tcp_check_sack_reordering(tp, lowest, timestamps=False)
    return flag


def seq_min(one: int, other: int) -> int:
    """The earlier of two sequence numbers."""
    return one if before(one, other) else other


def tcp_match_skb_to_sack(tp: TcpSock, index: int, start: int, end: int) -> bool:
    """Split a super-packet at a SACK block's edge, on a segment boundary. Linux: tcp_match_skb_to_sack()."""
    queue = tp.tcp_rtx_queue
    skb = queue[index]
    mss = skb.gso_size or tp.mss_cache
    if before(skb.seq, start):
        length = ((start - skb.seq) & MASK) // mss * mss
    else:
        length = ((end - skb.seq) & MASK) // mss * mss
    if not 0 < length < skb.len:
        return False
    tcp_fragment(tp, queue, index, length, mss)
    return True
