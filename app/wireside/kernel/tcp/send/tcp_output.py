"""Sending: from the write queue through Nagle, window and cwnd to the IP layer.

Read downward: `tcp_push` decides to push, `tcp_write_xmit` decides how much, `tcp_transmit_skb` builds the segment.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, cast

from wireside.catalog.counters import Tcp, TcpExt
from wireside.catalog.inet import ACK, IPPROTO_TCP, MASK, PSH, SYN, TCPOLEN_TSTAMP_ALIGNED
from wireside.catalog.stages import Stage
from wireside.catalog.sysctls import TCP_LIMIT_OUTPUT_BYTES, TCP_MIN_SND_MSS, TCP_TIMESTAMPS
from wireside.catalog.tcp_states import TcpState
from wireside.kernel.core.dev_tx import NET_XMIT_CN
from wireside.kernel.core.hrtimer import hrtimer_cancel
from wireside.kernel.core.sk_buff_head import NO_ENTRIES
from wireside.kernel.core.skbuff import SK_BUFF_SIZE, SKB_SMALL_HEAD, SkBuff, skb_birth, tcp_syn_options_len
from wireside.kernel.core.sock import sk_wmem_queue_add
from wireside.kernel.core.softirq import tasklet_schedule
from wireside.kernel.ip.ip_output import dst_mtu, ip_queue_xmit
from wireside.kernel.tcp.send.tcp_cong import tcp_enter_cwr
from wireside.kernel.tcp.send.tcp_tso import (
    skb_segs,
    tcp_bound_to_half_wnd,
    tcp_cwnd_validate,
    tcp_fragment,
    tcp_grow_skb,
    tcp_mss_split_point,
    tcp_nagle_test,
    tcp_tso_segs,
    tcp_tso_should_defer,
)
from wireside.kernel.tcp.send.tcp_xmit_timer import (
    tcp_probe0_base_ns,
    tcp_rearm_rto,
    tcp_reset_xmit_timer,
    tcp_schedule_loss_probe,
)
from wireside.kernel.tcp.sock.tcp_sock import (
    ICSK_ACK_SCHED,
    ICSK_TIME_LOSS_PROBE,
    ICSK_TIME_NONE,
    ICSK_TIME_PROBE0,
    TCP_CA_CWR,
    TCP_CA_RECOVERY,
    TCP_NAGLE_PUSH,
    TCP_TSQ_DEFERRED,
    TSQ_QUEUED,
    TSQ_THROTTLED,
    after,
    seq_max,
    tcp_packets_in_flight,
    tcp_wnd_end,
)
from wireside.kernel.tcp.sock.tcp_stream import tcp_check_space
from wireside.kernel.tcp.sock.tcp_window import tcp_select_window

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu
    from wireside.kernel.core.skbuff import Charged
    from wireside.kernel.tcp.sock.tcp_sock import TcpSock

TCP_WRITE_XMIT: Final = int(Stage.TCP_WRITE_XMIT)
HEADERS: Final = 54
"""Ethernet 14 + IP 20 + TCP 20, bytes."""
SKB_HEAD_TRUESIZE: Final = SK_BUFF_SIZE + SKB_SMALL_HEAD
"""A segment's sk_buff and header room; payload lies in page fragments. Linux: tcp_stream_alloc_skb()."""
XMIT_STATES: Final = frozenset(
    {TcpState.ESTABLISHED, TcpState.FIN_WAIT1, TcpState.CLOSING, TcpState.CLOSE_WAIT, TcpState.LAST_ACK}
)


def tcp_options_len(tp: TcpSock) -> int:
    """Bytes of TCP options on an ordinary segment. Linux: tcp_established_options()."""
    size = TCPOLEN_TSTAMP_ALIGNED if tp.tstamp_ok else 0
    blocks = len(tp.selective_acks) + (tp.dsack is not None)
    if blocks:
        size += 4 + 8 * min(blocks, (40 - size - 4) // 8)
    return size


def tcp_sack_option(tp: TcpSock) -> tuple[tuple[int, int], ...]:
    """SACK blocks to send, a D-SACK first. RFC: 2018, 2883."""
    blocks = (tp.dsack, *tp.selective_acks) if tp.dsack is not None else tuple(tp.selective_acks)
    return blocks[: 3 if tp.tstamp_ok else 4]


def tcp_wfree(cpu: Cpu, skb: Charged) -> None:
    """The device is done with a segment: stop charging it, and let a throttled socket go on sending later.

    Not here: whoever freed the segment may be sending for this very socket. Under ksoftirqd the device first runs dry.
    Linux: net/ipv4/tcp_output.c tcp_wfree().
    """
    tp = cast("TcpSock", skb.sk)
    tp.sk_wmem_alloc -= skb.truesize
    flags = tp.tsq_flags
    if flags & TSQ_THROTTLED and not flags & TSQ_QUEUED:
        if tp.sk_wmem_alloc >= SKB_HEAD_TRUESIZE and cpu.context == "ksoftirqd":
            return
        tp.tsq_flags = flags & ~TSQ_THROTTLED | TSQ_QUEUED
        tasklet_schedule(cpu, tcp_tsq_workfn, tp)


def tcp_tsq_workfn(cpu: Cpu, tp: TcpSock) -> None:
    """The turn of a socket that TSQ held back; when a system call owns it, release_sock() does it.

    Linux: net/ipv4/tcp_output.c tcp_tsq_workfn(), tcp_tsq_handler().
    """
    tp.tsq_flags &= ~TSQ_QUEUED
    if tp.sk_lock_owned:
        tp.tsq_flags |= TCP_TSQ_DEFERRED
    else:
        tcp_tsq_write(cpu, tp)


def tcp_tsq_write(cpu: Cpu, tp: TcpSock) -> None:
    """Go on sending. Linux: net/ipv4/tcp_output.c tcp_tsq_write()."""
    if tp.sk_state in XMIT_STATES:
        tcp_write_xmit(cpu, tp, tcp_current_mss(tp), tp.nonagle, 0)


def tcp_build_header(cpu: Cpu, tp: TcpSock, skb: SkBuff) -> None:
    """Fill in window and options of a segment about to leave.

    A SYN-ACK to a SYN that crossed ours offers what the SYN did. Linux: net/ipv4/tcp_output.c tcp_syn_options().
    """
    skb.hdr_len = HEADERS
    stamped = tp.tstamp_ok
    if skb.tcp_flags & SYN:
        skb.window = min(tp.rcv_wnd, 65535)
        stamped = bool(tp.net.sysctl[TCP_TIMESTAMPS])
        assert skb.opt is not None
        skb.hdr_len += tcp_syn_options_len(skb.opt, stamped=stamped)
    else:
        skb.window = tcp_select_window(cpu, tp)
        if tp.selective_acks or tp.dsack is not None:
            skb.hdr_len += tcp_options_len(tp)
            skb.sack = tcp_sack_option(tp)
        elif tp.tstamp_ok:
            skb.hdr_len += TCPOLEN_TSTAMP_ALIGNED
    if stamped:
        skb.tsval = (cpu.now // 1_000_000 + tp.ts_off) & MASK
        skb.tsecr = tp.ts_recent


def tcp_transmit_skb(cpu: Cpu, tp: TcpSock, queued: SkBuff) -> int:
    """Send a copy of a queued segment; 0, or the error of the queueing discipline, which also lowers cwnd.

    Linux: net/ipv4/tcp_output.c __tcp_transmit_skb().
    """
    net = tp.net
    now = cpu.now
    length = queued.len
    flow = tp.flow_out
    assert flow is not None
    skb = SkBuff(net.machine.skb_id(), flow, IPPROTO_TCP, length, queued.seq, queued.tcp_flags)
    skb.end_seq = queued.end_seq
    skb.ack_seq = tp.rcv_nxt
    skb.gso_segs = segs = queued.gso_segs
    if segs > 1:
        skb.tcp_flags |= PSH  # so that GRO at the receiver lets go of it
    skb.gso_size = queued.gso_size
    skb.opt = queued.opt
    skb.nr_frags = queued.nr_frags
    skb.original = queued if length else None
    skb.truesize = queued.truesize or SKB_HEAD_TRUESIZE
    skb.retrans = queued.retrans
    skb.probe = queued.probe
    queued.skb_mstamp_ns = now or 1
    if not tp.first_tx_ns:
        tp.first_tx_ns = now
    skb_birth(net, skb)
    cpu.charge(TCP_WRITE_XMIT, skb)
    tcp_build_header(cpu, tp, skb)
    skb.sk = tp
    skb.destructor = tcp_wfree
    tp.sk_wmem_alloc += skb.truesize
    if skb.tcp_flags & ACK:
        tcp_event_ack_sent(tp)
    mib = net.mib
    if length:
        tcp_event_data_sent(tp, now)
        tp.data_segs_out += segs
        tp.bytes_sent += length
    tp.segs_out += segs
    if after(queued.end_seq, tp.snd_nxt) or queued.seq == queued.end_seq:
        mib[Tcp.OutSegs] += segs  # not of what is sent again: RFC 1213
    rc = ip_queue_xmit(cpu, net, skb)
    if rc > 0:
        tcp_enter_cwr(tp)
        rc = 0 if rc == NET_XMIT_CN else rc
    return rc


def tcp_event_ack_sent(tp: TcpSock) -> None:
    """An acknowledgement leaves: use up quick ACKs, nothing is owed any more.

    Linux: net/ipv4/tcp_output.c tcp_event_ack_sent().
    """
    if tp.compressed_ack:
        tp.net.mib[TcpExt.TCPAckCompressed] += tp.compressed_ack
        tp.compressed_ack = 0
        if tp.compressed_ack_timer is not None:
            hrtimer_cancel(tp.net.machine, tp.compressed_ack_timer)
            tp.compressed_ack_timer = None
    if tp.ack_quick and tp.ack_pending & ICSK_ACK_SCHED:
        tp.ack_quick -= 1
        if not tp.ack_quick:
            tp.ack_ato_ns = 40_000_000
    tp.ack_pending = 0
    tp.dsack = None


def tcp_event_data_sent(tp: TcpSock, now: int) -> None:
    """Data leaves: a reply soon after reception makes the session interactive. Linux: tcp_event_data_sent()."""
    if tp.packets_out == tp.sacked_out + tp.lost_out - tp.retrans_out:
        tp.ca_ops.tx_start(tp, now)
    tp.lsndtime_ns = now
    if now - tp.lrcvtime_ns < tp.ack_ato_ns and tp.ack_pingpong < 255:
        tp.ack_pingpong += 1


def tcp_queue_skb(tp: TcpSock, skb: SkBuff) -> None:
    """Put a segment at the end of the write queue. Linux: tcp_queue_skb(), tcp_skb_entail()."""
    tp.write_seq = skb.end_seq
    if tp.tcp_write_queue is NO_ENTRIES:
        tp.tcp_write_queue = deque()
    tp.tcp_write_queue.append(skb)
    sk_wmem_queue_add(tp, skb.truesize)


def tcp_rtx_queue_tail(tp: TcpSock, skb: SkBuff) -> None:
    """Put a segment at the end of the retransmit queue. Linux: tcp_rbtree_insert(&sk->tcp_rtx_queue)."""
    if tp.tcp_rtx_queue is NO_ENTRIES:
        tp.tcp_rtx_queue = deque()
    tp.tcp_rtx_queue.append(skb)


def tcp_new_skb(tp: TcpSock, seq: int, flags: int) -> SkBuff:
    """An empty segment for the write queue; it gets its packet number when it is transmitted."""
    assert tp.flow_out is not None
    skb = SkBuff(0, tp.flow_out, IPPROTO_TCP, 0, seq, flags)
    skb.truesize = SKB_HEAD_TRUESIZE
    return skb


def tcp_small_queue_check(tp: TcpSock, skb: SkBuff, factor: int = 0) -> bool:
    """Too much of this socket already waits in qdisc and device (TSQ); a second packet may always join the first.

    The kernel's sk_wmem_alloc begins with 1, so the limit itself is too much. Linux: tcp_small_queue_check().
    """
    limit = max(2 * skb.truesize, (tp.pacing_rate >> 10) or 1 << 62)
    limit = min(limit, tp.net.sysctl[TCP_LIMIT_OUTPUT_BYTES]) << factor
    if tp.sk_wmem_alloc >= limit and len(tp.tcp_rtx_queue) > 1:
        tp.tsq_flags |= TSQ_THROTTLED
        return True
    return False


def tcp_write_xmit(cpu: Cpu, tp: TcpSock, mss: int, nonagle: int, push_one: int) -> bool:
    """Send what congestion window, receive window and Nagle allow; True: data waits and nothing is in flight.

    `push_one` 1 sends one segment, 2 one more even if cwnd is used up (a loss probe). All of one call bear one time: RACK
    tells them apart by sequence number. Linux: net/ipv4/tcp_output.c tcp_write_xmit(), tcp_mstamp_refresh().
    """
    sent, cwnd_limited = 0, False
    mstamp_ns = cpu.now or 1
    max_segs = tcp_tso_segs(tp, mss)
    queue = tp.tcp_write_queue
    while queue:
        skb = queue[0]
        in_flight = tp.packets_out - tp.sacked_out - tp.lost_out + tp.retrans_out
        quota = 0 if in_flight >= tp.snd_cwnd else min(max(tp.snd_cwnd >> 1, 1), tp.snd_cwnd - in_flight)
        if not quota:
            if push_one != 2:
                break
            quota = 1
        quota = min(quota, max_segs)
        if skb.len < quota * mss and len(queue) > 1:
            tcp_grow_skb(tp, quota * mss - skb.len)
        segs = skb_segs(skb, mss)
        end_seq = (skb.seq + mss) & MASK if skb.len > mss else skb.end_seq
        if after(end_seq, tcp_wnd_end(tp)):
            break
        if segs == 1:
            if not tcp_nagle_test(tp, skb, mss, nonagle if len(queue) == 1 else TCP_NAGLE_PUSH):
                break
        elif not push_one:
            defer = tcp_tso_should_defer(cpu, tp, skb, max_segs, in_flight, mss)
            if defer:
                cwnd_limited = defer == 2
                break
        limit = mss if segs == 1 else tcp_mss_split_point(tp, skb, mss, quota, nonagle)
        if skb.len > limit:
            tcp_fragment(tp, queue, 0, limit, mss)
        if tcp_small_queue_check(tp, skb):
            break
        skb_segs(skb, mss)
        if tcp_transmit_skb(cpu, tp, skb):
            break
        skb.skb_mstamp_ns = mstamp_ns
        tcp_event_new_data_sent(cpu, tp, skb)
        if skb.len < mss * skb.gso_segs:
            tp.snd_sml = skb.end_seq
        sent += skb.gso_segs
        if push_one:
            break
    tcp_xmit_done(cpu, tp, sent, cwnd_limited=cwnd_limited, probe=push_one == 2)
    return not sent and not tp.packets_out and bool(queue)


def tcp_xmit_done(cpu: Cpu, tp: TcpSock, sent: int, *, cwnd_limited: bool, probe: bool) -> None:
    """After sending `sent` segments: note how cwnd was used, and arm the loss probe."""
    cwnd_limited = cwnd_limited or tcp_packets_in_flight(tp) >= tp.snd_cwnd
    if sent or cwnd_limited:
        tcp_cwnd_validate(cpu, tp, cwnd_limited)
    if sent:
        if tp.ca_state in (TCP_CA_CWR, TCP_CA_RECOVERY):
            tp.prr_out += sent
        if not probe:
            tcp_schedule_loss_probe(cpu, tp)


def tcp_event_new_data_sent(cpu: Cpu, tp: TcpSock, skb: SkBuff) -> None:
    """Move a segment just sent to the retransmit queue; a writer may wait for that. Linux: tcp_event_new_data_sent()."""
    tp.tcp_write_queue.popleft()
    tcp_rtx_queue_tail(tp, skb)
    tp.snd_nxt = seq_max(skb.end_seq, tp.snd_nxt)
    prior = tp.packets_out
    tp.packets_out += skb.gso_segs
    if not prior or tp.icsk_pending == ICSK_TIME_LOSS_PROBE:
        tcp_rearm_rto(cpu, tp)
    tp.net.mib[TcpExt.TCPOrigDataSent] += skb.gso_segs
    if tp.sk_nospace:
        tcp_check_space(cpu, tp)


def tcp_push_pending_frames(cpu: Cpu, tp: TcpSock, mss: int, nonagle: int) -> None:
    """Send what may be sent; when nothing may and nothing is in flight, start probing the window.

    Linux: net/ipv4/tcp_output.c __tcp_push_pending_frames().
    """
    if tp.sk_state != TcpState.CLOSE and tcp_write_xmit(cpu, tp, mss, nonagle, 0):
        tcp_check_probe_timer(cpu, tp)


def tcp_check_probe_timer(cpu: Cpu, tp: TcpSock) -> None:
    """Arm the persist timer when data waits with nothing in flight. Linux: tcp_check_probe_timer()."""
    if not tp.packets_out and tp.icsk_pending == ICSK_TIME_NONE:
        tcp_reset_xmit_timer(cpu, tp, ICSK_TIME_PROBE0, tcp_probe0_base_ns(tp))


def tcp_push_one(cpu: Cpu, tp: TcpSock, mss: int) -> None:
    """Send exactly one segment, if allowed. Linux: tcp_push_one()."""
    tcp_write_xmit(cpu, tp, mss, TCP_NAGLE_PUSH, 1)


def tcp_mark_push(tp: TcpSock, skb: SkBuff) -> None:
    """Set PSH on the last segment queued. Linux: tcp_mark_push()."""
    skb.tcp_flags |= PSH
    tp.pushed_seq = tp.write_seq


def tcp_data_snd_check(cpu: Cpu, tp: TcpSock) -> None:
    """After an ACK: send what has become possible, then wake a writer. Linux: tcp_data_snd_check()."""
    if tp.tcp_write_queue:
        tcp_push_pending_frames(cpu, tp, tcp_current_mss(tp), tp.nonagle)


def tcp_current_mss(tp: TcpSock) -> int:
    """Payload bytes of a full segment now, less what SACK blocks take. Linux: tcp_current_mss()."""
    if tp.selective_acks or tp.dsack is not None:
        return tp.mss_cache - tcp_options_len(tp) + (TCPOLEN_TSTAMP_ALIGNED if tp.tstamp_ok else 0)
    return tp.mss_cache


def tcp_sync_mss(tp: TcpSock) -> int:
    """Recompute mss_cache from the device's MTU and the peer's MSS. Linux: tcp_sync_mss(), tcp_mtu_to_mss()."""
    assert tp.flow_out is not None
    least = tp.net.sysctl[TCP_MIN_SND_MSS]
    mss = max(min(dst_mtu(tp.net, tp.flow_out[2]) - 40, tp.mss_clamp), least) - (
        TCPOLEN_TSTAMP_ALIGNED if tp.tstamp_ok else 0
    )
    tp.mss_cache = tcp_bound_to_half_wnd(tp, mss)
    return tp.mss_cache
