"""The machine, its CPUs and devices, and the network namespaces (struct net) on it.

These are plain records; the functions that work on them live in the files named after the kernel's. A Cpu is the
context every kernel function runs in: it carries the time (`now`), and charging a stage moves that time on.
"""

from __future__ import annotations

from collections import deque
from random import Random
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias, TypeVar

from wireside.kernel.core.proc_sysctl import sysctl_table
from wireside.kernel.core.timer import TimerWheel
from wireside.wire.words import Conversations

if TYPE_CHECKING:
    from collections.abc import Callable

    from wireside.catalog.drop_reasons import DropReason
    from wireside.catalog.kinds import Counter
    from wireside.catalog.profiles import KernelProfile
    from wireside.kernel.core.dev_tx import Qdisc
    from wireside.kernel.core.hrtimer import AnyHrTimer
    from wireside.kernel.core.napi import Napi
    from wireside.kernel.core.skbuff import Flow, SkBuff
    from wireside.kernel.core.sock import Sock
    from wireside.kernel.core.sock_common import PortOwner, SockCommon
    from wireside.kernel.core.softirq import SoftirqRun
    from wireside.kernel.core.task import Task

T = TypeVar("T")
Handle: TypeAlias = Any
"""What a clock gave for a planned call; only the clock looks inside."""

NET_TX_SOFTIRQ: Final = 0x4
NET_RX_SOFTIRQ: Final = 0x8
TASKLET_SOFTIRQ: Final = 0x40
HRTIMER_SOFTIRQ: Final = 0x100
"""Bits of the pending mask; those of one round run in this order. Linux: include/linux/interrupt.h."""


class Clock(Protocol):
    """What drives time: the simulation, or a test. Times are absolute ns.

    `at` is for hardware alone: what it calls has no CPU. The kernel's own timers are TimerList and HrTimer.
    """

    def at(self, when: int, function: Callable[[T], None], arg: T) -> Handle:
        """Call function(arg) at `when`; the handle returned can be given to `cancel`."""

    def cancel(self, handle: Handle) -> None:
        """Forget a call that has not happened yet."""

    def peek(self) -> int:
        """The ns of the next thing that will happen, -1 when nothing will; too early an answer does no harm."""


class Scheduler(Protocol):
    """What runs tasks and softirqs on CPUs: the simulation, or a test."""

    def try_to_wake_up(self, cpu: Cpu, task: Task) -> bool:
        """Make a sleeping task runnable as of cpu.now; False when it was not asleep."""

    def wake_up_new_task(self, cpu: Cpu, parent: Task, child: Task) -> None:
        """A task that fork() has made begins, as of cpu.now."""

    def raise_softirq(self, cpu: Cpu) -> None:
        """`cpu.softirq_pending` has just become non-zero on a CPU that may be idle, as of cpu.now."""

    def raise_hardirq(self, cpu_id: int, when: int, handler: Callable[[Cpu, T], None], arg: T) -> None:
        """A device interrupts CPU `cpu_id` at `when`; the handler runs there in hardirq context."""

    def raise_hrtimer(self, cpu_id: int, when: int, timer: AnyHrTimer) -> Handle:
        """Let the timer run on CPU `cpu_id` in softirq context, at `when` or as soon as that CPU can.

        The handle returned can be given to `Clock.cancel`.
        """


class SoftnetData:
    """struct softnet_data: one CPU's packet queues and the counters of /proc/net/softnet_stat."""

    __slots__ = (
        "backlog",
        "backlog_scheduled",
        "dropped",
        "flow_limit_count",
        "input_pkt_queue",
        "output_queue",
        "poll_list",
        "process_queue",
        "processed",
        "received_rps",
        "round",
        "rps_ipi_list",
        "time_squeeze",
    )

    def __init__(self) -> None:
        self.poll_list: deque[Napi] = deque()
        self.input_pkt_queue: deque[SkBuff] = deque()
        self.process_queue: deque[SkBuff] = deque()
        self.output_queue: deque[NetDevice] = deque()
        """Devices whose qdisc NET_TX_SOFTIRQ is to run."""
        self.rps_ipi_list: list[int] = []
        """CPUs whose backlog got its first packet from here and that still have to be told."""
        self.backlog: Napi | None = None
        """The pseudo NAPI of the backlog; owned by backlog.py."""
        self.backlog_scheduled = False
        self.processed = 0
        self.dropped = 0
        self.time_squeeze = 0
        self.received_rps = 0
        self.flow_limit_count = 0
        self.round: SoftirqRun | None = None
        """State of the softirq run and its net_rx_action round; owned by softirq.py."""


class Cpu:
    """One CPU as execution context: `now` is its local clock, ns.

    The engine sets `now` when it lets the CPU run; code that runs there moves it on with `charge`.
    """

    __slots__ = (
        "context",
        "cost",
        "hardirq_ns",
        "hrtimers",
        "id",
        "in_softirq",
        "ksoftirqd",
        "ksoftirqd_ns",
        "machine",
        "need_resched",
        "now",
        "softirq_ns",
        "softirq_pending",
        "softnet",
        "task_ns",
        "tasklets",
    )

    def __init__(self, cpu_id: int, machine: Machine, cost: list[int]) -> None:
        self.id = cpu_id
        self.machine = machine
        self.cost = cost
        """ns per Stage number."""
        self.now = 0
        self.softirq_pending = 0
        self.in_softirq = False
        self.ksoftirqd = False
        """Softirq work was handed over to ksoftirqd, which takes turns with the tasks."""
        self.need_resched = False
        """A task waits for this idle CPU: softirqs end their round early (TIF_NEED_RESCHED)."""
        self.softnet = SoftnetData()
        self.tasklets: deque[tuple[Callable[[Cpu, Any], None], Any]] = deque()
        """Work put off to TASKLET_SOFTIRQ."""
        self.hrtimers: deque[AnyHrTimer] = deque()
        """Timers whose time has come and that wait for HRTIMER_SOFTIRQ."""
        self.context = "idle"
        self.hardirq_ns = 0
        self.softirq_ns = 0
        self.ksoftirqd_ns = 0
        self.task_ns = 0

    def charge(self, stage: int, skb: SkBuff | None = None) -> None:
        """Spend the stage's cost on this CPU, and stamp the packet with the moment it entered the stage."""
        if skb is not None and skb.stamps is not None:
            skb.stamps += (stage, self.now)
        self.now += self.cost[stage]


class Machine:
    """One computer: CPUs, timers and the host-wide sysctls; network namespaces share it."""

    def __init__(
        self,
        name: str,
        profile: KernelProfile,
        clock: Clock,
        sched: Scheduler,
        seed: int,
        *,
        ideal_timers: bool = False,
    ) -> None:
        self.name = name
        self.profile = profile
        self.clock = clock
        self.sched = sched
        self.rng = Random(f"{seed}/{name}")
        self.cpus: list[Cpu] = []
        self.timers = TimerWheel(profile.hz, ideal=ideal_timers)
        self.sysctl = sysctl_table()
        self.nets: list[Net] = []
        self.softirq_vec: dict[int, Callable[[Cpu], bool]] = {}
        """Softirq bit to its action, which does one slice and returns whether there is more; net_dev_init() fills it."""
        self.trace: deque[SkBuff] | None = None
        """Packets lately born here, newest last; None when tracing is off."""
        self.on_birth: Callable[[SkBuff], None] | None = None
        """Told of every packet that enters the trace; its first stamp comes right after."""
        self.on_segment: Callable[[list[SkBuff]], None] | None = None
        """Told of the frames that a super-packet was cut into; the first is what is left of itself."""
        self.conversations = Conversations()
        """What readers of the trace count sequence numbers from; machines that are traced together share it."""
        self.last_skb_id = 0
        """Counted up for every packet born here; the world starts each machine at another offset."""
        self.last_sock_id = 0
        self.common_numbers: dict[int, int] = {}
        """Numbers of TCP sockets by their value; tcp_share_numbers() keeps it."""
        self.tcp_memory_allocated = 0
        """Pages charged by all TCP sockets (/proc/net/sockstat mem)."""
        self.tcp_memory_pressure = False
        self.tcp_orphan_count = 0
        """Sockets without a program whose connection is not over."""
        self.tcp_orphan_cache = 0
        self.tcp_orphan_period = 0
        """The count as of the beginning of the running 100 ms; tcp_orphan.py keeps it."""

    def skb_id(self) -> int:
        """A fresh packet number."""
        self.last_skb_id += 1
        return self.last_skb_id

    def sock_id(self) -> int:
        """A fresh socket number."""
        self.last_sock_id += 1
        return self.last_sock_id

    def jiffies(self, now: int) -> int:
        """The tick number at `now` ns."""
        return now // self.timers.tick_ns


GSO_MAX_SEGS: Final = 65535
"""Segments of one super-packet, unless the device says less. Linux: include/linux/netdevice.h."""


class NetDevice:
    """struct net_device: what the stack above sees of a device; `driver` is the nic/veth/tun record below it.

    `start_xmit(cpu, dev, skb)` hands a packet to the driver and returns False when its queue is stopped.
    """

    __slots__ = (
        "driver",
        "features_gso",
        "gso_max_segs",
        "ifindex",
        "kind",
        "mtu",
        "name",
        "net",
        "ptype_all",
        "qdisc",
        "rps_cpus",
        "rx_bytes",
        "rx_dropped",
        "rx_packets",
        "start_xmit",
        "tx_bytes",
        "tx_dropped",
        "tx_packets",
    )

    def __init__(self, name: str, net: Net, mtu: int, kind: str) -> None:
        self.name = name
        self.net = net
        self.mtu = mtu
        self.kind = kind
        self.ifindex = 2
        self.features_gso = False
        """The device takes TSO super-packets (NETIF_F_TSO)."""
        self.gso_max_segs = GSO_MAX_SEGS
        """The most segments of a super-packet that goes towards it; 1: there are none (`ip link set … gso_max_segs 1`)."""
        self.qdisc: Qdisc | None = None
        """Its queueing discipline, or None for "noqueue"."""
        self.rps_cpus: tuple[int, ...] = ()
        """CPUs over which receive packet steering spreads flows; empty when it is off."""
        self.driver: Any = None
        self.ptype_all: Callable[[int, SkBuff], None] | None = None
        """A packet socket: called with the ns and each packet that a device without a wire sends. Linux: dev_queue_xmit_nit()."""
        self.start_xmit: Callable[[Cpu, NetDevice, SkBuff], bool] | None = None
        self.rx_packets = 0
        self.rx_bytes = 0
        self.rx_dropped = 0
        self.tx_packets = 0
        self.tx_bytes = 0
        self.tx_dropped = 0


class Net:
    """struct net: one network namespace; a scenario's host.

    `mib` holds every declared counter; `ehash` finds connected sockets by the flow their packets carry,
    `listening` and `udp_table` by local port. `born`, `delivered` and `consumed` count wire frames for the books.
    """

    def __init__(self, name: str, machine: Machine, address: int) -> None:
        self.name = name
        self.machine = machine
        self.address = address
        self.dev: NetDevice | None = None
        self.lo: NetDevice | None = None
        """The loopback device, once something was sent to an address of this host itself."""
        self.sysctl = sysctl_table()
        """Namespace sysctls and, by reference copies kept in step, the machine's: every read goes here."""
        self.mib: dict[Counter, int] = {}
        self.drops: dict[DropReason, int] = {}
        self.on_drop: Callable[[Net, SkBuff, DropReason], None] | None = None
        self.on_event: Callable[[Net, int, str, str, int], None] | None = None
        """(net, ns, topic, sentence, severity): something worth a line in the Events pane."""
        self.ehash: dict[Flow, SockCommon] = {}
        self.listening: dict[int, list[Sock]] = {}
        self.udp_table: dict[int, list[Sock]] = {}
        self.bind_ports: dict[int, PortOwner | dict[int, PortOwner]] = {}
        """Local port → who holds it; read and changed through inet_bind.py. Linux: bhash."""
        self.sockets: dict[int, Sock] = {}
        """Every socket that exists, by id, in order of creation."""
        self.holding: dict[int, Sock] = {}
        """Those of them in which received packets wait, and some in which none waits any more."""
        self.born = 0
        self.delivered = 0
        self.consumed = 0
        self._start_tables(machine)

    def _start_tables(self, machine: Machine) -> None:
        """Minisocks, requests, and what port choice and rate limits remember."""
        self.tcp_in_state = [0] * 16
        """How many TCP sockets of `sockets` there are in each TcpState."""
        self.tcp_entered = [0] * 16
        """How many connections have ever come into each TcpState, requests and minisocks included."""
        self.close_wait_of: dict[str, int] = {}
        """Program → its sockets in CLOSE_WAIT."""
        self.turned_away = {"SYN": 0, "ACK": 0}
        """What ListenDrops is made of: SYNs, and final ACKs of handshakes."""
        self.timewait: dict[int, SockCommon] = {}
        """Minisocks (TIME_WAIT and orphaned FIN_WAIT2) by id."""
        self.fin_wait2_minisocks = 0
        """How many of them are in FIN_WAIT2."""
        self.requests: dict[int, SockCommon] = {}
        """Request socks by id."""
        self.link_lost = 0
        self.tcp_challenge = (-1, 0)
        """(second, challenge ACKs still allowed in it)."""
        self.table_perturb: dict[int, int] = {}
        """How far connect()'s search for a port has moved on, by destination's hash. Linux: inet_hashtables.c."""
        self.ports_freed = 0
        """How many ports have been given back."""
        self.ports_full: dict[tuple[int, ...], int] = {}
        """Searches of connect() that found no port → `ports_freed` then: until more are given back, none will.

        Differs: Linux looks at every port each time; here only its time is spent.
        """
        self.secondary: tuple[int, ...] = ()
        """Further addresses of this host (ip address add)."""
        self.hash_secret = machine.rng.getrandbits(31) | 1
        """Keeps port choice from being guessed, as the kernel does."""
        self.privileged = True
        """Programs may bind ports below ip_unprivileged_port_start (CAP_NET_BIND_SERVICE)."""
        self.inet_peers: dict[int, tuple[int, int]] = {}
        """Peer address to (credit, last refill) of the ICMP rate limit, ns."""
        self.icmp_global: tuple[int, int] = (0, 0)
        """(credit in messages, last refill in ns) of the host-wide ICMP rate limit."""

    def event(self, cpu: Cpu, topic: str, text: str, severity: int = 0) -> None:
        """Tell whoever listens, in one plain sentence."""
        if self.on_event is not None:
            self.on_event(self, cpu.now, topic, text, severity)


INADDR_LOOPBACK: Final = 0x7F000001
INADDR_BROADCAST: Final = 0xFFFFFFFF


def ipv4_is_multicast(address: int) -> bool:
    """The address is one of 224.0.0.0/4. Linux: include/linux/in.h ipv4_is_multicast()."""
    return address >> 28 == 0xE


def inet_addr_local(net: Net, address: int) -> bool:
    """The address is one of this host's own, or a loopback address. Linux: inet_addr_type() == RTN_LOCAL."""
    return address == net.address or address >> 24 == 127 or address in net.secondary
