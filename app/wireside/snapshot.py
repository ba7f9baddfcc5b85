"""One instant of a host, frozen: all that views, tools, expectations and JSON may look at.

Everything here is immutable and carries no reference into the model. Times are ns since the start of the run,
memory is bytes as the kernel charges it (truesize) unless a field says payload.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wireside.catalog.packet_kinds import PacketKind


class SocketRow(NamedTuple):
    """One socket as `ss` would show it, with the fields of its -o, -i and -m options."""

    id: int
    """Stable for the life of the socket; unique in the world."""
    netid: str
    """"tcp" or "udp"."""
    state: str
    """The ss spelling: LISTEN, ESTAB, CLOSE-WAIT, UNCONN …"""
    recv_q: int
    send_q: int
    local: str
    peer: str
    program: str = ""
    fd: int = -1
    timer: str = ""
    """As `ss -o` prints it, such as "persist,412ms,2"; empty without a timer."""
    sk_rmem_alloc: int = 0
    sk_rcvbuf: int = 0
    sk_wmem_alloc: int = 0
    sk_wmem_queued: int = 0
    sk_sndbuf: int = 0
    sk_forward_alloc: int = 0
    sk_backlog_len: int = 0
    sk_drops: int = 0
    receive_queue_skbs: int = 0
    receive_queue_bytes: int = 0
    """Payload bytes in order and not yet read (TCP), or payload of all queued datagrams (UDP)."""
    ofo_queue_skbs: int = 0
    rcv_wnd: int = 0
    """Window promised at the last advertisement, bytes."""
    rcv_wnd_left: int = 0
    """What is still open of that promise right now, bytes."""
    rcv_ssthresh: int = 0
    window_clamp: int = 0
    rcv_space: int = 0
    snd_wnd: int = 0
    cwnd: int = 0
    ssthresh: int = 0
    mss: int = 0
    packets_out: int = 0
    in_flight: int = 0
    lost: int = 0
    sacked: int = 0
    retrans_total: int = 0
    rto_ns: int = 0
    srtt_ns: int = 0
    rttvar_ns: int = 0
    backoff: int = 0
    rcv_wscale: int = 0
    snd_wscale: int = 0
    ca_state: str = ""
    congestion_control: str = ""
    bytes_acked: int = 0
    bytes_received: int = 0
    segs_out: int = 0
    segs_in: int = 0
    nonblocking_reason: str = ""
    """Why data waits to be sent: "cwnd", "rwnd", "nagle", "sndbuf"; empty when nothing waits."""
    rcv_mss: int = 0
    """What the peer's segments are taken for, bytes."""
    delivered: int = 0
    """Segments that the peer has told to have, the SYN or SYN-ACK among them."""
    dsack_dups: int = 0
    reordering: int = 0
    reord_seen: int = 0


@dataclass(frozen=True, slots=True)
class ListenerRow:
    """The two queues of one listening socket, in connections; both take one more than the backlog."""

    port: int
    program: str
    accept_queue: int
    """Established and not accepted yet."""
    requests: int
    """Handshakes under way (request socks)."""
    acked: int
    """Those of them whose final ACK has come and could not be used: established for the peer, SYN-RECV here."""
    backlog: int
    id: int = 0
    """That of its SocketRow."""


@dataclass(frozen=True, slots=True)
class SoftnetRow:
    """One CPU's line of /proc/net/softnet_stat."""

    processed: int
    dropped: int
    time_squeeze: int
    received_rps: int
    flow_limit_count: int
    input_qlen: int
    process_qlen: int


@dataclass(frozen=True, slots=True)
class CpuRow:
    """What one CPU does at this instant and where its time went, ns."""

    context: str
    """"idle", "hardirq", "softirq", "ksoftirqd" or "task"."""
    running: str
    """The running program's name, when context is "task"."""
    hardirq_ns: int
    softirq_ns: int
    ksoftirqd_ns: int
    task_ns: int
    idle_ns: int
    runnable: int
    """Tasks that want this CPU, the running one included."""


@dataclass(frozen=True, slots=True)
class NicRow:
    """One network device: ring, interrupt and queue occupancy, and its ethtool -S counters."""

    name: str
    kind: str
    """"nic", "veth", "tun" or "lo"."""
    mtu: int
    rate_bps: int
    rx_ring_size: int
    rx_ring_used: int
    """Frames received into the ring and not yet taken by the driver's poll."""
    rx_ring_unfilled: int
    """Descriptors taken by the driver but not yet given back to the hardware (refill is batched)."""
    tx_ring_size: int
    tx_ring_used: int
    qdisc: str
    qdisc_len: int
    qdisc_limit: int
    irq_masked: bool
    irqs: int
    polls: int
    last_poll_work: int
    budget_left: int
    """Of the running net_rx_action round on this device's CPU; netdev_budget when idle."""
    rx_rate_pps: int
    """Frames per second that arrived lately (EWMA), dropped ones included."""
    statistics: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProgramRow:
    """One program of a scenario: what it does now and what it has done."""

    name: str
    pid: int
    state: str
    """"running", "runnable", "blocked", "sleeping" or "exited"."""
    doing: str
    """The system call it is in, as strace would begin it, or why it sleeps."""
    calls: int
    bytes_read: int
    bytes_written: int
    fds: int = 0
    """Descriptors it has open, its standard input, output and error among them."""
    nofile: int = 0
    """RLIMIT_NOFILE: as many it may have."""
    connected: int = 0
    """Connections that it opened."""
    accepted: int = 0
    """Connections that accept() gave it."""
    answered: int = 0
    """Requests answered: by a server, or to a client."""
    failed: int = 0
    """Calls (of a client population: visits) that failed."""
    error: str = ""
    """The last of their errors, such as "EADDRNOTAVAIL"."""
    kept: int = 0
    """Calls of its script that returned what they promise."""
    unmet: str = ""
    """The first call that did not, in words; empty when all did."""
    unmet_at_ns: int = 0
    """When that call returned."""
    unmet_where: str = ""
    """Where it stands, FILE:LINE:COLUMN."""
    slowest_ns: int = 0
    """The longest time from a `tcp_ping`'s message to the end of its answer."""


@dataclass(frozen=True, slots=True)
class HostSnapshot:
    """One host at `time_ns`. Mapping keys are the names real tools print."""

    name: str
    time_ns: int
    address: str
    sysctl: Mapping[str, str]
    """Full sysctl name to its text, e.g. "4096 131072 33554432"."""
    counters: Mapping[str, int]
    """nstat name to value, zeros included."""
    drops: Mapping[str, int]
    """SKB_DROP_REASON_* name (without the prefix) to packets; only non-zero ones."""
    wire_drops: Mapping[str, int]
    """Packets lost before any sk_buff existed: "rx_missed_errors" and "link loss"."""
    states: Mapping[str, int]
    """ss state to number of TCP sockets; only non-zero ones."""
    softnet: tuple[SoftnetRow, ...]
    cpus: tuple[CpuRow, ...]
    nics: tuple[NicRow, ...]
    sockets: tuple[SocketRow, ...]
    programs: tuple[ProgramRow, ...]
    books: Mapping[str, int]
    """"born", "delivered", "consumed", "dropped", "queued" in packets (wire frames); they always balance in a world."""
    listeners: tuple[ListenerRow, ...] = ()
    sockstat: Mapping[str, int] = field(default_factory=dict)
    """The TCP line of /proc/net/sockstat: "orphan", "tw", "mem" (pages)."""
    entered: Mapping[str, int] = field(default_factory=dict)
    """ss state to how many connections have ever come into it; less what is in `states`, so many have left it."""
    close_wait: Mapping[str, int] = field(default_factory=dict)
    """Program to its sockets in CLOSE-WAIT; only non-zero ones."""
    turned_away: Mapping[str, int] = field(default_factory=dict)
    """What listeners turned away: "SYN" (no drop reason tells of it) and "ACK", the last of a handshake."""
    kernel: str = "6.18"
    """The release whose words its tools print."""


@dataclass(frozen=True, slots=True)
class PacketRow:
    """A packet that a condition of the scenario names, as far as it has come."""

    kind: PacketKind
    source: str
    destination: str
    length: int
    """Payload bytes."""
    born: int
    stamps: tuple[int, ...]
    """Stage, ns, stage, ns …"""
    fate: str
    """As in PacketTrace."""


@dataclass(frozen=True, slots=True)
class WorldSnapshot:
    """All hosts of a world at one instant."""

    time_ns: int
    hosts: tuple[HostSnapshot, ...]
    packets: Mapping[str, PacketRow] = field(default_factory=dict)
    """Packets that conditions name, as they spell it: "packets(kind=SYN)[0]"; those that are born."""
    packet_counts: Mapping[str, int] = field(default_factory=dict)
    """How many are born of those that conditions speak of: "packets(kind=SYN)"."""

    def host(self, name: str) -> HostSnapshot:
        """The host called `name`; KeyError when there is none."""
        for host in self.hosts:
            if host.name == name:
                return host
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class PacketTrace:
    """One packet's way: what it is, and when it entered each stage."""

    id: int
    kind: PacketKind
    source: str
    """Name of the host that sent it."""
    destination: str
    label: str
    """A tcpdump-like line without the time."""
    length: int
    """Payload bytes."""
    stamps: tuple[tuple[int, int], ...]
    """(stage number, ns) in the order they were entered; the last one is where it is or ended."""
    fate: str
    """"" while it lives, "delivered", "consumed", "merged" (GRO, coalescing), or the drop reason's name."""


@dataclass(frozen=True, slots=True)
class Event:
    """One plain sentence about something worth noticing."""

    time_ns: int
    host: str
    topic: str
    """"nic", "softirq", "ip", "tcp", "udp", "sock", "program", "sysctl", "timer" or "drop"."""
    text: str
    severity: int = 0
    """0 ordinary, 1 notable, 2 a loss or an error."""
