"""Walking the retransmit queue along the SACK blocks of an ACK, and merging what they cover. RFC: 2018."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.counters import TcpExt
from wireside.catalog.fates import MERGED
from wireside.catalog.inet import FIN, MASK
from wireside.kernel.core.skbuff import MAX_SKB_FRAGS
from wireside.kernel.core.sock import sk_wmem_free
from wireside.kernel.tcp.ack.tcp_sack import (
    SacktagState,
    tcp_check_dsack,
    tcp_check_sack_reordering,
    tcp_highest_sack_seq,
    tcp_is_sackblock_valid,
    tcp_sacktag_one,
)
from wireside.kernel.tcp.send.tcp_tso import (
    EVER_RETRANS,
    LOST,
    SACKED_ACKED,
    SACKED_RETRANS,
    page_frags,
    tcp_fragment,
)
from wireside.kernel.tcp.sock.tcp_sock import TCP_CA_LOSS, after, before

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wireside.kernel.core.net import Cpu
    from wireside.kernel.core.skbuff import SkBuff
    from wireside.kernel.tcp.sock.tcp_sock import TcpSock

    Block = tuple[int, int]

CACHED_SACKS: Final = 4
"""Blocks of the last ACK that are remembered. Linux: include/linux/tcp.h recv_sack_cache."""
TAG_BITS: Final = SACKED_ACKED | SACKED_RETRANS | LOST


def tcp_sacktag_write_queue(
    cpu: Cpu, tp: TcpSock, blocks: tuple[Block, ...], ack: int, prior_una: int
) -> SacktagState:
    """Mark what the SACK blocks cover, in the order of sequence numbers.

    What the blocks of the last ACK covered is known and skipped. Linux: net/ipv4/tcp_input.c tcp_sacktag_write_queue().
    """
    state = SacktagState(tp.snd_nxt)
    found_dup_sack = tcp_check_dsack(tp, blocks, ack, prior_una, state)
    if before(ack, (prior_una - tp.max_window) & MASK):
        state.flag = 0
        return state
    if not tp.packets_out:
        return state
    used = tcp_used_sacks(tp, blocks, ack, prior_una, found_dup_sack=found_dup_sack)
    dup = blocks[0] if found_dup_sack and blocks[0] in used else None
    walk = SacktagWalk(cpu, tp, state)
    for number, block in enumerate(used):
        following = used[number + 1] if number + 1 < len(used) else None
        walk.block(block, dup_sack=block == dup, next_dup=following if following == dup else None)
    tp.recv_sack_cache = tuple(used[-CACHED_SACKS:])
    if tp.ca_state != TCP_CA_LOSS or tp.undo_marker:
        tcp_check_sack_reordering(tp, state.reord, timestamps=False)
    return state


def tcp_used_sacks(
    tp: TcpSock, blocks: Iterable[Block], ack: int, prior_una: int, *, found_dup_sack: bool
) -> list[Block]:
    """The blocks that are worth a look, sorted; those that cannot be are counted."""
    used: list[Block] = []
    for number, (start, end) in enumerate(blocks):
        dup_sack = found_dup_sack and not number
        if tcp_is_sackblock_valid(tp, start, end, is_dsack=dup_sack):
            if after(end, prior_una):
                used.append((start, end))
            continue
        if dup_sack:
            counter = TcpExt.TCPDSACKIgnoredOld if tp.undo_marker else TcpExt.TCPDSACKIgnoredNoUndo
        elif ack != tp.snd_una and not after(end, tp.snd_una):
            continue
        else:
            counter = TcpExt.TCPSACKDiscard
        tp.net.mib[counter] += 1
    base = tp.snd_una - tp.max_window
    return sorted(used, key=lambda block: (block[0] - base) & MASK)


class SacktagWalk:
    """One pass over the retransmit queue: where it stands, and which of the last ACK's blocks lie ahead."""

    def __init__(self, cpu: Cpu, tp: TcpSock, state: SacktagState) -> None:
        self.cpu, self.tp, self.state = cpu, tp, state
        self.index: int | None = 0
        """Position in the queue; None: beside it."""
        self.cached = list(tp.recv_sack_cache) if tp.sacked_out else []

    def block(self, block: Block, *, dup_sack: bool, next_dup: Block | None) -> None:
        """Mark what one block covers and the cached ones do not."""
        tp = self.tp
        start, end = block
        while True:
            while self.cached and not before(start, self.cached[0][1]):
                del self.cached[0]
            if not self.cached or dup_sack or not after(end, self.cached[0][0]):
                break
            known_start, known_end = self.cached[0]
            if before(start, known_start):
                self.skip_to(start)
                self.walk(start, known_start, dup_sack=dup_sack, next_dup=next_dup)
            if not after(end, known_end):
                return
            if next_dup is not None and before(next_dup[0], known_end):
                self.skip_to(next_dup[0])
                self.walk(*next_dup, dup_sack=True, next_dup=None)
            del self.cached[0]
            if tcp_highest_sack_seq(tp) == known_end:
                self.index = self.find(known_end)
                self.walk(start, end, dup_sack=dup_sack, next_dup=next_dup)
                return
            self.skip_to(known_end)
        if not before(start, tcp_highest_sack_seq(tp)):
            self.index = self.find(tcp_highest_sack_seq(tp))
        self.skip_to(start)
        self.walk(start, end, dup_sack=dup_sack, next_dup=next_dup)

    def find(self, seq: int) -> int | None:
        """The packet that holds `seq`. Linux: tcp_sacktag_bsearch()."""
        queue = self.tp.tcp_rtx_queue
        for back, skb in enumerate(reversed(queue)):
            if not before(seq, skb.end_seq):
                return None
            if not before(seq, skb.seq):
                return len(queue) - 1 - back
        return None

    def skip_to(self, seq: int) -> None:
        """Go to the packet that holds `seq`, unless the walk has passed it. Linux: tcp_sacktag_skip()."""
        queue = self.tp.tcp_rtx_queue
        at = self.index
        if at is None or at >= len(queue) or not after(queue[at].seq, seq):
            self.index = self.find(seq)

    def walk(self, start: int, end: int, *, dup_sack: bool, next_dup: Block | None) -> None:
        """Mark the packets from here on that lie in [start, end). Linux: tcp_sacktag_walk()."""
        if self.index is None:
            return
        tp, queue = self.tp, self.tp.tcp_rtx_queue
        index = self.index
        while index < len(queue) and before(queue[index].seq, end):
            dup: bool = dup_sack
            in_sack: bool | None = False
            if next_dup is not None and before(queue[index].seq, next_dup[1]):
                in_sack = tcp_match_skb_to_sack(tp, index, *next_dup)
                dup = dup or bool(in_sack)
            if not in_sack:
                shifted = tcp_shift_skb_data(self.cpu, tp, index, (start, end), self.state, dup_sack=dup)
                if shifted is None:
                    in_sack = tcp_match_skb_to_sack(tp, index, start, end)
                elif shifted != index:
                    index = shifted + 1
                    continue
                else:
                    in_sack = False
            if in_sack is None:
                break
            if in_sack:
                skb = queue[index]
                skb.sacked = tcp_sacktag_one(
                    self.cpu, tp, skb, skb.end_seq, skb.gso_segs, self.state, dup_sack=dup
                )
            index += 1
        self.index = index


def tcp_match_skb_to_sack(tp: TcpSock, index: int, start: int, end: int) -> bool | None:
    """Whether a packet lies in a block; a super-packet is split at the block's edge, on a segment boundary.

    None when the block covers less than its first segment. Linux: net/ipv4/tcp_input.c tcp_match_skb_to_sack().
    """
    queue = tp.tcp_rtx_queue
    skb = queue[index]
    begins = not after(start, skb.seq)
    if begins and not before(end, skb.end_seq):
        return True
    if skb.gso_segs == 1 or not after(skb.end_seq, start):
        return False
    mss = skb.gso_size
    if begins:
        length = ((end - skb.seq) & MASK) // mss * mss
        if not length:
            return None
    else:
        length = max(-(-((start - skb.seq) & MASK) // mss), 1) * mss
        if length >= skb.len:
            return False
    tcp_fragment(tp, queue, index, length, mss)
    return begins


def tcp_skb_seglen(skb: SkBuff) -> int:
    """Bytes of a packet's segments. Linux: tcp_skb_seglen()."""
    return skb.len if skb.gso_segs == 1 else skb.gso_size


def tcp_shift_skb_data(
    cpu: Cpu, tp: TcpSock, index: int, block: Block, state: SacktagState, *, dup_sack: bool
) -> int | None:
    """Merge what a block covers of a packet into the SACKed packet before it, so that the queue stays short.

    Returns where the walk goes on behind: the packet before when something moved, the packet itself when it need not be
    looked at, None when nothing could be moved. Linux: net/ipv4/tcp_input.c tcp_shift_skb_data().
    """
    queue = tp.tcp_rtx_queue
    skb = queue[index]
    shift = tcp_sack_shiftable(tp, index, block, dup_sack=dup_sack)
    if shift is None:
        tp.net.mib[TcpExt.TCPSackShiftFallback] += 1
        return None
    segs, _, mss = shift
    if not segs:
        return index
    if tcp_shifted_skb(cpu, tp, index, shift, state, dup_sack=dup_sack) and index < len(queue):
        skb, previous = queue[index], queue[index - 1]
        if skb.len and skb.sacked & TAG_BITS == SACKED_ACKED and tcp_skb_seglen(skb) == mss:
            shift = (skb.gso_segs, skb.len, mss)
            if fits(tp, previous, skb.len):
                tcp_shifted_skb(cpu, tp, index, shift, state, dup_sack=False)
    return index - 1


def tcp_sack_shiftable(
    tp: TcpSock, index: int, block: Block, *, dup_sack: bool
) -> tuple[int, int, int] | None:
    """What may move into the packet before: (segments, bytes, segment size), no segments when there is nothing to do.

    None: the two do not go together.
    """
    queue = tp.tcp_rtx_queue
    skb = queue[index]
    start, end = block
    if not dup_sack and skb.sacked & (LOST | SACKED_RETRANS) == SACKED_RETRANS:
        return None
    if not skb.len or not after(skb.end_seq, tp.snd_una) or not index:
        return None
    previous = queue[index - 1]
    if previous.sacked & TAG_BITS != SACKED_ACKED:
        return None
    if not after(start, skb.seq) and not before(end, skb.end_seq):
        segs, length, mss = skb.gso_segs, skb.len, tcp_skb_seglen(skb)
        if mss != tcp_skb_seglen(previous):
            return None
    else:
        if not after(skb.end_seq, start) or skb.gso_segs <= 1:
            return (0, 0, 0)
        mss = skb.gso_size
        if after(start, skb.seq) or mss != tcp_skb_seglen(previous):
            return None
        segs = ((end - skb.seq) & MASK) // mss
        length = segs * mss
        if not segs:
            return (0, 0, 0)
    if not after((skb.seq + length) & MASK, tp.snd_una) or not fits(tp, previous, length):
        return None
    return (segs, length, mss)


def fits(tp: TcpSock, skb: SkBuff, length: int) -> bool:
    """Whether `length` more bytes find room in a packet's page fragments. Linux: net/core/skbuff.c skb_shift()."""
    skb.len += length
    frags = page_frags(tp, skb)
    skb.len -= length
    return frags <= MAX_SKB_FRAGS


def tcp_shifted_skb(
    cpu: Cpu, tp: TcpSock, index: int, shift: tuple[int, int, int], state: SacktagState, *, dup_sack: bool
) -> bool:
    """Move SACKed bytes from a packet to the one before; True when nothing is left of it. Linux: tcp_shifted_skb()."""
    queue = tp.tcp_rtx_queue
    previous, skb = queue[index - 1], queue[index]
    segs, length, mss = shift
    mib = tp.net.mib
    tcp_sacktag_one(cpu, tp, skb, (skb.seq + length) & MASK, segs, state, dup_sack=dup_sack)
    previous.end_seq = skb.seq = (skb.seq + length) & MASK
    previous.len += length
    previous.truesize += length
    previous.gso_segs += segs
    previous.gso_size = previous.gso_size or mss
    previous.sacked |= skb.sacked & EVER_RETRANS
    previous.nr_frags = page_frags(tp, previous)
    skb.len -= length
    skb.truesize -= length
    skb.gso_segs -= segs
    if skb.gso_segs <= 1:
        skb.gso_size = 0
    if skb.len:
        skb.nr_frags = page_frags(tp, skb)
        mib[TcpExt.TCPSackShifted] += 1
        return False
    previous.tcp_flags |= skb.tcp_flags
    if skb.tcp_flags & FIN:
        previous.end_seq = skb.end_seq
    previous.skb_mstamp_ns = max(previous.skb_mstamp_ns, skb.skb_mstamp_ns)
    del queue[index]
    sk_wmem_free(tp, skb.truesize)
    skb.fate = MERGED
    mib[TcpExt.TCPSackMerged] += 1
    return True
