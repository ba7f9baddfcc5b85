"""A segment for a connection: the fast path, the checks of the slow path, and the states of the handshake and close."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.counters import TcpExt
from wireside.catalog.drop_reasons import DropReason
from wireside.catalog.inet import ACK, FIN, MASK, RST, SYN
from wireside.catalog.stages import Stage
from wireside.catalog.tcp_states import TcpState
from wireside.kernel.core.skbuff import SkBuff, consume_skb, kfree_skb_reason
from wireside.kernel.core.sock import RCV_SHUTDOWN, SEND_SHUTDOWN, sk_state_change
from wireside.kernel.tcp.ack.ack_flag import FLAG_NO_CHALLENGE_ACK, FLAG_SLOWPATH, FLAG_UPDATE_TS_RECENT
from wireside.kernel.tcp.ack.tcp_ack import (
    ACK_UNSENT_DATA,
    tcp_ack,
    tcp_data_snd_check_space,
    tcp_fast_path_check,
    tcp_send_challenge_ack,
)
from wireside.kernel.tcp.ack.tcp_clean_rtx import tcp_synack_rtt_meas
from wireside.kernel.tcp.door.tcp import tcp_shutdown
from wireside.kernel.tcp.door.tcp_establish import (
    tcp_finish_connect,
    tcp_init_transfer,
    tcp_initialize_rcv_mss,
    tcp_send_synack,
    tcp_take_syn_options,
    tcp_try_undo_spurious_syn,
)
from wireside.kernel.tcp.door.tcp_timer import tcp_reset_keepalive_timer
from wireside.kernel.tcp.receive.tcp_rcv import tcp_ack_snd_check, tcp_data_queue, tcp_event_data_recv
from wireside.kernel.tcp.receive.tcp_rmem import tcp_queue_rcv, tcp_rcv_rtt_measure_ts
from wireside.kernel.tcp.receive.tcp_validate import PEER_CLOSED, tcp_validate_incoming
from wireside.kernel.tcp.send.tcp_control import tcp_v4_send_reset
from wireside.kernel.tcp.send.tcp_minisocks import TCP_TIMEWAIT_LEN_NS, tcp_fin_time_ns, tcp_time_wait
from wireside.kernel.tcp.send.tcp_output import tcp_sync_mss
from wireside.kernel.tcp.send.tcp_rtt import tcp_update_pacing_rate
from wireside.kernel.tcp.send.tcp_xmit_timer import tcp_reset_xmit_timer, tcp_timeout_min_ns
from wireside.kernel.tcp.sock.tcp_sock import ICSK_TIME_RETRANS, TcpSock, after, before, tcp_share_numbers
from wireside.kernel.tcp.sock.tcp_state import tcp_done, tcp_drop_reason, tcp_reset, tcp_set_state
from wireside.kernel.tcp.sock.tcp_stream import tcp_check_space, tcp_data_ready

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu

RECEIVE_QUEUE: Final = int(Stage.RECEIVE_QUEUE)


def tcp_rcv_established(cpu: Cpu, tp: TcpSock, skb: SkBuff) -> None:
    """A segment on an established connection; what was predicted takes the fast path.

    Linux: net/ipv4/tcp_input.c tcp_rcv_established().
    """
    if (
        tp.pred_flags
        and skb.tcp_flags & 0x37 == ACK
        and skb.seq == tp.rcv_nxt
        and not skb.sack
        and skb.window << tp.snd_wscale == tp.snd_wnd
        and not after(skb.ack_seq, tp.snd_nxt)
        and (
            skb.tsval is None
            if not tp.tstamp_ok
            else skb.tsval is not None and not before(skb.tsval, tp.ts_recent)
        )
        and tcp_fast_path(cpu, tp, skb)
    ):
        return
    if tcp_validate_incoming(cpu, tp, skb):
        tcp_slow_path(cpu, tp, skb)


def tcp_fast_path(cpu: Cpu, tp: TcpSock, skb: SkBuff) -> bool:
    """Header prediction hit: a pure ACK, or in-order data that fits; False when it needs the slow path.

    Data beyond the right edge of the window are left to tcp_sequence(). Linux: tcp_rcv_established(), since 6.17.
    """
    net = tp.net
    ack_advances = skb.ack_seq != tp.snd_una
    if not skb.len:
        if skb.tsval is not None and tp.rcv_nxt == tp.rcv_wup:
            tp.ts_recent = skb.tsval
        tcp_ack(cpu, tp, skb, 0)
        consume_skb(net, skb)
        tcp_data_snd_check_space(cpu, tp)
        return True
    if (tp.rcv_wup + tp.rcv_wnd - skb.end_seq) & 0x80000000 and net.machine.profile.beyond_window:
        return False
    if skb.truesize > tp.sk_forward_alloc:
        return False
    if skb.tsval is not None and tp.rcv_nxt == tp.rcv_wup:
        tp.ts_recent = skb.tsval
    tcp_rcv_rtt_measure_ts(cpu, tp, skb)
    net.mib[TcpExt.TCPHPHits] += 1
    if skb.stamps is not None:
        skb.stamps += (RECEIVE_QUEUE, cpu.now)
    cpu.now += cpu.cost[RECEIVE_QUEUE]
    tcp_queue_rcv(tp, skb)
    tcp_event_data_recv(cpu, tp, skb)
    if ack_advances:
        tcp_ack(cpu, tp, skb, 1)
        tcp_data_snd_check_space(cpu, tp)
    else:
        tp.snd_wl1 = skb.seq
    tcp_ack_snd_check(cpu, tp, ofo_possible=False)
    if tp.sk_wq:
        tcp_data_ready(cpu, tp)
    return True


def tcp_slow_path(cpu: Cpu, tp: TcpSock, skb: SkBuff) -> None:
    """The full sequence of checks for a segment that was not predicted."""
    net = tp.net
    result = tcp_ack(cpu, tp, skb, FLAG_SLOWPATH | FLAG_UPDATE_TS_RECENT)
    if result < 0:
        tcp_drop_reason(
            tp,
            skb,
            DropReason.TCP_ACK_UNSENT_DATA if result == ACK_UNSENT_DATA else DropReason.TCP_TOO_OLD_ACK,
        )
        return
    tcp_rcv_rtt_measure_ts(cpu, tp, skb)
    if skb.seq == skb.end_seq:
        consume_skb(net, skb)
    else:
        tcp_data_queue(cpu, tp, skb)
    tcp_data_snd_check_space(cpu, tp)
    tcp_ack_snd_check(cpu, tp)


def tcp_rcv_synsent_state_process(cpu: Cpu, tp: TcpSock, skb: SkBuff) -> None:
    """The answer to our SYN. RFC: 793 page 66. Linux: net/ipv4/tcp_input.c tcp_rcv_synsent_state_process()."""
    net = tp.net
    flags = skb.tcp_flags
    if flags & ACK:
        if not after(skb.ack_seq, tp.snd_una) or after(skb.ack_seq, tp.snd_nxt):
            if not tp.icsk_retransmits:
                tcp_reset_xmit_timer(cpu, tp, ICSK_TIME_RETRANS, tcp_timeout_min_ns(tp))
            tcp_v4_send_reset(cpu, net, skb)
            tcp_drop_reason(tp, skb, DropReason.TCP_INVALID_ACK_SEQUENCE)
            return
        if tcp_paws_active_reject(cpu, tp, skb):
            net.mib[TcpExt.PAWSActive] += 1
            tcp_v4_send_reset(cpu, net, skb)
            tcp_drop_reason(tp, skb, DropReason.TCP_RFC7323_PAWS)
            return
        if flags & RST:
            consume_skb(net, skb)
            tcp_reset(cpu, tp)
            return
        if not flags & SYN:
            tcp_drop_reason(tp, skb, DropReason.TCP_FLAGS)
            return
        tcp_finish_connect(cpu, tp, skb)
        consume_skb(net, skb)
        return
    if flags & RST:
        tcp_drop_reason(tp, skb, DropReason.TCP_RESET)
    elif flags & SYN:
        tcp_simultaneous_open(cpu, tp, skb)
    else:
        tcp_drop_reason(tp, skb, DropReason.TCP_FLAGS)


def tcp_paws_active_reject(cpu: Cpu, tp: TcpSock, skb: SkBuff) -> bool:
    """The answer to our SYN echoes a timestamp that we did not send since: it is not meant for this connection."""
    if skb.tsval is None or not skb.tsecr:
        return False
    first = (tp.retrans_stamp_ns // 1_000_000 + tp.ts_off) & MASK
    now = (cpu.now // 1_000_000 + tp.ts_off) & MASK
    return before(skb.tsecr, first) or after(skb.tsecr, now)


def tcp_simultaneous_open(cpu: Cpu, tp: TcpSock, skb: SkBuff) -> None:
    """Both ends sent a SYN: go to SYN_RECV and answer with SYN-ACK. RFC: 793 figure 8."""
    tcp_set_state(cpu, tp, TcpState.SYN_RECV)
    tcp_take_syn_options(tp, skb)
    tp.rcv_nxt = (skb.seq + 1) & MASK
    tp.copied_seq = tp.rcv_nxt
    tp.rcv_wup = tp.rcv_nxt
    tp.snd_wnd = skb.window
    tp.snd_wl1 = skb.seq
    tp.max_window = tp.snd_wnd
    tcp_sync_mss(tp)
    tcp_initialize_rcv_mss(tp)
    consume_skb(tp.net, skb)
    tcp_send_synack(cpu, tp)


def tcp_rcv_state_process(cpu: Cpu, tp: TcpSock, skb: SkBuff) -> None:
    """A segment in any state but ESTABLISHED, LISTEN and TIME_WAIT.

    Linux: net/ipv4/tcp_input.c tcp_rcv_state_process().
    """
    net = tp.net
    if tp.sk_state == TcpState.SYN_SENT:
        tcp_rcv_synsent_state_process(cpu, tp, skb)
        tcp_data_snd_check_space(cpu, tp)
        return
    if tp.sk_state == TcpState.CLOSE:
        tcp_drop_reason(tp, skb, DropReason.TCP_CLOSE)
        return
    if not tcp_validate_incoming(cpu, tp, skb):
        return
    result = tcp_ack(cpu, tp, skb, FLAG_SLOWPATH | FLAG_UPDATE_TS_RECENT | FLAG_NO_CHALLENGE_ACK)
    # An old acknowledgement is good enough while closing.
    if result < 0 or (result == 0 and tp.sk_state == TcpState.SYN_RECV):
        if tp.sk_state == TcpState.SYN_RECV:
            tcp_v4_send_reset(cpu, tp.net, skb)
            kfree_skb_reason(net, skb, DropReason.TCP_OLD_ACK)
        else:
            tcp_send_challenge_ack(cpu, tp)
            tcp_drop_reason(tp, skb, DropReason.TCP_OLD_ACK)
        return
    if not tcp_state_after_ack(cpu, tp, skb):
        return
    if tp.sk_state in PEER_CLOSED and not before(skb.seq, tp.rcv_nxt):
        tcp_drop_reason(tp, skb, DropReason.NOT_SPECIFIED)
    elif tp.sk_state != TcpState.ESTABLISHED and tcp_data_after_close(cpu, tp, skb):
        return
    elif skb.seq == skb.end_seq:
        consume_skb(net, skb)
    else:
        tcp_data_queue(cpu, tp, skb)
    tcp_snd_checks(cpu, tp)


def tcp_snd_checks(cpu: Cpu, tp: TcpSock) -> None:
    """Send what may be sent now, unless the segment has ended the connection or made a TIME-WAIT entry of it."""
    if tp.sk_state != TcpState.CLOSE:
        tcp_data_snd_check_space(cpu, tp)
        tcp_ack_snd_check(cpu, tp)


def tcp_data_after_close(cpu: Cpu, tp: TcpSock, skb: SkBuff) -> bool:
    """Data for a socket whose program reads no more: reset. RFC: 1122 4.2.2.13; True when that happened."""
    if not tp.sk_shutdown & RCV_SHUTDOWN:
        return False
    if skb.end_seq == skb.seq or not after((skb.end_seq - bool(skb.tcp_flags & FIN)) & MASK, tp.rcv_nxt):
        return False
    tp.net.mib[TcpExt.TCPAbortOnData] += 1
    tcp_reset(cpu, tp)
    tcp_v4_send_reset(cpu, tp.net, skb)
    tcp_drop_reason(tp, skb, DropReason.TCP_ABORT_ON_DATA)
    return True


def tcp_state_after_ack(cpu: Cpu, tp: TcpSock, skb: SkBuff) -> bool:
    """What an acceptable ACK means in each state; False when the socket is gone and the segment dealt with."""
    state = tp.sk_state
    fin_acked = tp.snd_una == tp.write_seq
    if state == TcpState.SYN_RECV:
        tp.delivered += 1  # the SYN-ACK, which tcp_ack() did not see
        tp.copied_seq = tp.rcv_nxt
        tp.snd_wnd = skb.window << tp.snd_wscale
        tp.snd_wl1 = skb.seq
        if not tp.srtt_us:
            tcp_synack_rtt_meas(tp, skb, cpu.now)
        if tp.tstamp_ok:
            tp.advmss -= 12
        tcp_try_undo_spurious_syn(tp, skb)
        tp.retrans_stamp_ns = 0
        tcp_init_transfer(cpu, tp)
        tcp_update_pacing_rate(tp)
        tp.lsndtime_ns = cpu.now
        tcp_initialize_rcv_mss(tp)
        tcp_set_state(cpu, tp, TcpState.ESTABLISHED)
        tcp_fast_path_check(tp)
        sk_state_change(cpu, tp)
        tcp_check_space(cpu, tp)
        tcp_share_numbers(tp)
        if tp.sk_shutdown & SEND_SHUTDOWN:
            tcp_shutdown(cpu, tp, SEND_SHUTDOWN)
    elif state == TcpState.FIN_WAIT1 and fin_acked:
        return tcp_fin_wait1_acked(cpu, tp, skb)
    elif state == TcpState.CLOSING and fin_acked:
        consume_skb(tp.net, skb)
        tcp_time_wait(cpu, tp, TcpState.TIME_WAIT, 0)
        return False
    elif state == TcpState.LAST_ACK and fin_acked:
        consume_skb(tp.net, skb)
        tcp_done(cpu, tp)
        return False
    return True


def tcp_fin_wait1_acked(cpu: Cpu, tp: TcpSock, skb: SkBuff) -> bool:
    """Our FIN is acknowledged: FIN_WAIT2, which an orphan leaves by timeout. Linux: tcp_rcv_state_process()."""
    tcp_set_state(cpu, tp, TcpState.FIN_WAIT2)
    tp.sk_shutdown |= SEND_SHUTDOWN
    if not tp.orphan:
        sk_state_change(cpu, tp)
        return True
    new_data = skb.end_seq != skb.seq and after((skb.end_seq - bool(skb.tcp_flags & FIN)) & MASK, tp.rcv_nxt)
    if tp.linger2 < 0 or new_data:
        tcp_done(cpu, tp)
        tp.net.mib[TcpExt.TCPAbortOnData] += 1
        tcp_v4_send_reset(cpu, tp.net, skb)
        tcp_drop_reason(tp, skb, DropReason.TCP_ABORT_ON_DATA)
        return False
    timeout = tcp_fin_time_ns(tp)
    if timeout > TCP_TIMEWAIT_LEN_NS:
        tcp_reset_keepalive_timer(cpu, tp, timeout - TCP_TIMEWAIT_LEN_NS)
    elif skb.tcp_flags & FIN or tp.sk_lock_owned:
        tcp_reset_keepalive_timer(cpu, tp, timeout)
    else:
        consume_skb(tp.net, skb)
        tcp_time_wait(cpu, tp, TcpState.FIN_WAIT2, timeout)
        return False
    return True
