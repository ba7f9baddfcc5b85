"""Many sockets: connections that come and go, connections that idle, and what both cost those that do not.

Every figure is measured in a process of its own, so that memory is that of one world.
"""

from __future__ import annotations

import gc
import json
import statistics
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.measure import Row
from wireside.catalog.flags import SOCK_STREAM
from wireside.catalog.rlimits import NR_OPEN
from wireside.catalog.tcp_states import TcpState
from wireside.kernel.core.call import Syscall
from wireside.kernel.core.task import Task
from wireside.kernel.core.timer import TimerList
from wireside.scenario.behaviours import with_defaults
from wireside.scenario.spec import HostSpec, LinkSpec, ProgramSpec, Scenario
from wireside.sim import heap
from wireside.sim.run import NEVER, ProgramRun, Sleep, Tally
from wireside.sim.world import World

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu

MS, SECOND = 1_000_000, 1_000_000_000
PORT, BUSY_PORT = 8000, 9000
CHURN_PER_S = 500
WARM_UP = 2500
"""Connections after which the log of events is full."""
TIMEWAIT_SIZES = (5_000, 10_000, 30_000)
TIMEWAIT_SPEED, TIMEWAIT_BYTES = 2, 600
IDLE_SIZES = (10_000, 30_000, 100_000)
IDLE_BYTES, IDLE_SETUP_S, IDLE_SPEED = 2500, 60, 0.9
TIMER_SIZES, TIMER_COST = (10_000, 30_000, 100_000), 0.10
GC_PAUSE_MS = 20
SNAPSHOT_MS = 10
DIALLERS = 8
"""Programs that open connections side by side, each to a port of its own: one port has too few four-tuples."""
BUSY_NS = 200 * MS
BUSY_WARM_UP_NS = 100 * MS
RUNS = 7


class Visitor:
    """A program that makes `count` connections: one `every` ns and closed at once, or, with 0, all in a row and kept."""

    def __init__(self, address: tuple[int, int], count: int, every: int = 0) -> None:
        self.address, self.count, self.every = address, count, every
        self.tally = Tally()
        self.step = "socket"
        self.made = self.fd = self.due = 0

    def next(self, now: int, result: int) -> Syscall | Sleep | None:
        """socket(), connect(), and what is done with the connection."""
        if self.step == "connect":
            self.fd = result
            self.step = "connected"
            return Syscall("connect", (self.fd, self.address))
        if self.step == "connected":
            if result:
                self.tally.fail(str(result))
            self.made += 1
            self.step = "socket"
            if self.every:
                return Syscall("close", (self.fd,))
        if self.made >= self.count:
            return Sleep(NEVER, "has made its connections")
        if self.every and now < self.due:
            return Sleep(self.due, "until the next connection")
        self.due = (self.due or now) + self.every
        self.step = "connect"
        return Syscall("socket", (SOCK_STREAM,))


class Doorman:
    """A program that accepts every connection, and keeps it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.tally = Tally()
        self.step = 0
        self.fd = 0

    def next(self, now: int, result: int) -> Syscall | Sleep | None:
        """socket(), bind(), listen(), then accept() for ever."""
        self.step += 1
        if self.step == 1:
            return Syscall("socket", (SOCK_STREAM,))
        if self.step == 2:
            self.fd = result
            return Syscall("bind", (self.fd, (0, self.port)))
        if self.step == 3:
            return Syscall("listen", (self.fd, 4096))
        return Syscall("accept", (self.fd,))


def host_pair(*programs: ProgramSpec, trace: int = 0) -> World:
    """A server and a client on a fast link; the client has ports to spare."""
    ports = {"net.ipv4.ip_local_port_range": "10000 65000"}
    hosts = (HostSpec("server", "10.0.0.1"), HostSpec("client", "10.0.0.2", sysctl=ports))
    links = (LinkSpec("client", "server"),)
    return World(Scenario("scale", "", "", NEVER, 1, "6.18", hosts, links, programs), trace=trace)


def start(world: World, host: str, name: str, program: Visitor | Doorman, when: int) -> None:
    """Let a program of the benchmark's own begin at `when` ns."""
    net = world.nets[host]
    task = Task(5000 + len(world.programs), name, net, 0)
    task.rlimit_nofile = NR_OPEN
    run = ProgramRun(name, task, program)
    world.programs.append(run)
    world.engines[net.machine.name].start(run, when)


def churn(count: int, per_second: int = CHURN_PER_S) -> World:
    """`count` connections one after the other, closed by the client at once."""
    sink = ProgramSpec("server", "sink", "tcp_sink", with_defaults("tcp_sink", {"port": PORT}))
    world = host_pair(sink)
    server = world.nets["server"].address
    start(world, "client", "visitor", Visitor((server, PORT), count, SECOND // per_second), MS)
    return world


def time_waits(world: World) -> int:
    """TIME-WAIT entries of the client."""
    return len(world.nets["client"].timewait)


def idle(count: int) -> World:
    """A world whose programs will open `count` connections and keep them."""
    world = host_pair()
    server = world.nets["server"].address
    for i in range(DIALLERS):
        mine = count // DIALLERS + (i < count % DIALLERS)
        start(world, "server", f"doorman{i}", Doorman(PORT + i), 0)
        start(world, "client", f"visitor{i}", Visitor((server, PORT + i), mine), MS)
    return world


def connect_all(world: World, count: int) -> None:
    """Let time pass until all connections are established at both ends and accepted."""
    visitors = [run.program for run in world.programs if isinstance(run.program, Visitor)]
    while sum(visitor.made for visitor in visitors) < count:
        world.run_until(world.now + 100 * MS)
    world.run_until(world.now + SECOND)
    for net in world.nets.values():
        assert net.tcp_in_state[TcpState.ESTABLISHED] == count


def add_busy(world: World) -> None:
    """One connection that writes as fast as it can."""
    from wireside.sim.build import FIRST_PID, Names, _add_program

    names = Names({net.name: net.address for net in world.nets.values()})
    sink = with_defaults("tcp_sink", {"port": BUSY_PORT})
    source = with_defaults("tcp_source", {"to": f"server:{BUSY_PORT}"})
    now = world.now
    _add_program(world, ProgramSpec("server", "reader", "tcp_sink", sink, start_ns=now), FIRST_PID, names)
    _add_program(
        world, ProgramSpec("client", "writer", "tcp_source", source, start_ns=now + MS), FIRST_PID, names
    )
    world.run_until(now + BUSY_WARM_UP_NS)


def busy_rate(world: World) -> float:
    """Bytes read per CPU second by the busy connection."""
    before, began = _read(world), time.process_time()
    world.run_until(world.now + BUSY_NS)
    return (_read(world) - before) / (time.process_time() - began)


def speed_beside(world: World) -> float:
    """The busy connection's speed as a part of its speed in a world of its own; the two run by turns."""
    alone = host_pair()
    add_busy(alone)
    return statistics.median(busy_rate(world) / busy_rate(alone) for _ in range(RUNS))


def _read(world: World) -> int:
    return sum(run.bytes_read for run in world.programs)


def _nothing(cpu: Cpu, arg: object) -> None:
    """A timer that does nothing."""


def arm(world: World, count: int) -> list[TimerList]:
    """Arm `count` timers of 60 s and more on both hosts."""
    timers = []
    for net in world.nets.values():
        for i in range(count):
            timer = TimerList(_nothing, None)
            net.machine.timers.mod_timer(timer, world.now, world.now + 60 * SECOND + i * SECOND // count)
            timers.append(timer)
    return timers


def measure_churn(count: int) -> dict[str, float]:
    """Simulated seconds per CPU second while `count` entries pile up, and bytes per entry."""
    world = churn(count)
    span = count * SECOND // CHURN_PER_S
    began = time.process_time()
    world.run_until(span)
    cpu = time.process_time() - began
    return {"speed": span / SECOND / cpu, "entries": time_waits(world)}


def measure_churn_memory(count: int) -> dict[str, float]:
    """Bytes per entry, by tracemalloc, once the log of events is full and drops the oldest."""
    world = churn(count + WARM_UP)
    tracemalloc.start()
    world.run_until(WARM_UP * SECOND // CHURN_PER_S)
    gc.collect()
    first, before = tracemalloc.get_traced_memory()[0], time_waits(world)
    world.run_until(count * SECOND // CHURN_PER_S)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - first
    return {"bytes": grown / (time_waits(world) - before), "entries": time_waits(world)}


def measure_idle(count: int) -> dict[str, float]:
    """Set-up, memory and a busy connection's speed among `count` idle ones, and the pauses meanwhile."""
    world = idle(count)
    heap.keep_still()
    before, began = _resident(), time.perf_counter()
    connect_all(world, count)
    found = {"setup": time.perf_counter() - began}
    found["setup_pause"] = heap.STILLNESS.longest_s * 1000
    found["bytes"] = (_resident() - before) / (2 * count)
    heap.STILLNESS.longest_s = 0.0
    add_busy(world)
    found["speed"] = speed_beside(world)
    found["snapshot"] = statistics.median(_look(world) for _ in range(RUNS)) * 1000
    found["pause"] = heap.STILLNESS.longest_s * 1000
    return found


def _look(world: World) -> float:
    """CPU seconds of a picture's snapshot, 1 ms after the last."""
    world.run_until(world.now + MS)
    began = time.process_time()
    world.snapshot(screen=True)
    return time.process_time() - began


def measure_armed(count: int) -> dict[str, float]:
    """The busy connection's speed with `count` timers armed, which wait for their minute."""
    world = host_pair()
    kept = arm(world, count)
    heap.keep_still()
    add_busy(world)
    return {"speed": speed_beside(world), "kept": len(kept)}


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def apart(what: str, count: int) -> dict[str, float]:
    """A measurement in a fresh process."""
    command = [sys.executable, "-m", "tests.bench.scale", what, str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def rows(runs: int) -> list[Row]:
    """Everything about many sockets, in three sizes each."""
    return [
        *[row for count in TIMEWAIT_SIZES for row in timewait_rows(count)],
        *[timer_row(count, apart("armed", count)["speed"]) for count in TIMER_SIZES],
        *[row for count in IDLE_SIZES for row in idle_rows(count)],
    ]


def timewait_rows(count: int) -> list[Row]:
    """How fast the churn runs, and what an entry takes."""
    speed = apart("churn", count)["speed"]
    size = apart("churn_memory", count)["bytes"]
    what = f"{count:,} TIME-WAIT entries"
    return [
        Row(
            f"{what}, {CHURN_PER_S}/s",
            f"{speed:.1f} x real time",
            f"≥ {TIMEWAIT_SPEED} x",
            speed >= TIMEWAIT_SPEED,
        ),
        Row(
            f"{what}: memory of each",
            f"{size:.0f} bytes",
            f"≤ {TIMEWAIT_BYTES} bytes",
            size <= TIMEWAIT_BYTES,
        ),
    ]


def timer_row(count: int, speed: float) -> Row:
    """The hot path's cost with timers armed."""
    cost = 1 / speed - 1
    return Row(
        f"{count:,} timers armed: cost of a byte",
        f"{cost * 100:+.0f} %",
        f"≤ +{TIMER_COST * 100:.0f} %",
        cost <= TIMER_COST,
    )


def idle_rows(count: int) -> list[Row]:
    """What idle connections cost, and those beside them."""
    found = apart("idle", count)
    size, setup, pause = found["bytes"], found["setup"], max(found["setup_pause"], found["pause"])
    speed = found["speed"]
    what = f"{count:,} idle connections"
    return [
        Row(f"{what}: memory of each end", f"{size:.0f} bytes", f"≤ {IDLE_BYTES} bytes", size <= IDLE_BYTES),
        Row(f"{what}: set up", f"{setup:.1f} s", f"≤ {IDLE_SETUP_S} s", setup <= IDLE_SETUP_S),
        Row(
            f"{what}: a busy one : alone",
            f"{speed * 100:.0f} %",
            f"≥ {IDLE_SPEED * 100:.0f} %",
            speed >= IDLE_SPEED,
        ),
        Row(f"{what}: longest GC pause", f"{pause:.1f} ms", f"≤ {GC_PAUSE_MS} ms", pause <= GC_PAUSE_MS),
        Row(
            f"{what}: snapshot",
            f"{found['snapshot']:.1f} ms",
            f"≤ {SNAPSHOT_MS} ms",
            found["snapshot"] <= SNAPSHOT_MS,
        ),
    ]


MEASURES = {
    "churn": measure_churn,
    "churn_memory": measure_churn_memory,
    "idle": measure_idle,
    "armed": measure_armed,
}

if __name__ == "__main__":
    print(json.dumps(MEASURES[sys.argv[1]](int(sys.argv[2]))))
