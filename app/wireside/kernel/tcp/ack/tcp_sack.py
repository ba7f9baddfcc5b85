"""What a SACK block says: a segment that has arrived, one that came twice, an order that was not kept. RFC: 2018, 2883."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.counters import TcpExt
from wireside.catalog.inet import MASK
from wireside.catalog.sysctls import TCP_MAX_REORDERING
from wireside.kernel.tcp.ack.ack_flag import (
    FLAG_DATA_SACKED,
    FLAG_DSACK_TLP,
    FLAG_DSACKING_ACK,
    FLAG_ORIG_SACK_ACKED,
)
from wireside.kernel.tcp.ack.tcp_recovery import tcp_rack_advance
from wireside.kernel.tcp.send.tcp_tso import EVER_RETRANS, LOST, SACKED_ACKED, SACKED_RETRANS
from wireside.kernel.tcp.sock.tcp_sock import after, before

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu
    from wireside.kernel.core.skbuff import SkBuff
    from wireside.kernel.tcp.sock.tcp_sock import TcpSock

TCPCB_RETRANS: Final = SACKED_RETRANS | EVER_RETRANS


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


def tcp_sacktag_one(
    cpu: Cpu, tp: TcpSock, skb: SkBuff, end_seq: int, segs: int, state: SacktagState, *, dup_sack: bool
) -> int:
    """Note that the peer holds the first `segs` segments of `skb`, up to `end_seq`; returns what its `sacked` becomes.

    Linux: net/ipv4/tcp_input.c tcp_sacktag_one().
    """
    sacked, seq = skb.sacked, skb.seq
    if dup_sack and sacked & TCPCB_RETRANS:
        if tp.undo_marker and tp.undo_retrans > 0 and after(end_seq, tp.undo_marker):
            tp.undo_retrans = max(0, tp.undo_retrans - segs)
        if sacked & SACKED_ACKED and before(seq, state.reord):
            state.reord = seq
    if not after(end_seq, tp.snd_una):
        return sacked
    if not sacked & SACKED_ACKED:
        tcp_rack_advance(cpu, tp, skb, end_seq)
        if sacked & SACKED_RETRANS:
            if sacked & LOST:
                sacked &= ~(LOST | SACKED_RETRANS)
                tp.lost_out -= segs
                tp.retrans_out -= segs
        else:
            if not sacked & TCPCB_RETRANS:
                tcp_sacktag_original(tp, skb, end_seq, state)
            if sacked & LOST:
                sacked &= ~LOST
                tp.lost_out -= segs
        if not tp.sacked_out or after(end_seq, tp.highest_sack_seq):
            tp.highest_sack_seq = end_seq
        sacked |= SACKED_ACKED
        state.flag |= FLAG_DATA_SACKED
        tp.sacked_out += segs
        tp.delivered += segs
    if dup_sack and sacked & SACKED_RETRANS:
        sacked &= ~SACKED_RETRANS
        tp.retrans_out -= segs
    return sacked


def tcp_sacktag_original(tp: TcpSock, skb: SkBuff, end_seq: int, state: SacktagState) -> None:
    """What was never sent again has arrived: note whether it was overtaken, and when it had left."""
    if before(skb.seq, tcp_highest_sack_seq(tp)) and before(skb.seq, state.reord):
        state.reord = skb.seq
    if not after(end_seq, tp.high_seq):
        state.flag |= FLAG_ORIG_SACK_ACKED
    state.first_sackt_ns = state.first_sackt_ns or skb.skb_mstamp_ns
    state.last_sackt_ns = skb.skb_mstamp_ns


def tcp_check_sack_reordering(tp: TcpSock, low_seq: int, *, timestamps: bool) -> None:
    """What began at `low_seq` was overtaken but not lost: the network reorders. Linux: same name."""
    highest = tcp_highest_sack_seq(tp)
    if not before(low_seq, highest):
        return
    metric = (highest - low_seq) & MASK
    mss = tp.mss_cache
    if metric > tp.reordering * mss:
        tp.reordering = min(-(-metric // mss), tp.net.sysctl[TCP_MAX_REORDERING])
    tp.reord_seen += 1
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
