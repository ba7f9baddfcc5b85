"""The stages of a packet's journey, in the order a packet meets them, and what each costs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from wireside.catalog.kinds import Context, Direction


class Stage(IntEnum):
    """Where a packet can be; the numbers index cost tables and stamps."""

    SYS_WRITE = 0
    TCP_SENDMSG = 1
    UDP_SENDMSG = 2
    TCP_WRITE_XMIT = 3
    IP_OUTPUT = 4
    QDISC = 5
    TX_RING = 6
    WIRE = 7
    RX_RING = 8
    HARDIRQ = 9
    NAPI_POLL = 10
    GRO = 11
    BACKLOG = 12
    NETIF_RECEIVE = 13
    IP_RCV = 14
    TCP_RCV = 15
    UDP_RCV = 16
    SK_BACKLOG = 17
    RECEIVE_QUEUE = 18
    WAKEUP = 19
    SYS_READ = 20
    TX_COMPLETION = 21
    SCHEDULE = 22


@dataclass(frozen=True, slots=True)
class StageInfo:
    """What happens in a stage, who runs it, and what it costs.

    `cost_ns` is the time one packet spends in the stage's work: CPU time, except on the wire and in NIC hardware.
    `queue` names the queue a packet can wait in there; `sysctls` (full names) govern the stage; `counters`
    (nstat names, or `nic.`/`softnet.` ones) move in it.
    """

    title: str
    context: Context
    direction: Direction
    symbols: tuple[str, ...]
    queue: str
    sysctls: tuple[str, ...]
    counters: tuple[str, ...]
    cost_ns: int
    doc: str


_TASK, _SOFTIRQ, _TX, _RX = Context.TASK, Context.SOFTIRQ, Direction.TX, Direction.RX
_CORE, _IPV4 = "net.core.", "net.ipv4."

# fmt: off
STAGES: tuple[StageInfo, ...] = (
    StageInfo("write()", _TASK, _TX, ("ksys_write", "__sys_sendto", "sock_sendmsg"), "", (), (), 300,
        "The program enters the kernel with data to send."),
    StageInfo("tcp_sendmsg", _TASK, _TX, ("tcp_sendmsg_locked", "sk_stream_wait_memory"), "send buffer",
        (_IPV4 + "tcp_wmem", _IPV4 + "tcp_notsent_lowat", _IPV4 + "tcp_autocorking"), ("TcpExtTCPAutoCorking",), 350,
        "Data is copied into packets of the socket's send queue; a full send buffer puts the program to sleep."),
    StageInfo("udp_sendmsg", _TASK, _TX, ("udp_sendmsg", "ip_make_skb", "udp_send_skb"), "send buffer",
        (_CORE + "wmem_default", _CORE + "wmem_max"), ("UdpOutDatagrams", "UdpSndbufErrors"), 400,
        "One datagram is built from the program's data."),
    StageInfo("tcp_write_xmit", _SOFTIRQ, _TX, ("tcp_write_xmit", "tcp_cwnd_test", "tcp_snd_wnd_test", "tcp_nagle_test", "__tcp_transmit_skb"), "unsent data",
        (_IPV4 + "tcp_congestion_control", _IPV4 + "tcp_limit_output_bytes", _IPV4 + "tcp_slow_start_after_idle"), ("TcpOutSegs", "TcpRetransSegs", "TcpExtTCPOrigDataSent"), 250,
        "TCP sends what congestion window, receive window and Nagle's rule allow."),
    StageInfo("ip_output", _SOFTIRQ, _TX, ("__ip_queue_xmit", "ip_output", "ip_finish_output2"), "",
        (_IPV4 + "ip_default_ttl",), ("IpOutRequests", "IpOutTransmits", "IpExtOutOctets", "IpOutNoRoutes"), 120,
        "The IP header is written, the route and the neighbour's address are looked up."),
    StageInfo("qdisc", _SOFTIRQ, _TX, ("__dev_queue_xmit", "pfifo_fast_enqueue", "__qdisc_run"), "qdisc",
        (_CORE + "default_qdisc", _CORE + "dev_weight", _CORE + "dev_weight_tx_bias"), (), 80,
        "The packet waits in the device's software queue until the ring has room."),
    StageInfo("TX ring", _SOFTIRQ, _TX, ("dev_hard_start_xmit", "igb_xmit_frame_ring"), "TX ring", (), ("nic.tx_packets", "nic.tx_bytes"), 100,
        "The driver writes a descriptor; the NIC fetches the packet by DMA."),
    StageInfo("wire", Context.WIRE, _TX, (), "link", (), (), 0,
        "Bits on the cable: first the time to send them at the link's rate, then the time they travel."),
    StageInfo("RX ring", Context.HARDWARE, _RX, (), "RX ring", (), ("nic.rx_packets", "nic.rx_missed_errors", "nic.rx_no_buffer_count"), 900,
        "The NIC writes the frame by DMA to the buffer of a free descriptor; without one the frame is lost."),
    StageInfo("hard IRQ", Context.HARDIRQ, _RX, ("igb_msix_ring", "__napi_schedule", "__raise_softirq_irqoff"), "", (), (), 1000,
        "The NIC interrupts a CPU, which masks that interrupt and asks for a poll; everything else is done later."),
    StageInfo("NAPI poll", _SOFTIRQ, _RX, ("net_rx_action", "__napi_poll", "igb_clean_rx_irq", "napi_build_skb"), "",
        (_CORE + "netdev_budget", _CORE + "netdev_budget_usecs"), ("softnet.time_squeeze", "nic.rx_queue_0_packets"), 150,
        "The driver takes up to 64 frames from the ring and wraps each in an sk_buff."),
    StageInfo("GRO", _SOFTIRQ, _RX, ("napi_gro_receive", "dev_gro_receive", "tcp_gro_receive"), "GRO list",
        (_CORE + "gro_normal_batch",), (), 50,
        "Segments of one flow that follow each other are merged into one large packet."),
    StageInfo("CPU backlog", _SOFTIRQ, _RX, ("netif_rx", "enqueue_to_backlog", "process_backlog"), "backlog",
        (_CORE + "netdev_max_backlog", _CORE + "dev_weight", _CORE + "dev_weight_rx_bias", _CORE + "rps_sock_flow_entries",
         _CORE + "flow_limit_cpu_bitmap", _CORE + "flow_limit_table_len"), ("softnet.dropped", "softnet.received_rps"), 150,
        "The packet waits for a CPU: after RPS chose another one, or because it came from loopback, veth or a tunnel."),
    StageInfo("netif_receive", _SOFTIRQ, _RX, ("netif_receive_skb_list_internal", "__netif_receive_skb_core"), "", (), ("softnet.processed",), 80,
        "tcpdump gets its copy; then the EtherType decides which protocol is next."),
    StageInfo("ip_rcv", _SOFTIRQ, _RX, ("ip_rcv_core", "ip_rcv_finish_core", "ip_local_deliver_finish"), "",
        (_IPV4 + "ip_early_demux", _IPV4 + "tcp_early_demux", _IPV4 + "ip_forward", _IPV4 + "conf.all.rp_filter"),
        ("IpInReceives", "IpInDelivers", "IpInHdrErrors", "IpInAddrErrors", "IpExtInOctets", "IpExtInCsumErrors"), 150,
        "The IP header is checked, and it is decided whether the packet is for this host."),
    StageInfo("tcp_v4_rcv", _SOFTIRQ, _RX, ("tcp_v4_rcv", "tcp_v4_do_rcv", "tcp_rcv_established", "tcp_ack", "tcp_data_queue"), "",
        (_IPV4 + "tcp_rmem", _IPV4 + "tcp_syncookies", _IPV4 + "tcp_max_syn_backlog", _IPV4 + "tcp_abort_on_overflow", _IPV4 + "tcp_invalid_ratelimit"),
        ("TcpInSegs", "TcpInErrs", "TcpExtTCPHPHits", "TcpExtListenOverflows", "TcpExtListenDrops", "TcpOutRsts"), 400,
        "The socket is looked up, sequence numbers are checked, the ACK is acted on."),
    StageInfo("udp_rcv", _SOFTIRQ, _RX, ("udp_rcv", "udp_queue_rcv_skb", "udp_queue_rcv_one_skb", "__udp_enqueue_schedule_skb"), "",
        (_IPV4 + "udp_mem", _IPV4 + "udp_early_demux"), ("UdpNoPorts", "UdpInErrors", "UdpInCsumErrors"), 250,
        "The socket is looked up; its receive buffer has room, or the datagram is dropped."),
    StageInfo("socket backlog", _SOFTIRQ, _RX, ("tcp_add_backlog", "__release_sock"), "sk_backlog", (_IPV4 + "tcp_backlog_ack_defer",),
        ("TcpExtTCPBacklogDrop", "TcpExtTCPBacklogCoalesce"), 80,
        "The program has the socket locked: the packet waits until it lets go."),
    StageInfo("receive queue", _SOFTIRQ, _RX, ("tcp_queue_rcv", "tcp_try_rmem_schedule", "__skb_queue_tail"), "receive buffer",
        (_IPV4 + "tcp_rmem", _CORE + "rmem_default", _CORE + "rmem_max", _IPV4 + "tcp_mem"),
        ("TcpExtTCPRcvQDrop", "TcpExtPruneCalled", "TcpExtTCPZeroWindowDrop", "TcpExtTCPRcvCoalesce", "UdpRcvbufErrors"), 50,
        "Data waits for the program; what it occupies (truesize) is charged to the receive buffer."),
    StageInfo("wake-up", _SOFTIRQ, _RX, ("sock_def_readable", "ep_poll_callback", "try_to_wake_up"), "", (), (), 400,
        "A program asleep in read() or epoll_wait() is made runnable."),
    StageInfo("read()", _TASK, _RX, ("ksys_read", "tcp_recvmsg_locked", "udp_recvmsg", "skb_copy_datagram_iter", "__tcp_cleanup_rbuf"), "",
        (_IPV4 + "tcp_moderate_rcvbuf",), ("UdpInDatagrams", "TcpExtTCPFromZeroWindowAdv"), 500,
        "The data is copied to the program, memory is given back, and perhaps the window opens."),
    StageInfo("TX completion", _SOFTIRQ, _TX, ("igb_clean_tx_irq", "napi_consume_skb", "tcp_wfree"), "", (), (), 60,
        "The NIC has sent the packet: its memory is freed and the socket may send more."),
    StageInfo("scheduler", _TASK, _RX, ("schedule", "finish_task_switch"), "run queue", (), (), 1500,
        "The program waits until the scheduler gives it the CPU."),
)
# fmt: on
"""One entry per Stage, indexed by its number."""


WITHOUT_PACKET = frozenset({Stage.SYS_WRITE, Stage.TCP_SENDMSG, Stage.TX_COMPLETION, Stage.SCHEDULE})
"""Stages in which no packet is marked: it is not born yet, its frame has left, or it is a program that waits."""


def default_costs() -> list[int]:
    """Return a fresh cost table: ns per Stage number."""
    return [stage.cost_ns for stage in STAGES]
