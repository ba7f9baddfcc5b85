"""Arming the one retransmit timer, which serves RTO, loss probe, reordering and persist in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.sysctls import TCP_EARLY_RETRANS
from wireside.kernel.tcp.sock.tcp_sock import (
    ICSK_TIME_LOSS_PROBE,
    ICSK_TIME_NONE,
    ICSK_TIME_REO_TIMEOUT,
    ICSK_TIME_RETRANS,
    TCP_CA_CWR,
    TCP_CA_OPEN,
    TCP_TIMEOUT_INIT_US,
)

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu
    from wireside.kernel.tcp.sock.tcp_sock import TcpSock

TCP_RTO_MIN_NS: Final = 200_000_000
TCP_TIMEOUT_MIN_US: Final = 2000
"""What probes and reordering timers wait beyond their estimate, us. Linux: include/net/tcp.h."""
TCP_PROBE0_BACKOFF_MAX: Final = 10
"""log2(TCP_RTO_MAX / TCP_RTO_MIN) + 1: the persist timer doubles at most this often."""


def usecs_to_jiffies_ns(tp: TcpSock, usecs: int) -> int:
    """Microseconds rounded up to whole timer ticks, in ns. Linux: usecs_to_jiffies()."""
    tick = tp.net.machine.timers.tick_ns
    return -(-usecs * 1000 // tick) * tick


def tcp_timeout_min_ns(tp: TcpSock) -> int:
    """The shortest timeout that TCP arms: two ticks, ns. Linux: include/net/tcp.h TCP_TIMEOUT_MIN."""
    return 2 * tp.net.machine.timers.tick_ns


def tcp_reset_xmit_timer(cpu: Cpu, tp: TcpSock, what: int, when_ns: int) -> None:
    """Arm the retransmit timer for `what` in `when_ns` from now. Linux: inet_csk_reset_xmit_timer()."""
    when_ns = min(when_ns, tp.rto_max_ns)
    tp.icsk_pending = what
    timers = tp.net.machine.timers
    tick = timers.tick_ns
    tp.icsk_timeout = (cpu.now // tick + -(-when_ns // tick)) * tick
    timer = tp.retransmit_timer
    assert timer is not None
    timers.mod_timer(timer, cpu.now, cpu.now + when_ns)


def tcp_clear_xmit_timer(tp: TcpSock) -> None:
    """Nothing is in flight: stop retransmitting. Linux: inet_csk_clear_xmit_timer(ICSK_TIME_RETRANS)."""
    tp.icsk_pending = ICSK_TIME_NONE
    if tp.retransmit_timer is not None:
        tp.net.machine.timers.timer_delete(tp.retransmit_timer)


def tcp_rto_delta_us(cpu: Cpu, tp: TcpSock) -> int:
    """Microseconds until the oldest unacknowledged segment's RTO is over. Linux: tcp_rto_delta_us()."""
    if not tp.tcp_rtx_queue:
        return tp.icsk_rto_ns // 1000
    return (tp.tcp_rtx_queue[0].skb_mstamp_ns + tp.icsk_rto_ns - cpu.now) // 1000


def tcp_rearm_rto(cpu: Cpu, tp: TcpSock) -> None:
    """Restart the retransmission timer. RFC: 6298. Linux: net/ipv4/tcp_input.c tcp_rearm_rto()."""
    if not tp.packets_out:
        tcp_clear_xmit_timer(tp)
        return
    rto_ns = tp.icsk_rto_ns
    if tp.icsk_pending in (ICSK_TIME_REO_TIMEOUT, ICSK_TIME_LOSS_PROBE):
        rto_ns = usecs_to_jiffies_ns(tp, max(tcp_rto_delta_us(cpu, tp), 1))
    tcp_reset_xmit_timer(cpu, tp, ICSK_TIME_RETRANS, rto_ns)


def tcp_schedule_loss_probe(cpu: Cpu, tp: TcpSock, *, advancing_rto: bool = False) -> bool:
    """Arm the tail loss probe instead of the RTO, if one is due earlier. RFC: 8985.

    Linux: net/ipv4/tcp_output.c tcp_schedule_loss_probe().
    """
    if (
        not tp.packets_out
        or not tp.sack_ok
        or tp.ca_state not in (TCP_CA_OPEN, TCP_CA_CWR)
        or tp.net.sysctl[TCP_EARLY_RETRANS] not in (3, 4)
    ):
        return False
    if tp.srtt_us:
        timeout_us = (tp.srtt_us >> 2) + (tp.rto_min_us if tp.packets_out == 1 else TCP_TIMEOUT_MIN_US)
    else:
        timeout_us = TCP_TIMEOUT_INIT_US
    rto_us = tp.icsk_rto_ns // 1000 if advancing_rto else tcp_rto_delta_us(cpu, tp)
    if rto_us > 0:
        timeout_us = min(timeout_us, rto_us)
    tcp_reset_xmit_timer(cpu, tp, ICSK_TIME_LOSS_PROBE, usecs_to_jiffies_ns(tp, timeout_us))
    return True


def tcp_probe0_base_ns(tp: TcpSock) -> int:
    """Wait before the first window probe, ns. Linux: tcp_probe0_base()."""
    return max(tp.icsk_rto_ns, TCP_RTO_MIN_NS)


def tcp_probe0_when_ns(tp: TcpSock) -> int:
    """Wait before the next window probe, doubled with every one, ns. Linux: tcp_probe0_when()."""
    return min(tcp_probe0_base_ns(tp) << min(TCP_PROBE0_BACKOFF_MAX, tp.icsk_backoff), tp.rto_max_ns)


def tcp_clamp_probe0_to_user_timeout(cpu: Cpu, tp: TcpSock, when_ns: int) -> int:
    """Do not wait past TCP_USER_TIMEOUT. Linux: tcp_clamp_probe0_to_user_timeout()."""
    if not tp.icsk_user_timeout_ns or not tp.icsk_probes_tstamp:
        return when_ns
    tick = tp.net.machine.timers.tick_ns
    remaining = tp.icsk_user_timeout_ns - (cpu.now // tick * tick - tp.icsk_probes_tstamp)
    return min(max(remaining, tcp_timeout_min_ns(tp)), when_ns)


def tcp_clamp_rto_to_user_timeout(cpu: Cpu, tp: TcpSock) -> int:
    """The RTO, shortened so that TCP_USER_TIMEOUT is kept, ns. Linux: tcp_clamp_rto_to_user_timeout()."""
    if not tp.icsk_user_timeout_ns:
        return tp.icsk_rto_ns
    remaining = tp.icsk_user_timeout_ns - (cpu.now - tp.retrans_stamp_ns)
    if remaining <= 0:
        return tp.net.machine.timers.tick_ns
    return min(tp.icsk_rto_ns, remaining)
