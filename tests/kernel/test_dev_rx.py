"""net_rx_action, the softirq loop, the per-CPU backlog and RPS."""

from __future__ import annotations

import pytest

from tests.kernel.lab import MS, US, Lab, host, udp_frame, veth_hosts
from wireside.catalog.drop_reasons import DropReason
from wireside.catalog.sysctls import DEV_WEIGHT, NETDEV_BUDGET, NETDEV_BUDGET_USECS, NETDEV_MAX_BACKLOG
from wireside.kernel.core.softirq import softirq_step
from wireside.kernel.drivers.nic_rx import igb_msix_ring
from wireside.kernel.rx.dev_rx import budget_left
from wireside.kernel.udp.udp import Udp, udp_bind, udp_sendmsg, udp_socket


def listening(lab, net, port=9, rcvbuf=212992):
    sk = udp_socket(net)
    udp_bind(lab.cpu(net), sk, 0, port)
    sk.sk_rcvbuf = rcvbuf
    return sk


def loaded(frames, *, rcvbuf=1 << 30, **nic_options):
    """A host whose ring holds `frames` datagrams, its poll scheduled: (cpu, nic, socket)."""
    lab = Lab()
    net, nic = host(lab, rx_ring=4096, **nic_options)
    sk = listening(lab, net, rcvbuf=rcvbuf)
    for _ in range(frames):
        nic.frame_arrives(0, udp_frame(net))
    cpu = lab.cpu(net)
    igb_msix_ring(cpu, nic.queues[0])
    return cpu, nic, sk


def test_a_slice_takes_eight_packets_and_moves_the_cpu_on():
    cpu, nic, sk = loaded(20)
    before = cpu.now
    assert softirq_step(cpu)
    assert len(sk.sk_receive_queue) == 8
    assert cpu.now - before == 8 * (150 + 50 + 80 + 150 + 250 + 50)
    assert budget_left(cpu) == 300 - 8
    while softirq_step(cpu):
        pass
    assert len(sk.sk_receive_queue) == 20
    assert nic.queues[0].napi.last_work == 20
    assert cpu.softnet.time_squeeze == 0


def test_fewer_than_a_batch_wait_for_the_end_of_the_poll():
    cpu, nic, sk = loaded(3)
    assert softirq_step(cpu)
    assert len(sk.sk_receive_queue) == 0, "nothing is passed up yet: more might come"
    assert not softirq_step(cpu)
    assert len(sk.sk_receive_queue) == 3
    assert not nic.queues[0].napi.scheduled


def test_frames_that_arrive_during_a_poll_belong_to_it():
    cpu, nic, sk = loaded(3)
    softirq_step(cpu)
    nic.frame_arrives(cpu.now - 100, udp_frame(sk.net))
    while softirq_step(cpu):
        pass
    assert (nic.queues[0].napi.polls, nic.queues[0].irqs) == (1, 1)
    assert len(sk.sk_receive_queue) == 4


def test_a_poll_ends_at_64_and_a_lone_device_is_never_squeezed():
    cpu, nic, _ = loaded(200)
    while softirq_step(cpu):
        pass
    assert nic.queues[0].napi.polls == 4
    assert cpu.softnet.time_squeeze == 0


def test_a_budget_no_larger_than_a_poll_squeezes():
    cpu, _, _ = loaded(200)
    cpu.machine.sysctl[NETDEV_BUDGET] = 64
    while softirq_step(cpu):
        pass
    assert cpu.softnet.time_squeeze == 3


def test_time_is_only_looked_at_between_polls_and_in_whole_jiffies():
    cpu, nic, _ = loaded(64)
    cpu.machine.sysctl[NETDEV_BUDGET_USECS] = 1
    cpu.now = 4 * MS - 10 * US
    while softirq_step(cpu):
        pass
    assert nic.queues[0].packets == 64
    assert cpu.softnet.time_squeeze == 1


def test_after_ten_rounds_ksoftirqd_takes_over():
    cpu, nic, sk = loaded(1000)
    while softirq_step(cpu):
        pass
    assert cpu.ksoftirqd
    assert len(sk.sk_receive_queue) == 640
    assert nic.queues[0].napi.scheduled, "the interrupt stays masked"
    while cpu.ksoftirqd:
        softirq_step(cpu)
    assert len(sk.sk_receive_queue) == 1000
    assert not softirq_step(cpu)


def test_a_waiting_task_ends_the_restarts_at_once():
    cpu, _, sk = loaded(1000)
    cpu.need_resched = True
    while softirq_step(cpu):
        pass
    assert cpu.ksoftirqd
    assert len(sk.sk_receive_queue) == 64


def test_the_next_jiffy_ends_the_restarts():
    cpu, _, sk = loaded(1000)
    cpu.now = 4 * MS - 60 * US
    while softirq_step(cpu):
        pass
    assert cpu.ksoftirqd
    assert len(sk.sk_receive_queue) == 128


def send_burst(lab, client, server, count=60):
    """A UDP_SEGMENT send of `count` datagrams of 100 bytes."""
    sk = udp_socket(client)
    return udp_sendmsg(lab.cpu(client), sk, (server.address, 9), count * 100, 100)


@pytest.mark.parametrize("limit", [1, 5, 10, 30, 59, 60, 1000])
def test_the_backlog_keeps_one_more_than_its_limit(limit):
    lab = Lab()
    client, server = veth_hosts(lab)
    lab.set(server, NETDEV_MAX_BACKLOG, limit)
    sk = listening(lab, server)
    assert send_burst(lab, client, server) == 6000
    kept = min(limit + 1, 60)
    assert len(sk.sk_receive_queue) == kept
    sd = server.machine.cpus[0].softnet
    assert (sd.processed, sd.dropped) == (kept, 60 - kept)
    assert (server.dev.rx_packets, server.dev.rx_dropped) == (kept, 60 - kept)
    drops = {DropReason.CPU_BACKLOG: 60 - kept} if kept < 60 else {}
    assert server.drops == drops
    assert client.mib[Udp.OutDatagrams] == 1
    assert server.mib[Udp.InErrors] == 0


def test_single_sends_never_build_a_backlog():
    lab = Lab()
    client, server = veth_hosts(lab)
    lab.set(server, NETDEV_MAX_BACKLOG, 1)
    sk = listening(lab, server)
    sender = udp_socket(client)
    for _ in range(60):
        udp_sendmsg(lab.cpu(client), sender, (server.address, 9), 100)
    assert len(sk.sk_receive_queue) == 60
    assert server.machine.cpus[0].softnet.dropped == 0


@pytest.mark.parametrize(
    ("budget", "weight", "squeezed"),
    [(300, 64, 0), (60, 64, 1), (20, 64, 1), (20, 16, 0), (16, 8, 0), (1, 8, 8)],
)
def test_when_the_round_of_a_burst_is_squeezed(budget, weight, squeezed):
    lab = Lab()
    client, server = veth_hosts(lab)
    lab.set(server, NETDEV_BUDGET, budget)
    lab.set(server, DEV_WEIGHT, weight)
    sk = listening(lab, server)
    send_burst(lab, client, server)
    assert len(sk.sk_receive_queue) == 60
    assert server.machine.cpus[0].softnet.time_squeeze == squeezed


def test_the_receivers_half_runs_inside_the_senders_call():
    lab = Lab()
    client, server = veth_hosts(lab)
    sk = listening(lab, server)
    sender = udp_socket(client)
    cpu = lab.cpu(client)
    udp_sendmsg(cpu, sender, (server.address, 9), 100)
    assert len(sk.sk_receive_queue) == 1
    assert cpu.now == 400 + 120 + 150 + 80 + 150 + 250 + 50
    assert sender.sk_wmem_alloc == 0


def test_rps_moves_the_work_to_another_cpu():
    lab = Lab()
    client, server = veth_hosts(lab, cpus=2)
    server.dev.rps_cpus = (1,)
    sk = listening(lab, server)
    sender = udp_socket(client)
    for _ in range(100):
        udp_sendmsg(lab.cpu(client), sender, (server.address, 9), 100)
        lab.run_until(lab.now + 100 * US)
    first, second = (cpu.softnet for cpu in server.machine.cpus)
    assert len(sk.sk_receive_queue) == 100
    assert (first.processed, first.received_rps) == (0, 0)
    assert (second.processed, second.received_rps) == (100, 100)


def test_rps_to_the_own_cpu_needs_no_interrupt():
    lab = Lab()
    client, server = veth_hosts(lab, cpus=2)
    server.dev.rps_cpus = (0,)
    listening(lab, server)
    send_burst(lab, client, server)
    first = server.machine.cpus[0].softnet
    assert (first.processed, first.received_rps) == (60, 0)


def test_a_nic_with_rps_uses_the_backlog_and_its_limit():
    lab = Lab()
    net, nic = host(lab, cpus=2, rx_ring=4096, rps_cpus=(1,))
    lab.set(net, NETDEV_MAX_BACKLOG, 10)
    sk = listening(lab, net)
    for _ in range(64):
        nic.frame_arrives(0, udp_frame(net))
    lab.drain()
    first, second = (cpu.softnet for cpu in net.machine.cpus)
    assert second.dropped > 0
    assert second.processed == len(sk.sk_receive_queue) == 64 - second.dropped
    assert first.processed == 0
