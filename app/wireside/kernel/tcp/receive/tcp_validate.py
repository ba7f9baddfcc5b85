"""Is a segment good for its connection? Timestamps, sequence, RST and SYN, and the answers to what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.counters import Tcp, TcpExt
from wireside.catalog.drop_reasons import DropReason
from wireside.catalog.inet import ACK, FIN, MASK, RST, SYN
from wireside.catalog.tcp_states import TcpState
from wireside.kernel.core.skbuff import SkBuff, consume_skb
from wireside.kernel.tcp.ack.tcp_ack import (
    tcp_may_update_window,
    tcp_oow_rate_limited,
    tcp_send_challenge_ack,
)
from wireside.kernel.tcp.receive.tcp_ofo import tcp_dsack_set
from wireside.kernel.tcp.receive.tcp_rcv import tcp_enter_quickack_mode
from wireside.kernel.tcp.send.tcp_control import tcp_send_ack
from wireside.kernel.tcp.sock.tcp_sock import TcpSock, after, before, tcp_receive_window
from wireside.kernel.tcp.sock.tcp_state import tcp_drop_reason, tcp_reset

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu

TCP_PAWS_WINDOW: Final = 1
"""Units by which timestamps may come out of order. Linux: include/net/tcp.h."""
PEER_CLOSED: Final = (TcpState.CLOSE_WAIT, TcpState.CLOSING, TcpState.LAST_ACK)


def tcp_sequence(tp: TcpSock, skb: SkBuff) -> DropReason | None:
    """Why a segment is outside the window; None for one that is not, or whose FIN alone lies beyond the right edge.

    RFC: 793 page 69. Linux: net/ipv4/tcp_input.c tcp_sequence(), measured on 6.18.44.
    """
    if before(skb.end_seq, tp.rcv_wup):
        return DropReason.TCP_OLD_SEQUENCE
    right = (tp.rcv_nxt + tcp_receive_window(tp)) & MASK
    if after((skb.end_seq - bool(skb.tcp_flags & FIN)) & MASK, right):
        if after(skb.seq, right):
            return DropReason.TCP_INVALID_SEQUENCE
        if tp.net.machine.profile.beyond_window and tp.sk_receive_queue:
            return DropReason.TCP_INVALID_END_SEQUENCE
    return None


def tcp_paws_reject(tp: TcpSock, tsval: int) -> bool:
    """A timestamp older than the last one, by more than the one unit that is let pass; 0 is no timestamp to compare.

    Linux: include/net/tcp.h tcp_paws_check() with TCP_PAWS_WINDOW. Differs: ts_recent never grows too old (24 days).
    """
    return tp.tstamp_ok and bool(tp.ts_recent) and before(tsval + TCP_PAWS_WINDOW, tp.ts_recent)


def tcp_disordered_ack_check(tp: TcpSock, skb: SkBuff) -> DropReason | None:
    """Why a segment with an old timestamp is refused; a duplicate ACK may come late and is not. RFC: 7323 5.

    Linux: net/ipv4/tcp_input.c tcp_disordered_ack_check(), tcp_tsval_replay().
    """
    if not skb.tcp_flags & ACK or skb.seq != skb.end_seq:
        return DropReason.TCP_RFC7323_PAWS
    if skb.seq != tp.rcv_nxt:
        old = before(skb.seq, tp.rcv_nxt) and tp.net.machine.profile.paws_old_ack
        return DropReason.TCP_RFC7323_PAWS_ACK if old else DropReason.TCP_RFC7323_PAWS
    late_ms = tp.ts_recent - (skb.tsval or 0) & MASK
    if (
        skb.ack_seq != tp.snd_una
        or tcp_may_update_window(tp, skb.ack_seq, skb.seq, skb.window << tp.snd_wscale)
        or late_ms > tp.icsk_rto_ns * 6 // 5 // 1_000_000
    ):
        return DropReason.TCP_RFC7323_PAWS
    return None


def tcp_reset_check(tp: TcpSock, skb: SkBuff) -> bool:
    """A RST with the number of the FIN before it, as some stacks send it. Linux: net/ipv4/tcp_input.c, same name."""
    return tp.sk_state in PEER_CLOSED and (skb.seq + 1) & MASK == tp.rcv_nxt


def tcp_highest_sacked(tp: TcpSock) -> int | None:
    """Where the data received out of order ends: a RST may have that number, too. RFC: 5961 3.2 and 2018."""
    highest = None
    for _, end in tp.selective_acks:
        if highest is None or after(end, highest):
            highest = end
    return highest


def crossed_syn_ack(tp: TcpSock, skb: SkBuff) -> bool:
    """In a simultaneous open, the peer's SYN-ACK to our SYN: it completes the handshake.

    Linux: net/ipv4/tcp_input.c tcp_validate_incoming(), since 6.12.
    """
    return (
        tp.sk_state == TcpState.SYN_RECV
        and bool(skb.tcp_flags & ACK)
        and (skb.seq + 1) & MASK == skb.end_seq == tp.rcv_nxt
        and skb.ack_seq == tp.snd_nxt
    )


def tcp_send_dupack(cpu: Cpu, tp: TcpSock, skb: SkBuff) -> None:
    """Tell the peer where we are. Linux: net/ipv4/tcp_input.c tcp_send_dupack()."""
    if skb.end_seq != skb.seq and before(skb.seq, tp.rcv_nxt):
        tp.net.mib[TcpExt.DelayedACKLost] += 1
        tcp_enter_quickack_mode(tp)
        end = skb.end_seq if before(skb.end_seq, tp.rcv_nxt) else tp.rcv_nxt
        tcp_dsack_set(tp, skb.seq, end)
    tcp_send_ack(cpu, tp)


def tcp_syn_challenge(cpu: Cpu, tp: TcpSock, skb: SkBuff) -> None:
    """A SYN on a living connection: challenge it; an established one takes it for an error, too. RFC: 5961 4.2."""
    tp.net.mib[Tcp.InErrs] += tp.sk_state == TcpState.ESTABLISHED
    tp.net.mib[TcpExt.TCPSYNChallenge] += 1
    tcp_send_challenge_ack(cpu, tp)
    tcp_drop_reason(tp, skb, DropReason.TCP_INVALID_SYN)


def tcp_paws_discard(cpu: Cpu, tp: TcpSock, skb: SkBuff, reason: DropReason) -> None:
    """Refuse a segment for its old timestamp: a SYN is challenged, an old ACK is common and needs no answer."""
    net = tp.net
    if skb.tcp_flags & SYN:
        tcp_syn_challenge(cpu, tp, skb)
        return
    if reason is DropReason.TCP_RFC7323_PAWS_ACK:
        net.mib[TcpExt.PAWSOldAck] += 1
    else:
        net.mib[TcpExt.PAWSEstab] += 1
        if not tcp_oow_rate_limited(cpu, tp, skb, TcpExt.TCPACKSkippedPAWS):
            tcp_send_dupack(cpu, tp, skb)
    tcp_drop_reason(tp, skb, reason)


def tcp_validate_incoming(cpu: Cpu, tp: TcpSock, skb: SkBuff) -> bool:
    """The ACK flag, timestamps, sequence, RST and SYN, in this order; False when the segment has been dealt with.

    RFC: 793, 1323, 5961. Linux: net/ipv4/tcp_input.c tcp_validate_incoming().
    """
    net = tp.net
    flags = skb.tcp_flags
    if not flags & (ACK | RST | SYN):
        tcp_drop_reason(tp, skb, DropReason.TCP_FLAGS)
        return False
    if skb.tsval is not None and not flags & RST and tcp_paws_reject(tp, skb.tsval):
        reason = tcp_disordered_ack_check(tp, skb)
        if reason is not None:
            tcp_paws_discard(cpu, tp, skb, reason)
            return False
    reason = tcp_sequence(tp, skb)
    if reason is not None:
        if flags & RST:
            if tcp_reset_check(tp, skb):
                consume_skb(net, skb)
                tcp_reset(cpu, tp)
                return False
        else:
            if flags & SYN:
                tcp_syn_challenge(cpu, tp, skb)
                return False
            if reason is DropReason.TCP_INVALID_END_SEQUENCE or reason is DropReason.TCP_INVALID_SEQUENCE:
                net.mib[TcpExt.BeyondWindow] += net.machine.profile.beyond_window
            if not tcp_oow_rate_limited(cpu, tp, skb, TcpExt.TCPACKSkippedSeq):
                tcp_send_dupack(cpu, tp, skb)
        tcp_drop_reason(tp, skb, reason)
        return False
    if flags & RST:
        if skb.seq == tp.rcv_nxt or tcp_reset_check(tp, skb) or skb.seq == tcp_highest_sacked(tp):
            consume_skb(net, skb)
            tcp_reset(cpu, tp)
        else:
            tcp_send_challenge_ack(cpu, tp)
            tcp_drop_reason(tp, skb, DropReason.TCP_RESET)
        return False
    if flags & SYN and not crossed_syn_ack(tp, skb):
        tcp_syn_challenge(cpu, tp, skb)
        return False
    return True
