"""The benchmark's worlds still do what it counts."""

import pytest

from tests.bench import headless, syn_flood, workloads
from tests.bench.measure import yardstick


@pytest.mark.parametrize("flows", [1, 8])
@pytest.mark.parametrize("paced", [True, False])
def test_every_tcp_flow_is_read(flows, paced):
    world = workloads.tcp(flows, paced=paced)
    world.run_until(workloads.tcp_warm_up_ns(flows))
    readers = [run for run in world.programs if run.name.startswith("reader")]
    assert len(readers) == flows
    assert all(run.bytes_read >= workloads.WRITE for run in readers)


def test_paced_flows_share_one_rate():
    read = []
    for flows in (1, 8):
        world = workloads.tcp(flows)
        world.run_until(workloads.WARM_UP_NS)
        before = workloads.bytes_read(world)
        world.run_until(world.now + 50 * workloads.MS)
        read.append(workloads.bytes_read(world) - before)
    assert read[1] == pytest.approx(read[0], rel=0.05)
    assert read[0] == pytest.approx(workloads.TCP_BYTES_PER_S / 20, rel=0.05)


@pytest.mark.parametrize("flows", [1, 8])
def test_every_datagram_is_read(flows):
    world = workloads.udp(flows)
    world.run_until(2 * workloads.WARM_UP_NS)
    read = workloads.bytes_read(world) / workloads.UDP_SIZE
    assert read == pytest.approx(
        workloads.UDP_PER_S * workloads.WARM_UP_NS * 1.5 / workloads.SECOND, rel=0.02
    )
    assert all(run.bytes_read for run in world.programs)


def test_rates_are_found():
    assert headless.tcp_rate(2, 5 * workloads.MS) > 0
    assert headless.udp_rate(2, 5 * workloads.MS) > 0
    assert yardstick() > 0


def test_the_peer_delivers_what_is_sent():
    peer = pytest.importorskip("tests.bench.peer", reason="ns.py is not installed")
    assert peer.tcp_segments(50) == 50
    assert peer.five_ports(50) == 50


@pytest.mark.parametrize("cookies", [True, False])
def test_every_syn_of_the_flood_is_answered(cookies):
    world = syn_flood.flood(500, cookies=cookies)
    assert syn_flood.run(world, 500) == 500
    sent = world.snapshot().host("server").counters["TcpExtSyncookiesSent"]
    assert sent == (500 - 129 if cookies else 0)
