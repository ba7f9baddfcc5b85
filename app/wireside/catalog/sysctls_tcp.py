"""The sysctls of TCP's sender, timers and handshake options; `sysctls` re-exports them."""

from __future__ import annotations

from typing import Any, Final

from wireside.catalog.kinds import Scope, Sysctl
from wireside.catalog.together import declared_sysctls

# fmt: off
NS = Scope.NETNS
INPUT, OUTPUT, TIMER = "net/ipv4/tcp_input.c", "net/ipv4/tcp_output.c", "net/ipv4/tcp_timer.c"
AT_SOCKET, AT_ONCE = "at socket(); existing sockets keep theirs", "at once"
HANDSHAKE = "at the next handshake; existing connections keep theirs"

# Keepalive
TCP_KEEPALIVE_TIME: Final = Sysctl[int]("net.ipv4.tcp_keepalive_time", 7200, "s", NS, "when the keepalive timer is next armed; one that is running is not shortened",
    "How long a connection with SO_KEEPALIVE must be silent before it is probed.", f"{TIMER} tcp_keepalive_timer()", low=1, steps=(4, 60, 300, 600, 7200))
TCP_KEEPALIVE_INTVL: Final = Sysctl[int]("net.ipv4.tcp_keepalive_intvl", 75, "s", NS, "at the next keepalive probe",
    "Time between keepalive probes that get no answer.", f"{TIMER} tcp_keepalive_timer()", low=1, steps=(1, 5, 15, 30, 75))
TCP_KEEPALIVE_PROBES: Final = Sysctl[int]("net.ipv4.tcp_keepalive_probes", 9, "probes", NS, "at the next keepalive timeout",
    "Unanswered keepalive probes after which the connection is given up.", f"{TIMER} tcp_keepalive_timer()", high=255, steps=(1, 3, 5, 9))

# Retransmission
TCP_RETRIES1: Final = Sysctl[int]("net.ipv4.tcp_retries1", 3, "retries", NS, "at the next retransmission timeout",
    "Timeouts after which the kernel doubts the route.", f"{TIMER} tcp_write_timeout()", high=255, steps=(1, 3, 5), modelled=False)
TCP_RETRIES2: Final = Sysctl[int]("net.ipv4.tcp_retries2", 15, "retries", NS, "at the next retransmission timeout",
    "Timeouts after which the kernel gives up on a connection; 15 take about 15 minutes.", f"{TIMER} tcp_write_timeout()", high=255, steps=(3, 5, 8, 15))
TCP_RTO_MIN_US: Final = Sysctl[int]("net.ipv4.tcp_rto_min_us", 200000, "µs", NS, AT_SOCKET,
    "The least the retransmission timer waits beyond the round-trip time.", f"{INPUT} tcp_rto_min()", low=1, steps=(5000, 20000, 50000, 200000))
TCP_RTO_MAX_MS: Final = Sysctl[int]("net.ipv4.tcp_rto_max_ms", 120000, "ms", NS, AT_SOCKET,
    "The most the retransmission timer ever waits.", f"{TIMER} tcp_retransmit_timer()", low=1000, high=120000, steps=(1000, 10000, 60000, 120000), since="6.15")
TCP_EARLY_RETRANS: Final = Sysctl[int]("net.ipv4.tcp_early_retrans", 3, "", NS, AT_ONCE,
    "3 and 4 allow tail loss probes, 0 forbids them.", f"{OUTPUT} tcp_schedule_loss_probe()", high=4, steps=(0, 3))
TCP_RECOVERY: Final = Sysctl[int]("net.ipv4.tcp_recovery", 1, "bits", NS, AT_ONCE,
    "1 is RACK (always on since 6.17), 2 keeps its reordering window fixed, 4 makes it ignore the rule of three SACKed segments.",
    "net/ipv4/tcp_recovery.c tcp_rack_reo_wnd()", high=255, steps=(0, 1, 3, 5))
TCP_FRTO: Final = Sysctl[int]("net.ipv4.tcp_frto", 2, "", NS, "at the next retransmission timeout",
    "Not 0: after a timeout, find out whether it was needless (F-RTO).", f"{INPUT} tcp_enter_loss()", high=2, steps=(0, 2))
TCP_REORDERING: Final = Sysctl[int]("net.ipv4.tcp_reordering", 3, "segments", NS, AT_SOCKET,
    "How far packets are assumed at first to get out of order on the way.", "net/ipv4/tcp.c tcp_init_sock()", low=1, high=300, steps=(3, 10, 30, 300))
TCP_MAX_REORDERING: Final = Sysctl[int]("net.ipv4.tcp_max_reordering", 300, "segments", NS, AT_ONCE,
    "The most reordering TCP learns to expect.", f"{INPUT} tcp_check_sack_reordering()", low=1, steps=(3, 30, 300))
TCP_RETRANS_COLLAPSE: Final = Sysctl[int]("net.ipv4.tcp_retrans_collapse", 1, "", NS, "at the next retransmission",
    "1 joins small segments when they are resent.", f"{OUTPUT} tcp_retrans_try_collapse()", high=1, steps=(0, 1))
TCP_THIN_LINEAR_TIMEOUTS: Final = Sysctl[int]("net.ipv4.tcp_thin_linear_timeouts", 0, "", NS, "at the next retransmission timeout",
    "1 keeps the timeout of streams with few segments in flight from doubling at first.", f"{TIMER} tcp_retransmit_timer()", high=1, steps=(0, 1))

# Options of the handshake
TCP_TIMESTAMPS: Final = Sysctl[int]("net.ipv4.tcp_timestamps", 1, "", NS, HANDSHAKE,
    "1 offers timestamps; without them there is no PAWS and no reuse of TIME-WAIT.", f"{OUTPUT} tcp_syn_options()", high=2, steps=(0, 1, 2))
TCP_SACK: Final = Sysctl[int]("net.ipv4.tcp_sack", 1, "", NS, HANDSHAKE,
    "1 offers selective acknowledgements.", f"{OUTPUT} tcp_syn_options()", high=1, steps=(0, 1))
TCP_DSACK: Final = Sysctl[int]("net.ipv4.tcp_dsack", 1, "", NS, AT_ONCE,
    "1 reports segments that came twice (D-SACK).", f"{INPUT} tcp_dsack_set()", high=1, steps=(0, 1))
TCP_WINDOW_SCALING: Final = Sysctl[int]("net.ipv4.tcp_window_scaling", 1, "", NS, HANDSHAKE,
    "1 offers window scaling; without it a window is at most 64 KiB.", f"{OUTPUT} tcp_syn_options()", high=1, steps=(0, 1))
TCP_ECN: Final = Sysctl[int]("net.ipv4.tcp_ecn", 2, "", NS, HANDSHAKE,
    "Explicit congestion notification: 0 never, 1 asks for it, 2 agrees when asked.", f"{INPUT} tcp_ecn_create_request()", high=2, steps=(0, 1, 2), modelled=False)

# Sending
TCP_CONGESTION_CONTROL: Final = Sysctl[str]("net.ipv4.tcp_congestion_control", "cubic", "", NS, AT_SOCKET,
    "The congestion control new sockets use.", "net/ipv4/tcp_cong.c tcp_assign_congestion_control()", choices=("cubic", "reno"), steps=("cubic", "reno"))
TCP_LIMIT_OUTPUT_BYTES: Final = Sysctl[int]("net.ipv4.tcp_limit_output_bytes", 4194304, "bytes", NS, "at the next segment sent",
    "The most one socket may keep in the host's transmit queues (TCP small queues).", f"{OUTPUT} tcp_small_queue_check()",
    older=(("6.12", 1048576),), steps=(4096, 65536, 262144, 1048576, 4194304))
TCP_AUTOCORKING: Final = Sysctl[int]("net.ipv4.tcp_autocorking", 1, "", NS, "at the next write()",
    "1 holds a small segment back while an earlier one has not left the host.", "net/ipv4/tcp.c tcp_should_autocork()", high=1, steps=(0, 1))
TCP_SLOW_START_AFTER_IDLE: Final = Sysctl[int]("net.ipv4.tcp_slow_start_after_idle", 1, "", NS, "at the next segment sent after a pause",
    "1 lets cwnd decay while a connection is idle.", f"{OUTPUT} tcp_cwnd_restart()", high=1, steps=(0, 1))
TCP_MIN_TSO_SEGS: Final = Sysctl[int]("net.ipv4.tcp_min_tso_segs", 2, "segments", NS, AT_ONCE,
    "The fewest segments that are worth a large packet.", f"{OUTPUT} tcp_tso_segs()", low=1, steps=(1, 2, 8))
TCP_TSO_WIN_DIVISOR: Final = Sysctl[int]("net.ipv4.tcp_tso_win_divisor", 3, "", NS, AT_ONCE,
    "A large packet may wait until it fills this part of the window (3: a third).", f"{OUTPUT} tcp_tso_should_defer()", steps=(1, 2, 3, 8))
TCP_TSO_RTT_LOG: Final = Sysctl[int]("net.ipv4.tcp_tso_rtt_log", 9, "", NS, AT_ONCE,
    "Larger packets for nearby peers: the bonus halves with every 2^value µs of round-trip time.", f"{OUTPUT} tcp_tso_autosize()", steps=(0, 9, 12))
TCP_PACING_SS_RATIO: Final = Sysctl[int]("net.ipv4.tcp_pacing_ss_ratio", 200, "%", NS, AT_ONCE,
    "Pacing rate in slow start, relative to cwnd per round trip.", f"{INPUT} tcp_update_pacing_rate()", high=1000, steps=(100, 200, 400))
TCP_PACING_CA_RATIO: Final = Sysctl[int]("net.ipv4.tcp_pacing_ca_ratio", 120, "%", NS, AT_ONCE,
    "Pacing rate in congestion avoidance, relative to cwnd per round trip.", f"{INPUT} tcp_update_pacing_rate()", high=1000, steps=(100, 120, 200))
TCP_MIN_SND_MSS: Final = Sysctl[int]("net.ipv4.tcp_min_snd_mss", 48, "bytes", NS, AT_ONCE,
    "The smallest segment size a peer can force on us.", f"{OUTPUT} __tcp_mtu_to_mss()", low=48, high=65535, steps=(48, 536, 1460))

# Acknowledging
TCP_PINGPONG_THRESH: Final = Sysctl[int]("net.ipv4.tcp_pingpong_thresh", 1, "answers", NS, AT_ONCE,
    "After so many quick answers a connection counts as a dialogue, and its ACKs are delayed.", "include/net/inet_connection_sock.h inet_csk_in_pingpong_mode()",
    low=1, high=255, steps=(1, 2, 3, 10))
TCP_COMP_SACK_DELAY_NS: Final = Sysctl[int]("net.ipv4.tcp_comp_sack_delay_ns", 1000000, "ns", NS, AT_ONCE,
    "How long duplicate ACKs may wait to be merged.", f"{INPUT} __tcp_ack_snd_check()", steps=(0, 100000, 1000000))
TCP_COMP_SACK_NR: Final = Sysctl[int]("net.ipv4.tcp_comp_sack_nr", 44, "ACKs", NS, AT_ONCE,
    "The most duplicate ACKs that are merged into one; 0 merges none.", f"{INPUT} __tcp_ack_snd_check()", high=255, steps=(0, 10, 44))
TCP_COMP_SACK_SLACK_NS: Final = Sysctl[int]("net.ipv4.tcp_comp_sack_slack_ns", 100000, "ns", NS, AT_ONCE,
    "How late the timer that merges duplicate ACKs may be.", f"{INPUT} __tcp_ack_snd_check()", steps=(0, 10000, 100000))
TCP_BACKLOG_ACK_DEFER: Final = Sysctl[int]("net.ipv4.tcp_backlog_ack_defer", 1, "", NS, "when a program lets go of a socket",
    "1 sends one ACK for a whole socket backlog.", "net/ipv4/tcp_output.c tcp_release_cb()", high=1, steps=(0, 1))
TCP_INVALID_RATELIMIT: Final = Sysctl[int]("net.ipv4.tcp_invalid_ratelimit", 500, "ms", NS, "at the next segment outside the window",
    "Shortest time between two answers to segments outside the window, such as window probes.", f"{INPUT} __tcp_oow_rate_limited()", steps=(0, 100, 500))
TCP_CHALLENGE_ACK_LIMIT: Final = Sysctl[int]("net.ipv4.tcp_challenge_ack_limit", 2147483647, "ACKs/s", NS, AT_ONCE,
    "The most challenge ACKs per second, all connections together.", f"{INPUT} tcp_send_challenge_ack()", steps=(0, 100, 1000, 2147483647))
TCP_MIN_RTT_WLEN: Final = Sysctl[int]("net.ipv4.tcp_min_rtt_wlen", 300, "s", NS, AT_ONCE,
    "How long the smallest round-trip time seen is remembered.", f"{INPUT} tcp_update_rtt_min()", high=86400, steps=(0, 10, 300), modelled=False)
# fmt: on

TCP_SYSCTLS: Final[tuple[Sysctl[Any], ...]] = declared_sysctls(globals())
