"""An acknowledgement comes in: free what it covers, learn the round trip, and let more be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.counters import TcpExt
from wireside.catalog.inet import MASK, SYN
from wireside.catalog.limits import INT_MAX
from wireside.catalog.sysctls import TCP_CHALLENGE_ACK_LIMIT, TCP_INVALID_RATELIMIT
from wireside.kernel.tcp.ack.ack_flag import (
    FLAG_CA_ALERT,
    FLAG_DATA,
    FLAG_DATA_ACKED,
    FLAG_DATA_SACKED,
    FLAG_DSACK_TLP,
    FLAG_DSACKING_ACK,
    FLAG_FORWARD_PROGRESS,
    FLAG_NO_CHALLENGE_ACK,
    FLAG_NOT_DUP,
    FLAG_SET_XMIT_TIMER,
    FLAG_SLOWPATH,
    FLAG_SND_UNA_ADVANCED,
    FLAG_UPDATE_TS_RECENT,
    FLAG_WIN_UPDATE,
)
from wireside.kernel.tcp.ack.tcp_clean_rtx import tcp_clean_rtx_queue
from wireside.kernel.tcp.ack.tcp_fastretrans import (
    REXMIT_NEW,
    REXMIT_NONE,
    tcp_cwnd_reduction,
    tcp_end_cwnd_reduction,
    tcp_fastretrans_alert,
    tcp_try_keep_open,
)
from wireside.kernel.tcp.ack.tcp_recovery import tcp_rack_update_reo_wnd
from wireside.kernel.tcp.ack.tcp_sack import (
    SacktagState,
    tcp_highest_sack_seq,
)
from wireside.kernel.tcp.ack.tcp_sacktag import tcp_sacktag_write_queue
from wireside.kernel.tcp.send.tcp_cong import tcp_init_cwnd_reduction, tcp_set_ca_state
from wireside.kernel.tcp.send.tcp_control import tcp_send_ack
from wireside.kernel.tcp.send.tcp_output import (
    tcp_current_mss,
    tcp_data_snd_check,
    tcp_push_pending_frames,
    tcp_sync_mss,
)
from wireside.kernel.tcp.send.tcp_retransmit import tcp_xmit_retransmit_queue
from wireside.kernel.tcp.send.tcp_rtt import tcp_update_pacing_rate
from wireside.kernel.tcp.send.tcp_tso import tcp_slow_start_after_idle_check
from wireside.kernel.tcp.send.tcp_xmit_timer import (
    tcp_clamp_probe0_to_user_timeout,
    tcp_clear_xmit_timer,
    tcp_probe0_when_ns,
    tcp_rearm_rto,
    tcp_reset_xmit_timer,
    tcp_schedule_loss_probe,
)
from wireside.kernel.tcp.sock.tcp_sock import (
    ICSK_TIME_PROBE0,
    TCP_CA_CWR,
    TCP_CA_OPEN,
    TCP_CA_RECOVERY,
    TCP_NAGLE_OFF,
    after,
    before,
    tcp_wnd_end,
)
from wireside.kernel.tcp.sock.tcp_stream import tcp_check_space

if TYPE_CHECKING:
    from wireside.catalog.kinds import Counter
    from wireside.kernel.core.net import Cpu
    from wireside.kernel.core.skbuff import SkBuff
    from wireside.kernel.tcp.sock.tcp_sock import TcpSock

TOO_OLD_ACK: Final = -1
ACK_UNSENT_DATA: Final = -2


def tcp_ack(cpu: Cpu, tp: TcpSock, skb: SkBuff, flag: int) -> int:
    """Process the acknowledgement of a segment: 1 good, 0 old, negative when unacceptable.

    Linux: net/ipv4/tcp_input.c tcp_ack().
    """
    ack = skb.ack_seq
    prior_una, prior_delivered = tp.snd_una, tp.delivered
    prior_fack = tcp_highest_sack_seq(tp) if tp.sack_ok else prior_una
    sack: SacktagState | None = None
    mib = tp.net.mib
    if before(ack, prior_una):
        return tcp_old_ack(cpu, tp, skb, flag)
    if after(ack, tp.snd_nxt):
        if not flag & FLAG_NO_CHALLENGE_ACK:
            tcp_send_challenge_ack(cpu, tp)
        return ACK_UNSENT_DATA
    if ack != prior_una:
        flag |= FLAG_SND_UNA_ADVANCED
        tp.icsk_retransmits = 0
    if flag & FLAG_UPDATE_TS_RECENT and skb.tsval is not None and not after(skb.seq, tp.rcv_wup):
        # A late duplicate ACK is let in, but must not turn the clock back.
        tp.ts_recent = skb.tsval if not before(skb.tsval, tp.ts_recent) else tp.ts_recent
    if flag & (FLAG_SLOWPATH | FLAG_SND_UNA_ADVANCED) == FLAG_SND_UNA_ADVANCED:
        tp.snd_wl1 = skb.seq
        tp.bytes_acked += (ack - prior_una) & MASK
        tp.snd_una = ack
        flag |= FLAG_WIN_UPDATE
        mib[TcpExt.TCPHPAcks] += 1
    else:
        if skb.seq != skb.end_seq:
            flag |= FLAG_DATA
        else:
            mib[TcpExt.TCPPureAcks] += 1
        flag |= tcp_ack_update_window(cpu, tp, skb, ack)
        if skb.sack and tp.sack_ok:
            sack = tcp_sacktag_write_queue(cpu, tp, skb.sack, ack, prior_una)
            flag |= sack.flag
    tp.sk_err_soft = 0
    tp.icsk_probes_out = 0
    tp.rcv_tstamp_ns = cpu.now
    if not tp.packets_out:
        if flag & FLAG_DSACKING_ACK:
            tcp_fastretrans_alert(cpu, tp, 0, flag, skb.tsecr, prior_una)
            tcp_newly_delivered(tp, prior_delivered)
        tcp_ack_probe(cpu, tp)
        if tp.tlp_high_seq:
            tcp_process_tlp_ack(cpu, tp, ack, flag)
        return 1
    tcp_ack_outstanding(cpu, tp, skb, flag, (prior_una, prior_fack, prior_delivered), sack)
    return 1


def tcp_old_ack(cpu: Cpu, tp: TcpSock, skb: SkBuff, flag: int) -> int:
    """An acknowledgement of what has been acknowledged: its SACK blocks may still be news. RFC: 5961 5.2."""
    ack, una = skb.ack_seq, tp.snd_una
    if before(ack, (una - min(tp.max_window, tp.bytes_acked)) & MASK):
        if not flag & FLAG_NO_CHALLENGE_ACK:
            tcp_send_challenge_ack(cpu, tp)
        return TOO_OLD_ACK
    if skb.sack and tp.sack_ok:
        delivered = tp.delivered
        flag |= tcp_sacktag_write_queue(cpu, tp, skb.sack, ack, una).flag
        flag, rexmit = tcp_fastretrans_alert(cpu, tp, 0, flag, skb.tsecr, una)
        tcp_newly_delivered(tp, delivered)
        tcp_xmit_recovery(cpu, tp, rexmit)
    return 0


def tcp_newly_delivered(tp: TcpSock, prior_delivered: int) -> int:
    """Count the segments that an ACK has shown to have arrived. Linux: net/ipv4/tcp_input.c tcp_newly_delivered()."""
    delivered = tp.delivered - prior_delivered
    tp.net.mib[TcpExt.TCPDelivered] += delivered
    return delivered


def tcp_ack_outstanding(
    cpu: Cpu, tp: TcpSock, skb: SkBuff, flag: int, prior: tuple[int, int, int], sack: SacktagState | None
) -> None:
    """The part of tcp_ack() for a sender that has segments outstanding.

    `prior` is (snd_una, end of what was SACKed, delivered) before this ACK.
    """
    prior_una, prior_fack, prior_delivered = prior
    prior_lost = tp.lost
    flag = tcp_clean_rtx_queue(cpu, tp, skb, prior_fack, sack, flag)
    tcp_rack_update_reo_wnd(tp, tp.delivered != prior_delivered)
    if tp.tlp_high_seq:
        tcp_process_tlp_ack(cpu, tp, skb.ack_seq, flag)
    rexmit = REXMIT_NONE
    if not flag & FLAG_NOT_DUP or flag & FLAG_CA_ALERT or tp.ca_state != TCP_CA_OPEN:
        dupack = not flag & (FLAG_SND_UNA_ADVANCED | FLAG_NOT_DUP | FLAG_DSACKING_ACK)
        flag, rexmit = tcp_fastretrans_alert(
            cpu, tp, skb.gso_segs if dupack else 0, flag, skb.tsecr, prior_una
        )
    if flag & FLAG_SET_XMIT_TIMER and not tcp_schedule_loss_probe(cpu, tp, advancing_rto=True):
        tcp_rearm_rto(cpu, tp)
    delivered = tcp_newly_delivered(tp, prior_delivered)
    tcp_cong_control(cpu, tp, delivered, tp.lost - prior_lost, flag)
    tcp_xmit_recovery(cpu, tp, rexmit)


def tcp_may_update_window(tp: TcpSock, ack: int, seq: int, window: int) -> bool:
    """Whether a segment is newer than the last that set the window. RFC: 793 page 72. Linux: same name."""
    return (
        after(ack, tp.snd_una)
        or after(seq, tp.snd_wl1)
        or (seq == tp.snd_wl1 and (window > tp.snd_wnd or not window))
    )


def tcp_ack_update_window(cpu: Cpu, tp: TcpSock, skb: SkBuff, ack: int) -> int:
    """Take over the peer's window if this segment is newer than the last that set it.

    A change lets data go that waited for it: after an idle time cwnd begins anew. Linux: tcp_ack_update_window().
    """
    flag = 0
    window = skb.window << tp.snd_wscale
    seq = skb.seq
    if tcp_may_update_window(tp, ack, seq, window):
        flag = FLAG_WIN_UPDATE
        tp.snd_wl1 = seq
        if tp.snd_wnd != window:
            tp.snd_wnd = window
            tp.pred_flags = False
            tcp_fast_path_check(tp)
            if tp.tcp_write_queue:
                tcp_slow_start_after_idle_check(cpu, tp)
            if window > tp.max_window:
                tp.max_window = window
                tcp_sync_mss(tp)
    tp.bytes_acked += (ack - tp.snd_una) & MASK
    tp.snd_una = ack
    return flag


def tcp_fast_path_check(tp: TcpSock) -> None:
    """Arm header prediction when nothing unusual is going on. Linux: include/net/tcp.h tcp_fast_path_check()."""
    if not tp.out_of_order_queue and tp.rcv_wnd and tp.sk_rmem_alloc < tp.sk_rcvbuf:
        tp.pred_flags = True


def tcp_process_tlp_ack(cpu: Cpu, tp: TcpSock, ack: int, flag: int) -> None:
    """Find out whether a loss probe repaired a loss. RFC: 8985. Linux: tcp_process_tlp_ack()."""
    if before(ack, tp.tlp_high_seq):
        return
    if not tp.tlp_retrans or flag & FLAG_DSACK_TLP:
        tp.tlp_high_seq = 0
    elif after(ack, tp.tlp_high_seq):
        tcp_init_cwnd_reduction(tp)
        tcp_set_ca_state(tp, TCP_CA_CWR)
        tcp_end_cwnd_reduction(cpu, tp)
        tcp_try_keep_open(tp)
        tp.net.mib[TcpExt.TCPLossProbeRecovery] += 1
    elif not flag & (FLAG_SND_UNA_ADVANCED | FLAG_NOT_DUP | FLAG_DATA_SACKED):
        tp.tlp_high_seq = 0


def tcp_cong_control(cpu: Cpu, tp: TcpSock, delivered: int, newly_lost: int, flag: int) -> None:
    """Shrink cwnd in recovery, grow it on progress. Linux: tcp_cong_control(), tcp_may_raise_cwnd()."""
    if tp.ca_state in (TCP_CA_CWR, TCP_CA_RECOVERY):
        tcp_cwnd_reduction(tp, delivered, newly_lost, flag)
    elif flag & (FLAG_FORWARD_PROGRESS if tp.reordering > 3 else FLAG_DATA_ACKED):
        tp.ca_ops.cong_avoid(cpu, tp, delivered)
        tp.snd_cwnd_stamp_ns = cpu.now
    tcp_update_pacing_rate(tp)


def tcp_xmit_recovery(cpu: Cpu, tp: TcpSock, rexmit: int) -> None:
    """Send again, or new data first when F-RTO wants to know. Linux: tcp_xmit_recovery()."""
    if rexmit == REXMIT_NONE:
        return
    if rexmit == REXMIT_NEW:
        tcp_push_pending_frames(cpu, tp, tcp_current_mss(tp), TCP_NAGLE_OFF)
        if after(tp.snd_nxt, tp.high_seq):
            return
        tp.frto = False
    tcp_xmit_retransmit_queue(cpu, tp)


def tcp_ack_probe(cpu: Cpu, tp: TcpSock) -> None:
    """An ACK with nothing outstanding: stop probing if the window opened, else wait for the next probe.

    Linux: net/ipv4/tcp_input.c tcp_ack_probe().
    """
    if not tp.tcp_write_queue:
        return
    head = tp.tcp_write_queue[0]
    if not after(head.end_seq, tcp_wnd_end(tp)):
        tp.icsk_backoff = 0
        tp.icsk_probes_tstamp = 0
        if tp.icsk_pending == ICSK_TIME_PROBE0:
            tcp_clear_xmit_timer(tp)
    else:
        when = tcp_clamp_probe0_to_user_timeout(cpu, tp, tcp_probe0_when_ns(tp))
        tcp_reset_xmit_timer(cpu, tp, ICSK_TIME_PROBE0, when)


def tcp_data_snd_check_space(cpu: Cpu, tp: TcpSock) -> None:
    """Send what the ACK allows, then see to waiting writers. Linux: tcp_data_snd_check()."""
    if tp.tcp_write_queue:
        tcp_data_snd_check(cpu, tp)
    tcp_check_space(cpu, tp)


def tcp_oow_rate_limited(cpu: Cpu, tp: TcpSock, skb: SkBuff, counter: Counter) -> bool:
    """An answer to an out-of-window segment went out less than tcp_invalid_ratelimit ago.

    Linux: net/ipv4/tcp_input.c tcp_oow_rate_limited().
    """
    if skb.seq != skb.end_seq and not skb.tcp_flags & SYN:
        return False
    limit_ns = tp.net.sysctl[TCP_INVALID_RATELIMIT] * 1_000_000
    if tp.last_oow_ack_ns and 0 <= cpu.now - tp.last_oow_ack_ns < limit_ns:
        tp.net.mib[counter] += 1
        return True
    tp.last_oow_ack_ns = cpu.now or 1
    return False


def tcp_send_challenge_ack(cpu: Cpu, tp: TcpSock) -> None:
    """Ask a possibly spoofing peer to prove itself, at most twice a second. RFC: 5961.

    Linux: net/ipv4/tcp_input.c tcp_send_challenge_ack().
    """
    limit_ns = tp.net.sysctl[TCP_INVALID_RATELIMIT] * 1_000_000
    if tp.last_oow_ack_ns and 0 <= cpu.now - tp.last_oow_ack_ns < limit_ns:
        tp.net.mib[TcpExt.TCPACKSkippedChallenge] += 1
        return
    tp.last_oow_ack_ns = cpu.now or 1
    if tcp_challenge_ack_allowed(cpu, tp):
        tp.net.mib[TcpExt.TCPChallengeACK] += 1
        tcp_send_ack(cpu, tp)


def tcp_challenge_ack_allowed(cpu: Cpu, tp: TcpSock) -> bool:
    """tcp_challenge_ack_limit of all connections together, in every second about as many. RFC: 5961 7."""
    net = tp.net
    limit = net.sysctl[TCP_CHALLENGE_ACK_LIMIT]
    if limit == INT_MAX:
        return True
    second, left = net.tcp_challenge
    if second != cpu.now // 1_000_000_000:
        half = limit + 1 >> 1
        second, left = cpu.now // 1_000_000_000, net.machine.rng.randint(half, limit + half - 1 & MASK)
    net.tcp_challenge = (second, max(left - 1, 0))
    return left > 0
