"""What happens when TCP's timers fire: retransmission, persist, delayed ACK, keepalive and FIN_WAIT2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.counters import TcpExt
from wireside.catalog.sysctls import (
    TCP_KEEPALIVE_INTVL,
    TCP_KEEPALIVE_PROBES,
    TCP_KEEPALIVE_TIME,
    TCP_ORPHAN_RETRIES,
    TCP_RETRIES2,
    TCP_SYN_LINEAR_TIMEOUTS,
    TCP_SYN_RETRIES,
    TCP_THIN_LINEAR_TIMEOUTS,
)
from wireside.catalog.tcp_states import TcpState
from wireside.kernel.core.timer import TimerList
from wireside.kernel.tcp.ack.tcp_fastretrans import tcp_cwnd_reduction, tcp_enter_loss, tcp_enter_recovery
from wireside.kernel.tcp.ack.tcp_recovery import tcp_rack_detect_loss
from wireside.kernel.tcp.send.tcp_control import (
    RESOURCE_PROBE_INTERVAL_NS,
    TCP_ATO_MIN_NS,
    tcp_in_pingpong_mode,
    tcp_sack_compress_send_ack,
    tcp_send_ack,
    tcp_send_active_reset,
    tcp_send_probe0,
    tcp_write_wakeup,
)
from wireside.kernel.tcp.send.tcp_minisocks import TCP_TIMEWAIT_LEN_NS, tcp_fin_time_ns, tcp_time_wait
from wireside.kernel.tcp.send.tcp_retransmit import (
    tcp_retransmit_skb,
    tcp_send_loss_probe,
    tcp_xmit_retransmit_queue,
)
from wireside.kernel.tcp.send.tcp_rtt import tcp_set_rto
from wireside.kernel.tcp.send.tcp_xmit_timer import (
    TCP_RTO_MIN_NS,
    tcp_clamp_rto_to_user_timeout,
    tcp_rearm_rto,
    tcp_reset_xmit_timer,
)
from wireside.kernel.tcp.sock.tcp_orphan import tcp_abort_on_memory, tcp_check_oom
from wireside.kernel.tcp.sock.tcp_sock import (
    ICSK_ACK_SCHED,
    ICSK_ACK_TIMER,
    ICSK_TIME_LOSS_PROBE,
    ICSK_TIME_NONE,
    ICSK_TIME_PROBE0,
    ICSK_TIME_REO_TIMEOUT,
    ICSK_TIME_RETRANS,
    TCP_CA_DISORDER,
    TCP_CA_LOSS,
    TCP_CA_RECOVERY,
    TCP_DELACK_TIMER_DEFERRED,
    TCP_INFINITE_SSTHRESH,
    TCP_WRITE_TIMER_DEFERRED,
    tcp_packets_in_flight,
)
from wireside.kernel.tcp.sock.tcp_state import tcp_done, tcp_write_err

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu
    from wireside.kernel.tcp.sock.tcp_sock import TcpSock

SECOND: Final = 1_000_000_000
TCP_THIN_LINEAR_RETRIES: Final = 6
THIN_STREAM: Final = 4
"""From so many segments in flight on a loss can show by three duplicate ACKs."""
SYN_STATES: Final = (TcpState.SYN_SENT, TcpState.SYN_RECV)


def tcp_init_xmit_timers(tp: TcpSock) -> None:
    """Give a socket its timers; the keepalive timer comes with its first use. Linux: net/ipv4/tcp_timer.c tcp_init_xmit_timers()."""
    tp.retransmit_timer = TimerList(tcp_write_timer, tp)
    tp.delack_timer = TimerList(tcp_delack_timer, tp)


def tcp_delack_timer(cpu: Cpu, tp: TcpSock) -> None:
    """The delayed-ACK timer fired. Linux: tcp_delack_timer()."""
    if tp.sk_lock_owned:
        tp.net.mib[TcpExt.DelayedACKLocked] += 1
        tp.tsq_flags |= TCP_DELACK_TIMER_DEFERRED
    else:
        tcp_delack_timer_handler(cpu, tp)


def tcp_delack_timer_handler(cpu: Cpu, tp: TcpSock) -> None:
    """Send the acknowledgement that is owed, compressed or delayed. Linux: tcp_delack_timer_handler()."""
    if tp.sk_state in (TcpState.CLOSE, TcpState.LISTEN):
        return
    if tp.compressed_ack:
        tcp_sack_compress_send_ack(cpu, tp)
        return
    if not tp.ack_pending & ICSK_ACK_TIMER:
        return
    tick = tp.net.machine.timers.tick_ns
    if tp.ack_timeout > cpu.now // tick * tick:
        assert tp.delack_timer is not None
        tp.net.machine.timers.mod_timer(tp.delack_timer, cpu.now, tp.ack_timeout)
        return
    tp.ack_pending &= ~ICSK_ACK_TIMER
    if tp.ack_pending & ICSK_ACK_SCHED:
        if not tcp_in_pingpong_mode(tp):
            tp.ack_ato_ns = min(tp.ack_ato_ns << 1, tp.icsk_rto_ns)
        else:
            tp.ack_pingpong = 0
            tp.ack_ato_ns = TCP_ATO_MIN_NS
        tcp_send_ack(cpu, tp)
        tp.net.mib[TcpExt.DelayedACKs] += 1


def tcp_write_timer(cpu: Cpu, tp: TcpSock) -> None:
    """The retransmit timer fired. Linux: tcp_write_timer()."""
    if tp.sk_lock_owned:
        tp.tsq_flags |= TCP_WRITE_TIMER_DEFERRED
    else:
        tcp_write_timer_handler(cpu, tp)


def tcp_write_timer_handler(cpu: Cpu, tp: TcpSock) -> None:
    """Do what the timer was armed for. Linux: tcp_write_timer_handler()."""
    event = tp.icsk_pending
    if tp.sk_state in (TcpState.CLOSE, TcpState.LISTEN) or event == ICSK_TIME_NONE:
        return
    if tp.icsk_timeout > cpu.now:
        assert tp.retransmit_timer is not None
        tp.net.machine.timers.mod_timer(tp.retransmit_timer, cpu.now, tp.icsk_timeout)
        return
    if event == ICSK_TIME_REO_TIMEOUT:
        tcp_rack_reo_timeout(cpu, tp)
    elif event == ICSK_TIME_LOSS_PROBE:
        tcp_send_loss_probe(cpu, tp)
    elif event == ICSK_TIME_RETRANS:
        tp.icsk_pending = ICSK_TIME_NONE
        tcp_retransmit_timer(cpu, tp)
    elif event == ICSK_TIME_PROBE0:
        tp.icsk_pending = ICSK_TIME_NONE
        tcp_probe_timer(cpu, tp)


def tcp_rack_reo_timeout(cpu: Cpu, tp: TcpSock) -> None:
    """The time for mere reordering is over: what is missing is lost. Linux: tcp_rack_reo_timeout()."""
    in_flight = tcp_packets_in_flight(tp)
    lost = tp.lost
    tcp_rack_detect_loss(cpu, tp)
    if in_flight != tcp_packets_in_flight(tp):
        if tp.ca_state != TCP_CA_RECOVERY:
            tcp_enter_recovery(tp)
            tcp_cwnd_reduction(tp, 1, tp.lost - lost, 0)
        tcp_xmit_retransmit_queue(cpu, tp)
    if tp.icsk_pending != ICSK_TIME_RETRANS:
        tcp_rearm_rto(cpu, tp)


def tcp_model_timeout_ns(tp: TcpSock, boundary: int, base_ns: int) -> int:
    """Time that `boundary` doublings of the base take, capped like the RTO. Linux: tcp_model_timeout()."""
    rto_max = tp.rto_max_ns
    thresh = (rto_max // base_ns).bit_length() - 1
    if boundary <= thresh:
        return ((2 << boundary) - 1) * base_ns
    return ((2 << thresh) - 1) * base_ns + (boundary - thresh) * rto_max


def retransmits_timed_out(cpu: Cpu, tp: TcpSock, boundary: int, timeout_ns: int) -> bool:
    """Retransmitting has gone on as long as `boundary` doublings, or `timeout_ns`. Linux: same name."""
    if not tp.icsk_retransmits:
        return False
    if not timeout_ns:
        base = 1_000_000_000 if tp.sk_state in SYN_STATES else TCP_RTO_MIN_NS
        timeout_ns = tcp_model_timeout_ns(tp, boundary, base)
    return cpu.now - tp.retrans_stamp_ns >= timeout_ns


def tcp_orphan_retries(tp: TcpSock, *, alive: bool) -> int:
    """How often an orphan tries. Linux: tcp_orphan_retries()."""
    retries = tp.net.sysctl[TCP_ORPHAN_RETRIES]
    if tp.sk_err_soft and not alive:
        return 0
    return 8 if retries == 0 and alive else retries


def tcp_out_of_resources(cpu: Cpu, tp: TcpSock, *, do_reset: bool) -> bool:
    """Give an orphan up when the host has too many, the sooner the less promising it is. Linux: same name."""
    silent = cpu.now - tp.lsndtime_ns
    shift = int(silent > 2 * tp.rto_max_ns or not do_reset) + int(tp.sk_err_soft != 0)
    if not tcp_check_oom(cpu, tp, shift):
        return False
    if do_reset or silent <= TCP_TIMEWAIT_LEN_NS or (not tp.snd_wnd and not tp.packets_out):
        tcp_send_active_reset(cpu, tp)
    tcp_done(cpu, tp)
    tcp_abort_on_memory(tp)
    return True


def tcp_write_timeout(cpu: Cpu, tp: TcpSock) -> bool:
    """Give up if the peer has been silent for too long. Linux: tcp_write_timeout()."""
    sysctl = tp.net.sysctl
    retry_until = sysctl[TCP_RETRIES2]
    expired = False
    if tp.sk_state in SYN_STATES:
        retry_until = tp.syn_tries or sysctl[TCP_SYN_RETRIES]
        most = retry_until
        if tp.sk_state == TcpState.SYN_SENT:
            most += sysctl[TCP_SYN_LINEAR_TIMEOUTS]
        expired = tp.icsk_retransmits >= most
    elif tp.orphan:
        alive = tp.icsk_rto_ns < tp.rto_max_ns
        retry_until = tcp_orphan_retries(tp, alive=alive)
        do_reset = alive or not retransmits_timed_out(cpu, tp, retry_until, 0)
        if tcp_out_of_resources(cpu, tp, do_reset=do_reset):
            return True
    if not expired:
        expired = retransmits_timed_out(cpu, tp, retry_until, tp.icsk_user_timeout_ns)
    if expired:
        tcp_write_err(cpu, tp)
    else:
        tp.net.mib[TcpExt.TcpTimeoutRehash] += 1
    return expired


def tcp_rtx_probe0_timed_out(cpu: Cpu, tp: TcpSock) -> bool:
    """Retransmitting into a window that has been closed meanwhile brought nothing for too long. Linux: same name."""
    first = tp.retrans_stamp_ns or tp.tcp_rtx_queue[0].skb_mstamp_ns
    rtx_delta = cpu.now - first
    timeout = 2 * tp.rto_max_ns
    if tp.icsk_user_timeout_ns:
        if rtx_delta > tp.icsk_user_timeout_ns:
            return True
        timeout = min(timeout, tp.icsk_user_timeout_ns)
    return tp.icsk_timeout - tp.rcv_tstamp_ns > timeout and rtx_delta > timeout


def tcp_count_failure(tp: TcpSock) -> None:
    """The first timeout of a series: name the repair that it ends. Linux: tcp_retransmit_timer()."""
    if tp.ca_state == TCP_CA_RECOVERY:
        counter = TcpExt.TCPSackRecoveryFail if tp.sack_ok else TcpExt.TCPRenoRecoveryFail
    elif tp.ca_state == TCP_CA_LOSS:
        counter = TcpExt.TCPLossFailures
    elif tp.ca_state == TCP_CA_DISORDER or tp.sacked_out:
        counter = TcpExt.TCPSackFailures if tp.sack_ok else TcpExt.TCPRenoFailures
    else:
        return
    tp.net.mib[counter] += 1


def tcp_retransmit_timer(cpu: Cpu, tp: TcpSock) -> None:
    """The RTO is over: everything outstanding counts as lost, the oldest goes out again. RFC: 6298.

    Linux: net/ipv4/tcp_timer.c tcp_retransmit_timer().
    """
    if not tp.packets_out:
        return
    net = tp.net
    closed_window = not tp.snd_wnd and not tp.orphan and tp.sk_state not in SYN_STATES
    if not closed_window:
        net.mib[TcpExt.TCPTimeouts] += 1
        if tcp_write_timeout(cpu, tp):
            return
        if not tp.icsk_retransmits:
            tcp_count_failure(tp)
    elif tcp_rtx_probe0_timed_out(cpu, tp):
        tcp_write_err(cpu, tp)
        return
    tcp_enter_loss(cpu, tp)
    if not closed_window:
        tp.icsk_retransmits += 1
    net.event(cpu, "timer", f"{net.name}: retransmission timeout after {tp.icsk_rto_ns // 1_000_000} ms", 1)
    if tcp_retransmit_skb(cpu, tp, tp.tcp_rtx_queue[0], 1) > 0 and not closed_window:
        tcp_reset_xmit_timer(cpu, tp, ICSK_TIME_RETRANS, RESOURCE_PROBE_INTERVAL_NS)
        return
    if tcp_thin_linear(tp):
        tp.icsk_backoff = 0
        tcp_set_rto(tp)
    elif tp.sk_state != TcpState.SYN_SENT or tp.icsk_retransmits > net.sysctl[TCP_SYN_LINEAR_TIMEOUTS]:
        tp.icsk_backoff += 1
        tp.icsk_rto_ns = min(tp.icsk_rto_ns << 1, tp.rto_max_ns)
    tcp_reset_xmit_timer(cpu, tp, ICSK_TIME_RETRANS, tcp_clamp_rto_to_user_timeout(cpu, tp))


def tcp_thin_linear(tp: TcpSock) -> bool:
    """Few segments in flight give no duplicate ACKs: such a stream's first timeouts do not double. Linux: tcp_stream_is_thin()."""
    return bool(
        tp.net.sysctl[TCP_THIN_LINEAR_TIMEOUTS]
        and tp.sk_state == TcpState.ESTABLISHED
        and tp.packets_out < THIN_STREAM
        and tp.snd_ssthresh < TCP_INFINITE_SSTHRESH
        and tp.icsk_retransmits <= TCP_THIN_LINEAR_RETRIES
    )


def tcp_probe_timer(cpu: Cpu, tp: TcpSock) -> None:
    """The persist timer fired: probe the closed window, or give up. Linux: tcp_probe_timer()."""
    if tp.packets_out or not tp.tcp_write_queue:
        tp.icsk_probes_out = tp.icsk_probes_tstamp = 0
        return
    timed_out = False
    if not tp.icsk_probes_tstamp:
        tp.icsk_probes_tstamp = tcp_jiffies_ns(tp, cpu.now)
    elif tp.icsk_user_timeout_ns:
        timed_out = tcp_jiffies_ns(tp, cpu.now) - tp.icsk_probes_tstamp >= tp.icsk_user_timeout_ns
    max_probes = tp.net.sysctl[TCP_RETRIES2]
    if tp.orphan and not timed_out:
        alive = min(tp.icsk_rto_ns << tp.icsk_backoff, tp.rto_max_ns) < tp.rto_max_ns
        max_probes = tcp_orphan_retries(tp, alive=alive)
        timed_out = not alive and tp.icsk_backoff >= max_probes
        if not timed_out and tcp_out_of_resources(cpu, tp, do_reset=True):
            return
    if timed_out or tp.icsk_probes_out >= max_probes:
        tcp_write_err(cpu, tp)
    else:
        tcp_send_probe0(cpu, tp)


def tcp_jiffies_ns(tp: TcpSock, now: int) -> int:
    """The tick that `now` lies in, ns: what the kernel reads of its clock for timers. Linux: tcp_jiffies32."""
    tick = tp.net.machine.timers.tick_ns
    return now // tick * tick


def keepalive_time_when_ns(tp: TcpSock) -> int:
    """Idle time before the first probe. Linux: include/net/tcp.h keepalive_time_when()."""
    return tp.keepalive_time_ns or tp.net.sysctl[TCP_KEEPALIVE_TIME] * SECOND


def keepalive_intvl_when_ns(tp: TcpSock) -> int:
    """Time between probes. Linux: include/net/tcp.h keepalive_intvl_when()."""
    return tp.keepalive_intvl_ns or tp.net.sysctl[TCP_KEEPALIVE_INTVL] * SECOND


def keepalive_probes(tp: TcpSock) -> int:
    """Unanswered probes that end a connection. Linux: include/net/tcp.h keepalive_probes()."""
    return tp.keepalive_probes or int(tp.net.sysctl[TCP_KEEPALIVE_PROBES])


def keepalive_time_elapsed_ns(cpu: Cpu, tp: TcpSock) -> int:
    """How long nothing has come in, in whole ticks. Linux: include/net/tcp.h keepalive_time_elapsed()."""
    last = max(tcp_jiffies_ns(tp, tp.lrcvtime_ns), tcp_jiffies_ns(tp, tp.rcv_tstamp_ns))
    return tcp_jiffies_ns(tp, cpu.now) - last


def tcp_reset_keepalive_timer(cpu: Cpu, tp: TcpSock, delay_ns: int) -> None:
    """Arm the keepalive (or FIN_WAIT2) timer. Linux: tcp_reset_keepalive_timer()."""
    if tp.keepalive_timer is None:
        tp.keepalive_timer = TimerList(tcp_keepalive_timer, tp)
    tp.net.machine.timers.mod_timer(tp.keepalive_timer, cpu.now, cpu.now + delay_ns)


def tcp_keepalive_timer(cpu: Cpu, tp: TcpSock) -> None:
    """An idle connection, or an orphan in FIN_WAIT2. Linux: net/ipv4/tcp_timer.c tcp_keepalive_timer()."""
    if tp.sk_lock_owned:
        tcp_reset_keepalive_timer(cpu, tp, 50_000_000)
        return
    if tp.sk_state == TcpState.FIN_WAIT2 and tp.orphan:
        if tp.linger2 >= 0:
            remaining = tcp_fin_time_ns(tp) - TCP_TIMEWAIT_LEN_NS
            if remaining > 0:
                tcp_time_wait(cpu, tp, TcpState.FIN_WAIT2, remaining)
                return
        tcp_send_active_reset(cpu, tp)
        tcp_done(cpu, tp)
        return
    if not tp.keepopen or tp.sk_state in (TcpState.CLOSE, TcpState.SYN_SENT, TcpState.LISTEN):
        return
    idle_limit = keepalive_time_when_ns(tp)
    if tp.packets_out or tp.tcp_write_queue:
        tcp_reset_keepalive_timer(cpu, tp, idle_limit)
        return
    idle = keepalive_time_elapsed_ns(cpu, tp)
    if idle < idle_limit:
        tcp_reset_keepalive_timer(cpu, tp, idle_limit - idle)
        return
    if tcp_keepalive_dead(tp, idle):
        tcp_send_active_reset(cpu, tp)
        tcp_write_err(cpu, tp)
        return
    if tcp_write_wakeup(cpu, tp, TcpExt.TCPKeepAlive) > 0:
        tcp_reset_keepalive_timer(cpu, tp, RESOURCE_PROBE_INTERVAL_NS)
        return
    tp.icsk_probes_out += 1
    tcp_reset_keepalive_timer(cpu, tp, keepalive_intvl_when_ns(tp))


def tcp_keepalive_dead(tp: TcpSock, idle_ns: int) -> bool:
    """Enough probes stayed unanswered; TCP_USER_TIMEOUT, where set, counts time instead."""
    if tp.icsk_user_timeout_ns:
        return idle_ns >= tp.icsk_user_timeout_ns and tp.icsk_probes_out > 0
    return tp.icsk_probes_out >= keepalive_probes(tp)
