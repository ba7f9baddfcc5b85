"""Segments that carry no new data: ACKs now and later, FIN, RST, and probes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.counters import Tcp, TcpExt
from wireside.catalog.inet import ACK, FIN, IPPROTO_TCP, MASK, PSH, RST, SYN, TCPOLEN_TSTAMP_ALIGNED
from wireside.catalog.stages import Stage
from wireside.catalog.sysctls import TCP_PINGPONG_THRESH, TCP_RETRIES2
from wireside.catalog.tcp_states import TcpState
from wireside.kernel.core.skbuff import SkBuff, skb_birth
from wireside.kernel.core.sock import sk_forced_mem_schedule
from wireside.kernel.ip.ip_output import ip_queue_xmit
from wireside.kernel.tcp.send.tcp_output import (
    HEADERS,
    SKB_HEAD_TRUESIZE,
    tcp_current_mss,
    tcp_event_new_data_sent,
    tcp_new_skb,
    tcp_push_pending_frames,
    tcp_queue_skb,
    tcp_transmit_skb,
)
from wireside.kernel.tcp.send.tcp_tso import skb_segs, tcp_fragment
from wireside.kernel.tcp.send.tcp_xmit_timer import (
    tcp_clamp_probe0_to_user_timeout,
    tcp_probe0_when_ns,
    tcp_reset_xmit_timer,
)
from wireside.kernel.tcp.sock.tcp_sock import (
    ICSK_ACK_PUSHED,
    ICSK_ACK_SCHED,
    ICSK_ACK_TIMER,
    ICSK_TIME_PROBE0,
    TCP_NAGLE_OFF,
    before,
    tcp_wnd_end,
)

if TYPE_CHECKING:
    from wireside.catalog.kinds import Counter
    from wireside.kernel.core.net import Cpu, Net
    from wireside.kernel.tcp.sock.tcp_sock import TcpSock

TCP_DELACK_MIN_NS: Final = 40_000_000
TCP_ATO_MIN_NS: Final = 40_000_000
TCP_DELACK_MAX_NS: Final = 200_000_000
RESOURCE_PROBE_INTERVAL_NS: Final = 500_000_000
"""Wait before another attempt when the host's own queue was full."""
TCP_WRITE_XMIT: Final = int(Stage.TCP_WRITE_XMIT)


def tcp_send_ack(cpu: Cpu, tp: TcpSock) -> None:
    """Send an acknowledgement with no data now. Linux: net/ipv4/tcp_output.c __tcp_send_ack()."""
    if tp.sk_state != TcpState.CLOSE:
        tcp_send_empty(cpu, tp, tcp_acceptable_seq(tp))


def tcp_sack_compress_send_ack(cpu: Cpu, tp: TcpSock) -> None:
    """Send the duplicate ACKs that were held back as one. Linux: net/ipv4/tcp_input.c tcp_sack_compress_send_ack()."""
    if tp.compressed_ack:
        tp.compressed_ack -= 1  # the one that leaves after all
        tcp_send_ack(cpu, tp)


def tcp_send_empty(cpu: Cpu, tp: TcpSock, seq: int, *, probe: bool = False) -> int:
    """Send a zero-length segment with ACK and sequence number `seq`; 0 or an error."""
    assert tp.flow_out is not None
    skb = SkBuff(0, tp.flow_out, IPPROTO_TCP, 0, seq, ACK)
    skb.probe = probe
    skb.truesize = SKB_HEAD_TRUESIZE
    return tcp_transmit_skb(cpu, tp, skb)


def tcp_in_pingpong_mode(tp: TcpSock) -> bool:
    """The session looks interactive: ACKs wait for data to ride on. Linux: inet_csk_in_pingpong_mode()."""
    return tp.ack_pingpong >= tp.net.sysctl[TCP_PINGPONG_THRESH]


def tcp_enter_pingpong_mode(tp: TcpSock) -> None:
    """Take the session for interactive from now on. Linux: inet_csk_enter_pingpong_mode()."""
    tp.ack_pingpong = tp.net.sysctl[TCP_PINGPONG_THRESH]


def tcp_send_delayed_ack(cpu: Cpu, tp: TcpSock) -> None:
    """Owe an acknowledgement: it leaves with data, or when the delayed-ACK timer fires.

    Linux: net/ipv4/tcp_output.c tcp_send_delayed_ack().
    """
    ato = tp.ack_ato_ns
    if ato > TCP_DELACK_MIN_NS:
        max_ato = 500_000_000
        if tcp_in_pingpong_mode(tp) or tp.ack_pending & ICSK_ACK_PUSHED:
            max_ato = TCP_DELACK_MAX_NS
        if tp.srtt_us:
            tick = tp.net.machine.timers.tick_ns
            rtt_ns = max((tp.srtt_us >> 3) * 1000 // tick * tick, TCP_DELACK_MIN_NS)
            max_ato = min(max_ato, rtt_ns)
        ato = min(ato, max_ato)
    ato = min(ato, TCP_DELACK_MAX_NS)
    timers = tp.net.machine.timers
    tick = timers.tick_ns
    timeout = (cpu.now // tick) * tick + ato
    if tp.ack_pending & ICSK_ACK_TIMER:
        if tp.ack_timeout <= (cpu.now // tick) * tick + (ato >> 2):
            tcp_send_ack(cpu, tp)
            return
        timeout = min(timeout, tp.ack_timeout)
    tp.ack_pending |= ICSK_ACK_SCHED | ICSK_ACK_TIMER
    tp.ack_timeout = timeout
    timer = tp.delack_timer
    assert timer is not None
    timers.mod_timer(timer, cpu.now // tick * tick, timeout)


def tcp_send_fin(cpu: Cpu, tp: TcpSock) -> None:
    """Queue a FIN behind all data, on the last waiting segment if there is one. Linux: tcp_send_fin()."""
    if tp.tcp_write_queue:
        tail = tp.tcp_write_queue[-1]
        tail.tcp_flags |= FIN
        tail.end_seq = (tail.end_seq + 1) & MASK
        tp.write_seq = (tp.write_seq + 1) & MASK
    else:
        skb = tcp_new_skb(tp, tp.write_seq, ACK | FIN)
        skb.end_seq = (skb.seq + 1) & MASK
        sk_forced_mem_schedule(tp, skb.truesize)
        tcp_queue_skb(tp, skb)
    tcp_push_pending_frames(cpu, tp, tcp_current_mss(tp), TCP_NAGLE_OFF)


def tcp_acceptable_seq(tp: TcpSock) -> int:
    """The sequence number of a segment without data: one that the peer's window allows, even if it has shrunk.

    Linux: net/ipv4/tcp_output.c tcp_acceptable_seq().
    """
    end = tcp_wnd_end(tp)
    if not before(end, tp.snd_nxt) or (tp.wscale_ok and (tp.snd_nxt - end) & MASK < 1 << tp.rcv_wscale):
        return tp.snd_nxt
    return end


def tcp_send_active_reset(cpu: Cpu, tp: TcpSock) -> None:
    """Tell the peer that we give up. Linux: net/ipv4/tcp_output.c tcp_send_active_reset()."""
    assert tp.flow_out is not None
    tp.net.mib[Tcp.OutRsts] += 1
    seq = tcp_acceptable_seq(tp)
    skb = SkBuff(0, tp.flow_out, IPPROTO_TCP, 0, seq, ACK | RST)
    skb.truesize = SKB_HEAD_TRUESIZE
    tcp_transmit_skb(cpu, tp, skb)


def tcp_v4_send_reset(cpu: Cpu, net: Net, skb: SkBuff) -> None:
    """Answer a segment that has no connection with RST. Linux: net/ipv4/tcp_ipv4.c tcp_v4_send_reset()."""
    if skb.tcp_flags & RST:
        return
    saddr, sport, daddr, dport = skb.flow
    if skb.tcp_flags & ACK:
        seq, ack, flags = skb.ack_seq, 0, RST
    else:
        length = skb.len + bool(skb.tcp_flags & SYN) + bool(skb.tcp_flags & FIN)
        seq, ack, flags = 0, (skb.seq + length) & MASK, RST | ACK
    reply = SkBuff(net.machine.skb_id(), (daddr, dport, saddr, sport), IPPROTO_TCP, 0, seq, flags)
    reply.ack_seq = ack
    reply.hdr_len = HEADERS
    reply.truesize = SKB_HEAD_TRUESIZE
    net.mib[Tcp.OutSegs] += 1
    net.mib[Tcp.OutRsts] += 1
    skb_birth(net, reply)
    cpu.charge(TCP_WRITE_XMIT, reply)
    ip_queue_xmit(cpu, net, reply)


def tcp_v4_send_ack(
    cpu: Cpu, net: Net, skb: SkBuff, seq: int, ack: int, window: int, tsval: int | None, tsecr: int
) -> None:
    """Answer `skb` with a bare ACK on behalf of something that is not a full socket.

    Linux: net/ipv4/tcp_ipv4.c tcp_v4_send_ack().
    """
    saddr, sport, daddr, dport = skb.flow
    reply = SkBuff(net.machine.skb_id(), (daddr, dport, saddr, sport), IPPROTO_TCP, 0, seq, ACK)
    reply.ack_seq = ack
    reply.window = window
    reply.hdr_len = HEADERS
    if tsval is not None:
        reply.tsval = tsval
        reply.tsecr = tsecr
        reply.hdr_len += TCPOLEN_TSTAMP_ALIGNED
    reply.truesize = SKB_HEAD_TRUESIZE
    net.mib[Tcp.OutSegs] += 1
    skb_birth(net, reply)
    cpu.charge(TCP_WRITE_XMIT, reply)
    ip_queue_xmit(cpu, net, reply)


def tcp_xmit_probe_skb(cpu: Cpu, tp: TcpSock, counter: Counter) -> int:
    """Ask for an answer with an old sequence number and no data; 0 or an error. Linux: tcp_xmit_probe_skb()."""
    tp.net.mib[counter] += 1
    return tcp_send_empty(cpu, tp, (tp.snd_una - 1) & MASK, probe=True)


def tcp_write_wakeup(cpu: Cpu, tp: TcpSock, counter: Counter) -> int:
    """Probe a closed window: with what still fits into it, else with an empty segment; above 0 if our own queue is full.

    Linux: net/ipv4/tcp_output.c tcp_write_wakeup().
    """
    queue = tp.tcp_write_queue
    if not queue or not before(queue[0].seq, tcp_wnd_end(tp)):
        return tcp_xmit_probe_skb(cpu, tp, counter)
    skb = queue[0]
    mss = tcp_current_mss(tp)
    room = (tcp_wnd_end(tp) - skb.seq) & MASK
    if room < skb.len or skb.len > mss:
        skb.tcp_flags |= PSH
        tcp_fragment(tp, queue, 0, min(room, mss), mss)
    skb_segs(skb, mss)
    skb.tcp_flags |= PSH
    error = tcp_transmit_skb(cpu, tp, skb)
    if not error:
        tcp_event_new_data_sent(cpu, tp, skb)
    return error


def tcp_send_probe0(cpu: Cpu, tp: TcpSock) -> None:
    """Send a window probe and double the wait for the next. Linux: net/ipv4/tcp_output.c tcp_send_probe0()."""
    error = tcp_write_wakeup(cpu, tp, TcpExt.TCPWinProbe)
    if tp.packets_out or not tp.tcp_write_queue:
        tp.icsk_probes_out = tp.icsk_backoff = tp.icsk_probes_tstamp = 0
        return
    tp.icsk_probes_out += 1
    when = RESOURCE_PROBE_INTERVAL_NS
    if error <= 0:
        if tp.icsk_backoff < tp.net.sysctl[TCP_RETRIES2]:
            tp.icsk_backoff += 1
        when = tcp_probe0_when_ns(tp)
    when = tcp_clamp_probe0_to_user_timeout(cpu, tp, when)
    tcp_reset_xmit_timer(cpu, tp, ICSK_TIME_PROBE0, when)
