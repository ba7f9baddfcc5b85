"""Reading SACK blocks: which queued segments the peer already holds. RFC: 2018, 2883."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.catalog.counters import TcpExt
from wireside.catalog.sysctls import TCP_MAX_REORDERING
from wireside.kernel.tcp_recovery import tcp_rack_advance
from wireside.kernel.tcp_sock import MASK, TCP_CA_LOSS, after, before
from wireside.kernel.tcp_tso import EVER_RETRANS, LOST, SACKED_ACKED, SACKED_RETRANS, tcp_fragment

if TYPE_CHECKING:
    from wireside.kernel.net import Cpu
    from wireside.kernel.skbuff import SkBuff
    from wireside.kernel.tcp_sock import TcpSock

FLAG_DATA_SACKED, FLAG_ORIG_SACK_ACKED, FLAG_DSACKING_ACK, FLAG_DSACK_TLP = 0x20, 0x200, 0x800, 0x20000
TCPCB_RETRANS = SACKED_RETRANS | EVER_RETRANS


class SacktagState:
    """What the SACK blocks of one ACK have told so far. Linux: net/ipv4/tcp_input.c struct tcp_sacktag_state."""

    __slots__ = ("first_sackt_ns", "flag", "last_sackt_ns", "reord")

    def __init__(self, reord: int) -> None:
        self.reord = reord
        """Lowest sequence number of a segment that was overtaken; snd_nxt when none was."""
        self.flag = 0
        self.first_sackt_ns = self.last_sackt_ns = 0
        """When the first and the last of the segments newly SACKed, and never sent again, had left; 0: none."""


def tcp_highest_sack_seq(tp: TcpSock) -> int:
    """The end of what is SACKed; snd_una when nothing is. Linux: include/net/tcp.h tcp_highest_sack_seq()."""
    return tp.highest_sack_seq if tp.sacked_out else tp.snd_una


def tcp_dsack_seen(tp: TcpSock, start: int, end: int, state: SacktagState) -> int:
    """Something was received twice: how many segments, 0 when that cannot be. Linux: tcp_dsack_seen()."""
    length = (end - start) & MASK
    if not before(start, end) or length > tp.max_window:
        return 0
    dup_segs = 1
    if length > tp.mss_cache:
        dup_segs = -(-length // tp.mss_cache)
    elif tp.tlp_high_seq and tp.tlp_high_seq == end:
        state.flag |= FLAG_DSACK_TLP
    tp.dsack_dups += dup_segs
    if tp.dsack_dups > tp.total_retrans:
        return 0
    if tp.reord_seen and not state.flag & FLAG_DSACK_TLP:
        tp.rack_dsack_seen = True
    state.flag |= FLAG_DSACKING_ACK
    tp.delivered += dup_segs
    return dup_segs


def tcp_check_dsack(
    tp: TcpSock, blocks: tuple[tuple[int, int], ...], ack: int, prior_una: int, state: SacktagState
) -> bool:
    """The first block reports something received twice. Linux: net/ipv4/tcp_input.c tcp_check_dsack()."""
    start, end = blocks[0]
    mib = tp.net.mib
    if before(start, ack):
        mib[TcpExt.TCPDSACKRecv] += 1
    elif len(blocks) > 1 and not after(end, blocks[1][1]) and not before(start, blocks[1][0]):
        mib[TcpExt.TCPDSACKOfoRecv] += 1
    else:
        return False
    dup_segs = tcp_dsack_seen(tp, start, end, state)
    if not dup_segs:
        mib[TcpExt.TCPDSACKIgnoredDubious] += 1
        return False
    mib[TcpExt.TCPDSACKRecvSegs] += dup_segs
    if tp.undo_marker and tp.undo_retrans > 0 and not after(end, prior_una) and after(end, tp.undo_marker):
        tp.undo_retrans = max(0, tp.undo_retrans - dup_segs)
    return True


def tcp_sacktag_one(cpu: Cpu, tp: TcpSock, skb: SkBuff, state: SacktagState, *, dup_sack: bool) -> None:
    """Note that the peer holds this segment. Linux: tcp_sacktag_one()."""
    segs = skb.gso_segs
    sacked = skb.sacked
    if dup_sack and sacked & TCPCB_RETRANS:
        if tp.undo_marker and tp.undo_retrans > 0 and after(skb.end_seq, tp.undo_marker):
            tp.undo_retrans = max(0, tp.undo_retrans - segs)
        if sacked & SACKED_ACKED and before(skb.seq, state.reord):
            state.reord = skb.seq
    if not sacked & SACKED_ACKED:
        tcp_rack_advance(cpu, tp, skb)
        if sacked & SACKED_RETRANS:
            if sacked & LOST:
                skb.sacked &= ~(LOST | SACKED_RETRANS)
                tp.lost_out -= segs
                tp.retrans_out -= segs
        else:
            if not sacked & TCPCB_RETRANS:
                if before(skb.seq, tcp_highest_sack_seq(tp)) and before(skb.seq, state.reord):
                    state.reord = skb.seq
                if not after(skb.end_seq, tp.high_seq):
                    state.flag |= FLAG_ORIG_SACK_ACKED
                state.first_sackt_ns = state.first_sackt_ns or skb.skb_mstamp_ns
                state.last_sackt_ns = skb.skb_mstamp_ns
            if sacked & LOST:
                skb.sacked &= ~LOST
                tp.lost_out -= segs
        if not tp.sacked_out or after(skb.end_seq, tp.highest_sack_seq):
            tp.highest_sack_seq = skb.end_seq
        skb.sacked |= SACKED_ACKED
        state.flag |= FLAG_DATA_SACKED
        tp.sacked_out += segs
        tp.delivered += segs
    if dup_sack and skb.sacked & SACKED_RETRANS:
        skb.sacked &= ~SACKED_RETRANS
        tp.retrans_out -= segs


def tcp_check_sack_reordering(tp: TcpSock, low_seq: int, *, timestamps: bool) -> None:
    """What began at `low_seq` was overtaken but not lost: the network reorders. Linux: same name."""
    highest = tcp_highest_sack_seq(tp)
    if not before(low_seq, highest):
        return
    metric = (highest - low_seq) & MASK
    mss = tp.mss_cache
    if metric > tp.reordering * mss:
        tp.reordering = min(-(-metric // mss), tp.net.sysctl[TCP_MAX_REORDERING])
    tp.reord_seen = True
    tp.net.mib[TcpExt.TCPTSReorder if timestamps else TcpExt.TCPSACKReorder] += 1


def tcp_is_sackblock_valid(tp: TcpSock, start: int, end: int, *, is_dsack: bool) -> bool:
    """A block speaks of something we sent; a D-SACK may look back as far as an undo would. Linux: same name."""
    if after(end, tp.snd_nxt) or not before(start, end) or not before(start, tp.snd_nxt):
        return False
    if after(start, tp.snd_una):
        return True
    if not is_dsack or not tp.undo_marker or after(end, tp.snd_una):
        return False
    if not before(start, tp.undo_marker):
        return True
    if not after(end, tp.undo_marker):
        return False
    return not before(start, (end - tp.max_window) & MASK)


def tcp_sacktag_write_queue(
    cpu: Cpu, tp: TcpSock, blocks: tuple[tuple[int, int], ...], ack: int, prior_una: int
) -> SacktagState:
    """Mark what the SACK blocks cover. Linux: net/ipv4/tcp_input.c tcp_sacktag_write_queue()."""
    state = SacktagState(tp.snd_nxt)
    found_dup_sack = tcp_check_dsack(tp, blocks, ack, prior_una, state)
    if before(ack, (prior_una - tp.max_window) & MASK):
        state.flag = 0
        return state
    if not tp.packets_out:
        return state
    for number, (start, end) in enumerate(blocks):
        dup_sack = found_dup_sack and not number
        if tcp_is_sackblock_valid(tp, start, end, is_dsack=dup_sack):
            if after(end, tp.snd_una):
                tcp_sacktag_walk(cpu, tp, start, end, state, dup_sack=dup_sack)
            continue
        if dup_sack:
            counter = TcpExt.TCPDSACKIgnoredOld if tp.undo_marker else TcpExt.TCPDSACKIgnoredNoUndo
        elif ack != tp.snd_una and not after(end, tp.snd_una):
            continue
        else:
            counter = TcpExt.TCPSACKDiscard
        tp.net.mib[counter] += 1
    if tp.ca_state != TCP_CA_LOSS or tp.undo_marker:
        tcp_check_sack_reordering(tp, state.reord, timestamps=False)
    return state


def tcp_sacktag_walk(
    cpu: Cpu, tp: TcpSock, start: int, end: int, state: SacktagState, *, dup_sack: bool
) -> None:
    """Mark the queued segments of one block. Linux: tcp_sacktag_walk()."""
    queue = tp.tcp_rtx_queue
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
        tcp_sacktag_one(cpu, tp, skb, state, dup_sack=dup_sack)


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
