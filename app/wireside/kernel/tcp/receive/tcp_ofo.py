"""Segments out of order: keep them, say so with SACK, and join them when the gap is filled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.counters import TcpExt
from wireside.catalog.drop_reasons import DropReason
from wireside.catalog.inet import FIN, MASK
from wireside.catalog.sysctls import TCP_DSACK
from wireside.kernel.core.sk_buff_head import NO_ENTRIES
from wireside.kernel.core.sock import (
    sk_receive_queue_tail,
    skb_set_owner_r,
    sock_def_readable,
    sock_rfree,
)
from wireside.kernel.tcp.receive.tcp_rmem import tcp_rcvbuf_grow, tcp_try_coalesce, tcp_try_rmem_schedule
from wireside.kernel.tcp.send.tcp_control import tcp_sack_compress_send_ack
from wireside.kernel.tcp.sock.tcp_sock import ICSK_ACK_SCHED, after, before
from wireside.kernel.tcp.sock.tcp_state import tcp_drop_reason
from wireside.kernel.tcp.sock.tcp_window import tcp_grow_window, tcp_measure_rcv_mss

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu
    from wireside.kernel.core.skbuff import SkBuff
    from wireside.kernel.tcp.sock.tcp_sock import TcpSock

TCP_NUM_SACKS: Final = 4
TCP_SACK_BLOCKS_EXPECTED: Final = 2
"""SACK blocks that a usual ACK has room for. Linux: net/ipv4/tcp_input.c."""


def tcp_dsack_set(tp: TcpSock, seq: int, end_seq: int) -> None:
    """Report something received twice with the next ACK. RFC: 2883. Linux: tcp_dsack_set()."""
    if not tp.sack_ok or not tp.net.sysctl[TCP_DSACK]:
        return
    tp.net.mib[TcpExt.TCPDSACKOldSent if before(seq, tp.rcv_nxt) else TcpExt.TCPDSACKOfoSent] += 1
    tp.dsack = (seq, end_seq)


def tcp_dsack_extend(tp: TcpSock, seq: int, end_seq: int) -> None:
    """Report one more piece received twice: a block of its own, or more of the block that waits. Linux: tcp_dsack_extend()."""
    if tp.dsack is None:
        tcp_dsack_set(tp, seq, end_seq)
        return
    start, end = tp.dsack
    if not after(seq, end) and not after(start, end_seq):
        tp.dsack = (seq if before(seq, start) else start, end_seq if after(end_seq, end) else end)


def tcp_sack_new_ofo_skb(cpu: Cpu, tp: TcpSock, seq: int, end_seq: int) -> None:
    """Put the newest block first, merged with those it touches. Linux: tcp_sack_new_ofo_skb().

    An ACK that is held back leaves before a block that it would name falls behind TCP_SACK_BLOCKS_EXPECTED others.
    """
    blocks: list[tuple[int, int]] = []
    touched = len(tp.selective_acks)
    for place, (start, end) in enumerate(tp.selective_acks):
        if not after(seq, end) and not after(start, end_seq):
            touched = min(touched, place)
            seq = start if before(start, seq) else seq
            end_seq = end if after(end, end_seq) else end_seq
        else:
            blocks.append((start, end))
    if touched >= TCP_SACK_BLOCKS_EXPECTED:
        tcp_sack_compress_send_ack(cpu, tp)
    tp.selective_acks = [(seq, end_seq), *blocks][:TCP_NUM_SACKS]


def tcp_sack_remove(tp: TcpSock) -> None:
    """Forget blocks that rcv_nxt has passed. Linux: tcp_sack_remove()."""
    if not tp.out_of_order_queue:
        tp.selective_acks.clear()
    elif tp.selective_acks:
        tp.selective_acks = [block for block in tp.selective_acks if before(tp.rcv_nxt, block[0])]


def tcp_data_queue_ofo(cpu: Cpu, tp: TcpSock, skb: SkBuff) -> None:
    """Keep a segment that came too early. Linux: net/ipv4/tcp_input.c tcp_data_queue_ofo()."""
    net = tp.net
    mib = net.mib
    if not tcp_try_rmem_schedule(cpu, tp, skb, skb.truesize):
        mib[TcpExt.TCPOFODrop] += 1
        sock_def_readable(cpu, tp)
        tcp_drop_reason(tp, skb, DropReason.PROTO_MEM)
        return
    if net.machine.profile.ofo_measures_mss:
        tcp_measure_rcv_mss(tp, skb)
    tp.pred_flags = False
    tp.ack_pending |= ICSK_ACK_SCHED
    mib[TcpExt.TCPOFOQueue] += 1
    tcp_ofo_insert(cpu, tp, skb)
    if net.machine.profile.drs_follows_ofo and tp.fd >= 0 and not tp.orphan:
        tcp_rcvbuf_grow(tp, tp.rcvq_space)


def tcp_ofo_insert(cpu: Cpu, tp: TcpSock, skb: SkBuff) -> None:
    """Sort a segment into the queue, unless it joins the one before or holds nothing new, and name it in SACK.

    Without SACK the promised window stays, so that the answer is a pure duplicate ACK.
    """
    seq, end_seq = skb.seq, skb.end_seq
    place = tcp_ofo_place(tp, skb)
    if tp.sack_ok:
        tcp_sack_new_ofo_skb(cpu, tp, seq, end_seq)
    if place < 0:
        return
    if tp.sack_ok:
        tcp_grow_window(tp, skb, adjust=False)
    skb_set_owner_r(tp, skb)


def tcp_ofo_place(tp: TcpSock, skb: SkBuff) -> int:
    """Find and take the segment's place in the queue; its index, or -1 when it takes none.

    Linux: net/ipv4/tcp_input.c tcp_data_queue_ofo(). Differs: of several earlier segments that overlap the new one only
    the nearest is looked at; the kernel looks at all that its tree search happens to pass.
    """
    queue = tp.out_of_order_queue
    seq, end_seq = skb.seq, skb.end_seq
    index = len(queue)
    while index and before(seq, queue[index - 1].seq):
        index -= 1
    if index:
        previous = queue[index - 1]
        if not before(seq, previous.end_seq):
            if tcp_try_coalesce(tp, previous, skb):
                if tp.sack_ok:
                    tcp_grow_window(tp, skb, adjust=True)
                return -1
        elif not after(end_seq, previous.end_seq):
            tcp_dsack_set(tp, seq, end_seq)
            tp.net.mib[TcpExt.TCPOFOMerge] += 1
            tcp_drop_reason(tp, skb, DropReason.TCP_OFOMERGE)
            return -1
        elif after(seq, previous.seq):
            tcp_dsack_set(tp, seq, previous.end_seq)
        else:
            index -= 1
            tcp_ofo_drop(tp, index)
    if queue is NO_ENTRIES:
        queue = tp.out_of_order_queue = []
    queue.insert(index, skb)
    while index + 1 < len(queue) and after(end_seq, queue[index + 1].seq):
        if before(end_seq, queue[index + 1].end_seq):
            tcp_dsack_extend(tp, queue[index + 1].seq, end_seq)
            break
        tcp_ofo_drop(tp, index + 1)
    return index


def tcp_ofo_drop(tp: TcpSock, index: int) -> None:
    """Remove a segment that a newer one covers, and tell that its data came twice."""
    covered = tp.out_of_order_queue[index]
    del tp.out_of_order_queue[index]
    tcp_dsack_extend(tp, covered.seq, covered.end_seq)
    tp.net.mib[TcpExt.TCPOFOMerge] += 1
    sock_rfree(tp, covered.truesize)
    tcp_drop_reason(tp, covered, DropReason.TCP_OFOMERGE)


def tcp_ofo_queue(tp: TcpSock) -> bool:
    """The gap is filled: move what now is in order to the receive queue; True if a FIN was among it.

    Linux: net/ipv4/tcp_input.c tcp_ofo_queue().
    """
    queue = tp.out_of_order_queue
    fin = False
    dsack_high = tp.rcv_nxt
    while queue and not after(queue[0].seq, tp.rcv_nxt):
        skb = queue[0]
        del queue[0]
        if before(skb.seq, dsack_high):
            tcp_dsack_extend(tp, skb.seq, skb.end_seq if before(skb.end_seq, dsack_high) else dsack_high)
        if not after(skb.end_seq, tp.rcv_nxt):
            sock_rfree(tp, skb.truesize)
            tcp_drop_reason(tp, skb, DropReason.TCP_OFO_DROP)
            continue
        tp.bytes_received += (skb.end_seq - tp.rcv_nxt) & MASK
        tp.rcv_nxt = skb.end_seq
        fin = fin or bool(skb.tcp_flags & FIN)
        tail = tp.sk_receive_queue[-1] if tp.sk_receive_queue else None
        if tail is not None and tcp_try_coalesce(tp, tail, skb):
            sock_rfree(tp, skb.truesize)
        else:
            sk_receive_queue_tail(tp, skb)
    return fin
