"""Every sysctl the model reads, declared once and named by its last component, such as SOMAXCONN or TCP_RMEM.

Defaults are those of Linux 6.18 on a host with 24 GB of memory and HZ=250; `older` holds what 6.12 has instead.
"""

from __future__ import annotations

import difflib
import re
from typing import Any, Final

from wireside.catalog.kinds import CpuMask, Scope, Sysctl, absent
from wireside.catalog.profiles import DEFAULT_PROFILE
from wireside.catalog.sysctls_tcp import (
    TCP_AUTOCORKING,
    TCP_BACKLOG_ACK_DEFER,
    TCP_CHALLENGE_ACK_LIMIT,
    TCP_COMP_SACK_DELAY_NS,
    TCP_COMP_SACK_NR,
    TCP_COMP_SACK_SLACK_NS,
    TCP_CONGESTION_CONTROL,
    TCP_DSACK,
    TCP_EARLY_RETRANS,
    TCP_ECN,
    TCP_FRTO,
    TCP_INVALID_RATELIMIT,
    TCP_KEEPALIVE_INTVL,
    TCP_KEEPALIVE_PROBES,
    TCP_KEEPALIVE_TIME,
    TCP_LIMIT_OUTPUT_BYTES,
    TCP_MAX_REORDERING,
    TCP_MIN_RTT_WLEN,
    TCP_MIN_SND_MSS,
    TCP_MIN_TSO_SEGS,
    TCP_PACING_CA_RATIO,
    TCP_PACING_SS_RATIO,
    TCP_PINGPONG_THRESH,
    TCP_RECOVERY,
    TCP_REORDERING,
    TCP_RETRANS_COLLAPSE,
    TCP_RETRIES1,
    TCP_RETRIES2,
    TCP_RTO_MAX_MS,
    TCP_RTO_MIN_US,
    TCP_SACK,
    TCP_SLOW_START_AFTER_IDLE,
    TCP_SYSCTLS,
    TCP_THIN_LINEAR_TIMEOUTS,
    TCP_TIMESTAMPS,
    TCP_TSO_RTT_LOG,
    TCP_TSO_WIN_DIVISOR,
    TCP_WINDOW_SCALING,
)
from wireside.catalog.together import all_sysctls
from wireside.errors import CommandError
from wireside.outside import quoted, whole

# fmt: off
NS, HOST = Scope.NETNS, Scope.HOST
Pair = tuple[int, int]
Triple = tuple[int, int, int]
CORE, SOCK, DEV = "net/core/sysctl_net_core.c", "net/core/sock.c", "net/core/dev.c"
IPV4, INPUT, OUTPUT, TIMER = "net/ipv4/sysctl_net_ipv4.c", "net/ipv4/tcp_input.c", "net/ipv4/tcp_output.c", "net/ipv4/tcp_timer.c"
HASH, TCP, MINI = "net/ipv4/inet_hashtables.c", "net/ipv4/tcp.c", "net/ipv4/tcp_minisocks.c"
MAX32: Final = 4294967295
EACH_SYN, AT_SOCKET = "at the next SYN", "at socket(); existing sockets keep theirs"
_HEX = re.compile(r"(?:0x)?[0-9a-fA-F]{1,16}")
AT_ONCE, MIB = "at once", 1024 * 1024

# The listener
SOMAXCONN: Final = Sysctl[int]("net.core.somaxconn", 4096, "connections", NS, "at listen(); existing listeners keep theirs",
    "The most a program's backlog argument can ask for; an accept queue holds one more than the smaller of the two.",
    "net/socket.c __sys_listen_socket()", steps=(1, 8, 64, 128, 512, 1024, 4096, 16384, 65535))
TCP_MAX_SYN_BACKLOG: Final = Sysctl[int]("net.ipv4.tcp_max_syn_backlog", 2048, "requests", NS, f"{EACH_SYN}, and only while tcp_syncookies is 0",
    "With SYN cookies off, three quarters of this is the most half-open connections of a listener; with cookies on it has no effect.",
    f"{INPUT} tcp_conn_request()", steps=(16, 32, 128, 256, 512, 1024, 2048, 4096, 8192))
TCP_SYNCOOKIES: Final = Sysctl[int]("net.ipv4.tcp_syncookies", 1, "", NS, EACH_SYN,
    "What to do when the SYN queue is full: 0 drop the SYN, 1 answer with a cookie; 2 always answers with a cookie.",
    f"{INPUT} tcp_conn_request()", high=2, steps=(0, 1, 2))
TCP_ABORT_ON_OVERFLOW: Final = Sysctl[int]("net.ipv4.tcp_abort_on_overflow", 0, "", NS, "at the next final ACK that meets a full accept queue",
    "1 resets a client whose final ACK meets a full accept queue; 0 ignores the ACK and lets it try again.",
    f"{MINI} tcp_check_req()", high=1, steps=(0, 1))
TCP_SYNACK_RETRIES: Final = Sysctl[int]("net.ipv4.tcp_synack_retries", 5, "retries", NS, "at the next SYN-ACK timeout",
    "How often a SYN-ACK is sent again before a half-open connection is forgotten (5: after 63 s).",
    "net/ipv4/inet_connection_sock.c reqsk_timer_handler()", high=255, steps=(0, 1, 2, 3, 5, 7))
TCP_MIGRATE_REQ: Final = Sysctl[int]("net.ipv4.tcp_migrate_req", 0, "", NS, "when a listener of an SO_REUSEPORT group closes",
    "1 moves the unaccepted connections of a closing listener to another one of its SO_REUSEPORT group.",
    "net/ipv4/inet_connection_sock.c inet_csk_listen_stop()", high=1, steps=(0, 1))

# Connecting
TCP_SYN_RETRIES: Final = Sysctl[int]("net.ipv4.tcp_syn_retries", 6, "retries", NS, "at the next SYN timeout",
    "How often connect() sends its SYN again; tcp_syn_linear_timeouts are added to that.",
    f"{TIMER} tcp_write_timeout()", low=1, high=127, steps=(1, 2, 3, 4, 6, 8))
TCP_SYN_LINEAR_TIMEOUTS: Final = Sysctl[int]("net.ipv4.tcp_syn_linear_timeouts", 4, "retries", NS, "at the next SYN timeout",
    "How many SYN retries come 1 s apart before the wait begins to double.",
    f"{TIMER} tcp_retransmit_timer()", high=127, steps=(0, 1, 2, 4, 8))
IP_LOCAL_PORT_RANGE: Final = Sysctl[Pair]("net.ipv4.ip_local_port_range", (32768, 60999), "port", NS, "at the next connect() or bind() to port 0",
    "The ports the kernel may choose for a program that did not ask for one; both ends belong to it.",
    f"{HASH} __inet_hash_connect()", low=1, high=65535, steps=((32768, 60999), (1024, 65535), (40000, 40099), (40000, 40003)))
IP_LOCAL_RESERVED_PORTS: Final = Sysctl[str]("net.ipv4.ip_local_reserved_ports", "", "port list", NS, "at the next automatic choice of a port",
    "Ports the kernel must not choose on its own, such as 8080,9000-9100; asking for one explicitly still works.",
    "include/net/ip.h inet_is_local_reserved_port()", high=65535)
IP_UNPRIVILEGED_PORT_START: Final = Sysctl[int]("net.ipv4.ip_unprivileged_port_start", 1024, "port", NS, "at the next bind()",
    "Binding a port below this one needs a privilege.", "net/ipv4/af_inet.c __inet_bind()", high=65535, steps=(0, 80, 443, 1024))
IP_AUTOBIND_REUSE: Final = Sysctl[int]("net.ipv4.ip_autobind_reuse", 0, "", NS, "at the next bind() to port 0",
    "1 lets bind() to port 0 share a port between sockets with SO_REUSEADDR when all are taken.",
    "net/ipv4/inet_connection_sock.c inet_csk_find_open_port()", high=1, steps=(0, 1))
IP_NONLOCAL_BIND: Final = Sysctl[int]("net.ipv4.ip_nonlocal_bind", 0, "", NS, "at the next bind()",
    "1 lets a program bind an address this host does not have.", "net/ipv4/af_inet.c __inet_bind()", high=1, steps=(0, 1))

# TIME-WAIT and closing
TCP_TW_REUSE: Final = Sysctl[int]("net.ipv4.tcp_tw_reuse", 2, "", NS, "at the next connect()",
    "Whether connect() may take over a port in TIME-WAIT: 0 no, 1 yes, 2 on loopback only. It does nothing for servers.",
    "net/ipv4/tcp_ipv4.c tcp_twsk_unique()", high=2, steps=(0, 1, 2))
TCP_TW_REUSE_DELAY: Final = Sysctl[int]("net.ipv4.tcp_tw_reuse_delay", 1000, "ms", NS, "at the next connect()",
    "How old a TIME-WAIT entry must be before connect() may take it over.",
    "net/ipv4/tcp_ipv4.c tcp_twsk_unique()", low=1, high=60000, steps=(1, 100, 1000, 10000, 60000), since="6.14")
TCP_FIN_TIMEOUT: Final = Sysctl[int]("net.ipv4.tcp_fin_timeout", 60, "s", NS, "at the next entry into FIN-WAIT-2 of a closed socket; existing ones keep theirs",
    "How long a socket its program has closed waits in FIN-WAIT-2 for the peer's FIN. TIME-WAIT is not affected: it is always 60 s.",
    "include/net/tcp.h tcp_fin_time()", steps=(1, 5, 15, 30, 60, 61, 90, 120))
TCP_MAX_TW_BUCKETS: Final = Sysctl[int]("net.ipv4.tcp_max_tw_buckets", 131072, "entries", NS, "at the next entry into TIME-WAIT",
    "The most TIME-WAIT entries; a connection that would be one more is forgotten at once.",
    f"{MINI} tcp_time_wait()", steps=(0, 5, 100, 1000, 10000, 131072, 262144))
TCP_RFC1337: Final = Sysctl[int]("net.ipv4.tcp_rfc1337", 0, "", NS, "at the next reset that hits a TIME-WAIT entry",
    "1 protects a TIME-WAIT entry from being ended by a reset.", f"{MINI} tcp_timewait_state_process()", high=1, steps=(0, 1))
TCP_MAX_ORPHANS: Final = Sysctl[int]("net.ipv4.tcp_max_orphans", 131072, "sockets", HOST, "at the next close(), and at timers of closed sockets",
    "The most sockets that may exist without a program; one more is reset.", f"{TCP} tcp_check_oom()", steps=(0, 100, 10000, 131072))
TCP_ORPHAN_RETRIES: Final = Sysctl[int]("net.ipv4.tcp_orphan_retries", 0, "retries", NS, "at the next timeout of a closed socket",
    "How often a closed socket repeats what is unacknowledged before it gives up; 0 means 8.",
    f"{TIMER} tcp_orphan_retries()", high=255, steps=(0, 1, 3, 7, 8))

# Buffers
RMEM_MAX: Final = Sysctl[int]("net.core.rmem_max", 4194304, "bytes", HOST, "at the next setsockopt(SO_RCVBUF); also in the window scale of the next handshake",
    "The most setsockopt(SO_RCVBUF) can ask for; TCP's own growth ignores it.",
    f"{SOCK} sk_setsockopt()", low=2304, older=(("6.12", 212992),), steps=(4096, 65536, 212992, 1 * MIB, 4 * MIB, 16 * MIB, 64 * MIB))
WMEM_MAX: Final = Sysctl[int]("net.core.wmem_max", 4194304, "bytes", HOST, "at the next setsockopt(SO_SNDBUF)",
    "The most setsockopt(SO_SNDBUF) can ask for; TCP's own growth ignores it.",
    f"{SOCK} sk_setsockopt()", low=4608, older=(("6.12", 212992),), steps=(8192, 65536, 212992, 1 * MIB, 4 * MIB, 16 * MIB, 64 * MIB))
RMEM_DEFAULT: Final = Sysctl[int]("net.core.rmem_default", 212992, "bytes", HOST, AT_SOCKET,
    "The receive buffer a UDP socket starts with; TCP takes tcp_rmem instead.",
    f"{SOCK} sock_init_data_uid()", low=2304, steps=(2304, 16384, 65536, 106496, 212992, 425984, 1 * MIB, 4 * MIB))
WMEM_DEFAULT: Final = Sysctl[int]("net.core.wmem_default", 212992, "bytes", HOST, AT_SOCKET,
    "The send buffer a UDP socket starts with; TCP takes tcp_wmem instead.",
    f"{SOCK} sock_init_data_uid()", low=4608, steps=(4608, 65536, 212992, 1 * MIB, 4 * MIB))
TCP_RMEM: Final = Sysctl[Triple]("net.ipv4.tcp_rmem", (4096, 131072, 33554432), "bytes", NS,
    "first and third value at once; the second at socket(), and accepted sockets copy their listener's",
    "Receive buffer of a TCP socket: what it may always have, what it starts with, and how far the kernel lets it grow.",
    f"{TCP} tcp_init_sock(), {INPUT} tcp_rcv_space_adjust()", low=1, older=(("6.12", (4096, 131072, 6291456)),),
    steps=((4096, 8192, 8192), (4096, 16384, 16384), (4096, 32768, 65536), (4096, 65536, 131072), (4096, 131072, 131072),
           (4096, 131072, 6291456), (4096, 131072, 33554432), (4096, 1048576, 33554432)))
TCP_WMEM: Final = Sysctl[Triple]("net.ipv4.tcp_wmem", (4096, 16384, 4194304), "bytes", NS,
    "first and third value at once; the second at socket(), and accepted sockets copy their listener's",
    "Send buffer of a TCP socket: what it may always have, what it starts with, and how far the kernel lets it grow.",
    f"{TCP} tcp_init_sock(), {INPUT} tcp_sndbuf_expand()", low=1,
    steps=((4096, 4608, 4608), (4096, 16384, 16384), (4096, 16384, 65536), (4096, 16384, 524288), (4096, 16384, 4194304), (4096, 1048576, 16777216)))
TCP_MEM: Final = Sysctl[Triple]("net.ipv4.tcp_mem", (287901, 383868, 575802), "pages", HOST, AT_ONCE,
    "Memory of all TCP sockets together: below the first value all is well, above the second the kernel economises, above the third it refuses.",
    f"{SOCK} __sk_mem_raise_allocated()", steps=((16, 32, 64), (1024, 2048, 4096), (287901, 383868, 575802)))
UDP_MEM: Final = Sysctl[Triple]("net.ipv4.udp_mem", (575802, 767736, 1151604), "pages", HOST, AT_ONCE,
    "Memory of all UDP sockets together: below the first value all is well, above the second the kernel economises, above the third it refuses.",
    f"{SOCK} __sk_mem_raise_allocated()", steps=((16, 32, 64), (1024, 2048, 4096), (575802, 767736, 1151604)), modelled=False)
UDP_RMEM_MIN: Final = Sysctl[int]("net.ipv4.udp_rmem_min", 4096, "bytes", NS, AT_ONCE,
    "The receive memory a UDP socket may have even when udp_mem is exhausted.", f"{SOCK} __sk_mem_raise_allocated()", low=1, steps=(4096, 65536), modelled=False)
TCP_MODERATE_RCVBUF: Final = Sysctl[int]("net.ipv4.tcp_moderate_rcvbuf", 1, "", NS, "at the next read()",
    "1 lets the kernel grow a receive buffer as its program reads faster.", f"{INPUT} tcp_rcv_space_adjust()", high=1, steps=(0, 1))
TCP_ADV_WIN_SCALE: Final = Sysctl[int]("net.ipv4.tcp_adv_win_scale", 1, "", NS, "never: it has had no effect since 6.6",
    "Once the share of the buffer offered as window; the kernel now measures that share itself.", IPV4, low=-31, high=31, steps=(-2, 0, 1, 2))
TCP_APP_WIN: Final = Sysctl[int]("net.ipv4.tcp_app_win", 31, "", NS, "when a connection becomes ESTABLISHED",
    "Reserves a share of the window for the program: max(window/2^value, one MSS); 31 reserves one MSS.",
    f"{INPUT} tcp_init_buffer_space()", high=31, steps=(0, 1, 2, 31))
TCP_SHRINK_WINDOW: Final = Sysctl[int]("net.ipv4.tcp_shrink_window", 0, "", NS, "at the next segment sent",
    "1 lets the receiver take back window it has promised.", f"{OUTPUT} tcp_select_window()", high=1, steps=(0, 1))
TCP_NOTSENT_LOWAT: Final = Sysctl[int]("net.ipv4.tcp_notsent_lowat", MAX32, "bytes", NS, AT_ONCE,
    "A program may write more only while fewer bytes than this wait to be sent.", "include/net/tcp.h tcp_stream_memory_free()",
    high=MAX32, steps=(4096, 16384, 131072, 1 * MIB, MAX32))

# The way from the NIC
NETDEV_MAX_BACKLOG: Final = Sysctl[int]("net.core.netdev_max_backlog", 1000, "packets", HOST, "at the next packet put into a CPU's backlog",
    "Longest backlog of a CPU; used by RPS, loopback, veth and tunnels. Packets of a plain NIC never go there.",
    f"{DEV} enqueue_to_backlog()", steps=(1, 16, 64, 250, 1000, 4000, 16000))
NETDEV_BUDGET: Final = Sysctl[int]("net.core.netdev_budget", 300, "packets", HOST, "at the next softirq round",
    "The most packets one receive softirq round takes before it lets others run; a poll takes up to 64.",
    f"{DEV} net_rx_action()", steps=(1, 64, 128, 300, 600, 1200, 3000))
NETDEV_BUDGET_USECS: Final = Sysctl[int]("net.core.netdev_budget_usecs", 8000, "µs", HOST, "at the next softirq round",
    "The longest one receive softirq round may take; two timer ticks, and less is not allowed.",
    f"{DEV} net_rx_action()", low=8000, steps=(8000, 12000, 16000, 32000))
DEV_WEIGHT: Final = Sysctl[int]("net.core.dev_weight", 64, "packets", HOST, "at the next poll of the backlog",
    "Packets one poll of a CPU's backlog takes, and one run of a transmit queue; a NIC's poll always takes up to 64.",
    f"{DEV} process_backlog()", low=1, steps=(1, 16, 64, 128, 256))
DEV_WEIGHT_RX_BIAS: Final = Sysctl[int]("net.core.dev_weight_rx_bias", 1, "", HOST, "at the next poll of the backlog",
    "Multiplies dev_weight for the backlog.", f"{CORE} proc_do_dev_weight()", low=1, steps=(1, 2, 4))
DEV_WEIGHT_TX_BIAS: Final = Sysctl[int]("net.core.dev_weight_tx_bias", 1, "", HOST, "at the next run of a transmit queue",
    "Multiplies dev_weight for transmit queues.", f"{CORE} proc_do_dev_weight()", low=1, steps=(1, 2, 4))
GRO_NORMAL_BATCH: Final = Sysctl[int]("net.core.gro_normal_batch", 8, "packets", HOST, "at the next packet",
    "Packets a poll collects before it hands them up the stack together.", "include/net/gro.h gro_normal_one()", low=1, steps=(1, 4, 8, 16, 64))
RPS_SOCK_FLOW_ENTRIES: Final = Sysctl[int]("net.core.rps_sock_flow_entries", 0, "flows", HOST, AT_ONCE,
    "Size of the table that remembers on which CPU each flow is read (RFS); 0 turns RFS off.",
    f"{CORE} rps_sock_flow_sysctl()", high=1 << 29, steps=(0, 1024, 32768), modelled=False)
FLOW_LIMIT_CPU_BITMAP: Final = Sysctl[int]("net.core.flow_limit_cpu_bitmap", CpuMask(0), "CPU mask", HOST, AT_ONCE,
    "CPUs (a bit mask in hex) on which one flow may not fill the backlog alone.", f"{DEV} skb_flow_limit()", steps=(CpuMask(0), CpuMask(0x1), CpuMask(0x3), CpuMask(0xF)), modelled=False)
FLOW_LIMIT_TABLE_LEN: Final = Sysctl[int]("net.core.flow_limit_table_len", 4096, "flows", HOST, "at the next write of flow_limit_cpu_bitmap",
    "How many flows the flow limit tells apart; a power of two.", f"{CORE} flow_limit_table_len_sysctl()", low=1, steps=(64, 1024, 4096, 8192), modelled=False)
DEFAULT_QDISC: Final = Sysctl[str]("net.core.default_qdisc", "pfifo_fast", "", HOST, "when a device comes up",
    "The queueing discipline a new device gets.", "net/sched/sch_api.c", choices=("pfifo_fast",), steps=("pfifo_fast",), modelled=False)

# IP and ICMP
IP_FORWARD: Final = Sysctl[int]("net.ipv4.ip_forward", 0, "", NS, "at the next packet",
    "1 passes packets for other hosts on; 0 drops them.", "net/ipv4/ip_input.c ip_rcv_finish()", high=1, steps=(0, 1), modelled=False)
IP_DEFAULT_TTL: Final = Sysctl[int]("net.ipv4.ip_default_ttl", 64, "hops", NS, "at the next packet",
    "The TTL that packets leave with.", "net/ipv4/ip_output.c ip_select_ttl()", low=1, high=255, steps=(1, 2, 32, 64, 128, 255), modelled=False)
IP_EARLY_DEMUX: Final = Sysctl[int]("net.ipv4.ip_early_demux", 1, "", NS, "at the next packet",
    "1 looks for the socket as early as in the IP layer, which saves the route look-up.", "net/ipv4/ip_input.c ip_rcv_finish_core()", high=1, steps=(0, 1), modelled=False)
TCP_EARLY_DEMUX: Final = Sysctl[int]("net.ipv4.tcp_early_demux", 1, "", NS, "at the next packet",
    "ip_early_demux for TCP alone.", "net/ipv4/tcp_ipv4.c tcp_v4_early_demux()", high=1, steps=(0, 1), modelled=False)
UDP_EARLY_DEMUX: Final = Sysctl[int]("net.ipv4.udp_early_demux", 1, "", NS, "at the next packet",
    "ip_early_demux for UDP alone.", "net/ipv4/udp.c udp_v4_early_demux()", high=1, steps=(0, 1), modelled=False)
RP_FILTER: Final = Sysctl[int]("net.ipv4.conf.all.rp_filter", 0, "", NS, "at the next packet",
    "Drops packets whose answers would leave by another device: 0 never, 1 strictly, 2 only if no route leads back at all.",
    "net/ipv4/fib_frontend.c fib_validate_source()", high=2, steps=(0, 1, 2), modelled=False)
ICMP_RATELIMIT: Final = Sysctl[int]("net.ipv4.icmp_ratelimit", 1000, "ms", NS, "at the next ICMP message",
    "Shortest time between two ICMP errors to one destination, after a small burst; 0 is no limit.",
    "net/ipv4/icmp.c icmpv4_xrlim_allow()", steps=(0, 100, 1000))
ICMP_RATEMASK: Final = Sysctl[int]("net.ipv4.icmp_ratemask", 6168, "type mask", NS, "at the next ICMP message",
    "ICMP types (a bit mask) that the rate limits apply to.", "net/ipv4/icmp.c icmpv4_mask_allow()", steps=(0, 6168))
ICMP_MSGS_PER_SEC: Final = Sysctl[int]("net.ipv4.icmp_msgs_per_sec", 1000, "messages/s", NS, "at the next ICMP message",
    "The most ICMP errors per second, all destinations together.", "net/ipv4/icmp.c icmp_global_allow()", steps=(10, 100, 1000, 10000))
ICMP_MSGS_BURST: Final = Sysctl[int]("net.ipv4.icmp_msgs_burst", 50, "messages", NS, "at the next ICMP message",
    "How many ICMP errors may be sent in one burst.", "net/ipv4/icmp.c icmp_global_allow()", steps=(1, 50, 500))
# fmt: on

ALL_SYSCTLS: Final[tuple[Sysctl[Any], ...]] = all_sysctls(globals(), TCP_SYSCTLS)
BY_NAME: Final[dict[str, Sysctl[Any]]] = {sysctl.name: sysctl for sysctl in ALL_SYSCTLS}
"""Full name to sysctl."""


def _short(sysctl: Sysctl[Any]) -> str:
    return sysctl.name.rpartition(".")[2]


_BY_SHORT_NAME: Final[dict[str, Sysctl[Any]]] = {_short(sysctl): sysctl for sysctl in ALL_SYSCTLS}


EVERYDAY: Final[tuple[Sysctl[Any], ...]] = (
    SOMAXCONN, TCP_MAX_SYN_BACKLOG, TCP_TW_REUSE, TCP_FIN_TIMEOUT, RMEM_MAX, WMEM_MAX, TCP_RMEM, TCP_WMEM,
    IP_LOCAL_PORT_RANGE, NETDEV_MAX_BACKLOG, TCP_KEEPALIVE_TIME, TCP_KEEPALIVE_INTVL, TCP_KEEPALIVE_PROBES,
)  # fmt: skip
"""The sysctls that guides to a busy server name first; they can be turned in every scenario."""


def matching(text: str, kernel: str) -> tuple[Sysctl[Any], ...]:
    """The sysctls of a kernel whose name has every word of `text` in it, then those whose description has.

    Names that begin with `text` come first, and the everyday ones before the others.
    """
    words = text.lower().split()
    known = sorted(
        (sysctl for sysctl in ALL_SYSCTLS if sysctl.exists_in(kernel)),
        key=lambda sysctl: (not _short(sysctl).startswith(text.lower().strip()), sysctl not in EVERYDAY),
    )
    named = [sysctl for sysctl in known if all(word in sysctl.name for word in words)]
    told = [
        sysctl for sysctl in known if all(word in f"{sysctl.name} {sysctl.doc}".lower() for word in words)
    ]
    return tuple(dict.fromkeys((*named, *told)))


def find(name: str) -> Sysctl[Any]:
    """Return the sysctl with this full name, or with this last component, such as `somaxconn`.

    A path below /proc/sys is understood, too. Raises CommandError with the nearest name when there is none.
    """
    wanted = name.strip().removeprefix("/proc/sys/").replace("/", ".")
    found = BY_NAME.get(wanted) or _BY_SHORT_NAME.get(wanted)
    if found is not None:
        return found
    near = difflib.get_close_matches(wanted[:64], [*BY_NAME, *_BY_SHORT_NAME], n=1, cutoff=0.6)
    advice = f"Did you mean {near[0]}?" if near else "In the knobs `/` finds all of them."
    raise CommandError(f"there is no sysctl {quoted(name)} here", next_step=advice)


def find_in(name: str, kernel: str) -> Sysctl[Any]:
    """Like `find`, on one kernel; CommandError also for a sysctl that came later, and says with which release."""
    sysctl = find(name)
    why = absent(sysctl.name, sysctl.since, kernel)
    if why:
        raise CommandError(why, next_step=f"Kernel {DEFAULT_PROFILE} has it.")
    return sysctl


def format_value(value: Any) -> str:
    """Return the text `sysctl` prints, with one space between the numbers of a list."""
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return str(value)


def parse_value(sysctl: Sysctl[Any], text: str) -> Any:
    """Return the value `text` stands for, or raise CommandError saying why the kernel would refuse it.

    Linux: kernel/sysctl.c proc_dointvec_minmax()
    """
    if isinstance(sysctl.default, str):
        return _parse_name(sysctl, text.strip()) if sysctl.choices else _parse_ports(sysctl, text.strip())
    fields = text.replace(",", " ").split()
    wanted = len(sysctl.default) if isinstance(sysctl.default, tuple) else 1
    if len(fields) != wanted:
        shape = "one number" if wanted == 1 else f"{wanted} numbers"
        raise _refused(sysctl, text, f"it takes {shape}, not {len(fields)}")
    numbers = tuple(_parse_number(sysctl, field) for field in fields)
    if sysctl is IP_LOCAL_PORT_RANGE and numbers[0] > numbers[1]:
        raise _refused(sysctl, text, "the first port must not be above the last")
    if sysctl is FLOW_LIMIT_TABLE_LEN and numbers[0] & (numbers[0] - 1):
        raise _refused(sysctl, text, "it must be a power of two")
    return numbers if isinstance(sysctl.default, tuple) else numbers[0]


def _refused(sysctl: Sysctl[Any], text: str, reason: str) -> CommandError:
    unit = f" {sysctl.unit}" if sysctl.unit else ""
    return CommandError(
        f"{sysctl.name} cannot be {quoted(text)}: {reason}",
        next_step=f"The default is {format_value(sysctl.default)}{unit}.",
    )


def _parse_number(sysctl: Sysctl[Any], field: str) -> int:
    try:
        number = _mask(field) if isinstance(sysctl.default, CpuMask) else whole(field)
    except ValueError as error:
        raise _refused(sysctl, field, str(error)) from None
    if not sysctl.low <= number <= sysctl.high:
        edge = f"at least {sysctl.low}" if number < sysctl.low else f"at most {sysctl.high}"
        unit = f" {sysctl.unit}" if sysctl.unit else ""
        raise _refused(sysctl, field, f"it must be {edge}{unit}")
    return number


def _mask(field: str) -> CpuMask:
    if not _HEX.fullmatch(field):
        raise ValueError(f"{quoted(field)} is not a whole number")
    return CpuMask(field, 16)


def _parse_name(sysctl: Sysctl[Any], text: str) -> str:
    if text not in sysctl.choices:
        raise _refused(sysctl, text, f"it must be {' or '.join(sysctl.choices)}")
    return text


def _parse_ports(sysctl: Sysctl[Any], text: str) -> str:
    port_ranges(sysctl, text)
    return text


def port_ranges(sysctl: Sysctl[Any], text: str) -> tuple[tuple[int, int], ...]:
    """Return the (first, last) pairs of a port list such as "8080,9000-9100"; CommandError when it is none."""
    ranges = []
    for part in text.split(",") if text else ():
        first, dash, last = part.partition("-")
        pair = (_parse_number(sysctl, first), _parse_number(sysctl, last if dash else first))
        if pair[0] > pair[1]:
            raise _refused(sysctl, part, "the first port must not be above the last")
        ranges.append(pair)
    return tuple(ranges)


# fmt: off
__all__ = [
    "ALL_SYSCTLS", "BY_NAME", "DEFAULT_QDISC", "DEV_WEIGHT", "DEV_WEIGHT_RX_BIAS", "DEV_WEIGHT_TX_BIAS", "EVERYDAY",
    "FLOW_LIMIT_CPU_BITMAP", "FLOW_LIMIT_TABLE_LEN", "GRO_NORMAL_BATCH", "ICMP_MSGS_BURST", "ICMP_MSGS_PER_SEC",
    "ICMP_RATELIMIT", "ICMP_RATEMASK", "IP_AUTOBIND_REUSE", "IP_DEFAULT_TTL", "IP_EARLY_DEMUX", "IP_FORWARD",
    "IP_LOCAL_PORT_RANGE", "IP_LOCAL_RESERVED_PORTS", "IP_NONLOCAL_BIND", "IP_UNPRIVILEGED_PORT_START",
    "NETDEV_BUDGET", "NETDEV_BUDGET_USECS", "NETDEV_MAX_BACKLOG", "RMEM_DEFAULT", "RMEM_MAX",
    "RPS_SOCK_FLOW_ENTRIES", "RP_FILTER", "SOMAXCONN", "TCP_ABORT_ON_OVERFLOW", "TCP_ADV_WIN_SCALE", "TCP_APP_WIN",
    "TCP_AUTOCORKING", "TCP_BACKLOG_ACK_DEFER", "TCP_CHALLENGE_ACK_LIMIT", "TCP_COMP_SACK_DELAY_NS",
    "TCP_COMP_SACK_NR", "TCP_COMP_SACK_SLACK_NS", "TCP_CONGESTION_CONTROL", "TCP_DSACK", "TCP_EARLY_DEMUX",
    "TCP_EARLY_RETRANS", "TCP_ECN", "TCP_FIN_TIMEOUT", "TCP_FRTO", "TCP_INVALID_RATELIMIT", "TCP_KEEPALIVE_INTVL",
    "TCP_KEEPALIVE_PROBES", "TCP_KEEPALIVE_TIME", "TCP_LIMIT_OUTPUT_BYTES", "TCP_MAX_ORPHANS",
    "TCP_MAX_REORDERING", "TCP_MAX_SYN_BACKLOG", "TCP_MAX_TW_BUCKETS", "TCP_MEM", "TCP_MIGRATE_REQ",
    "TCP_MIN_RTT_WLEN", "TCP_MIN_SND_MSS", "TCP_MIN_TSO_SEGS", "TCP_MODERATE_RCVBUF", "TCP_NOTSENT_LOWAT",
    "TCP_ORPHAN_RETRIES", "TCP_PACING_CA_RATIO", "TCP_PACING_SS_RATIO", "TCP_PINGPONG_THRESH", "TCP_RECOVERY",
    "TCP_REORDERING", "TCP_RETRANS_COLLAPSE", "TCP_RETRIES1", "TCP_RETRIES2", "TCP_RFC1337", "TCP_RMEM",
    "TCP_RTO_MAX_MS", "TCP_RTO_MIN_US", "TCP_SACK", "TCP_SHRINK_WINDOW", "TCP_SLOW_START_AFTER_IDLE",
    "TCP_SYNACK_RETRIES", "TCP_SYNCOOKIES", "TCP_SYN_LINEAR_TIMEOUTS", "TCP_SYN_RETRIES",
    "TCP_THIN_LINEAR_TIMEOUTS", "TCP_TIMESTAMPS", "TCP_TSO_RTT_LOG", "TCP_TSO_WIN_DIVISOR", "TCP_TW_REUSE",
    "TCP_TW_REUSE_DELAY", "TCP_WINDOW_SCALING", "TCP_WMEM", "UDP_EARLY_DEMUX", "UDP_MEM", "UDP_RMEM_MIN",
    "WMEM_DEFAULT", "WMEM_MAX", "find", "find_in", "format_value", "matching", "parse_value", "port_ranges",
]
# fmt: on
