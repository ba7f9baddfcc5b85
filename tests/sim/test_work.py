"""Work in proportion to what it touches: whoever else needs the CPU waits meanwhile."""

from __future__ import annotations

import pytest

from tests.kernel.lab import Lab, two_hosts
from tests.sim.worlds import MS, program, scenario
from wireside.catalog.inet import ip_parse
from wireside.catalog.work import PORT_NS
from wireside.kernel.ip.inet_bind import inet_bind_hash
from wireside.kernel.tcp.door.inet_connection_sock import tcp_socket
from wireside.kernel.tcp.door.inet_hashtables import inet_hash_connect
from wireside.scenario.spec import Call, Loop, NicSpec, ProgramSpec
from wireside.sim.world import World

MIB = 1 << 20
UPLOAD = (
    Call("socket", ("SOCK_STREAM",), "fd"),
    Call("setsockopt", ("fd", "TCP_MAXSEG", 512)),
    Call("connect", ("fd", "server:80")),
    Loop((Call("write", ("fd", 65536)),)),
)


def stall(buffer):
    """(the slowest answer of a ping, ns; packets collapsed) while a neighbour's receive buffer of so many bytes fills up.

    The neighbour's program reads nothing; small segments, without GRO, fill the buffer with memory instead of data.
    """
    world = World(
        scenario(
            program("server", "stuck", "tcp_sink", port=80, read=0),
            program("server", "echo", "tcp_echo", port=7),
            program("client", "ping", "tcp_ping", cpu=1, to="server:7", every=MS),
            ProgramSpec("client", "upload", script=UPLOAD),
            nic=NicSpec(gro=False),
            server={"sysctl": {"net.ipv4.tcp_rmem": f"4096 {buffer} {buffer}"}},
            client={"cpus": 2, "nic": NicSpec(tso=False), "sysctl": {"net.ipv4.tcp_congestion_control": "reno"}},
            link={"rate_bps": 10_000_000_000, "delay_ns": 20_000},
        ),
        trace=0,
    )  # fmt: skip
    world.run_until(100 * MS)
    ping = next(run for run in world.programs if run.name == "ping")
    before = ping.program.tally.slowest_ns
    assert before < MS
    world.run_until(300 * MS)
    collapsed = world.snapshot().host("server").counters["TcpExtTCPRcvCollapsed"]
    return ping.program.tally.slowest_ns, collapsed


def test_a_full_buffer_stops_the_neighbours_ping():
    # Measured on real servers: softirqs hold the CPU for 5.9 ms when 4 MB are collapsed.
    slowest, collapsed = stall(4 * MIB)
    assert collapsed > 0
    assert 5 * MS <= slowest <= 8 * MS


@pytest.mark.parametrize("taken", [0, 1, 100, 14_116, 20_000, 28_232])
def test_connect_takes_its_time_for_every_port_that_it_finds_taken(taken):
    lab = Lab()
    net, _ = two_hosts(lab)
    cpu = lab.cpu(net)
    other = tcp_socket(net)
    even, odd = range(32768, 61000, 2), range(32769, 61000, 2)
    source, target = net.address, ip_parse("10.0.0.2")
    first = tcp_socket(net)
    assert inet_hash_connect(cpu, first, source, target, 80) == 0
    start = even.index(first.sk_num) + 1
    search = [*even[start:], *even[:start], *odd[start:], *odd[:start]]
    for port in search[:taken]:
        inet_bind_hash(net, port, other)
    began = cpu.now
    inet_hash_connect(cpu, tcp_socket(net), source, target, 80)
    looked_at = (cpu.now - began) / PORT_NS
    assert taken - 8 <= looked_at <= taken, "the search begins up to 8 ports further on"
