"""Hrtimers and tasklets: on the CPU that asked for them, when it is free; and what the compressed ACK does with one."""

from __future__ import annotations

import pytest

from tests.kernel.lab import MS, US, Lab, two_hosts
from wireside.catalog.counters import TcpExt
from wireside.catalog.tcp_states import TcpState
from wireside.kernel.core.hrtimer import hrtimer_cancel, hrtimer_start
from wireside.kernel.core.softirq import tasklet_schedule
from wireside.kernel.tcp.door.inet_connection_sock import tcp_socket
from wireside.kernel.tcp.door.tcp_ipv4 import lock_sock, release_sock
from wireside.kernel.tcp.receive.tcp_rcv import tcp_compressed_ack_kick


class Note:
    """Somebody a timer can belong to; remembers (CPU, ns) of each time it fired."""

    def __init__(self, net):
        self.net = net
        self.fired = []

    def __call__(self, cpu, arg):
        assert arg is self
        self.fired.append((cpu.id, cpu.now))


def test_it_fires_on_time_on_the_cpu_that_armed_it():
    lab = Lab()
    net = lab.net("host", "10.0.0.1", cpus=2)
    note = Note(net)
    hrtimer_start(lab.cpu(net, 1), 123_456, note, note)
    lab.drain(MS)
    assert note.fired == [(1, 123_456)]


def test_a_busy_cpu_makes_it_late():
    lab = Lab()
    net = lab.net("host", "10.0.0.1")
    note = Note(net)
    cpu = lab.cpu(net)
    hrtimer_start(cpu, 100 * US, note, note)
    cpu.now = 700 * US
    lab.drain(MS)
    assert note.fired == [(0, 700 * US)]


@pytest.mark.parametrize("expired", [False, True])
def test_cancelled_it_does_not_fire_even_if_its_time_has_come(expired):
    lab = Lab()
    net = lab.net("host", "10.0.0.1")
    note = Note(net)
    cpu = lab.cpu(net)
    timer = hrtimer_start(cpu, 100 * US, note, note)
    if expired:
        cpu.now = 700 * US
        lab.run_until(200 * US)
    hrtimer_cancel(net.machine, timer)
    lab.drain(MS)
    assert note.fired == []


def test_work_that_puts_off_more_work_runs_all_of_it_once():
    lab = Lab()
    net = lab.net("host", "10.0.0.1")
    done = []

    def work(cpu, left):
        done.append(left)
        if left:
            tasklet_schedule(cpu, work, left - 1)

    tasklet_schedule(lab.cpu(net), work, 3)
    tasklet_schedule(lab.cpu(net), work, 0)
    lab.drain(MS)
    assert done == [3, 0, 2, 1, 0]


def with_held_back_acks(count):
    """(lab, socket, CPU, wire): an established socket that holds back `count` duplicate ACKs."""
    lab = Lab()
    client, server = two_hosts(lab)
    tp = tcp_socket(client)
    tp.flow_out = (client.address, 1000, server.address, 80)
    tp.sk_state = TcpState.ESTABLISHED
    tp.compressed_ack, tp.rcv_mss = count, 1000
    return lab, tp, lab.cpu(client), client.dev.driver.wire


def test_the_acks_held_back_leave_as_one():
    _, tp, cpu, wire = with_held_back_acks(5)
    tcp_compressed_ack_kick(cpu, tp)
    assert len(wire.sent) == 1
    assert tp.net.mib[TcpExt.TCPAckCompressed] == 4


def test_a_system_call_that_owns_the_socket_sends_it_when_it_lets_go():
    _, tp, cpu, wire = with_held_back_acks(5)
    lock_sock(tp)
    tcp_compressed_ack_kick(cpu, tp)
    assert not wire.sent
    release_sock(cpu, tp)
    assert len(wire.sent) == 1
    assert tp.net.mib[TcpExt.TCPAckCompressed] == 4


def test_it_is_not_sent_twice_when_the_program_acknowledged_meanwhile():
    _, tp, cpu, wire = with_held_back_acks(5)
    lock_sock(tp)
    tcp_compressed_ack_kick(cpu, tp)
    tp.compressed_ack = 0
    release_sock(cpu, tp)
    assert not wire.sent
