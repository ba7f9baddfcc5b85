"""A device's super-packets: none at all, or cut in software. Rates as a Linux 6.18.44 writer had them (gso_max_segs 1)."""

from __future__ import annotations

import pytest

from tests.sim.worlds import MS, tcp_transfer
from wireside.scenario.spec import NicSpec
from wireside.sim.world import World

SECOND = 1000 * MS


def transfer(nic: NicSpec, seconds: float = 3, server: NicSpec | None = None) -> World:
    """A world in which the client has written for so long through a send buffer of 16 KiB."""
    reno = {"sysctl": {"net.ipv4.tcp_congestion_control": "reno"}}
    world = World(
        tcp_transfer(
            client={"nic": nic, **reno},
            server={"nic": server or NicSpec()},
            source={"sndbuf": 16 << 10},
            link={"rate_bps": 10**9, "delay_ns": 10 * MS},
        )
    )
    world.run_until(int(seconds * SECOND))
    return world


def rate(world: World, seconds: int = 3) -> float:
    """Bytes that the server has received, per second."""
    (row,) = (row for row in world.snapshot().host("server").sockets if row.state == "ESTAB")
    return row.bytes_received / seconds


def test_a_small_send_buffer_without_super_packets_is_slow() -> None:
    """15 segments a round trip of 20 ms would be 1.1 MB/s; the writer sleeps until a third is free: 0.88 to 0.94 MB/s."""
    world = transfer(NicSpec(kind="tun", gso=False))
    assert 850_000 <= rate(world) <= 960_000


def test_with_super_packets_the_buffer_holds_more_than_it_says() -> None:
    world = transfer(NicSpec())
    assert rate(world) > 1_500_000


@pytest.mark.parametrize(
    ("nic", "most"), [(NicSpec(), 44), (NicSpec(tso=False), 44), (NicSpec(gso=False), 1)]
)
def test_what_the_socket_hands_down(nic: NicSpec, most: int) -> None:
    """Without TSO the packets of the IP layer are as large; software cuts them in front of the driver."""
    world = transfer(nic, 1)
    sent = world.snapshot().host("client").counters
    data = world.nets["client"].sockets
    segments = [skb.gso_segs for sk in data.values() for skb in sk.tcp_rtx_queue]
    assert segments
    assert max(segments) <= most
    assert (sent["IpOutRequests"] == sent["TcpOutSegs"]) == (not nic.gso)


@pytest.mark.parametrize(("kind", "qdisc", "seconds"), [("nic", "pfifo_fast", 1), ("veth", "noqueue", 0.02)])
def test_a_device_without_tso_gets_single_frames(kind: str, qdisc: str, seconds: float) -> None:
    nic = NicSpec(kind=kind, tso=False, qdisc=qdisc)
    world = transfer(nic, seconds, server=nic)
    client = world.snapshot().host("client")
    frames = client.nics[0].statistics["tx_packets"]
    assert frames == client.counters["TcpOutSegs"] > client.counters["IpOutRequests"]
