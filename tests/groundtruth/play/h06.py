"""H06: a device queue that nobody empties."""

from __future__ import annotations

from collections import Counter
from errno import errorcode

from tests.groundtruth.pair import MS, sys
from tests.groundtruth.pair import Script as Program
from wireside.catalog.inet import ip_parse
from wireside.kernel.core.task import Task
from wireside.scenario.spec import HostSpec, NicSpec, Scenario
from wireside.sim.run import ProgramRun
from wireside.sim.world import World

LENGTHS = (1, 10, 49, 50)
COUNT, SIZE = 50, 100
NOBODY = (ip_parse("10.0.0.9"), 9000)
COUNTED = ("UdpOutDatagrams", "UdpSndbufErrors")


def sender(results: list[int]):
    """Send to an address behind the device."""
    fd = yield sys("socket", "SOCK_DGRAM")
    for _ in range(COUNT):
        result = yield sys("sendto", fd, SIZE, NOBODY)
        results += [result]


def unread(length: int) -> dict[str, object]:
    """50 datagrams into a device without a reader."""
    host = HostSpec("host", "10.0.0.1", nic=NicSpec(kind="tun", txqueuelen=length))
    world = World(Scenario("unread", "", "", 10**12, 1, "6.18", (host,), ()), trace=0)
    net = world.nets["host"]
    results: list[int] = []
    world.engines["host"].start(ProgramRun("sender", Task(1, "sender", net, 0), Program(sender(results))), 0)
    world.run_until(10 * MS)
    seen = world.snapshot().host("host")
    device = seen.nics[0].statistics
    return {
        "sent": sum(result == SIZE for result in results),
        "kept": seen.books["queued"],
        "device_tx_dropped": device["tx_dropped"],
        "device_tx_packets": device["tx_packets"],
        "send_errors": dict(Counter(errorcode[-result] for result in results if result < 0)),
        **{name: seen.counters[name] for name in COUNTED},
    }


def play() -> dict[str, object]:
    """Every queue length."""
    return {f"txqueuelen={length}": unread(length) for length in LENGTHS}
