"""Reading SACK blocks: which queued segments the peer already holds. RFC: 2018, 2883."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.catalog.counters import TcpExt
from wireside.kernel.tcp_recovery import tcp_rack_advance
from wireside.kernel.tcp_retransmit import EVER_RETRANS, LOST, SACKED_ACKED, SACKED_RETRANS
from wireside.kernel.tcp_sock import MASK, after, before
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
        if not skb.sacked & EVER_RETRANS:
            if before(skb.seq, tp.highest_sack_seq):
                tcp_check_sack_reordering(tp, skb)
            if not after(skb.end_seq, tp.high_seq):
                flag |= FLAG_ORIG_SACK_ACKED
        if skb.sacked & LOST:
            skb.sacked &= ~LOST
            tp.lost_out -= segs
    skb.sacked |= SACKED_ACKED
    tp.sacked_out += segs
    tp.delivered += segs
    if after(skb.end_seq, tp.highest_sack_seq):
        tp.highest_sack_seq = skb.end_seq
    return flag


def tcp_check_sack_reordering(tp: TcpSock, skb: SkBuff) -> None:
    """A never retransmitted segment arrived after later ones: the network reorders. Linux: tcp_check_sack_reordering()."""
    tp.reord_seen = True
    tp.net.mib[TcpExt.TCPSACKReorder] += 1
    distance = -(-((tp.highest_sack_seq - skb.seq) & MASK) // max(tp.mss_cache, 1))
    tp.reordering = min(max(tp.reordering, distance), 300)


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
            flag |= tcp_sacktag_one(cpu, tp, skb)
    return flag


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
