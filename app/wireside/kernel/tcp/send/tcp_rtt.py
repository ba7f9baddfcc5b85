"""Round-trip estimation and the retransmission timeout, in the kernel's fixed point."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.catalog.sysctls import TCP_PACING_CA_RATIO, TCP_PACING_SS_RATIO
from wireside.kernel.tcp.send.tcp_xmit_timer import usecs_to_jiffies_ns
from wireside.kernel.tcp.sock.tcp_sock import after

if TYPE_CHECKING:
    from wireside.kernel.tcp.sock.tcp_sock import TcpSock


def tcp_rtt_estimator(tp: TcpSock, mrtt_us: int) -> None:
    """Take one sample: srtt_us is 8 times the mean, mdev_us 4 times the mean deviation. RFC: 6298.

    Linux: net/ipv4/tcp_input.c tcp_rtt_estimator().
    """
    m = mrtt_us
    srtt = tp.srtt_us
    if srtt:
        m -= srtt >> 3
        srtt += m
        if m < 0:
            m = -m - (tp.mdev_us >> 2)
            if m > 0:
                m >>= 3
        else:
            m -= tp.mdev_us >> 2
        tp.mdev_us += m
        if tp.mdev_us > tp.mdev_max_us:
            tp.mdev_max_us = tp.mdev_us
            tp.rttvar_us = max(tp.rttvar_us, tp.mdev_max_us)
        if after(tp.snd_una, tp.rtt_seq):
            if tp.mdev_max_us < tp.rttvar_us:
                tp.rttvar_us -= (tp.rttvar_us - tp.mdev_max_us) >> 2
            tp.rtt_seq = tp.snd_nxt
            tp.mdev_max_us = tp.rto_min_us
    else:
        srtt = m << 3
        tp.mdev_us = m << 1
        tp.rttvar_us = max(tp.mdev_us, tp.rto_min_us)
        tp.mdev_max_us = tp.rttvar_us
        tp.rtt_seq = tp.snd_nxt
    tp.srtt_us = max(1, srtt)


def tcp_set_rto(tp: TcpSock) -> None:
    """RTO = srtt + rttvar, in whole ticks. Linux: tcp_set_rto(), __tcp_set_rto()."""
    tp.icsk_rto_ns = min(usecs_to_jiffies_ns(tp, (tp.srtt_us >> 3) + tp.rttvar_us), tp.rto_max_ns)


def tcp_update_pacing_rate(tp: TcpSock) -> None:
    """Bytes per second that TSO sizing and TSQ go by: by default twice cwnd per RTT in early slow start, 1.2 times later.

    Linux: net/ipv4/tcp_input.c tcp_update_pacing_rate().
    """
    early = tp.snd_cwnd < tp.snd_ssthresh >> 1
    ratio = tp.net.sysctl[TCP_PACING_SS_RATIO if early else TCP_PACING_CA_RATIO]
    rate = tp.mss_cache * 80_000 * ratio * max(tp.snd_cwnd, tp.packets_out)
    if tp.srtt_us:
        rate //= tp.srtt_us
    tp.pacing_rate = rate
