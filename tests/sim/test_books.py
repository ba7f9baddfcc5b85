"""The law of the books: no packet disappears, whatever traffic, losses, sizes and knobs do."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sim.worlds import MS, program, scenario
from wireside.scenario.spec import NicSpec
from wireside.sim.world import World

NICS = st.builds(
    NicSpec,
    kind=st.sampled_from(["nic", "nic", "veth", "tun"]),
    rx_ring=st.sampled_from([16, 64, 256]),
    rx_usecs_ns=st.sampled_from([0, 50_000]),
    queues=st.integers(1, 2),
    gro=st.booleans(),
    tso=st.booleans(),
    txqueuelen=st.sampled_from([5, 1000]),
    rps_cpus=st.sampled_from([(), (0, 1)]),
)
KNOBS = st.sampled_from(
    [
        ("server", "net.core.netdev_max_backlog", "3"),
        ("server", "net.core.netdev_budget", "1"),
        ("server", "net.core.rmem_default", "2304"),
        ("server", "datagrams.read", "false"),
        ("server", "stream.read", "false"),
        ("server", "stream.rate", "100KB/s"),
        ("client", "flood.pps", "300kpps"),
        ("client", "writer.chunk", "100"),
    ]
)


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    nic=NICS,
    loss=st.sampled_from([0.0, 0.01, 0.2]),
    pps=st.sampled_from([1000, 50_000, 400_000]),
    size=st.integers(1, 1400),
    knobs=st.lists(KNOBS, max_size=3),
    seed=st.integers(0, 1000),
)
def test_born_is_delivered_consumed_dropped_lost_or_queued(nic, loss, pps, size, knobs, seed):
    world = World(
        scenario(
            program("server", "datagrams", "udp_sink", port=53, cpu=1),
            program("server", "stream", "tcp_sink", port=80, cpu=1),
            program("client", "flood", "udp_source", to="server:53", pps=pps, size=size, burst=7),
            program("client", "writer", "tcp_source", to="server:80", chunk=9000),
            server={"cpus": 2},
            client={"cpus": 2},
            nic=nic,
            link={"loss": loss, "rate_bps": 100_000_000},
            seed=seed,
        )
    )
    for number in range(4):
        world.run_until((number + 1) * 3 * MS)
        born, accounted = world.books_balance()
        assert born == accounted
        if number < len(knobs):
            world.command(*knobs[number])
    assert born > 10
