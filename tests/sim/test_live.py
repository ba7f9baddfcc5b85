"""Whatever a condition may name has the same value in the living world as in a snapshot of it."""

from __future__ import annotations

import pytest

from tests.sim.worlds import MS, program, scenario, tcp_transfer, udp_flood
from wireside.scenario import paths, words
from wireside.scenario.names import names_of
from wireside.scenario.spec import NicSpec
from wireside.sim.live import Live
from wireside.sim.world import World

SCENARIOS = {
    "tcp": tcp_transfer(sink={"stop_after": 20_000}, source={"total": 300_000}),
    "udp": udp_flood(pps=400_000, server={"nic": NicSpec(rx_ring=16, queues=2), "cpus": 2}),
    "veth": tcp_transfer(nic=NicSpec(kind="veth"), source={"total": 10_000}),
    "refused": scenario(program("client", "source", "tcp_source", to="server:8080")),
}
ARGUMENTS = {"sk": ("8080", "9000", "1"), "listener": ("8080",), "softnet": ("0",), "cpu": ("0",)}


def every_path(host, programs):
    """Each field of each part of a host, some of them of several things."""
    for name in words.COUNTER_NAMES:
        yield f"{host}.{name}"
    for part in paths._PARTS:
        if part == "counter":
            continue
        if part in paths._ROWS:
            arguments = programs if part == "program" else ARGUMENTS[part]
            yield from (f"{host}.{part}({a}).{field}" for a in arguments for field in paths._ROWS[part])
        else:
            yield from (f"{host}.{part}.{name}" for name in paths._entries(part))


@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.parametrize("moment", [0, 2 * MS, 3 * MS + 77_777, 300 * MS])
def test_every_path_has_the_value_of_the_snapshot(name, moment):
    played = SCENARIOS[name]
    names = names_of(played.hosts, played.programs, played.kernel)
    world = World(played)
    live = Live(world)
    world.run_until(moment)
    snapshot = world.snapshot()
    checked = 0
    for host, known in names.items():
        for text in every_path(host, known.programs):
            path = paths.resolve(text, names)
            assert live.read(path)(world) == path.evaluate(snapshot), text
            checked += 1
    assert checked > 500
