"""Receive memory: queueing, coalescing, collapsing and pruning, and the autotuning of sk_rcvbuf."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.counters import TcpExt
from wireside.catalog.drop_reasons import DropReason
from wireside.catalog.fates import MERGED
from wireside.catalog.inet import FIN, MASK, SYN
from wireside.catalog.sysctls import TCP_MODERATE_RCVBUF, TCP_RMEM
from wireside.catalog.work import COLLAPSE_KIB_NS, COLLAPSE_PIECE_NS, PRUNE_PIECE_NS, WALK_SKB_NS
from wireside.kernel.core.skbuff import (
    MAX_SKB_FRAGS,
    PAGE_SIZE,
    SK_BUFF_SIZE,
    SKB_SHARED_INFO_SIZE,
    SKB_SMALL_HEAD,
    SkBuff,
    skb_alloc_truesize,
    skb_cloned,
    skb_keep_as_sent,
)
from wireside.kernel.core.sock import (
    SOCK_RCVBUF_LOCK,
    sk_receive_queue_tail,
    sk_rmem_schedule,
    skb_set_owner_r,
    sock_rfree,
)
from wireside.kernel.tcp.sock.tcp_sock import after, before, tcp_space_from_win, tcp_win_from_space
from wireside.kernel.tcp.sock.tcp_state import tcp_drop_reason
from wireside.kernel.tcp.sock.tcp_window import tcp_clamp_window

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu
    from wireside.kernel.core.sk_buff_head import Queue
    from wireside.kernel.tcp.sock.tcp_sock import TcpSock

SKB_MAX_ORDER_0: Final = PAGE_SIZE - SKB_SHARED_INFO_SIZE
"""Payload of a one-page linear sk_buff, bytes."""


def skb_try_coalesce(to: SkBuff, skb: SkBuff) -> int:
    """Move the payload of `skb` into `to`; the truesize that comes along, or -1 when it cannot be done.

    It fits into the tail room of `to`, or its pages are taken over and only its sk_buff is saved.
    Linux: net/core/skbuff.c skb_try_coalesce().
    """
    if to.original is not None and skb_cloned(to):
        return -1
    if skb.len <= to.tailroom:
        to.tailroom -= skb.len
        return 0
    if skb.head_len:
        if not skb.head_frag or to.nr_frags + skb.nr_frags >= MAX_SKB_FRAGS:
            return -1
        delta = skb.truesize - SK_BUFF_SIZE
        to.nr_frags += skb.nr_frags + 1
    else:
        if to.nr_frags + skb.nr_frags > MAX_SKB_FRAGS:
            return -1
        delta = skb.truesize - SK_BUFF_SIZE - SKB_SMALL_HEAD
        to.nr_frags += skb.nr_frags
    to.tailroom = 0
    return delta


def tcp_try_coalesce(tp: TcpSock, to: SkBuff, skb: SkBuff) -> bool:
    """Append `skb` to the packet before it in a queue, saving memory. Linux: tcp_try_coalesce()."""
    if skb.seq != to.end_seq:
        return False
    delta = skb_try_coalesce(to, skb)
    if delta < 0:
        return False
    skb_keep_as_sent(to)
    tp.sk_rmem_alloc += delta
    tp.sk_forward_alloc -= delta
    to.truesize += delta
    to.len += skb.len
    to.end_seq = skb.end_seq
    to.tcp_flags |= skb.tcp_flags
    to.gso_segs += skb.gso_segs
    skb.fate = MERGED
    tp.net.mib[TcpExt.TCPRcvCoalesce] += 1
    return True


def tcp_queue_rcv(tp: TcpSock, skb: SkBuff) -> None:
    """Put in-order data at the end of the receive queue. Linux: tcp_queue_rcv(), tcp_rcv_nxt_update()."""
    queue = tp.sk_receive_queue
    tp.bytes_received += (skb.end_seq - tp.rcv_nxt) & MASK
    tp.rcv_nxt = skb.end_seq
    if not queue or not tcp_try_coalesce(tp, queue[-1], skb):
        sk_receive_queue_tail(tp, skb)
        skb_set_owner_r(tp, skb)


def tcp_try_rmem_schedule(cpu: Cpu, tp: TcpSock, skb: SkBuff, size: int) -> bool:
    """Make room for a packet of `size` bytes truesize; the limit is tested before it is added.

    Linux: net/ipv4/tcp_input.c tcp_try_rmem_schedule().
    """
    if tp.sk_rmem_alloc > tp.sk_rcvbuf or not sk_rmem_schedule(cpu, tp, size):
        if not tcp_prune_queue(cpu, tp, skb):
            return False
        while not sk_rmem_schedule(cpu, tp, size):
            if not tcp_prune_ofo_queue(cpu, tp, skb):
                return False
    return True


def tcp_prune_queue(cpu: Cpu, tp: TcpSock, skb: SkBuff) -> bool:
    """Over the limit: grow the buffer if allowed, squeeze the queues, then throw away. Linux: tcp_prune_queue()."""
    net = tp.net
    net.mib[TcpExt.PruneCalled] += 1
    if tp.sk_rmem_alloc > tp.sk_rcvbuf:
        tcp_clamp_window(tp)
    elif net.machine.tcp_memory_pressure:
        tp.rcv_ssthresh = min(tp.rcv_ssthresh, 4 * tp.advmss)
    if tp.sk_rmem_alloc <= tp.sk_rcvbuf:
        return True
    tcp_collapse_ofo_queue(cpu, tp)
    if tp.sk_receive_queue:
        tcp_collapse(cpu, tp, tp.sk_receive_queue, 0, len(tp.sk_receive_queue), tp.copied_seq, tp.rcv_nxt)
    if tp.sk_rmem_alloc <= tp.sk_rcvbuf:
        return True
    tcp_prune_ofo_queue(cpu, tp, skb)
    if tp.sk_rmem_alloc <= tp.sk_rcvbuf:
        return True
    net.mib[TcpExt.RcvPruned] += 1
    tp.pred_flags = False
    net.event(
        cpu,
        "tcp",
        f"{net.name}: receive buffer overrun: nothing left to squeeze, the segment is thrown away",
        2,
    )
    return False


def tcp_collapse(
    cpu: Cpu, tp: TcpSock, queue: Queue[SkBuff], first: int, stop: int, start: int, end: int
) -> None:
    """Copy bloated packets queue[first:stop] into dense one-page ones, from sequence `start` to `end`.

    The CPU is busy with it for as long as there is to read and to copy; whoever else waits for its softirqs waits. Linux: net/ipv4/tcp_input.c tcp_collapse().
    """
    index = first
    while index < stop:
        skb = queue[index]
        if not before(start, skb.end_seq):
            tcp_collapse_one(cpu, tp, queue, index)
            stop -= 1
            continue
        cpu.now += WALK_SKB_NS
        bloated = tcp_win_from_space(tp, skb.truesize) > skb.len or before(skb.seq, start)
        if not skb.tcp_flags & (SYN | FIN) and bloated:
            break
        if index + 1 < stop and skb.end_seq != queue[index + 1].seq:
            break
        start = skb.end_seq
        index += 1
    if index >= stop or queue[index].tcp_flags & (SYN | FIN):
        return
    while before(start, end):
        copy = min(SKB_MAX_ORDER_0, (end - start) & MASK)
        template = queue[index]
        nskb = SkBuff(template.id, template.flow, template.protocol, 0, start, template.tcp_flags)
        nskb.stamps = None if template.stamps is None else list(template.stamps)
        nskb.source = template.source
        nskb.gso_segs = 0
        nskb.truesize, usable = skb_alloc_truesize(copy)
        nskb.tailroom = usable
        queue.insert(index, nskb)
        index += 1
        stop += 1
        skb_set_owner_r(tp, nskb)
        start, stop = tcp_collapse_copy(cpu, tp, queue, index, stop, nskb, copy, start)
        if index >= stop or queue[index].tcp_flags & (SYN | FIN):
            return


def tcp_collapse_copy(
    cpu: Cpu,
    tp: TcpSock,
    queue: Queue[SkBuff],
    index: int,
    stop: int,
    nskb: SkBuff,
    copy: int,
    start: int,
) -> tuple[int, int]:
    """Fill `nskb` with `copy` bytes from queue[index:stop], releasing what is used up; returns (start, stop)."""
    while copy > 0:
        skb = queue[index]
        size = min(copy, (skb.end_seq - start) & MASK)
        if before(start, skb.end_seq) and size:
            nskb.len += size
            nskb.head_len += size
            nskb.tailroom -= size
            nskb.end_seq = start = (start + size) & MASK
            copy -= size
            cpu.now += size * COLLAPSE_KIB_NS >> 10
        if not before(start, skb.end_seq):
            nskb.gso_segs += skb.gso_segs
            nskb.arrival = skb.arrival
            skb.gso_segs = 0
            tcp_collapse_one(cpu, tp, queue, index)
            stop -= 1
            if index >= stop or queue[index].tcp_flags & (SYN | FIN):
                break
    return start, stop


def tcp_collapse_one(cpu: Cpu, tp: TcpSock, queue: Queue[SkBuff], index: int) -> None:
    """Free one collapsed packet. Linux: tcp_collapse_one()."""
    skb = queue[index]
    del queue[index]
    cpu.now += (1 + skb.nr_frags) * COLLAPSE_PIECE_NS
    sock_rfree(tp, skb.truesize)
    tp.net.mib[TcpExt.TCPRcvCollapsed] += 1
    if skb.gso_segs:
        tp.net.consumed += skb.gso_segs
    skb.fate = MERGED


def tcp_collapse_ofo_queue(cpu: Cpu, tp: TcpSock) -> None:
    """Collapse every run of adjacent out-of-order packets; lone small ones gain nothing, and many of them end the attempt.

    Linux: net/ipv4/tcp_input.c tcp_collapse_ofo_queue().
    """
    queue = tp.out_of_order_queue
    index = tiny = 0
    while index < len(queue):
        start, end = queue[index].seq, queue[index].end_seq
        truesize = queue[index].truesize
        stop = index + 1
        while stop < len(queue) and not after(queue[stop].seq, end):
            if after(queue[stop].end_seq, end):
                end = queue[stop].end_seq
            truesize += queue[stop].truesize
            stop += 1
        cpu.now += (stop - index) * WALK_SKB_NS
        if stop - index == 1 and (end - start) & MASK < SKB_MAX_ORDER_0:
            tiny += truesize
            if tiny > tp.sk_rcvbuf >> 3:
                return
            index = stop
            continue
        length = len(queue)
        tcp_collapse(cpu, tp, queue, index, stop, start, end)
        index = stop - (length - len(queue))


def tcp_prune_ofo_queue(cpu: Cpu, tp: TcpSock, in_skb: SkBuff) -> bool:
    """Throw away out-of-order data from the far end until the rest fits. Linux: tcp_prune_ofo_queue()."""
    queue = tp.out_of_order_queue
    if not queue:
        return False
    pruned = False
    goal = tp.sk_rcvbuf >> 3
    while queue and not after(in_skb.seq, queue[-1].seq):
        skb = queue[-1]
        del queue[-1]
        cpu.now += (1 + skb.nr_frags) * PRUNE_PIECE_NS
        sock_rfree(tp, skb.truesize)
        tcp_drop_reason(tp, skb, DropReason.TCP_OFO_QUEUE_PRUNE)
        pruned = True
        goal -= skb.truesize
        if goal <= 0:
            if tp.sk_rmem_alloc <= tp.sk_rcvbuf:
                break
            goal = tp.sk_rcvbuf >> 3
    if pruned:
        tp.net.mib[TcpExt.OfoPruned] += 1
        tp.selective_acks.clear()
    return pruned


def tcp_rcv_rtt_update(tp: TcpSock, sample_us: int, *, win_dep: bool) -> None:
    """Learn the round trip as the receiver sees it; rcv_rtt_us holds 8 times it. Linux: tcp_rcv_rtt_update()."""
    old = tp.rcv_rtt_us
    m = sample_us << 3
    if old == 0 or m < old:
        tp.rcv_rtt_us = m
    elif not win_dep and tp.rcv_nxt == tp.copied_seq:
        tp.rcv_rtt_us = old - (old >> 3) + sample_us


def tcp_rcv_rtt_measure(cpu: Cpu, tp: TcpSock) -> None:
    """Without timestamps: the time to receive one window. Linux: tcp_rcv_rtt_measure()."""
    now_us = cpu.now // 1000
    if tp.rcv_rtt_time_us:
        if before(tp.rcv_nxt, tp.rcv_rtt_seq):
            return
        tcp_rcv_rtt_update(tp, max(now_us - tp.rcv_rtt_time_us, 1), win_dep=True)
    tp.rcv_rtt_seq = (tp.rcv_nxt + tp.rcv_wnd) & MASK
    tp.rcv_rtt_time_us = now_us or 1


def tcp_rcv_rtt_measure_ts(cpu: Cpu, tp: TcpSock, skb: SkBuff) -> None:
    """With timestamps: how long ago we sent what the data echoes. Linux: tcp_rcv_rtt_measure_ts()."""
    if not skb.tsecr or skb.tsecr == tp.rcv_rtt_last_tsecr:
        return
    tp.rcv_rtt_last_tsecr = skb.tsecr
    if skb.len >= tp.rcv_mss:
        delta_us = max(((cpu.now // 1_000_000 + tp.ts_off - skb.tsecr) & MASK) * 1000, 1000)
        tcp_rcv_rtt_update(tp, delta_us, win_dep=False)


def tcp_rcv_space_adjust(cpu: Cpu, tp: TcpSock) -> None:
    """Dynamic right-sizing: the reader took more in a round trip than ever, so let the buffer grow.

    Linux: net/ipv4/tcp_input.c tcp_rcv_space_adjust().
    """
    now_us = cpu.now // 1000
    if not tp.rcv_rtt_us or now_us - tp.rcvq_space_time_us < tp.rcv_rtt_us >> 3:
        return
    copied = (tp.copied_seq - tp.rcvq_space_seq) & MASK
    copied -= (tp.rcv_nxt - tp.copied_seq) & MASK
    if copied > tp.rcvq_space:
        tcp_rcvbuf_grow(tp, copied)
    tp.rcvq_space_seq = tp.copied_seq
    tp.rcvq_space_time_us = now_us


def tcp_rcvbuf_grow(tp: TcpSock, newval: int) -> None:
    """Make sk_rcvbuf hold twice what was consumed in a round trip, and more while the rate grows.

    Linux: net/ipv4/tcp_input.c tcp_rcvbuf_grow(); before 6.16 the rule added 16 segments instead.
    """
    oldval = tp.rcvq_space
    tp.rcvq_space = newval
    net = tp.net
    if not net.sysctl[TCP_MODERATE_RCVBUF] or tp.sk_userlocks & SOCK_RCVBUF_LOCK:
        return
    rcvwin = newval << 1
    if not net.machine.profile.drs_follows_ofo:
        rcvwin += 16 * tp.advmss
    rcvwin += (rcvwin * (newval - oldval) // max(oldval, 1)) << 1
    if net.machine.profile.drs_follows_ofo and tp.out_of_order_queue:
        rcvwin += (tp.out_of_order_queue[-1].end_seq - tp.rcv_nxt) & MASK
    rcvbuf = min(tcp_space_from_win(tp, rcvwin), net.sysctl[TCP_RMEM][2])
    if rcvbuf > tp.sk_rcvbuf:
        tp.sk_rcvbuf = rcvbuf
        tp.window_clamp = tcp_win_from_space(tp, rcvbuf)
