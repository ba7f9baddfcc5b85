"""Whatever runs, runs now: no stamp, no frame and no timer is ahead of its time."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sim.present import hold_to_the_present
from tests.sim.worlds import MS, tcp_transfer, udp_flood
from wireside.scenario.spec import NicSpec
from wireside.sim.world import World

SETTINGS = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def watched(scenario, **more):
    world = World(scenario, trace=64, **more)
    return world, hold_to_the_present(world)


@SETTINGS
@given(
    seed=st.integers(0, 1000),
    loss=st.sampled_from((0.0, 0.02, 0.1)),
    rate=st.sampled_from((10_000_000, 100_000_000, 10_000_000_000)),
    delay=st.sampled_from((0, 20_000, 10 * MS)),
    cpus=st.sampled_from((1, 2)),
    kind=st.sampled_from(("nic", "veth", "tun")),
    chunk=st.sampled_from((100, 5000, 65536)),
)
def test_tcp_never_works_in_the_past(seed, loss, rate, delay, cpus, kind, chunk):
    link = {"rate_bps": rate, "delay_ns": delay, "loss": loss}
    world, _ = watched(
        tcp_transfer(
            nic=NicSpec(kind=kind, rps_cpus=tuple(range(cpus)) if cpus > 1 else ()),
            server={"cpus": cpus}, client={"cpus": cpus}, link=link, source={"chunk": chunk}, seed=seed,
        )
    )  # fmt: skip
    world.run_until(60 * MS)
    assert loss or any(run.bytes_written for run in world.programs)


@SETTINGS
@given(seed=st.integers(0, 1000), pps=st.sampled_from((1000, 80_000)), kind=st.sampled_from(("nic", "tun")))
def test_udp_never_works_in_the_past(seed, pps, kind):
    world, _ = watched(udp_flood(pps=pps, nic=NicSpec(kind=kind), seed=seed))
    world.run_until(30 * MS)


@pytest.mark.parametrize("loss", [0.01, 0.02, 0.05])
def test_compressed_acks_leave_when_their_timer_has_fired(loss):
    link = {"rate_bps": 100_000_000, "delay_ns": 10 * MS, "loss": loss}
    world, fired = watched(tcp_transfer(link=link, seed=3))
    world.run_until(2000 * MS)
    assert len(fired) >= 5
    assert world.snapshot().host("server").counters["TcpExtTCPAckCompressed"] >= len(fired)
