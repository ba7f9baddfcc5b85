"""Sockets as ss shows them."""

from __future__ import annotations

import pytest

from tests.sim.worlds import MS, program, scenario, tcp_transfer
from wireside.scenario.spec import Call, ProgramSpec, WireSegment
from wireside.sim.socket_rows import timer_time
from wireside.sim.world import World


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, ""),
        (-3, ""),
        (980, "980ms"),
        (12, "012ms"),
        (1000, "1sec"),
        (4724, "4.724ms"),
        (59_900, "59sec"),
        (119_000, "1min59sec"),
        (125_500, "2min5sec"),
        (7_200_000, "120min"),
    ],
)
def test_the_odd_time_format_of_ss(ms, text):
    assert timer_time(ms) == text


def rows(world, host):
    return {row.state: row for row in world.snapshot().host(host).sockets}


def test_a_listener_shows_its_accept_queue_and_a_stalled_reader_its_unread_bytes():
    world = World(tcp_transfer(sink={"read": 0}, source={"total": 5000}))
    world.run_until(100 * MS)
    server, client = rows(world, "server"), rows(world, "client")
    listener, reader = server["LISTEN"], server["CLOSE-WAIT"]
    assert (listener.recv_q, listener.send_q) == (0, 128)
    assert (listener.local, listener.peer) == ("0.0.0.0:8080", "0.0.0.0:*")
    assert reader.recv_q == 5001  # the FIN counts one
    assert reader.receive_queue_bytes == 5000
    assert reader.local == "10.0.0.1:8080"
    assert reader.peer == client["FIN-WAIT-2"].local
    assert (client["FIN-WAIT-2"].recv_q, client["FIN-WAIT-2"].send_q) == (0, 0)


def test_unanswered_data_waits_for_the_retransmission_timer():
    world = World(
        scenario(
            program("server", "echo", "tcp_echo", port=7),
            segments=[
                WireSegment(1 * MS, "tcp", 4000, 7, flags="S", mss=1460),
                WireSegment(2 * MS, "tcp", 4000, 7, flags=".", seq=1, ack=1),
                WireSegment(3 * MS, "tcp", 4000, 7, flags="P.", seq=1, ack=1, length=100),
            ],
        )
    )
    world.run_until(10 * MS)
    row = rows(world, "server")["ESTAB"]
    assert row.send_q == 100
    assert row.timer.startswith("on,")
    assert row.timer.endswith(",0")
    assert row.packets_out == row.in_flight == 1


def test_a_handshake_under_way_is_syn_recv_with_its_timer():
    world = World(
        scenario(
            program("server", "sink", "tcp_sink", port=8080),
            segments=[WireSegment(1 * MS, "tcp", 4000, 8080, flags="S", mss=1460)],
        )
    )
    world.run_until(10 * MS)
    snapshot = world.snapshot().host("server")
    assert snapshot.states == {"LISTEN": 1, "SYN-RECV": 1}
    row = rows(world, "server")["SYN-RECV"]
    assert (row.local, row.peer) == ("10.0.0.1:8080", "10.0.0.2:4000")
    assert row.timer.startswith("on,")


def test_time_wait_counts_down_from_a_minute():
    world = World(tcp_transfer(source={"total": 5000}))
    world.run_until(1000 * MS)
    row = rows(world, "client")["TIME-WAIT"]
    assert row.timer.startswith("timewait,59sec") or row.timer.startswith("timewait,58sec")


def test_a_tcp_socket_in_close_has_no_row_while_its_descriptor_is_open():
    script = (
        Call("socket", ("SOCK_STREAM",), "fd"),
        Call("connect", ("fd", "server:80"), "", "ECONNREFUSED"),
        Call("sleep", (10_000 * MS,)),
    )
    world = World(scenario(ProgramSpec("client", "refused", script=script)))
    world.run_until(100 * MS)
    client = world.snapshot().host("client")
    assert client.sockets == ()
    assert client.states == {"UNCONN": 1}
    assert world.programs[0].state == "sleeping"


def test_a_udp_socket_shows_memory_not_payload():
    world = World(
        scenario(
            program("server", "sink", "udp_sink", port=53, read=0),
            segments=[WireSegment(MS, "udp", 4000, 53, length=30, repeat=3, every_ns=10_000)],
        )
    )
    world.run_until(5 * MS)
    row = rows(world, "server")["UNCONN"]
    assert row.recv_q == row.sk_rmem_alloc == 3 * 832
    assert (row.receive_queue_skbs, row.receive_queue_bytes) == (3, 90)
