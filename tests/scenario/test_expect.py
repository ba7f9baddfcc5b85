"""Conditions over a snapshot."""

from __future__ import annotations

import pickle

import pytest

from wireside.catalog.packet_kinds import PacketKind
from wireside.catalog.stages import Stage
from wireside.scenario.expect import ConditionError, compile_condition
from wireside.scenario.names import HostNames
from wireside.snapshot import (
    CpuRow,
    HostSnapshot,
    ListenerRow,
    NicRow,
    PacketRow,
    ProgramRow,
    SocketRow,
    SoftnetRow,
    WorldSnapshot,
)

NAMES = {"server": HostNames(cpus=1, programs=("reader",)), "client": HostNames(cpus=1, programs=())}
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
    SocketRow(3, "tcp", "CLOSE-WAIT", 1, 0, "10.0.0.1:8080", "10.0.0.2:40001", program="web"),
    SocketRow(4, "udp", "UNCONN", 300, 0, "0.0.0.0:53", "0.0.0.0:*", program="dns"),
)
WAYS = {
    "packets()[3]": PacketRow(
        PacketKind.DATA,
        "client",
        "server",
        100,
        100_000,
        (Stage.TCP_WRITE_XMIT, 100_000, Stage.WIRE, 200_000, Stage.IP_RCV, 300_000, Stage.TCP_RCV, 400_000),
        "",
    ),
    "packets(kind=SYN)[0]": PacketRow(
        PacketKind.SYN,
        "client",
        "server",
        0,
        1000,
        (Stage.TCP_WRITE_XMIT, 1000, Stage.WIRE, 2000),
        "link loss",
    ),
}
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
            listeners=(ListenerRow(8080, "web", 3, 2, 1, 128, id=1),),
        ),
    ),
    WAYS,
    {"packets()": 7, "packets(kind=SYN)": 2},
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
        "server.sks(8080)[0].recv_q == 5000",
        "server.sks(8080)[1].recv_q == 1 and server.sks(8080)[1].state == CLOSE-WAIT",
        "server.sks(peer=40001)[0].program == 'web'",
        "server.sks(netid=udp)[0].recv_q == server.sks(53)[0].recv_q == server.sks(program=dns)[0].recv_q == 300",
        "count(server.sks(8080)) == 2 and count(server.sks()) == 3",
        "count(server.sks(8080, state=ESTAB)) == 1",
        "count(server.sks(state=CLOSE-WAIT)) == 3",
        "count(server.sks(state=UNCONN)) == 1",
        "server.listeners(8080)[0].accept_queue == 3 and server.listener(8080).requests == 2",
        "server.listeners()[0].send_q == server.listener(8080).backlog == 128",
        "count(server.listeners(8080)) == 1 and count(server.listeners(program=web)) == 0",
        "server.sk(8080).state == ESTAB and server.sk(8080).state != CLOSE-WAIT",
        "packet(4).stage == TCP_RCV and packet(4).stage != IP_RCV",
        "packet(4).stage >= IP_RCV and packet(4).stage >= TCP_RCV and packet(4).stage > GRO",
        "packet(4).stage < RECEIVE_QUEUE and not packet(4).stage < TCP_RCV",
        "WIRE < packet(4).stage <= TCP_RCV",
        "TCP_RCV == packet(4).stage > WIRE",
        "packet(4).stage > packet(kind=SYN).stage",
        "packet(4).host == server and packet(4).source == client",
        "packet(4).kind == DATA and packet(4).length == 100",
        "packet(4).at == 400us and packet(4).at(WIRE) == 200us and packet(4).born == 100us",
        'packet(4).fate == "" and packet(kind=SYN).fate == link_loss',
        "time >= packet(4).at(TCP_RCV) + 600us",
        "count(packets(kind=SYN)) == 2 and count(packets()) == 7",
        "packet(9).stage == WIRE or time == 1ms",
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
        "server.sks(8080)[2].recv_q == 0",
        "not server.sks(8080)[2].recv_q > 0",
        "server.sks(8080)[2].recv_q + 1 > 0",
        "server.sks(8080)[2].recv_q < 5 < 6",
        "1 < 2 and server.sks(8080)[2].recv_q != 7",
        "packet(9).stage != WIRE",
        "not packet(9).stage >= WIRE",
        "packet(4).at(SYS_READ) >= 0",
        "packet(9).born <= time and 1 < 2",
        "not (packet(9).length > 0 or 2 < 1)",
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
        ("packet(4).stage >= SYS_READ", "TCP_RCV"),
        ("packet(9).stage >= SYS_READ", "missing (there are 7 of packets())"),
        ("packets(kind=SYN)[4].length > 0", "missing (there are 2 of packets(kind=SYN))"),
        ("packet(4).at(SYS_READ) > 0", "missing (it has not come to SYS_READ)"),
        ("server.sks(8080)[2].recv_q + 1 > 0", "missing (there are 2 of server.sks(8080))"),
        ("server.listeners(80)[0].backlog", "missing (there are 0 of server.listeners(80))"),
        ("count(server.sks(8080)) > 2", "2"),
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
