"""Named programs that serve and visit: they make real system calls, and no failure stops them."""

from __future__ import annotations

import pickle
from textwrap import dedent

import pytest

from wireside.scenario.load import load
from wireside.sim.world import World

S = 1_000_000_000
MS = 1_000_000

WORLD = """
format: 1
title: visits
duration: 400s
hosts:
  server: {{address: 10.0.0.1}}
  client: {{address: 10.0.0.2, sysctl: {{{sysctl}}}}}
links:
  - {{between: [client, server], rate: 1Gbps, delay: 1ms, loss: {loss}}}
programs:
  - {{on: server, name: web, run: {server}}}
  - {{on: client, name: visitors, run: tcp_visitors, to: "server:8080", {visitors}}}
"""


@pytest.fixture
def build(tmp_path):
    """Build a world of one server and its visitors."""

    def make(server: str, visitors: str, *, sysctl: str = "", loss: str = "0%") -> World:
        path = tmp_path / "visits.yaml"
        text = WORLD.format(server=server, visitors=visitors, sysctl=sysctl, loss=loss)
        path.write_text(dedent(text), encoding="utf-8")
        return World(load(path))

    return make


def at(world: World, t_ns: int):
    """The rows of the server and of its visitors, and the states of both hosts, at a time."""
    world.run_until(t_ns)
    hosts = world.snapshot().hosts
    return hosts[0].programs[0], hosts[1].programs[0], hosts[0].states, hosts[1].states


def test_each_visit_is_a_connection_of_its_own(build) -> None:
    world = build("tcp_server, port: 8080", "rate: 600/min, total: 20")
    web, visitors, _, states = at(world, 5 * S)
    assert (web.accepted, web.answered, web.bytes_read, web.bytes_written) == (20, 20, 2000, 24000)
    assert (visitors.connected, visitors.answered, visitors.failed) == (20, 20, 0)
    assert states == {"TIME-WAIT": 20}
    counters = world.snapshot().host("client").counters
    assert counters["TcpActiveOpens"] == 20


@pytest.mark.parametrize(
    ("first", "server_states", "client_states"),
    [("true", {"LISTEN": 1}, {"TIME-WAIT": 5}), ("false", {"LISTEN": 1, "TIME-WAIT": 5}, {})],
)
def test_who_closes_first_keeps_the_entry(build, first, server_states, client_states) -> None:
    server_first = {"true": "false", "false": "true"}[first]
    world = build(
        f"tcp_server, port: 8080, closes_first: {server_first}",
        f"rate: 10/s, total: 5, closes_first: {first}",
    )
    _, visitors, on_server, on_client = at(world, 3 * S)
    assert (on_server, on_client) == (server_states, client_states)
    assert visitors.answered == 5


def test_a_rate_per_minute_is_kept_to_the_visit(build) -> None:
    world = build("tcp_server, port: 8080", "rate: 10000/min, start: 1ms")
    assert at(world, 6 * S)[1].connected in (1000, 999)
    world.command("client", "visitors.rate", "0/s")
    before = at(world, 7 * S)[1].connected
    assert at(world, 9 * S)[1].connected == before
    world.command("client", "visitors.rate", "10/s")
    assert at(world, 10 * S)[1].connected - before in (10, 11)


@pytest.mark.parametrize(
    ("server", "visitors", "sysctl", "loss", "error", "failed"),
    [
        ("tcp_server, port: 9999", "rate: 10/s, total: 8", "", "0%", "ECONNREFUSED", 8),
        ("tcp_server, port: 8080", "rate: 10/s, total: 8", "net.ipv4.tcp_syn_retries: 1", "100%", "ETIMEDOUT", 8),
        ("tcp_server, port: 8080", "rate: 10/s, total: 30, hold: 300s, nofile: 23", "", "0%", "EMFILE", 10),
        (
            "tcp_server, port: 8080",
            "rate: 10/s, total: 30, hold: 300s",
            "net.ipv4.ip_local_port_range: 40000 40019",
            "0%",
            "EADDRNOTAVAIL",
            10,
        ),
    ],
)  # fmt: skip
def test_a_visit_that_fails_is_counted_and_the_next_one_comes(
    build, server, visitors, sysctl, loss, error, failed
) -> None:
    world = build(server, visitors, sysctl=sysctl, loss=loss)
    row = at(world, 60 * S)[1]
    assert (row.failed, row.error) == (failed, error)
    total = int(visitors.split("total: ")[1].split(",")[0])
    assert row.connected == total - failed
    calls = row.calls
    assert at(world, 120 * S)[1].calls <= calls + 2


def test_a_leaker_forgets_to_close_until_it_is_mended(build) -> None:
    world = build("tcp_leaker, port: 8080", "rate: 20/s, total: 12")
    web, visitors, on_server, on_client = at(world, 2 * S)
    assert (web.answered, visitors.answered) == (12, 12)
    assert on_server == {"LISTEN": 1, "CLOSE-WAIT": 12}
    assert on_client == {"FIN-WAIT-2": 12}
    assert web.doing == "poll([3])"
    world.command("server", "web.closes", "true")
    _, _, on_server, on_client = at(world, 3 * S)
    assert on_server == {"LISTEN": 1}
    assert on_client == {"TIME-WAIT": 12}


def test_without_descriptors_the_server_does_not_spin(build) -> None:
    world = build("tcp_leaker, port: 8080, nofile: 12", "rate: 10/s, total: 20")
    web, visitors, states, _ = at(world, 12 * S)
    assert (web.accepted, web.error) == (8, "EMFILE")
    assert states["ESTAB"] + states["CLOSE-WAIT"] == 20
    assert 100 <= web.failed <= 120
    assert (visitors.connected, visitors.answered, visitors.failed) == (20, 8, 0)
    world.command("server", "web.closes", "true")
    assert at(world, 13 * S)[1].answered == 20


def test_a_slow_acceptor_lets_all_wait_for_its_pause(build) -> None:
    world = build("tcp_slow_acceptor, port: 8080, pause: 8s, backlog: 64", "rate: 20/s, total: 6")
    assert at(world, 7900 * MS)[0].accepted == 0
    web, visitors, *_ = at(world, 8100 * MS)
    assert (web.accepted, visitors.answered) == (6, 6)
    assert (web.state, web.doing) == ("sleeping", "does something else")


def test_a_shorter_pause_is_felt_at_once(build) -> None:
    world = build("tcp_slow_acceptor, port: 8080, pause: 8s", "rate: 20/s, total: 6")
    assert at(world, 2 * S)[0].accepted == 0
    world.command("server", "web.pause", "1ms")
    assert at(world, 2100 * MS)[1].answered == 6


def test_work_is_done_one_request_after_the_other(build) -> None:
    world = build("tcp_server, port: 8080, work: 100ms", "rate: 100/s, total: 10")
    assert at(world, 560 * MS)[0].answered == 5
    assert at(world, 1100 * MS)[0].answered == 10


def test_a_held_connection_is_kept_and_then_closed(build) -> None:
    world = build("tcp_server, port: 8080", "rate: 10/s, total: 5, hold: 2s")
    assert at(world, 1900 * MS)[3] == {"ESTAB": 5}
    assert at(world, 2250 * MS)[3] == {"ESTAB": 2, "TIME-WAIT": 3}
    assert at(world, 3 * S)[3] == {"TIME-WAIT": 5}


def test_keepalive_is_asked_of_open_connections_too(build) -> None:
    world = build(
        "tcp_server, port: 8080", "rate: 10/s, total: 2, hold: 300s", sysctl="net.ipv4.tcp_keepalive_time: 5"
    )
    at(world, 20 * S)
    assert world.snapshot().host("client").counters["TcpExtTCPKeepAlive"] == 0
    world.command("client", "visitors.keepalive", "true")
    at(world, 40 * S)
    assert world.snapshot().host("client").counters["TcpExtTCPKeepAlive"] == 2


def test_it_goes_on_alike_after_pickling(build) -> None:
    first = build("tcp_slow_acceptor, port: 8080, pause: 300ms, backlog: 4", "rate: 100/s, total: 60")
    first.run_until(777 * MS)
    second = pickle.loads(pickle.dumps(first))
    for world in (first, second):
        world.run_until(20 * S)
    assert first.snapshot() == second.snapshot()


def test_failures_are_told_now_and_then(build) -> None:
    world = build("tcp_server, port: 9999", "rate: 10/s, total: 25")
    world.run_until(5 * S)
    told = [event.text for event in world.events(0) if event.topic == "program"]
    assert told == [
        "A call of visitors failed: ECONNREFUSED.",
        "A call of visitors failed: ECONNREFUSED, failure 10.",
    ]
