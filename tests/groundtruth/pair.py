"""Two simulated hosts and programs written as Python generators.

A program yields system calls and sleeps and is sent their results:

    def reader(lab):
        fd = yield sys("socket", "SOCK_DGRAM")
        yield sys("bind", fd, (0, 9000))
        yield sleep(10 * MS)

`veth` joins two namespaces of one machine by a veth pair. `wire` joins two machines by a link whose devices build one
sk_buff per packet, as the recordings' user-space middlebox delivered them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tests.words import syscall
from wireside.catalog.inet import ip_parse
from wireside.kernel.core.task import Task
from wireside.scenario.spec import HostSpec, LinkSpec, NicSpec, Scenario
from wireside.sim.run import ProgramRun, Sleep, Tally
from wireside.sim.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from wireside.kernel.core.call import Syscall
    from wireside.kernel.core.net import Net
    from wireside.kernel.core.skbuff import SkBuff
    from wireside.sim.link import Wire
    from wireside.snapshot import HostSnapshot, SocketRow

US, MS, SECOND = 1_000, 1_000_000, 1_000_000_000
SERVER, CLIENT = ip_parse("10.0.0.1"), ip_parse("10.0.0.2")
NAMESPACE = {"net.ipv4.tcp_congestion_control": "reno"}
"""What the recordings changed in every namespace."""


class Nap(NamedTuple):
    """Sleep for so many ns."""

    ns: int


def sys(name: str, *args: Any) -> Syscall:
    """A system call, to be yielded."""
    return syscall(name, *args)


def sleep(ns: int) -> Nap:
    """A sleep, to be yielded."""
    return Nap(ns)


class Script:
    """A generator as a program."""

    def __init__(self, steps: Generator[Syscall | Nap, int, None]) -> None:
        self.steps = steps
        self.begun = False
        self.tally = Tally()

    def next(self, now: int, result: int) -> Syscall | Sleep | None:
        """The next thing to do; None when the generator is over."""
        try:
            step = self.steps.send(result) if self.begun else next(self.steps)
        except StopIteration:
            return None
        self.begun = True
        return Sleep(now + step.ns, "sleep()") if isinstance(step, Nap) else step


class Tap:
    """Sees every frame of one direction before the far end does; `verdict(n, skb)` is the ns by which it is late, or None: lost."""

    def __init__(self, wire: Wire, verdict: Callable[[int, SkBuff], int | None] | None = None) -> None:
        self.wire = wire
        self.far_end = wire.deliver
        self.verdict = verdict
        self.frames: list[tuple[int, SkBuff]] = []
        wire.deliver = self.frame

    def frame(self, now: int, skb: SkBuff) -> None:
        """One frame arrives."""
        number = len(self.frames)
        self.frames.append((now, skb))
        late = self.verdict(number, skb) if self.verdict is not None else 0
        if late is None:
            self.wire.lose(skb)
        elif late:
            self.wire.env.at(now + late, self._later, skb)
        else:
            self.far_end(now, skb)

    def _later(self, skb: SkBuff) -> None:
        self.far_end(self.wire.env.now, skb)


class PairLab:
    """A server and a client host, and what they run."""

    def __init__(
        self,
        kind: str = "veth",
        sysctl: dict[str, str] | None = None,
        *,
        cpus: int = 2,
        delay_ns: int = 200 * US,
        rate_bps: int = 10_000_000_000,
        mtu: int = 1500,
        rps_cpus: tuple[int, ...] = (),
    ) -> None:
        nic = NicSpec(kind="veth" if kind == "veth" else "tun", qdisc="noqueue", rps_cpus=rps_cpus)
        settings = NAMESPACE | (sysctl or {})
        hosts = tuple(
            HostSpec(name, address, cpus=cpus, nic=nic, sysctl=settings)
            for name, address in (("server", "10.0.0.1"), ("client", "10.0.0.2"))
        )
        link = LinkSpec(
            "client", "server", rate_bps=rate_bps, delay_ns=delay_ns, mtu=mtu, queue_limit=1 << 40
        )
        self.world = World(
            Scenario(
                id="pair",
                title="pair",
                summary="",
                duration_ns=10**12,
                seed=1,
                kernel="6.18",
                hosts=hosts,
                links=(link,),
            ),
            trace=0,
        )
        self.server, self.client = self.world.nets["server"], self.world.nets["client"]

    @property
    def now(self) -> int:
        """The present instant, ns."""
        return self.world.now

    def run(
        self, net: Net, steps: Generator[Syscall | Nap, int, None], *, at: int = 0, cpu: int = 0
    ) -> ProgramRun:
        """Let a program begin on a host at `at` ns."""
        task = Task(1000 + len(net.machine.nets), steps.__name__, net, cpu)
        run = ProgramRun(steps.__name__, task, Script(steps))
        self.world.engines[net.machine.name].start(run, at)
        return run

    def wait(self, ns: int) -> None:
        """Let time pass."""
        self.world.run_until(self.world.now + ns)

    def tap(self, sender: str, verdict: Callable[[int, SkBuff], int | None] | None = None) -> Tap:
        """Watch what a host sends over the wire."""
        return Tap(next(wire for wire in self.world.wires if wire.sender.name == sender), verdict)

    def host(self, name: str) -> HostSnapshot:
        """A host as it is now."""
        return self.world.snapshot().host(name)

    def connection(self, name: str) -> SocketRow:
        """The established connection of a host."""
        return next(row for row in self.host(name).sockets if row.state == "ESTAB" and row.netid == "tcp")

    def counters(self, name: str, wanted: Iterable[str]) -> dict[str, int]:
        """Counters of a host by nstat name; TcpExt may be left out."""
        known = self.host(name).counters
        return {each: known[each if each in known else f"TcpExt{each}"] for each in wanted}


def local_port(net: Net, fd: int, comm: str = "") -> int:
    """The local port of a program's socket (getsockname())."""
    return next(sk.sk_num for sk in net.sockets.values() if sk.fd == fd and comm in ("", sk.comm))


def server_socket(port: int = 8080, **options: int) -> Generator[Syscall, int, int]:
    """Listen with options set before; the listener."""
    fd = yield sys("socket", "SOCK_STREAM")
    for option, value in options.items():
        yield sys("setsockopt", fd, option, value)
    yield sys("bind", fd, (0, port))
    yield sys("listen", fd, 8)
    return fd


def client_socket(port: int = 8080, **options: int) -> Generator[Syscall, int, int]:
    """Connect to the server with options set before; the connection."""
    fd = yield sys("socket", "SOCK_STREAM")
    for option, value in options.items():
        yield sys("setsockopt", fd, option, value)
    yield sys("connect", fd, (SERVER, port))
    return fd
