"""Congestion control: the interface, how a reduction begins, slow start, and Reno. CUBIC lives in its own file, as in the kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.kernel.tcp.send.tcp_tso import tcp_is_cwnd_limited
from wireside.kernel.tcp.sock.tcp_sock import TCP_CA_CWR

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu
    from wireside.kernel.tcp.sock.tcp_sock import TcpSock


def tcp_set_ca_state(tp: TcpSock, state: int) -> None:
    """Change the recovery state and tell congestion control. Linux: net/ipv4/tcp_cong.c tcp_set_ca_state()."""
    tp.ca_ops.set_state(tp, state)
    tp.ca_state = state


def tcp_init_cwnd_reduction(tp: TcpSock) -> None:
    """Start bringing cwnd down to ssthresh over one round trip. RFC: 6937."""
    tp.high_seq = tp.snd_nxt
    tp.tlp_high_seq = 0
    tp.snd_cwnd_cnt = 0
    tp.prior_cwnd = tp.snd_cwnd
    tp.prr_delivered = tp.prr_out = 0
    tp.snd_ssthresh = tp.ca_ops.ssthresh(tp)


def tcp_enter_cwr(tp: TcpSock) -> None:
    """The local queue dropped a packet: reduce once. Linux: net/ipv4/tcp_input.c tcp_enter_cwr()."""
    tp.prior_ssthresh = 0
    if tp.ca_state < TCP_CA_CWR:
        tp.undo_marker = 0
        tcp_init_cwnd_reduction(tp)
        tcp_set_ca_state(tp, TCP_CA_CWR)


class Reno:
    """NewReno: one segment per window and round trip. RFC: 5681. Linux: net/ipv4/tcp_cong.c tcp_reno."""

    name = "reno"

    def init(self, tp: TcpSock) -> None:
        """Start with no private state."""
        tp.icsk_ca_priv = None

    def tx_start(self, tp: TcpSock, now: int) -> None:
        """Transmission starts after a pause."""

    def ssthresh(self, tp: TcpSock) -> int:
        """Half of cwnd. Linux: tcp_reno_ssthresh()."""
        return max(tp.snd_cwnd >> 1, 2)

    def undo_cwnd(self, tp: TcpSock) -> int:
        """Cwnd after an undone reduction. Linux: tcp_reno_undo_cwnd()."""
        return max(tp.snd_cwnd, tp.prior_cwnd)

    def set_state(self, tp: TcpSock, state: int) -> None:
        """The sender's recovery state is about to change."""

    def pkts_acked(self, cpu: Cpu, tp: TcpSock, rtt_us: int) -> None:
        """An ACK with a round-trip sample came in."""

    def cong_avoid(self, cpu: Cpu, tp: TcpSock, acked: int) -> None:
        """Grow cwnd for `acked` segments. Linux: tcp_reno_cong_avoid()."""
        if not tcp_is_cwnd_limited(tp):
            return
        if tp.snd_cwnd < tp.snd_ssthresh:
            acked = tcp_slow_start(tp, acked)
            if not acked:
                return
        tcp_cong_avoid_ai(tp, tp.snd_cwnd, acked)


def tcp_slow_start(tp: TcpSock, acked: int) -> int:
    """Grow cwnd by what was acknowledged, up to ssthresh; return what is left over. Linux: tcp_slow_start()."""
    cwnd = min(tp.snd_cwnd + acked, tp.snd_ssthresh)
    acked -= cwnd - tp.snd_cwnd
    tp.snd_cwnd = cwnd
    return acked


def tcp_cong_avoid_ai(tp: TcpSock, w: int, acked: int) -> None:
    """Grow cwnd by one for every `w` segments acknowledged. Linux: tcp_cong_avoid_ai()."""
    if tp.snd_cwnd_cnt >= w:
        tp.snd_cwnd_cnt = 0
        tp.snd_cwnd += 1
    tp.snd_cwnd_cnt += acked
    if tp.snd_cwnd_cnt >= w:
        delta = tp.snd_cwnd_cnt // w
        tp.snd_cwnd_cnt -= delta * w
        tp.snd_cwnd += delta
