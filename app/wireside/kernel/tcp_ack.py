"""An acknowledgement comes in: free what it covers, learn the round trip, and let more be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.catalog.counters import TcpExt
from wireside.catalog.sysctls import TCP_INVALID_RATELIMIT
from wireside.kernel.skbuff import CONSUMED, SYN
from wireside.kernel.sock import sk_stream_write_space, sk_wmem_free
from wireside.kernel.tcp_control import tcp_send_ack
from wireside.kernel.tcp_fastretrans import (
    REXMIT_NEW,
    REXMIT_NONE,
    tcp_cwnd_reduction,
    tcp_end_cwnd_reduction,
    tcp_enter_cwr,
    tcp_fastretrans_alert,
    tcp_set_ca_state,
    tcp_try_keep_open,
)
from wireside.kernel.tcp_output import tcp_data_snd_check, tcp_push_pending_frames, tcp_sync_mss
from wireside.kernel.tcp_recovery import tcp_rack_advance, tcp_rack_update_reo_wnd
from wireside.kernel.tcp_retransmit import (
    EVER_RETRANS,
    LOST,
    SACKED_ACKED,
    SACKED_RETRANS,
    tcp_trim_head,
    tcp_xmit_retransmit_queue,
)
from wireside.kernel.tcp_rtt import tcp_rtt_estimator, tcp_set_rto, tcp_update_pacing_rate
from wireside.kernel.tcp_sack import FLAG_DSACKING_ACK, tcp_check_sack_reordering, tcp_sacktag_write_queue
from wireside.kernel.tcp_sock import (
    ICSK_TIME_PROBE0,
    MASK,
    TCP_CA_CWR,
    TCP_CA_OPEN,
    TCP_CA_RECOVERY,
    TCP_NAGLE_OFF,
    after,
    before,
    tcp_wnd_end,
)
from wireside.kernel.tcp_tso import skb_segs
from wireside.kernel.tcp_window import tcp_sndbuf_expand
from wireside.kernel.tcp_xmit_timer import (
    tcp_clamp_probe0_to_user_timeout,
    tcp_clear_xmit_timer,
    tcp_probe0_when_ns,
    tcp_rearm_rto,
    tcp_reset_xmit_timer,
    tcp_schedule_loss_probe,
)

if TYPE_CHECKING:
    from wireside.catalog.kinds import Counter
    from wireside.kernel.net import Cpu
    from wireside.kernel.skbuff import SkBuff
    from wireside.kernel.tcp_sock import TcpSock

FLAG_DATA, FLAG_WIN_UPDATE, FLAG_DATA_ACKED, FLAG_RETRANS_DATA_ACKED = 0x01, 0x02, 0x04, 0x08
FLAG_SYN_ACKED, FLAG_DATA_SACKED, FLAG_LOST_RETRANS, FLAG_SLOWPATH = 0x10, 0x20, 0x80, 0x100
FLAG_ORIG_SACK_ACKED, FLAG_SND_UNA_ADVANCED, FLAG_SET_XMIT_TIMER = 0x200, 0x400, 0x1000
FLAG_UPDATE_TS_RECENT, FLAG_NO_CHALLENGE_ACK = 0x4000, 0x8000
ANYTHING_ACKED = FLAG_DATA_ACKED | FLAG_SYN_ACKED
FLAG_NOT_DUP = FLAG_DATA | FLAG_WIN_UPDATE | FLAG_DATA_ACKED | FLAG_SYN_ACKED
FLAG_FORWARD_PROGRESS = FLAG_DATA_ACKED | FLAG_SYN_ACKED | FLAG_DATA_SACKED
FLAG_CA_ALERT = FLAG_DATA_SACKED | FLAG_DSACKING_ACK
TOO_OLD_ACK, ACK_UNSENT_DATA = -1, -2


def tcp_ack(cpu: Cpu, tp: TcpSock, skb: SkBuff, flag: int) -> int:
    """Process the acknowledgement of a segment: 1 good, 0 old, negative when unacceptable.

    Linux: net/ipv4/tcp_input.c tcp_ack().
    """
    ack = skb.ack_seq
    prior_una = tp.snd_una
    prior_delivered = tp.delivered
    prior_fack = tp.highest_sack_seq if tp.sacked_out and tp.sack_ok else prior_una
    mib = tp.net.mib
    if before(ack, prior_una):
        if before(ack, (prior_una - min(tp.max_window, tp.bytes_acked)) & MASK):
            if not flag & FLAG_NO_CHALLENGE_ACK:
                tcp_send_challenge_ack(cpu, tp)
            return TOO_OLD_ACK
        if skb.sack:
            flag |= tcp_sacktag_write_queue(cpu, tp, skb.sack, ack, prior_una)
            flag, rexmit = tcp_fastretrans_alert(cpu, tp, 1, flag, skb.tsecr, prior_una)
            tcp_xmit_recovery(cpu, tp, rexmit)
        return 0
    if after(ack, tp.snd_nxt):
        return ACK_UNSENT_DATA
    if ack != prior_una:
        flag |= FLAG_SND_UNA_ADVANCED
        tp.icsk_retransmits = 0
    if flag & FLAG_UPDATE_TS_RECENT and skb.tsval is not None and not after(skb.seq, tp.rcv_wup):
        tp.ts_recent = skb.tsval
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
        flag |= tcp_ack_update_window(tp, skb, ack)
        if skb.sack and tp.sack_ok:
            flag |= tcp_sacktag_write_queue(cpu, tp, skb.sack, ack, prior_una)
    tp.sk_err_soft = 0
    tp.icsk_probes_out = 0
    tp.rcv_tstamp_ns = cpu.now
    if not tp.packets_out:
        if flag & FLAG_DSACKING_ACK:
            tcp_fastretrans_alert(cpu, tp, 0, flag, skb.tsecr, prior_una)
        tcp_ack_probe(cpu, tp)
        if tp.tlp_high_seq:
            tcp_process_tlp_ack(cpu, tp, ack, flag)
        return 1
    tcp_ack_outstanding(cpu, tp, skb, flag, prior_delivered, prior_una, prior_fack)
    return 1


def tcp_ack_outstanding(
    cpu: Cpu, tp: TcpSock, skb: SkBuff, flag: int, prior_delivered: int, prior_una: int, prior_fack: int
) -> None:
    """The part of tcp_ack() for a sender that has segments outstanding."""
    lost_before = tp.lost_out
    flag, rtt_us = tcp_clean_rtx_queue(cpu, tp, skb, flag, prior_fack)
    delivered = tp.delivered - prior_delivered
    tcp_rack_update_reo_wnd(tp, bool(delivered))
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
    tcp_cong_control(cpu, tp, delivered, max(tp.lost_out - lost_before, 0), flag)
    if rtt_us >= 0:
        tp.ca_ops.pkts_acked(cpu, tp, rtt_us)
    tcp_xmit_recovery(cpu, tp, rexmit)


def tcp_ack_update_window(tp: TcpSock, skb: SkBuff, ack: int) -> int:
    """Take over the peer's window if this segment is newer than the last that set it.

    RFC: 793 page 72. Linux: tcp_ack_update_window(), tcp_may_update_window().
    """
    flag = 0
    window = skb.window << tp.snd_wscale
    seq = skb.seq
    if (
        after(ack, tp.snd_una)
        or after(seq, tp.snd_wl1)
        or (seq == tp.snd_wl1 and (window > tp.snd_wnd or not window))
    ):
        flag = FLAG_WIN_UPDATE
        tp.snd_wl1 = seq
        if tp.snd_wnd != window:
            tp.snd_wnd = window
            tp.pred_flags = False
            tcp_fast_path_check(tp)
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


def tcp_clean_rtx_queue(
    cpu: Cpu, tp: TcpSock, ack_skb: SkBuff, flag: int, prior_fack: int
) -> tuple[int, int]:
    """Drop acknowledged segments; returns (flags, round trip in us or -1).

    What was never sent again and starts below `prior_fack` was reordered. Linux: net/ipv4/tcp_input.c tcp_clean_rtx_queue().
    """
    queue = tp.tcp_rtx_queue
    una = reord = tp.snd_una
    now = cpu.now
    first_ns = last_ns = 0
    while queue:
        skb = queue[0]
        segs = skb.gso_segs
        start_seq = skb.seq
        fully = not after(skb.end_seq, una)
        if not fully:
            segs = tcp_tso_acked(tp, skb)
            if not segs:
                break
        sacked = skb.sacked
        tcp_account_acked(tp, sacked, segs)
        if sacked & (SACKED_RETRANS | EVER_RETRANS):
            flag |= FLAG_RETRANS_DATA_ACKED
        elif not sacked & SACKED_ACKED:
            last_ns = skb.skb_mstamp_ns
            if not first_ns:
                first_ns, reord = last_ns, start_seq
            if not after(skb.end_seq, tp.high_seq):
                flag |= FLAG_ORIG_SACK_ACKED
        if not sacked & SACKED_ACKED:
            tp.delivered += segs
            if tp.sack_ok:
                tcp_rack_advance(cpu, tp, skb)
        tp.packets_out -= segs
        if skb.tcp_flags & SYN:
            flag |= FLAG_SYN_ACKED
            tp.retrans_stamp_ns = 0
        else:
            flag |= FLAG_DATA_ACKED
        if not fully:
            break
        queue.popleft()
        skb.fate = CONSUMED
        sk_wmem_free(tp, skb.truesize)
    if before(reord, prior_fack) and tp.sack_ok and flag & FLAG_DATA_ACKED:
        tcp_check_sack_reordering(tp, reord, timestamps=False)
    rtt_us = (now - first_ns) // 1000 if first_ns and not flag & FLAG_RETRANS_DATA_ACKED else -1
    ca_rtt_us = (now - last_ns) // 1000 if last_ns else -1
    if tcp_ack_update_rtt(tp, ack_skb, flag, rtt_us, ca_rtt_us, now) or flag & ANYTHING_ACKED:
        flag |= FLAG_SET_XMIT_TIMER
    return flag, ca_rtt_us


def tcp_tso_acked(tp: TcpSock, skb: SkBuff) -> int:
    """Cut acknowledged whole segments off a super-packet; how many. Linux: tcp_tso_acked()."""
    if skb.gso_segs == 1 or not after(tp.snd_una, skb.seq):
        return 0
    mss = skb.gso_size or tp.mss_cache
    covered = ((tp.snd_una - skb.seq) & MASK) // mss
    if covered:
        tcp_trim_head(tp, skb, covered * mss)
        skb_segs(skb, mss)
    return covered


def tcp_account_acked(tp: TcpSock, sacked: int, segs: int) -> None:
    """Take acknowledged segments out of the recovery counts."""
    if sacked & SACKED_RETRANS:
        tp.retrans_out -= segs
    if sacked & SACKED_ACKED:
        tp.sacked_out -= segs
    elif sacked & LOST:
        tp.lost_out -= segs


def tcp_ack_update_rtt(tp: TcpSock, skb: SkBuff, flag: int, rtt_us: int, ca_rtt_us: int, now: int) -> bool:
    """Feed the estimator; timestamps serve when everything acknowledged was retransmitted.

    RFC: 6298, 7323. Linux: tcp_ack_update_rtt().
    """
    if (
        rtt_us < 0
        and tp.tstamp_ok
        and skb.tsval is not None
        and skb.tsecr
        and flag & (FLAG_DATA_ACKED | FLAG_SYN_ACKED)
    ):
        rtt_us = max((now // 1_000_000 + tp.ts_off - skb.tsecr & MASK) * 1000, 1000)
        ca_rtt_us = rtt_us
    if rtt_us < 0:
        return False
    if ca_rtt_us >= 0 and (not tp.min_rtt_us or ca_rtt_us < tp.min_rtt_us):
        tp.min_rtt_us = max(ca_rtt_us, 1)
    tcp_rtt_estimator(tp, rtt_us)
    tcp_set_rto(tp)
    tp.icsk_backoff = 0
    return True


def tcp_process_tlp_ack(cpu: Cpu, tp: TcpSock, ack: int, flag: int) -> None:
    """Find out whether a loss probe repaired a loss. RFC: 8985. Linux: tcp_process_tlp_ack()."""
    if before(ack, tp.tlp_high_seq):
        return
    if not tp.tlp_retrans or flag & FLAG_DSACKING_ACK:
        tp.tlp_high_seq = 0
    elif after(ack, tp.tlp_high_seq):
        tp.tlp_high_seq = 0
        tcp_enter_cwr(tp)
        tcp_end_cwnd_reduction(cpu, tp)
        tcp_set_ca_state(tp, TCP_CA_OPEN)
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
        tcp_push_pending_frames(cpu, tp, tp.mss_cache, TCP_NAGLE_OFF)
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


def tcp_check_space(cpu: Cpu, tp: TcpSock) -> None:
    """A writer waits for memory: enlarge sk_sndbuf if cwnd wants it, and wake the writer when a third is free.

    Linux: net/ipv4/tcp_input.c tcp_check_space(), tcp_new_space(), tcp_should_expand_sndbuf().
    """
    if not tp.sk_nospace:
        return
    in_flight = tp.packets_out - tp.sacked_out - tp.lost_out + tp.retrans_out
    if not tp.sk_userlocks & 1 and not tp.net.machine.tcp_memory_pressure and in_flight < tp.snd_cwnd:
        tcp_sndbuf_expand(tp)
        tp.snd_cwnd_stamp_ns = cpu.now
    sk_stream_write_space(cpu, tp)


def tcp_data_snd_check_space(cpu: Cpu, tp: TcpSock) -> None:
    """Send what the ACK allows, then see to waiting writers. Linux: tcp_data_snd_check()."""
    if tp.tcp_write_queue:
        tcp_data_snd_check(cpu, tp)
    tcp_check_space(cpu, tp)


def tcp_oow_rate_limited(cpu: Cpu, tp: TcpSock, skb: SkBuff, counter: Counter) -> bool:
    """An answer to an out-of-window segment went out less than tcp_invalid_ratelimit ago.

    Linux: net/ipv4/tcp_input.c tcp_oow_rate_limited().
    """
    if skb.len and not skb.tcp_flags & 0x02:
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
    tp.net.mib[TcpExt.TCPChallengeACK] += 1
    tcp_send_ack(cpu, tp)
