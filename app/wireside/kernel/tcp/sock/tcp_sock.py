"""struct tcp_sock: one TCP connection's state, under the kernel's field names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from wireside.catalog.inet import IPPROTO_TCP, MASK
from wireside.catalog.sysctls import (
    TCP_CONGESTION_CONTROL,
    TCP_RMEM,
    TCP_RTO_MAX_MS,
    TCP_RTO_MIN_US,
    TCP_TIMESTAMPS,
    TCP_WMEM,
)
from wireside.kernel.core.sk_buff_head import NO_ENTRIES
from wireside.kernel.core.sock import Sock

if TYPE_CHECKING:
    from wireside.kernel.core.hrtimer import HrTimer
    from wireside.kernel.core.net import Net
    from wireside.kernel.core.sk_buff_head import Queue, SkBuffHead
    from wireside.kernel.core.skbuff import SkBuff
    from wireside.kernel.core.timer import TimerList

TCP_INIT_CWND: Final = 10
TCP_INFINITE_SSTHRESH: Final = 0x7FFFFFFF
TCP_MSS_DEFAULT: Final = 536
TCP_TIMEOUT_INIT_US: Final = 1_000_000
TCP_MIN_MSS: Final = 88
TCP_DEFAULT_SCALING_RATIO: Final = 128
"""Half of sk_rcvbuf is offered until a segment shows better. Linux: include/net/tcp.h, 6.6 and later."""
TCP_NAGLE_OFF: Final = 1
TCP_NAGLE_CORK: Final = 2
TCP_NAGLE_PUSH: Final = 4
ICSK_ACK_SCHED: Final = 1
ICSK_ACK_TIMER: Final = 2
ICSK_ACK_PUSHED: Final = 4
ICSK_ACK_PUSHED2: Final = 8
ICSK_ACK_NOW: Final = 16
ICSK_ACK_NOMEM: Final = 32
ICSK_TIME_NONE: Final = 0
ICSK_TIME_RETRANS: Final = 1
ICSK_TIME_PROBE0: Final = 3
ICSK_TIME_LOSS_PROBE: Final = 5
ICSK_TIME_REO_TIMEOUT: Final = 6
TSQ_THROTTLED: Final = 1
TSQ_QUEUED: Final = 2
TCP_TSQ_DEFERRED: Final = 4
TCP_WRITE_TIMER_DEFERRED: Final = 8
TCP_DELACK_TIMER_DEFERRED: Final = 16
TCP_ACK_DEFERRED: Final = 32
TCP_CA_OPEN: Final = 0
TCP_CA_DISORDER: Final = 1
TCP_CA_CWR: Final = 2
TCP_CA_RECOVERY: Final = 3
TCP_CA_LOSS: Final = 4
CA_STATE_NAME: Final = ("Open", "Disorder", "CWR", "Recovery", "Loss")


ALIKE: Final = (
    "advmss", "icsk_rto_ns", "max_window", "mdev_us", "mss_cache", "mss_clamp", "pacing_rate", "rcv_ssthresh", "rcv_wnd",
    "rcvq_space", "rto_max_ns", "sk_sndbuf", "snd_wnd", "srtt_us", "ts_off", "ts_recent", "window_clamp",
)  # fmt: skip
"""Numbers that most sockets of a path have in common."""
COMMON_NUMBERS: Final = 4096


def before(a: int, b: int) -> bool:
    """Sequence number `a` comes before `b`, modulo 2**32. Linux: include/net/tcp.h before()."""
    return (a - b) & 0x80000000 != 0


def after(a: int, b: int) -> bool:
    """Sequence number `a` comes after `b`, modulo 2**32."""
    return (b - a) & 0x80000000 != 0


def seq_max(a: int, b: int) -> int:
    """The later of two sequence numbers."""
    return b if (a - b) & 0x80000000 else a


class TcpSock(Sock):
    """One TCP socket. Sequence numbers are absolute and modulo 2**32; `_us` is microseconds, `_ns` nanoseconds.

    Linux: include/linux/tcp.h struct tcp_sock, include/net/inet_connection_sock.h struct inet_connection_sock.
    """

    __slots__ = (
        "ack_ato_ns",
        "ack_pending",
        "ack_pingpong",
        "ack_quick",
        "ack_timeout",
        "advmss",
        "app_limited",
        "bytes_acked",
        "bytes_received",
        "bytes_retrans",
        "bytes_sent",
        "ca_ops",
        "ca_setsockopt",
        "ca_state",
        "compressed_ack",
        "compressed_ack_rcv_nxt",
        "compressed_ack_timer",
        "copied_seq",
        "cwnd_usage_seq",
        "data_segs_in",
        "data_segs_out",
        "delack_timer",
        "delivered",
        "dsack",
        "dsack_dups",
        "dup_ack_counter",
        "first_tx_ns",
        "frto",
        "high_seq",
        "highest_sack_seq",
        "icsk_accept_queue",
        "icsk_backoff",
        "icsk_ca_priv",
        "icsk_pending",
        "icsk_probes_out",
        "icsk_probes_tstamp",
        "icsk_retransmits",
        "icsk_rto_ns",
        "icsk_timeout",
        "icsk_user_timeout_ns",
        "irs",
        "is_cwnd_limited",
        "iss",
        "keepalive_intvl_ns",
        "keepalive_probes",
        "keepalive_time_ns",
        "keepalive_timer",
        "last_oow_ack_ns",
        "last_seg_size",
        "linger2",
        "lost",
        "lost_out",
        "lrcvtime_ns",
        "lsndtime_ns",
        "max_packets_out",
        "max_window",
        "mdev_max_us",
        "mdev_us",
        "min_rtt_us",
        "mss_cache",
        "mss_clamp",
        "nonagle",
        "notsent_lowat",
        "out_of_order_queue",
        "pacing_rate",
        "packets_out",
        "pred_flags",
        "prior_cwnd",
        "prior_ssthresh",
        "prr_delivered",
        "prr_out",
        "pushed_seq",
        "rack_advanced",
        "rack_dsack_seen",
        "rack_end_seq",
        "rack_mstamp_us",
        "rack_reo_wnd_persist",
        "rack_reo_wnd_steps",
        "rack_rtt_us",
        "rcv_mss",
        "rcv_nxt",
        "rcv_rtt_last_tsecr",
        "rcv_rtt_seq",
        "rcv_rtt_time_us",
        "rcv_rtt_us",
        "rcv_ssthresh",
        "rcv_tstamp_ns",
        "rcv_wnd",
        "rcv_wscale",
        "rcv_wup",
        "rcvq_space",
        "rcvq_space_seq",
        "rcvq_space_time_us",
        "recv_sack_cache",
        "reord_seen",
        "reordering",
        "retrans_out",
        "retrans_stamp_ns",
        "retransmit_timer",
        "rskq_defer_accept",
        "rto_max_ns",
        "rto_min_us",
        "rtt_seq",
        "rttvar_us",
        "sack_ok",
        "sacked_out",
        "scaling_ratio",
        "segs_in",
        "segs_out",
        "selective_acks",
        "snd_cwnd",
        "snd_cwnd_cnt",
        "snd_cwnd_stamp_ns",
        "snd_cwnd_used",
        "snd_nxt",
        "snd_sml",
        "snd_ssthresh",
        "snd_una",
        "snd_wl1",
        "snd_wnd",
        "snd_wscale",
        "sock_done",
        "srtt_us",
        "syn_tries",
        "tcp_rtx_queue",
        "tcp_write_queue",
        "tlp_high_seq",
        "tlp_retrans",
        "total_retrans",
        "ts_off",
        "ts_recent",
        "tsq_flags",
        "tstamp_ok",
        "undo_marker",
        "undo_retrans",
        "user_mss",
        "window_clamp",
        "write_seq",
        "wscale_ok",
    )

    def __init__(self, net: Net, sk_id: int) -> None:
        super().__init__(net, sk_id, IPPROTO_TCP)
        self._start_windows(net)
        self._start_acks_and_timers(net)
        self._start_congestion(net)
        self._start_recovery()
        self._start_queues()
        self._start_counts_and_options()

    def _start_windows(self, net: Net) -> None:
        """Buffers from the sysctls, no sequence numbers yet."""
        self.sk_rcvbuf = net.sysctl[TCP_RMEM][1]
        self.sk_sndbuf = net.sysctl[TCP_WMEM][1]
        self.iss = self.irs = 0
        self.snd_una = self.snd_nxt = self.write_seq = self.pushed_seq = self.snd_sml = 0
        self.snd_wnd = self.max_window = self.snd_wl1 = 0
        self.rcv_nxt = self.copied_seq = self.rcv_wup = self.rcv_wnd = 0
        self.window_clamp = self.rcv_ssthresh = 0
        self.scaling_ratio = TCP_DEFAULT_SCALING_RATIO
        self.mss_cache = self.advmss = self.mss_clamp = TCP_MSS_DEFAULT
        self.rcv_mss = self.last_seg_size = 0
        self.snd_wscale = self.rcv_wscale = 0
        self.wscale_ok = True
        self.sack_ok = False
        self.tstamp_ok = bool(net.sysctl[TCP_TIMESTAMPS])
        self.ts_recent = 0
        self.ts_off = 0
        self.pred_flags = False
        """Header prediction is armed: the next segment may take the fast path."""

    def _start_acks_and_timers(self, net: Net) -> None:
        """Nothing is owed, nothing is timed."""
        self.ack_pending = self.ack_quick = self.ack_pingpong = 0
        self.ack_ato_ns = self.ack_timeout = 0
        self.lrcvtime_ns = self.lsndtime_ns = self.rcv_tstamp_ns = 0
        self.srtt_us = self.mdev_us = self.mdev_max_us = self.rttvar_us = 0
        self.mdev_us = TCP_TIMEOUT_INIT_US
        self.rtt_seq = 0
        self.min_rtt_us = 0
        self.icsk_rto_ns = TCP_TIMEOUT_INIT_US * 1000
        self.rto_min_us = net.sysctl[TCP_RTO_MIN_US]
        self.rto_max_ns = net.sysctl[TCP_RTO_MAX_MS] * 1_000_000
        self.icsk_backoff = self.icsk_retransmits = self.icsk_probes_out = self.icsk_probes_tstamp = 0
        self.icsk_pending = ICSK_TIME_NONE
        self.icsk_timeout = 0
        self.icsk_user_timeout_ns = 0

    def _start_congestion(self, net: Net) -> None:
        """Nothing is under way; cwnd is 10."""
        self.packets_out = self.sacked_out = self.lost_out = self.retrans_out = self.max_packets_out = 0
        self.snd_cwnd = TCP_INIT_CWND
        self.snd_ssthresh = TCP_INFINITE_SSTHRESH
        self.snd_cwnd_cnt = self.snd_cwnd_stamp_ns = self.snd_cwnd_used = self.cwnd_usage_seq = 0
        self.is_cwnd_limited = False
        self.app_limited = False
        self.prior_cwnd = self.prior_ssthresh = self.prr_delivered = self.prr_out = 0
        self.ca_state = TCP_CA_OPEN
        self.ca_ops: Any = net.sysctl[TCP_CONGESTION_CONTROL]
        """Name of the congestion control until the connection is established, then its operations."""
        self.icsk_ca_priv: object = None
        """What congestion control keeps of this connection; only it looks inside."""
        self.ca_setsockopt = False
        """TCP_CONGESTION was set: accepted sockets inherit it instead of taking the sysctl."""

    def _start_recovery(self) -> None:
        """Nothing was lost."""
        self.high_seq = self.highest_sack_seq = self.undo_marker = self.retrans_stamp_ns = 0
        self.undo_retrans = -1
        self.frto = False
        self.delivered = 0
        self.lost = 0
        """Segments ever taken for lost, retransmissions included."""
        self.dsack_dups = 0
        """Segments that the peer reported as received twice."""
        self.rack_mstamp_us = self.rack_end_seq = self.rack_rtt_us = 0
        self.rack_reo_wnd_steps = 1
        self.rack_reo_wnd_persist = self.reord_seen = 0
        self.rack_advanced = self.rack_dsack_seen = False
        self.reordering = 3
        self.tlp_high_seq = 0
        self.tlp_retrans = False

    def _start_queues(self) -> None:
        """Queues come into being when first used."""
        self.tcp_rtx_queue: SkBuffHead[SkBuff] = NO_ENTRIES
        self.tcp_write_queue: SkBuffHead[SkBuff] = NO_ENTRIES
        self.out_of_order_queue: Queue[SkBuff] = NO_ENTRIES
        self.selective_acks: Queue[tuple[int, int]] = NO_ENTRIES
        self.recv_sack_cache: tuple[tuple[int, int], ...] = ()
        self.dsack: tuple[int, int] | None = None
        self.compressed_ack = self.compressed_ack_rcv_nxt = self.dup_ack_counter = 0
        self.compressed_ack_timer: HrTimer[TcpSock] | None = None
        self.rcv_rtt_us = self.rcv_rtt_seq = self.rcv_rtt_time_us = self.rcv_rtt_last_tsecr = 0
        self.rcvq_space = self.rcvq_space_seq = self.rcvq_space_time_us = 0
        self.last_oow_ack_ns = 0

    def _start_counts_and_options(self) -> None:
        """Nothing was sent or received; no option is set."""
        self.bytes_acked = self.bytes_received = self.bytes_sent = self.bytes_retrans = 0
        self.segs_in = self.segs_out = self.data_segs_in = self.data_segs_out = self.total_retrans = 0
        self.first_tx_ns = 0
        self.nonagle = 0
        """bind() to port 0 leaves the choice to connect() (IP_BIND_ADDRESS_NO_PORT)."""
        self.keepalive_time_ns = self.keepalive_intvl_ns = self.keepalive_probes = 0
        """TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_KEEPCNT; 0 where the sysctl counts."""
        self.sock_done = False
        """The peer's FIN has come: a read finds the end before it finds an error (SOCK_DONE)."""
        self.linger2 = self.user_mss = self.notsent_lowat = 0
        self.syn_tries = 0
        self.rskq_defer_accept = 0
        """SYN-ACK timeouts for which a bare final ACK is not enough (TCP_DEFER_ACCEPT)."""
        self.pacing_rate = 0
        self.tsq_flags = 0
        """TSQ_* and TCP_*_DEFERRED bits: what waits for the device or for the socket lock."""
        self.icsk_accept_queue: Any = None
        """Only of a listener: its pending requests and waiting children."""
        self.retransmit_timer: TimerList[TcpSock] | None = None
        self.delack_timer: TimerList[TcpSock] | None = None
        self.keepalive_timer: TimerList[TcpSock] | None = None


def tcp_share_numbers(tp: TcpSock) -> None:
    """Keep one object of each number that many sockets have in common: 500 bytes per idle connection's end."""
    numbers = tp.net.machine.common_numbers
    if len(numbers) > COMMON_NUMBERS:
        numbers.clear()
    for name in ALIKE:
        value = getattr(tp, name)
        setattr(tp, name, numbers.setdefault(value, value))


def tcp_win_from_space(tp: TcpSock, space: int) -> int:
    """The window that `space` bytes of memory are good for. Linux: include/net/tcp.h tcp_win_from_space()."""
    return space * tp.scaling_ratio >> 8


def tcp_space_from_win(tp: TcpSock, win: int) -> int:
    """The memory that a window of `win` bytes needs. Linux: include/net/tcp.h tcp_space_from_win()."""
    return (win << 8) // tp.scaling_ratio


def tcp_space(tp: TcpSock) -> int:
    """The window that free receive memory is good for; negative when over the limit."""
    return tcp_win_from_space(tp, tp.sk_rcvbuf - tp.sk_backlog_len - tp.sk_rmem_alloc)


def tcp_full_space(tp: TcpSock) -> int:
    """The window that all receive memory is good for."""
    return tcp_win_from_space(tp, tp.sk_rcvbuf)


def tcp_receive_window(tp: TcpSock) -> int:
    """What is still open of the window last promised. Linux: include/net/tcp.h tcp_receive_window()."""
    win = (tp.rcv_wup + tp.rcv_wnd - tp.rcv_nxt) & MASK
    return 0 if win & 0x80000000 else win


def tcp_wnd_end(tp: TcpSock) -> int:
    """The first sequence number that the peer's window does not allow."""
    return (tp.snd_una + tp.snd_wnd) & MASK


def tcp_packets_in_flight(tp: TcpSock) -> int:
    """Segments thought to be in the network. Linux: include/net/tcp.h tcp_packets_in_flight()."""
    return tp.packets_out - tp.sacked_out - tp.lost_out + tp.retrans_out
