"""The simulator without a terminal: packets per CPU second against the peer, and what worlds cost."""

from __future__ import annotations

import statistics
import subprocess
import sys
from functools import partial

from tests.bench import scale, syn_flood, workloads
from tests.bench.measure import Row, median, rate, seconds
from wireside.sim import heap
from wireside.sim.checkpoint import freeze, thaw

FLOWS = (1, 20, 200, 1000)
TCP_GOAL, TCP_RATIO = 25_000, 2.5
UDP_GOAL, UDP_RATIO = 80_000, 5
FLAT = 0.25
"""How much more a packet may cost in a thousand flows than in one."""
CHECKPOINT_MS = {1: 3, 20: 8, 1000: 160}
"""Flows → ms that a checkpoint of them may take."""
LOOK_MS = 8
"""ms that everything may take which a picture asks a world for."""
RUN_NS = 300 * workloads.MS
PEER_PACKETS = 10_000
FAST_BATCH = 32
RSS_GOAL_MB = 150


def tcp_rate(flows: int, run_ns: int = RUN_NS, *, paced: bool = True, rate_bps: int = 1_000_000_000) -> float:
    """Data segments whose bytes were written, sent, acknowledged and read, per CPU second."""
    world = workloads.tcp(flows, paced=paced, rate_bps=rate_bps)
    return _rate(world, workloads.tcp_warm_up_ns(flows), run_ns, workloads.MSS)


def udp_rate(flows: int, run_ns: int = RUN_NS) -> float:
    """Datagrams from the wire to recvfrom(), per CPU second."""
    return _rate(workloads.udp(flows), workloads.WARM_UP_NS, run_ns, workloads.UDP_SIZE)


def fast_udp_rate(batch: int, run_ns: int = RUN_NS) -> float:
    """Datagrams of one fast stream, from the wire to recvfrom() or to recvmmsg() of `batch`, per CPU second."""
    return _rate(workloads.fast_udp(batch), workloads.WARM_UP_NS, run_ns, workloads.UDP_SIZE)


def _rate(world, warm_up_ns: int, run_ns: int, size: int) -> float:
    world.run_until(warm_up_ns)
    heap.collect_seldom()
    return rate(partial(_run, world, run_ns, size))


def _run(world, run_ns: int, size: int) -> float:
    before = workloads.bytes_read(world)
    world.run_until(world.now + run_ns)
    return (workloads.bytes_read(world) - before) / size


def rows(runs: int) -> list[Row]:
    """Every headless measurement; rates are medians of `runs`, each in a new world."""
    from tests.bench import peer

    heap.collect_seldom()
    peer_tcp = median(lambda: rate(lambda: peer.tcp_segments(PEER_PACKETS)), runs)
    tcp = {flows: median(partial(tcp_rate, flows), runs) for flows in FLOWS}
    bulk = median(partial(tcp_rate, 1, paced=False), runs)
    fast = median(partial(tcp_rate, 1, RUN_NS // 5, paced=False, rate_bps=10_000_000_000), runs)
    peer_udp = median(lambda: rate(lambda: peer.five_ports(PEER_PACKETS)), runs)
    udp = {flows: median(partial(udp_rate, flows), runs) for flows in FLOWS}
    stream, batched = (median(partial(fast_udp_rate, batch), runs) for batch in (1, FAST_BATCH))
    return [
        Row("ns.py: one TCP connection", f"{peer_tcp:,.0f} segments/s"),
        *_rates("TCP", "segments/s", tcp, TCP_GOAL),
        Row("TCP, 1 flow as fast as it can", f"{bulk:,.0f} segments/s", *_at_least(bulk, TCP_GOAL, "/s")),
        Row("TCP, 1 flow on 10 Gbit/s", f"{fast:,.0f} segments/s", *_at_least(fast, TCP_GOAL, "/s")),
        Row("TCP, 1 flow : ns.py", f"{tcp[1] / peer_tcp:.2f} x"),
        Row("TCP, 1 flow as fast as it can : ns.py", f"{bulk / peer_tcp:.2f} x"),
        _ratio("TCP, 1 flow on 10 Gbit/s : ns.py", fast / peer_tcp, TCP_RATIO),
        _flat("TCP", tcp),
        Row("ns.py: five ports", f"{peer_udp:,.0f} packets/s"),
        *_rates("UDP, NIC to read", "packets/s", udp, UDP_GOAL),
        Row("UDP, a fast stream, recvfrom()", f"{stream:,.0f} packets/s", *_at_least(stream, UDP_GOAL, "/s")),
        Row(
            f"UDP, the same, recvmmsg() of {FAST_BATCH}",
            f"{batched:,.0f} packets/s",
            *_at_least(batched, UDP_GOAL, "/s"),
        ),
        Row("UDP, 1 flow : ns.py", f"{udp[1] / peer_udp:.2f} x"),
        Row("UDP, a fast stream, recvfrom() : ns.py", f"{stream / peer_udp:.2f} x"),
        _ratio("UDP, a fast stream, recvmmsg() : ns.py", batched / peer_udp, UDP_RATIO),
        _flat("UDP", udp),
        *syn_flood.rows(runs),
        *scale.rows(runs),
        *costs(),
        _memory(),
    ]


def _rates(what: str, unit: str, rates: dict[int, float], goal: float) -> list[Row]:
    return [
        Row(
            f"{what}, {flows:,} flow{'s' * (flows > 1)}",
            f"{found:,.0f} {unit}",
            *_at_least(found, goal, "/s"),
        )
        for flows, found in rates.items()
    ]


def _at_least(value: float, goal: float, unit: str) -> tuple[str, bool]:
    return f"≥ {goal:,}{unit}", value >= goal


def _ratio(what: str, value: float, goal: float) -> Row:
    return Row(what, f"{value:.2f} x", *_at_least(value, goal, " x"))


def _flat(what: str, rates: dict[int, float]) -> Row:
    growth = max(rates[1] / found for found in rates.values()) - 1
    return Row(
        f"{what}: cost of a packet, 1 to 1,000 flows",
        f"+{growth * 100:.0f} %",
        f"≤ +{FLAT * 100:.0f} %",
        growth <= FLAT,
    )


def costs() -> list[Row]:
    """What it takes to build, look at and save a world."""
    found = []
    for flows, most in CHECKPOINT_MS.items():
        build = median(lambda flows=flows: seconds(lambda: workloads.tcp(flows)), 3)
        world = workloads.tcp(flows)
        world.run_until(workloads.tcp_warm_up_ns(flows))
        looks = statistics.median(_look(world) for _ in range(30))
        save = median(lambda world=world: seconds(lambda: freeze(world)), 5)
        checkpoint = freeze(world)
        load = median(lambda checkpoint=checkpoint: seconds(lambda: thaw(checkpoint)), 5)
        name = f"{flows:,} TCP flow{'s' * (flows > 1)}"
        found += [
            Row(f"{name}: build the world", f"{build * 1000:.1f} ms"),
            Row(
                f"{name}: snapshot, traces and events of 1 ms",
                f"{looks * 1000:.1f} ms",
                f"≤ {LOOK_MS} ms",
                looks * 1000 <= LOOK_MS,
            ),
            Row(
                f"{name}: checkpoint",
                f"{save * 1000:.1f} ms, {len(checkpoint.data) / 1e3:,.0f} kB; load {load * 1000:.1f} ms",
                f"≤ {most} ms",
                save * 1000 <= most,
            ),
        ]
    return found


def _look(world) -> float:
    since, seen = world.now, world.event_count
    world.run_until(since + workloads.MS)
    return seconds(lambda: (world.snapshot(screen=True), world.traces(since), world.events(seen)))


def _memory() -> Row:
    code = (
        "from wireside.scenario.library import scenario_dir\n"
        "from wireside.scenario.load import load\n"
        "from wireside.sim.world import World\n"
        "world = World(load(str(scenario_dir() / 'zero-window.yaml')))\n"
        "world.run_until(600 * 10**9)\n"
        "print(*[line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')])\n"
    )
    kib = int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    mb = kib * 1024 / 1e6
    return Row("zero-window, 10 minutes, headless", f"{mb:.0f} MB", f"< {RSS_GOAL_MB} MB", mb < RSS_GOAL_MB)
