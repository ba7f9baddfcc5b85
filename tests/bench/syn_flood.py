"""A SYN flood from spoofed addresses: what one SYN and its answer cost, with cookies and with requests remembered."""

from __future__ import annotations

from functools import partial

from tests.bench.measure import Row, median, rate
from wireside.scenario.behaviours import with_defaults
from wireside.scenario.spec import HostSpec, LinkSpec, ProgramSpec, Scenario, WirePeerSpec, WireSegment
from wireside.sim.world import World

SIZES = (10_000, 30_000, 100_000)
GOAL = 30_000
START_NS, EVERY_NS, AFTER_NS = 10_000_000, 10_000, 20_000_000
PORT = 8080


def flood(count: int, *, cookies: bool = True) -> World:
    """One listener and `count` SYNs from as many addresses; without cookies the queue has room for all."""
    sysctl = {"net.ipv4.tcp_syncookies": str(int(cookies))}
    backlog = 128
    if not cookies:
        backlog = 2 * count
        sysctl |= dict.fromkeys(("net.core.somaxconn", "net.ipv4.tcp_max_syn_backlog"), str(backlog))
    syn = WireSegment(
        START_NS,
        "tcp",
        1024,
        PORT,
        flags="S",
        mss=1460,
        wscale=7,
        sack_ok=True,
        ts=(1, 0),
        saddr="198.18.0.0/15",
        repeat=count,
        every_ns=EVERY_NS,
    )
    params = with_defaults("tcp_sink", {"port": PORT, "backlog": backlog})
    return World(
        Scenario(
            "flood",
            "SYN flood",
            "",
            3600 * 10**9,
            1,
            "6.18",
            (HostSpec("server", "10.0.0.1", sysctl=sysctl),),
            (LinkSpec("client", "server"),),
            (ProgramSpec("server", "listener", "tcp_sink", params),),
            (WirePeerSpec("client", "10.0.0.2", (syn,)),),
        )
    )


def run(world: World, count: int) -> int:
    """Let the flood come; the SYNs that were answered."""
    world.run_until(START_NS + count * EVERY_NS + AFTER_NS)
    return int(world.snapshot().host("server").counters["TcpOutSegs"])


def syn_rate(count: int, *, cookies: bool = True) -> float:
    """SYNs from the peer's wire to the SYN-ACK's arrival, per CPU second."""
    world = flood(count, cookies=cookies)
    world.run_until(START_NS // 2)
    return rate(partial(run, world, count))


def rows(runs: int) -> list[Row]:
    """The flood in three sizes, and once with every request remembered."""
    found = [
        Row(f"SYN flood, {count:,} SYNs", f"{value:,.0f} SYNs/s", f"≥ {GOAL:,}/s", value >= GOAL)
        for count, value in ((count, median(partial(syn_rate, count), runs)) for count in SIZES)
    ]
    kept = median(partial(syn_rate, SIZES[1], cookies=False), runs)
    return [*found, Row(f"SYN flood, {SIZES[1]:,} requests remembered", f"{kept:,.0f} SYNs/s")]
