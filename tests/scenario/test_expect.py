"""Conditions over a snapshot."""

from __future__ import annotations

import pickle

import pytest

from wireside.scenario.expect import ConditionError, compile_condition
from wireside.scenario.paths import HostNames
from wireside.snapshot import (
    CpuRow,
    HostSnapshot,
    NicRow,
    ProgramRow,
    SocketRow,
    SoftnetRow,
    WorldSnapshot,
)

NAMES = {"server": HostNames(cpus=1, programs=("reader",))}
NIC = NicRow(
    "eth0",
    "nic",
    1500,
    10**9,
    256,
    17,
    3,
    256,
    0,
    "pfifo_fast",
    0,
    1000,
    False,
    4,
    5,
    6,
    300,
    0,
    {"rx_missed_errors": 9},
)
SOCKETS = (
    SocketRow(1, "tcp", "LISTEN", 0, 128, "0.0.0.0:8080", "0.0.0.0:*"),
    SocketRow(2, "tcp", "ESTAB", 5000, 0, "10.0.0.1:8080", "10.0.0.2:40000", rto_ns=200_000_000),
)
SNAPSHOT = WorldSnapshot(
    1_000_000,
    (
        HostSnapshot(
            name="server",
            time_ns=1_000_000,
            address="10.0.0.1",
            sysctl={"net.core.somaxconn": "4096", "net.ipv4.tcp_rmem": "4096 131072 33554432"},
            counters={"TcpInSegs": 7, "TcpExtListenOverflows": 0},
            drops={"NO_SOCKET": 2},
            wire_drops={"rx_missed_errors": 9, "link loss": 1},
            states={"LISTEN": 1, "ESTAB": 1, "CLOSE-WAIT": 3},
            softnet=(SoftnetRow(70, 1, 2, 0, 0, 0, 0),),
            cpus=(CpuRow("idle", "", 1, 2, 0, 3, 4, 0),),
            nics=(NIC,),
            sockets=SOCKETS,
            programs=(ProgramRow("reader", 101, "blocked", "read(4", 12, 5000, 0),),
            books={"born": 10, "delivered": 8, "consumed": 0, "dropped": 2, "queued": 0},
        ),
    ),
)


@pytest.mark.parametrize(
    "text",
    [
        "server.TcpInSegs == 7",
        "server.sk(8080).recv_q == 5000",
        "server.sk(40000).recv_q == 5000",
        "server.listener(8080).send_q == 128",
        'server.sk(8080).state == "ESTAB"',
        "server.sk(8080).rto_ns == 200ms",
        "server.nic.rx_ring_used == 17",
        "server.nic.rx_missed_errors == server.wire_drops.rx_missed_errors == 9",
        "server.wire_drops.link_loss == 1",
        "server.softnet(0).time_squeeze == 2",
        "server.cpu(0).task_ns == 3",
        "server.drops.NO_SOCKET == 2",
        "server.drops.TCP_CSUM == 0",
        "server.states.CLOSE-WAIT == 3",
        "server.program(reader).bytes_read == 5000",
        "server.books.born == server.books.delivered + server.books.dropped",
        "server.sysctl.net.core.somaxconn == 4096",
        'server.sysctl.net.ipv4.tcp_rmem == "4096 131072 33554432"',
        "time == 1ms",
        "1 < 2 < 3",
        "not 1 < 2 < 2",
        "1 + 2 * 3 == 7",
        "(1 + 2) * 3 == 9",
        "7 // 2 == 3 and 7 / 2 == 3.5",
        "-3 + 5 == 2",
        "1 > 2 or 2 > 1 and not 3 > 4",
        "server.TcpInSegs / server.TcpExtListenOverflows == 0",
        "64KiB == 65536",
    ],
)
def test_a_condition_that_holds(text: str) -> None:
    assert compile_condition(text, NAMES).holds(SNAPSHOT)


@pytest.mark.parametrize(
    "text",
    [
        "server.sk(9999).recv_q > 0",
        'server.sk(9999).state == "ESTAB"',
        "server.listener(9999).send_q",
        "1 == 2",
        "server.TcpInSegs > 7 or server.TcpInSegs < 7",
        'server.sk(8080).state > "A"',
    ],
)
def test_a_condition_that_does_not_hold(text: str) -> None:
    assert not compile_condition(text, NAMES).holds(SNAPSHOT)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("server.TcpInSegs > 100", "7"),
        ("server.TcpInSegs + 1 > 100", "8"),
        ("server.TcpInSegs / 2 > 100", "3.5"),
        ('server.sk(8080).state == "LISTEN"', "ESTAB"),
        ("server.TcpInSegs > 1 and server.sk(8080).recv_q > 1", "7, 5000"),
        ("server.nic.irq_masked", "false"),
    ],
)
def test_the_value_is_that_of_the_left_side(text: str, value: str) -> None:
    assert compile_condition(text, NAMES).value(SNAPSHOT) == value


@pytest.mark.parametrize(
    ("text", "what", "offset"),
    [
        ("server.TcpInSeg > 1", "unknown counter 'TcpInSeg'", 0),
        ("1 < srver.TcpInSegs", "unknown host 'srver'", 4),
        ("1 <", "a value is missing", 3),
        ("(1 < 2", "a parenthesis is not closed", 0),
        ("1 < 2)", "')' is out of place", 5),
        ("server > 1", "'server' alone is no value", 0),
        ("__import__('os')", "unknown word '__import__'", 0),
        ("1 < 2kg", "'kg' is no unit of time or size", 4),
        ("1 < 2; 3", "cannot read '; 3'", 5),
        ("(" * 100 + "1" + ")" * 100, "the condition is nested too deep", 21),
        ("1 + " * 400 + "1", "the condition is too long", 1000),
        ("", "a value is missing", 0),
    ],
)
def test_a_wrong_condition_says_what_and_where(text: str, what: str, offset: int) -> None:
    with pytest.raises(ConditionError) as caught:
        compile_condition(text, NAMES)
    assert (caught.value.what, caught.value.offset) == (what, offset)


def test_a_condition_can_be_pickled_with_its_world() -> None:
    condition = pickle.loads(pickle.dumps(compile_condition("server.TcpInSegs == 7", NAMES)))
    assert condition.holds(SNAPSHOT)
