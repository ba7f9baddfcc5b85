"""CUBIC congestion control with HyStart, in the kernel's integer arithmetic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.counters import TcpExt
from wireside.catalog.inet import MASK
from wireside.kernel.tcp.send.tcp_cong import Reno, tcp_cong_avoid_ai, tcp_slow_start
from wireside.kernel.tcp.send.tcp_tso import tcp_is_cwnd_limited
from wireside.kernel.tcp.sock.tcp_sock import TCP_CA_LOSS, TCP_INFINITE_SSTHRESH, after

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu
    from wireside.kernel.tcp.sock.tcp_sock import TcpSock

BICTCP_BETA_SCALE: Final = 1024
BETA: Final = 717
"""Multiplicative decrease, 717/1024."""
BIC_SCALE: Final = 41
BICTCP_HZ: Final = 10
"""CUBIC's time runs in units of 2**-10 s."""
CUBE_RTT_SCALE: Final = BIC_SCALE * 10
BETA_SCALE: Final = 8 * (BICTCP_BETA_SCALE + BETA) // 3 // (BICTCP_BETA_SCALE - BETA)
CUBE_FACTOR: Final = (1 << (10 + 3 * BICTCP_HZ)) // CUBE_RTT_SCALE
HYSTART_MIN_SAMPLES: Final = 8
HYSTART_LOW_WINDOW: Final = 16
HYSTART_ACK_DELTA_US: Final = 2000
HYSTART_DELAY_MIN_US: Final = 4000
HYSTART_DELAY_MAX_US: Final = 16000


class Bictcp:
    """struct bictcp: CUBIC's private state of one connection; times in us unless named otherwise."""

    __slots__ = (
        "ack_cnt",
        "cnt",
        "curr_rtt",
        "delay_min",
        "end_seq",
        "epoch_start_ns",
        "found",
        "k",
        "last_ack_us",
        "last_cwnd",
        "last_max_cwnd",
        "last_time_ns",
        "origin_point",
        "round_start_us",
        "sample_cnt",
        "tcp_cwnd",
    )

    def __init__(self) -> None:
        self.cnt = self.last_max_cwnd = self.last_cwnd = self.last_time_ns = 0
        self.origin_point = self.k = self.delay_min = self.epoch_start_ns = 0
        self.ack_cnt = self.tcp_cwnd = 0
        self.found = False
        self.sample_cnt = self.round_start_us = self.end_seq = self.last_ack_us = self.curr_rtt = 0


def bictcp(tp: TcpSock) -> Bictcp:
    """CUBIC's state of a connection, created on first use: its first round ends with what is sent first."""
    ca = tp.icsk_ca_priv
    if not isinstance(ca, Bictcp):
        ca = tp.icsk_ca_priv = Bictcp()
        ca.end_seq = (tp.iss + 1) & MASK
    return ca


def cubic_root(value: int) -> int:
    """Integer cube root, rounded down."""
    low, high = 0, 1 << (value.bit_length() // 3 + 1)
    while low < high:
        middle = (low + high + 1) >> 1
        if middle**3 <= value:
            low = middle
        else:
            high = middle - 1
    return low


class Cubic(Reno):
    """CUBIC. RFC: 9438. Linux: net/ipv4/tcp_cubic.c cubictcp."""

    name = "cubic"

    def init(self, tp: TcpSock) -> None:
        """Start HyStart's first round; a connection that has sent nothing gets its state when it needs it."""
        tp.icsk_ca_priv = None
        if (tp.snd_nxt - tp.iss) & MASK > 1:
            bictcp(tp).end_seq = tp.snd_nxt

    def tx_start(self, tp: TcpSock, now: int) -> None:
        """Shift the epoch by an idle time, so that cwnd does not jump. Linux: cubictcp_cwnd_event_tx_start()."""
        ca = tp.icsk_ca_priv
        if not isinstance(ca, Bictcp) or not ca.epoch_start_ns:
            return
        delta = now - tp.lsndtime_ns
        if delta > 0:
            ca.epoch_start_ns = min(ca.epoch_start_ns + delta, now)

    def ssthresh(self, tp: TcpSock) -> int:
        """0.7 of cwnd; with fast convergence W_max shrinks too. Linux: cubictcp_recalc_ssthresh()."""
        ca = bictcp(tp)
        cwnd = tp.snd_cwnd
        ca.epoch_start_ns = 0
        ca.last_max_cwnd = (
            cwnd * (BICTCP_BETA_SCALE + BETA) // (2 * BICTCP_BETA_SCALE) if cwnd < ca.last_max_cwnd else cwnd
        )
        return max(cwnd * BETA // BICTCP_BETA_SCALE, 2)

    def set_state(self, tp: TcpSock, state: int) -> None:
        """A retransmission timeout starts everything anew. Linux: cubictcp_state()."""
        if state == TCP_CA_LOSS:
            self.init(tp)

    def cong_avoid(self, cpu: Cpu, tp: TcpSock, acked: int) -> None:
        """Grow cwnd for `acked` segments. Linux: cubictcp_cong_avoid()."""
        if not tcp_is_cwnd_limited(tp):
            return
        if tp.snd_cwnd < tp.snd_ssthresh:
            acked = tcp_slow_start(tp, acked)
            if not acked:
                return
        ca = bictcp(tp)
        bictcp_update(cpu, tp, ca, acked)
        tcp_cong_avoid_ai(tp, ca.cnt, acked)

    def pkts_acked(self, cpu: Cpu, tp: TcpSock, rtt_us: int) -> None:
        """Take a round-trip sample; HyStart may end slow start. Linux: cubictcp_acked()."""
        ca = bictcp(tp)
        if rtt_us < 0 or (ca.epoch_start_ns and cpu.now - ca.epoch_start_ns < 1_000_000_000):
            return
        delay = rtt_us or 1
        if not ca.delay_min or ca.delay_min > delay:
            ca.delay_min = delay
        if not ca.found and tp.snd_cwnd < tp.snd_ssthresh and tp.snd_cwnd >= HYSTART_LOW_WINDOW:
            hystart_update(cpu, tp, ca, delay)


def bictcp_update(cpu: Cpu, tp: TcpSock, ca: Bictcp, acked: int) -> None:
    """Compute how many ACKs grow cwnd by one, from the cubic of the time since the last loss.

    Linux: net/ipv4/tcp_cubic.c bictcp_update().
    """
    now = cpu.now
    cwnd = tp.snd_cwnd
    ca.ack_cnt += acked
    if ca.last_cwnd == cwnd and now - ca.last_time_ns <= 1_000_000_000 // 32:
        return
    if not (ca.epoch_start_ns and now == ca.last_time_ns):
        ca.last_cwnd = cwnd
        ca.last_time_ns = now
        if not ca.epoch_start_ns:
            ca.epoch_start_ns = now
            ca.ack_cnt = acked
            ca.tcp_cwnd = cwnd
            if ca.last_max_cwnd <= cwnd:
                ca.k = 0
                ca.origin_point = cwnd
            else:
                ca.k = cubic_root(CUBE_FACTOR * (ca.last_max_cwnd - cwnd))
                ca.origin_point = ca.last_max_cwnd
        t_us = (now - ca.epoch_start_ns) // 1000 + ca.delay_min
        t = (t_us << BICTCP_HZ) // 1_000_000
        offs = abs(ca.k - t)
        delta = CUBE_RTT_SCALE * offs**3 >> (10 + 3 * BICTCP_HZ)
        target = ca.origin_point - delta if t < ca.k else ca.origin_point + delta
        ca.cnt = cwnd // (target - cwnd) if target > cwnd else 100 * cwnd
        if ca.last_max_cwnd == 0 and ca.cnt > 20:
            ca.cnt = 20
    step = cwnd * BETA_SCALE >> 3
    while ca.ack_cnt > step:
        ca.ack_cnt -= step
        ca.tcp_cwnd += 1
    if ca.tcp_cwnd > cwnd:
        ca.cnt = min(ca.cnt, cwnd // (ca.tcp_cwnd - cwnd))
    ca.cnt = max(ca.cnt, 2)


def hystart_update(cpu: Cpu, tp: TcpSock, ca: Bictcp, delay: int) -> None:
    """Leave slow start when ACK trains grow long or the delay rises. Linux: hystart_update()."""
    now = cpu.now // 1000
    mib = tp.net.mib
    if after(tp.snd_una, ca.end_seq):
        ca.round_start_us = ca.last_ack_us = now
        ca.end_seq = tp.snd_nxt
        ca.curr_rtt = TCP_INFINITE_SSTHRESH
        ca.sample_cnt = 0
    if now - ca.last_ack_us <= HYSTART_ACK_DELTA_US:
        ca.last_ack_us = now
        threshold = ca.delay_min + (min(tp.min_rtt_us >> 2, 1000) if tp.min_rtt_us else 0)
        if now - ca.round_start_us > threshold >> 1:
            ca.found = True
            mib[TcpExt.TCPHystartTrainDetect] += 1
            mib[TcpExt.TCPHystartTrainCwnd] += tp.snd_cwnd
            tp.snd_ssthresh = tp.snd_cwnd
            return
    ca.curr_rtt = min(ca.curr_rtt or TCP_INFINITE_SSTHRESH, delay)
    if ca.sample_cnt < HYSTART_MIN_SAMPLES:
        ca.sample_cnt += 1
        return
    limit = min(max(ca.delay_min >> 3, HYSTART_DELAY_MIN_US), HYSTART_DELAY_MAX_US)
    if ca.curr_rtt > ca.delay_min + limit:
        ca.found = True
        mib[TcpExt.TCPHystartDelayDetect] += 1
        mib[TcpExt.TCPHystartDelayCwnd] += tp.snd_cwnd
        tp.snd_ssthresh = tp.snd_cwnd


CUBIC: Final = Cubic()
CONGESTION_CONTROLS: Final[dict[str, Reno]] = {"cubic": CUBIC, "reno": Reno()}
