"""A world that needs no model: packets march through the stages by arithmetic."""

from __future__ import annotations

from copy import deepcopy

from wireside.catalog.stages import Stage
from wireside.catalog.sysctls import ALL_SYSCTLS, format_value
from wireside.errors import CommandError
from wireside.scenario.spec import Beat, HostSpec, KnobSpec, LinkSpec, Scenario
from wireside.snapshot import (
    CpuRow,
    Event,
    HostSnapshot,
    NicRow,
    PacketTrace,
    ProgramRow,
    SocketRow,
    SoftnetRow,
    WorldSnapshot,
)

US, MS = 1_000, 1_000_000
RX = (
    (Stage.WIRE, 0),
    (Stage.RX_RING, 50 * US),
    (Stage.NAPI_POLL, 58 * US),
    (Stage.NETIF_RECEIVE, 58_300),
    (Stage.IP_RCV, 58_500),
    (Stage.TCP_RCV, 58_700),
    (Stage.RECEIVE_QUEUE, 59_400),
    (Stage.SYS_READ, 90 * US),
)
TX = (
    (Stage.TCP_WRITE_XMIT, 0),
    (Stage.IP_OUTPUT, 400),
    (Stage.QDISC, 600),
    (Stage.TX_RING, 900),
    (Stage.WIRE, 1200),
)


def scenario(**changes) -> Scenario:
    facts = {
        "id": "zero-window",
        "title": "The window closes",
        "summary": "A reader stops reading.",
        "duration_ns": 20 * MS,
        "seed": 42,
        "kernel": "6.18",
        "hosts": (HostSpec("client", "10.0.0.1"), HostSpec("server", "10.0.0.2")),
        "links": (LinkSpec("client", "server"),),
        "focus": "server",
        "scale": 100 * US,
        "beats": (
            Beat(
                say="The application stopped calling read(). Every segment that TCP accepts is charged its truesize, "
                "not its length. What will Recv-Q show next?",
                at_ns=0,
                look_at="sockbuf",
            ),
            Beat(say="Half way.", at_ns=10 * MS, scale=1 * MS, pause=True),
        ),
        "knobs": (
            KnobSpec("server", "net.ipv4.tcp_rmem", ("4096 131072 6291456", "4096 262144 6291456")),
            KnobSpec("server", "nic.rx_ring", ("64", "256", "1024")),
            KnobSpec("server", "net.core.netdev_budget"),
        ),
    }
    return Scenario(**{**facts, **changes})


class FakeWatch:
    """Conditions looked at whenever the fake world's next packet is born."""

    def __init__(self, world, conditions, looked=-1):
        self.world, self.conditions = world, dict(conditions)
        self.fired, self.looked = (), looked

    def run(self, until: int, wall_deadline: float | None = None) -> bool:
        self.fired = ()
        while self.conditions and self.world.upcoming() <= until:
            self.world.run_until(self.world.upcoming())
            if self.look():
                return False
        return self.world.run_until(until, wall_deadline)

    def look(self) -> bool:
        now = self.world.snapshot()
        self.fired = tuple(n for n, condition in self.conditions.items() if condition.holds(now))
        return bool(self.fired)

    def keep(self, numbers) -> None:
        self.conditions = {number: self.conditions[number] for number in numbers}


class FakeWorld:
    """Implements what a player needs of a world; one packet every `every_ns`, each answered by an ACK."""

    def __init__(self, every_ns: int = 5 * US, *, missed_every: int = 0) -> None:
        self.now = 0
        self.every_ns = every_ns
        self.missed_every = missed_every
        self.event_count = 3
        self.cost_s = 0.0
        self.values = {
            "net.ipv4.tcp_rmem": "4096 131072 33554432",
            "nic.rx_ring": "256",
            "net.core.netdev_budget": "300",
        }
        self.sysctl = {sysctl.name: format_value(sysctl.default) for sysctl in ALL_SYSCTLS}
        self.sysctl["net.core.netdev_max_backlog"] = "1000"

    def run_until(self, t_ns: int, wall_deadline: float | None = None) -> bool:
        if wall_deadline is not None and self.cost_s:
            self.now += (t_ns - self.now) // 2
            return False
        self.now = max(self.now, t_ns)
        return True

    def watch(self, conditions, looked=-1) -> FakeWatch:
        return FakeWatch(self, conditions, looked)

    @property
    def work(self) -> int:
        return self.now // self.every_ns

    def upcoming(self) -> int:
        return self.now + self.every_ns - self.now % self.every_ns

    def traces(self, since_ns: int) -> tuple[PacketTrace, ...]:
        first = max(0, (since_ns - 200 * US) // self.every_ns)
        found = []
        for i in range(first, self.now // self.every_ns + 1):
            born = i * self.every_ns
            kind = ("SYN", "DATA", "DATA", "FIN")[i % 4] if i % 11 == 0 else "DATA"
            stamps = tuple((int(s), born + d) for s, d in RX if born + d <= self.now + 2 * US)
            done = len(stamps) == len(RX)
            label = f"10.0.0.1.40000 > 10.0.0.2.80: Flags [.], seq {i * 1448}, length 1448"
            found.append(
                PacketTrace(2 * i, kind, "client", "server", label, 1448, stamps, "delivered" if done else "")
            )
            if i % 2 and born + 60 * US <= self.now:
                sent = born + 60 * US
                stamps = tuple((int(s), sent + d) for s, d in TX if sent + d <= self.now + 2 * US)
                fate = "consumed" if self.now >= sent + 60 * US else ""
                label = f"10.0.0.2.80 > 10.0.0.1.40000: Flags [.], ack {i * 1448}, win 501"
                found.append(PacketTrace(2 * i + 1, "ACK", "server", "client", label, 0, stamps, fate))
        return tuple(found)

    def events(self, since: int) -> tuple[Event, ...]:
        texts = (
            ("program", "reader stops calling read().", 0),
            ("tcp", "The window closes: rcv_wnd 65535 → 0.", 1),
            ("drop", "1 packet dropped: TCP_ZEROWINDOW.", 2),
        )
        return tuple(Event(i * MS, "server", *text) for i, text in enumerate(texts))[since:]

    def knob_value(self, host: str, name: str) -> str:
        return self.values[name]

    def command(self, host: str, name: str, value: str) -> str:
        if name != "net.ipv4.tcp_rmem" and not (value.isascii() and value.isdigit()):
            raise CommandError(f"{name} cannot be {value}: it is a whole number from 0")
        (self.values if name in self.values else self.sysctl)[name] = value
        return f"{name} is {value} now: takes effect at the next poll."

    def snapshot(self, *, screen: bool = False) -> WorldSnapshot:
        return WorldSnapshot(self.now, (self._host("client", "10.0.0.1"), self._host("server", "10.0.0.2")))

    def _host(self, name: str, address: str) -> HostSnapshot:
        done = self.now // self.every_ns
        part = min(1.0, self.now / (12 * MS))
        missed = done // self.missed_every if self.missed_every else 0
        server = name == "server"
        row = SocketRow(
            id=2 if server else 1, netid="tcp", state="ESTAB",
            recv_q=int(65_000 * part) if server else 0, send_q=0 if server else 200_000,
            local="10.0.0.2:80" if server else "10.0.0.1:40000", peer="10.0.0.1:40000" if server else "10.0.0.2:80",
            sk_rmem_alloc=int(131_072 * part) if server else 0, sk_rcvbuf=131_072,
            sk_wmem_queued=0 if server else 300_000, sk_sndbuf=2_500_000, rcv_wnd=65_535,
            rcv_wnd_left=int(65_535 * (1 - part)), rcv_ssthresh=65_535, window_clamp=65_535,
            snd_wnd=int(65_535 * (1 - part)), cwnd=10, in_flight=4,
            timer="" if server else "persist,412ms,2", nonblocking_reason="" if server else "rwnd",
        )  # fmt: skip
        nic = NicRow(
            name="eth0", kind="nic", mtu=1500, rate_bps=10**9, rx_ring_size=int(self.values["nic.rx_ring"]),
            rx_ring_used=min(int(self.values["nic.rx_ring"]), int(done * 3 % 200)), rx_ring_unfilled=8,
            tx_ring_size=256, tx_ring_used=0, qdisc="pfifo_fast", qdisc_len=0, qdisc_limit=1000, irq_masked=True,
            irqs=10, polls=20, last_poll_work=64, budget_left=243, rx_rate_pps=10**9 // self.every_ns,
            statistics={"rx_packets": done, "rx_missed_errors": missed},
        )  # fmt: skip
        return HostSnapshot(
            name=name, time_ns=self.now, address=address,
            sysctl={**self.sysctl, "net.core.netdev_budget": self.values["net.core.netdev_budget"]},
            counters={"IpInReceives": done, "TcpExtTCPZeroWindowDrop": 1 if self.now > 12 * MS else 0},
            drops={"TCP_ZEROWINDOW": 1} if self.now > 12 * MS and server else {},
            wire_drops={"rx_missed_errors": missed} if missed and server else {},
            states={"ESTAB": 1, "LISTEN": 1} if server else {"ESTAB": 1},
            softnet=(SoftnetRow(done, 0, 2, 0, 0, 0, 0),),
            cpus=(CpuRow("softirq", "", 0, 0, 0, 0, 0, 1),), nics=(nic,),
            sockets=(SocketRow(3, "tcp", "LISTEN", 0, 128, "*:80", "*:*"), row) if server else (row,),
            programs=(ProgramRow("reader", 812, "sleeping", "nanosleep()", 9, 0, 0),) if server else (),
            books={},
        )  # fmt: skip


class Frozen:
    def __init__(self, world):
        self.world, self.data = deepcopy(world), b""


class FakeOrigin:
    """Where fake worlds come from; `make` makes one."""

    def __init__(self, made_for=None, make=FakeWorld):
        self.scenario = scenario() if made_for is None else made_for
        self.seed, self.sysctl = self.scenario.seed, {}
        self.make = make

    def begin(self):
        return self.make()

    def freeze(self, world):
        return Frozen(world)

    def thaw(self, frozen):
        return deepcopy(frozen.world)
