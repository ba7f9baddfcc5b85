"""The sender's recovery: Open, Disorder, CWR, Recovery, Loss, and the way back when it was a false alarm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.counters import TcpExt
from wireside.catalog.inet import MASK
from wireside.catalog.sysctls import TCP_FRTO, TCP_REORDERING
from wireside.catalog.tcp_states import TcpState
from wireside.kernel.tcp.ack.ack_flag import (
    FLAG_DATA_SACKED,
    FLAG_LOST_RETRANS,
    FLAG_ORIG_SACK_ACKED,
    FLAG_SACK_RENEGING,
    FLAG_SET_XMIT_TIMER,
    FLAG_SND_UNA_ADVANCED,
)
from wireside.kernel.tcp.ack.tcp_clean_rtx import tcp_check_reno_reordering
from wireside.kernel.tcp.ack.tcp_recovery import (
    tcp_mark_skb_lost,
    tcp_newreno_mark_lost,
    tcp_rack_mark_lost,
    tcp_rack_skb_timeout,
)
from wireside.kernel.tcp.ack.tcp_sack import tcp_check_sack_reordering
from wireside.kernel.tcp.send.tcp_cong import tcp_init_cwnd_reduction, tcp_set_ca_state
from wireside.kernel.tcp.send.tcp_tso import EVER_RETRANS, LOST, SACKED_ACKED, tcp_current_ssthresh
from wireside.kernel.tcp.send.tcp_xmit_timer import tcp_reset_xmit_timer, usecs_to_jiffies_ns
from wireside.kernel.tcp.sock.tcp_sock import (
    ICSK_TIME_RETRANS,
    TCP_CA_CWR,
    TCP_CA_DISORDER,
    TCP_CA_LOSS,
    TCP_CA_OPEN,
    TCP_CA_RECOVERY,
    TCP_INFINITE_SSTHRESH,
    after,
    before,
    tcp_packets_in_flight,
    tcp_wnd_end,
)

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu
    from wireside.kernel.tcp.sock.tcp_sock import TcpSock

REXMIT_NONE: Final = 0
REXMIT_LOST: Final = 1
REXMIT_NEW: Final = 2
RENEGING_DELAY_NS: Final = 10_000_000
"""How long a peer that SACKed the oldest segment may take to acknowledge it, at least."""


def tcp_init_undo(tp: TcpSock) -> None:
    """Remember from where a reduction may be undone. Linux: tcp_init_undo()."""
    tp.undo_marker = tp.snd_una
    tp.undo_retrans = tp.retrans_out + (1 if tp.tlp_high_seq and tp.tlp_retrans else 0) or -1


def tcp_enter_loss(cpu: Cpu, tp: TcpSock) -> None:
    """A retransmission timeout: take everything outstanding for lost. Linux: tcp_enter_loss(), tcp_timeout_mark_lost()."""
    reneged = bool(tp.tcp_rtx_queue and tp.tcp_rtx_queue[0].sacked & SACKED_ACKED)
    if reneged:
        tp.net.mib[TcpExt.TCPSACKReneging] += 1
    if reneged or not tp.sack_ok:
        tp.sacked_out = 0
    for index, skb in enumerate(tp.tcp_rtx_queue):
        if reneged:
            skb.sacked &= ~SACKED_ACKED
        elif index and tcp_rack_skb_timeout(cpu, tp, skb, 0) > 0:
            continue
        tcp_mark_skb_lost(tp, skb)
    fresh = tp.ca_state < TCP_CA_RECOVERY
    if (
        tp.ca_state <= TCP_CA_DISORDER
        or not after(tp.high_seq, tp.snd_una)
        or (tp.ca_state == TCP_CA_LOSS and not tp.icsk_retransmits)
    ):
        tp.prior_ssthresh = tcp_current_ssthresh(tp)
        tp.prior_cwnd = tp.snd_cwnd
        tp.snd_ssthresh = tp.ca_ops.ssthresh(tp)
        tcp_init_undo(tp)
    tp.snd_cwnd = tcp_packets_in_flight(tp) + 1
    tp.snd_cwnd_cnt = 0
    tp.snd_cwnd_stamp_ns = cpu.now
    usual = tp.net.sysctl[TCP_REORDERING]
    if tp.ca_state <= TCP_CA_DISORDER and tp.sacked_out >= usual:
        tp.reordering = min(tp.reordering, usual)
    tcp_set_ca_state(tp, TCP_CA_LOSS)
    tp.high_seq = tp.snd_nxt
    tp.tlp_high_seq = 0
    tp.frto = bool(tp.net.sysctl[TCP_FRTO]) and (fresh or bool(tp.icsk_retransmits))


def tcp_enter_recovery(tp: TcpSock) -> None:
    """Loss is evident: reduce cwnd by proportional rate reduction. Linux: tcp_enter_recovery()."""
    tp.net.mib[TcpExt.TCPSackRecovery if tp.sack_ok else TcpExt.TCPRenoRecovery] += 1
    tp.prior_ssthresh = 0
    tcp_init_undo(tp)
    if tp.ca_state not in (TCP_CA_CWR, TCP_CA_RECOVERY):
        tp.prior_ssthresh = tcp_current_ssthresh(tp)
        tcp_init_cwnd_reduction(tp)
    tcp_set_ca_state(tp, TCP_CA_RECOVERY)


def tcp_cwnd_reduction(tp: TcpSock, newly_acked: int, newly_lost: int, flag: int) -> None:
    """Proportional rate reduction. RFC: 6937. Linux: tcp_cwnd_reduction()."""
    if newly_acked <= 0 or not tp.prior_cwnd:
        return
    in_flight = tcp_packets_in_flight(tp)
    delta = tp.snd_ssthresh - in_flight
    tp.prr_delivered += newly_acked
    if delta < 0:
        count = (tp.snd_ssthresh * tp.prr_delivered + tp.prior_cwnd - 1) // tp.prior_cwnd - tp.prr_out
    else:
        count = max(tp.prr_delivered - tp.prr_out, newly_acked)
        if flag & FLAG_SND_UNA_ADVANCED and not newly_lost:
            count += 1
        count = min(delta, count)
    count = max(count, 0 if tp.prr_out else 1)
    tp.snd_cwnd = in_flight + count


def tcp_end_cwnd_reduction(cpu: Cpu, tp: TcpSock) -> None:
    """Recovery is over: cwnd is ssthresh. Linux: tcp_end_cwnd_reduction()."""
    if tp.snd_ssthresh < TCP_INFINITE_SSTHRESH and (tp.ca_state == TCP_CA_CWR or tp.undo_marker):
        tp.snd_cwnd = tp.snd_ssthresh
        tp.snd_cwnd_stamp_ns = cpu.now


def tcp_packet_delayed(tp: TcpSock, tsecr: int | None) -> bool:
    """The ACK answers the original, not the retransmission (Eifel). RFC: 3522. Linux: tcp_packet_delayed().

    Without a retransmission so far the segment was merely late; but retrans_stamp also is 0 when a recovery without
    SACK is over, and after a SYN-ACK.
    """
    if not tp.retrans_stamp_ns:
        if not tp.sack_ok and not before(tp.snd_una, tp.high_seq):
            return False
        return tp.sk_state != TcpState.SYN_SENT
    stamp = (tp.retrans_stamp_ns // 1_000_000 + tp.ts_off) & MASK
    return bool(tp.tstamp_ok and tsecr and before(tsecr, stamp))


def tcp_may_undo(tp: TcpSock, tsecr: int | None) -> bool:
    """The reduction was a mistake. Linux: tcp_may_undo()."""
    return bool(tp.undo_marker and (not tp.undo_retrans or tcp_packet_delayed(tp, tsecr)))


def tcp_undo_cwnd_reduction(cpu: Cpu, tp: TcpSock, *, unmark_loss: bool) -> None:
    """Restore cwnd and ssthresh. Linux: tcp_undo_cwnd_reduction()."""
    if unmark_loss:
        for skb in tp.tcp_rtx_queue:
            skb.sacked &= ~LOST
        tp.lost_out = 0
    if tp.prior_ssthresh:
        tp.snd_cwnd = tp.ca_ops.undo_cwnd(tp)
        tp.snd_ssthresh = max(tp.snd_ssthresh, tp.prior_ssthresh)
    tp.snd_cwnd_stamp_ns = cpu.now
    tp.undo_marker = 0
    tp.rack_advanced = True


def tcp_any_retrans_done(tp: TcpSock) -> bool:
    """Something outstanding has been sent again. Linux: tcp_any_retrans_done()."""
    return bool(tp.retrans_out or (tp.tcp_rtx_queue and tp.tcp_rtx_queue[0].sacked & EVER_RETRANS))


def tcp_is_non_sack_preventing_reopen(tp: TcpSock) -> bool:
    """Without SACK the state is kept until something above high_seq is acknowledged. RFC: 6582. Linux: same name."""
    if tp.sack_ok or tp.snd_una != tp.high_seq:
        return False
    if not tcp_any_retrans_done(tp):
        tp.retrans_stamp_ns = 0
    return True


def tcp_try_undo_recovery(cpu: Cpu, tp: TcpSock, tsecr: int | None) -> bool:
    """Leave recovery, undoing it if it was false; True: stay in it, for one more ACK without SACK."""
    if tcp_may_undo(tp, tsecr):
        counter = TcpExt.TCPLossUndo if tp.ca_state == TCP_CA_LOSS else TcpExt.TCPFullUndo
        tp.net.mib[counter] += 1
        tcp_undo_cwnd_reduction(cpu, tp, unmark_loss=False)
    elif tp.rack_reo_wnd_persist:
        tp.rack_reo_wnd_persist -= 1
    if tcp_is_non_sack_preventing_reopen(tp):
        return True
    tcp_set_ca_state(tp, TCP_CA_OPEN)
    tp.frto = False
    return False


def tcp_try_undo_dsack(cpu: Cpu, tp: TcpSock) -> bool:
    """Every retransmission was reported as a duplicate: undo. Linux: tcp_try_undo_dsack()."""
    if tp.undo_marker and not tp.undo_retrans:
        tp.rack_reo_wnd_persist = min(16, tp.rack_reo_wnd_persist + 1)
        tp.net.mib[TcpExt.TCPDSACKUndo] += 1
        tcp_undo_cwnd_reduction(cpu, tp, unmark_loss=False)
        return True
    return False


def tcp_try_undo_loss(cpu: Cpu, tp: TcpSock, tsecr: int | None, *, frto_undo: bool) -> bool:
    """The timeout was spurious: undo it. RFC: 5682. Linux: tcp_try_undo_loss()."""
    if not frto_undo and not tcp_may_undo(tp, tsecr):
        return False
    tcp_undo_cwnd_reduction(cpu, tp, unmark_loss=True)
    tp.net.mib[TcpExt.TCPLossUndo] += 1
    if frto_undo:
        tp.net.mib[TcpExt.TCPSpuriousRTOs] += 1
    tp.icsk_retransmits = 0
    if tcp_is_non_sack_preventing_reopen(tp):
        return True
    if frto_undo or tp.sack_ok:
        tcp_set_ca_state(tp, TCP_CA_OPEN)
        tp.frto = False
    return True


def tcp_try_undo_partial(cpu: Cpu, tp: TcpSock, tsecr: int | None, prior_una: int) -> bool:
    """A partial ACK answers originals: nothing more was lost. Linux: tcp_try_undo_partial()."""
    if not tp.undo_marker or not tcp_packet_delayed(tp, tsecr):
        return False
    tcp_check_sack_reordering(tp, prior_una, timestamps=True)
    if tp.retrans_out:
        return True
    if not tcp_any_retrans_done(tp):
        tp.retrans_stamp_ns = 0
    tcp_undo_cwnd_reduction(cpu, tp, unmark_loss=True)
    tp.net.mib[TcpExt.TCPPartialUndo] += 1
    tcp_try_keep_open(tp)
    return False


def tcp_try_keep_open(tp: TcpSock) -> None:
    """Open, or Disorder while something is SACKed or lost. Linux: tcp_try_keep_open()."""
    state = TCP_CA_DISORDER if tp.sacked_out + tp.lost_out or tcp_any_retrans_done(tp) else TCP_CA_OPEN
    if tp.ca_state != state:
        tcp_set_ca_state(tp, state)
        tp.high_seq = tp.snd_nxt


def tcp_add_reno_sack(tp: TcpSock, num_dupack: int) -> None:
    """Without SACK every duplicate ACK stands for one segment received. Linux: tcp_add_reno_sack()."""
    if num_dupack:
        prior = tp.sacked_out
        tp.sacked_out += num_dupack
        tcp_check_reno_reordering(tp, 0)
        tp.delivered += max(tp.sacked_out - prior, 0)


def tcp_identify_packet_loss(cpu: Cpu, tp: TcpSock, flag: int) -> int:
    """Mark what is lost by the rules of RACK or NewReno; returns the updated flags."""
    if not tp.tcp_rtx_queue:
        return flag
    if not tp.sack_ok:
        tcp_newreno_mark_lost(tp, bool(flag & FLAG_SND_UNA_ADVANCED))
        return flag
    prior_retrans = tp.retrans_out
    if tcp_rack_mark_lost(cpu, tp):
        flag &= ~FLAG_SET_XMIT_TIMER
    if prior_retrans > tp.retrans_out:
        flag |= FLAG_LOST_RETRANS
    return flag


def tcp_process_loss(cpu: Cpu, tp: TcpSock, flag: int, num_dupack: int, tsecr: int | None) -> int:
    """In Loss: F-RTO's test whether the timeout was spurious; returns REXMIT_*. Linux: tcp_process_loss()."""
    recovered = not before(tp.snd_una, tp.high_seq)
    if flag & FLAG_SND_UNA_ADVANCED and tcp_try_undo_loss(cpu, tp, tsecr, frto_undo=False):
        return REXMIT_NONE
    if tp.frto:
        if flag & FLAG_ORIG_SACK_ACKED and tcp_try_undo_loss(cpu, tp, tsecr, frto_undo=True):
            return REXMIT_NONE
        if after(tp.snd_nxt, tp.high_seq):
            if flag & FLAG_DATA_SACKED or num_dupack:
                tp.frto = False
        elif flag & FLAG_SND_UNA_ADVANCED and not recovered:
            tp.high_seq = tp.snd_nxt
            if tp.tcp_write_queue and after(tcp_wnd_end(tp), tp.snd_nxt):
                return REXMIT_NEW
            tp.frto = False
    if recovered:
        tcp_try_undo_recovery(cpu, tp, tsecr)
        return REXMIT_NONE
    if not tp.sack_ok:
        if after(tp.snd_nxt, tp.high_seq) and num_dupack:
            tcp_add_reno_sack(tp, num_dupack)
        elif flag & FLAG_SND_UNA_ADVANCED:
            tp.sacked_out = 0
    return REXMIT_LOST


def tcp_fastretrans_alert(
    cpu: Cpu, tp: TcpSock, num_dupack: int, flag: int, tsecr: int | None, prior_una: int
) -> tuple[int, int]:
    """A dubious ACK: decide the recovery state; returns (flags, REXMIT_*). Linux: tcp_fastretrans_alert()."""
    if not tp.packets_out and tp.sacked_out:
        tp.sacked_out = 0
    if flag & FLAG_SACK_RENEGING and flag & FLAG_SND_UNA_ADVANCED:
        delay = max(usecs_to_jiffies_ns(tp, tp.srtt_us >> 4), RENEGING_DELAY_NS)
        tcp_reset_xmit_timer(cpu, tp, ICSK_TIME_RETRANS, delay)
        return flag & ~FLAG_SET_XMIT_TIMER, REXMIT_NONE
    if tp.ca_state == TCP_CA_OPEN:
        tp.retrans_stamp_ns = 0
    elif not before(tp.snd_una, tp.high_seq):
        if tp.ca_state == TCP_CA_CWR:
            if tp.snd_una != tp.high_seq:
                tcp_end_cwnd_reduction(cpu, tp)
                tcp_set_ca_state(tp, TCP_CA_OPEN)
        elif tp.ca_state == TCP_CA_RECOVERY:
            if not tp.sack_ok:
                tp.sacked_out = 0
            if tcp_try_undo_recovery(cpu, tp, tsecr):
                return flag, REXMIT_NONE
            tcp_end_cwnd_reduction(cpu, tp)
    if tp.ca_state == TCP_CA_RECOVERY:
        if not flag & FLAG_SND_UNA_ADVANCED:
            if not tp.sack_ok:
                tcp_add_reno_sack(tp, num_dupack)
        elif tcp_try_undo_partial(cpu, tp, tsecr, prior_una):
            return flag, REXMIT_NONE
        if tcp_try_undo_dsack(cpu, tp):
            tcp_try_keep_open(tp)
        flag = tcp_identify_packet_loss(cpu, tp, flag)
        if tp.ca_state != TCP_CA_RECOVERY:
            if not tp.lost_out:
                return flag, REXMIT_NONE
            tcp_enter_recovery(tp)
        return flag, REXMIT_LOST
    if tp.ca_state == TCP_CA_LOSS:
        rexmit = tcp_process_loss(cpu, tp, flag, num_dupack, tsecr)
        flag = tcp_identify_packet_loss(cpu, tp, flag)
        if tp.ca_state != TCP_CA_OPEN and not flag & FLAG_LOST_RETRANS:
            return flag, rexmit
    return tcp_alert_open(cpu, tp, num_dupack, flag)


def tcp_alert_open(cpu: Cpu, tp: TcpSock, num_dupack: int, flag: int) -> tuple[int, int]:
    """The part of tcp_fastretrans_alert() for Open, Disorder and CWR."""
    if not tp.sack_ok:
        if flag & FLAG_SND_UNA_ADVANCED:
            tp.sacked_out = 0
        tcp_add_reno_sack(tp, num_dupack)
    if tp.ca_state <= TCP_CA_DISORDER:
        tcp_try_undo_dsack(cpu, tp)
    flag = tcp_identify_packet_loss(cpu, tp, flag)
    if not tp.lost_out:
        if not tcp_any_retrans_done(tp):
            tp.retrans_stamp_ns = 0
        if tp.ca_state != TCP_CA_CWR:
            tcp_try_keep_open(tp)
        return flag, REXMIT_NONE
    tcp_enter_recovery(tp)
    return flag, REXMIT_LOST
