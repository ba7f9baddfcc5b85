"""No packet is lost from the books, whatever traffic, losses and knobs do."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from wireside.scenario.behaviours import with_defaults
from wireside.scenario.spec import HostSpec, LinkSpec, NicSpec, ProgramSpec, Scenario
from wireside.sim.world import World

MS = 1_000_000
KNOBS = (
    ("nic.rx_ring", ("16", "64", "1024")),
    ("nic.rx_usecs", ("0", "50", "1000")),
    ("net.core.netdev_budget", ("1", "16", "300")),
    ("net.core.netdev_max_backlog", ("1", "10", "1000")),
    ("net.core.dev_weight", ("1", "64")),
    ("net.core.rmem_default", ("2304", "212992")),
    ("net.ipv4.tcp_rmem", ("4096 4096 4096", "4096 131072 6291456")),
    ("net.ipv4.tcp_sack", ("0", "1")),
    ("datagrams.rate", ("0", "1000pps")),
    ("stream.read", ("true", "false")),
)
"""Knobs of the server, and values for them."""

nics = st.builds(
    NicSpec,
    rx_ring=st.sampled_from((16, 64, 256)),
    tx_ring=st.sampled_from((16, 256)),
    rx_refill_batch=st.sampled_from((1, 16)),
    rx_usecs_ns=st.sampled_from((0, 50_000)),
    queues=st.integers(1, 2),
    gro=st.booleans(),
    tso=st.booleans(),
    rps_cpus=st.sampled_from(((), (1,), (0, 1))),
    txqueuelen=st.sampled_from((1, 1000)),
)
kinds = st.sampled_from(("nic", "tun", "veth"))
turns = st.lists(
    st.sampled_from([(name, value) for name, values in KNOBS for value in values]), min_size=0, max_size=6
)


def program(host: str, name: str, run: str, **params) -> ProgramSpec:
    """A named behaviour; clients begin 1 ms later than servers."""
    start = MS if host == "client" else 0
    return ProgramSpec(host, name, run, with_defaults(run, params), start_ns=start, cpu=int(name == "flood"))


@st.composite
def scenarios(draw):
    kind = draw(kinds)
    nic = draw(nics) if kind == "nic" else NicSpec(kind=kind)
    link = LinkSpec(
        "client",
        "server",
        rate_bps=draw(st.sampled_from((5_000_000, 100_000_000, 10_000_000_000))),
        delay_ns=draw(st.integers(0, 2 * MS)),
        loss=draw(st.sampled_from((0.0, 0.01, 0.2))),
        mtu=draw(st.sampled_from((576, 1500))),
        queue_limit=draw(st.sampled_from((4, 10_000))),
    )
    burst = draw(st.sampled_from((1, 40)))
    flood = {
        "to": f"server:{draw(st.sampled_from((53, 54)))}",
        "size": draw(st.integers(0, 500)),
        "burst": burst,
    }
    programs = (
        program("server", "stream", "tcp_sink", port=80, chunk=draw(st.integers(1, 100_000))),
        program("server", "datagrams", "udp_sink", port=53),
        program("client", "writer", "tcp_source", to="server:80", total=draw(st.integers(1, 300_000))),
        program("client", "flood", "udp_source", pps=20_000, **flood),
    )
    hosts = (HostSpec("server", "10.0.0.1", cpus=2, nic=nic), HostSpec("client", "10.0.0.2", cpus=2, nic=nic))
    return Scenario(
        "books", "books", "", 10**12, draw(st.integers(0, 1000)), "6.18", hosts, (link,), programs
    )


@settings(max_examples=60, deadline=None, derandomize=True)
@given(scenarios(), turns, st.lists(st.integers(MS, 8 * MS), min_size=3, max_size=10))
def test_every_packet_is_accounted_for_at_any_time(scenario, knobs, waits):
    world = World(scenario)
    kind = scenario.hosts[0].nic.kind
    knobs = [turn for turn in knobs if kind == "nic" or not turn[0].startswith("nic.")]
    for number, wait in enumerate(waits):
        world.run_until(world.now + wait)
        born, accounted = world.books_balance()
        assert born == accounted
        if number < len(knobs):
            world.command("server", *knobs[number])
            assert world.books_balance()[0] == world.books_balance()[1]
    assert born > 0
