"""TCP small queues: a socket held back goes on in a tasklet, never inside the call that freed its segment."""

from __future__ import annotations

import pytest

from tests.sim.worlds import MS, tcp_transfer
from wireside.scenario.spec import NicSpec
from wireside.sim.world import World

LIMIT = "net.ipv4.tcp_limit_output_bytes"


@pytest.mark.parametrize("kind", ["nic", "veth", "tun"])
@pytest.mark.parametrize("limit", ["0", "1", "4096", "2147483647"])
def test_every_device_and_every_limit_carries_the_data(kind, limit):
    source = {"total": 60_000, "nodelay": True}
    world = World(
        tcp_transfer(nic=NicSpec(kind=kind), client={"sysctl": {LIMIT: limit}}, source=source, seed=2)
    )
    world.run_until(2000 * MS)
    assert sum(run.bytes_read for run in world.programs) == 60_000
