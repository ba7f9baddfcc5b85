"""UDP sockets: memory, ports, errors."""

from __future__ import annotations

from errno import (
    EADDRINUSE,
    EADDRNOTAVAIL,
    EAGAIN,
    ECONNREFUSED,
    EDESTADDRREQ,
    EINVAL,
    EMSGSIZE,
)

import pytest

from tests.kernel.lab import Lab, host, tun_host, two_hosts, udp_frame, veth_hosts
from wireside.catalog.counters import Icmp, Ip, Udp
from wireside.catalog.drop_reasons import DropReason
from wireside.catalog.flags import SOCK_DGRAM
from wireside.catalog.inet import ip_parse
from wireside.catalog.sysctls import ICMP_RATELIMIT, IP_LOCAL_PORT_RANGE
from wireside.kernel.core.call import Syscall
from wireside.kernel.core.task import Task
from wireside.kernel.syscalls.syscall import do_syscall
from wireside.kernel.udp.udp import (
    udp_bind,
    udp_connect,
    udp_destroy,
    udp_recvmsg,
    udp_rqueue_get,
    udp_sendmsg,
    udp_socket,
)

KEPT = [
    # rcvbuf, payload, kept, memory shown as Recv-Q: measured, the same from tun and from veth
    (212992, 1, 256, 212992),
    (212992, 100, 256, 212992),
    (212992, 500, 166, 212480),
    (212992, 1000, 92, 211968),
    (212992, 1472, 92, 211968),
    (4096, 100, 4, 3328),
    (4096, 500, 3, 3840),
    (4096, 1472, 1, 2304),
    (16384, 1, 19, 15808),
    (16384, 500, 12, 15360),
    (131072, 1000, 56, 129024),
]


def bound(lab, net, port=9):
    sk = udp_socket(net)
    assert udp_bind(lab.cpu(net), sk, 0, port) == 0
    return sk


@pytest.mark.parametrize(("rcvbuf", "payload", "kept", "shown"), KEPT)
def test_datagrams_that_fit_from_a_tun_device(rcvbuf, payload, kept, shown):
    lab = Lab(trace=False)
    net, tun = tun_host(lab)
    sk = bound(lab, net)
    sk.sk_rcvbuf = rcvbuf
    for _ in range(300):
        tun.frame_arrives(lab.now, udp_frame(net, payload))
    lab.drain()
    assert len(sk.sk_receive_queue) == kept
    assert udp_rqueue_get(sk) == shown
    lost = 300 - kept
    assert (net.mib[Udp.InErrors], net.mib[Udp.RcvbufErrors], sk.sk_drops) == (lost, lost, lost)
    assert net.drops == {DropReason.SOCKET_RCVBUFF: lost}


@pytest.mark.parametrize(("rcvbuf", "payload", "kept", "shown"), KEPT)
def test_datagrams_that_fit_over_veth(rcvbuf, payload, kept, shown):
    lab = Lab(trace=False)
    client, server = veth_hosts(lab)
    sk = bound(lab, server)
    sk.sk_rcvbuf = rcvbuf
    sender = udp_socket(client)
    for _ in range(300):
        udp_sendmsg(lab.cpu(client), sender, (server.address, 9), payload)
    assert len(sk.sk_receive_queue) == kept
    assert udp_rqueue_get(sk) == shown


@pytest.mark.parametrize(
    ("payload", "truesize"),
    [(1, 832), (164, 832), (165, 1280), (612, 1280), (613, 2304), (1472, 2304)],
)
def test_memory_of_a_datagram_from_tun(payload, truesize):
    lab = Lab()
    net, tun = tun_host(lab)
    sk = bound(lab, net)
    tun.frame_arrives(0, udp_frame(net, payload))
    lab.drain()
    assert sk.sk_rmem_alloc == truesize


@pytest.mark.parametrize(
    ("payload", "truesize"), [(1, 832), (197, 832), (198, 1280), (645, 1280), (646, 2304)]
)
@pytest.mark.parametrize("to", ["veth", "loopback"])
def test_memory_of_a_datagram_from_this_machine(payload, truesize, to):
    lab = Lab()
    client, server = veth_hosts(lab)
    sk = bound(lab, server)
    sender = udp_socket(client if to == "veth" else server)
    udp_sendmsg(lab.cpu(client), sender, (server.address, 9), payload)
    assert sk.sk_rmem_alloc == truesize


@pytest.mark.parametrize(("payload", "truesize"), [(16004, 16640), (16005, 16837), (65507, 66339)])
def test_a_large_datagram_on_loopback_lies_in_pages(payload, truesize):
    """Measured on Linux 6.18.44."""
    lab = Lab()
    _, server = veth_hosts(lab)
    sk = bound(lab, server)
    udp_sendmsg(lab.cpu(server), udp_socket(server), (server.address, 9), payload)
    assert sk.sk_rmem_alloc == truesize


def test_an_empty_queue_takes_a_datagram_larger_than_the_buffer():
    lab = Lab()
    net, nic = host(lab)
    sk = bound(lab, net)
    sk.sk_rcvbuf = 2304 - 1
    for _ in range(2):
        nic.frame_arrives(lab.now, udp_frame(net, 1000))
    lab.drain()
    assert len(sk.sk_receive_queue) == 1


def test_memory_goes_back_in_quarters_while_the_reader_is_behind():
    lab = Lab()
    client, server = veth_hosts(lab)
    sk = bound(lab, server)
    sk.sk_rcvbuf = 8 * 832
    sender = udp_socket(client)
    for _ in range(8):
        udp_sendmsg(lab.cpu(client), sender, (server.address, 9), 10)
    assert udp_recvmsg(lab.cpu(server), sk, 100) == 10
    assert sk.sk_rmem_alloc == 8 * 832
    assert udp_rqueue_get(sk) == 7 * 832
    udp_recvmsg(lab.cpu(server), sk, 100)
    assert sk.sk_rmem_alloc == 6 * 832
    while udp_recvmsg(lab.cpu(server), sk, 100):
        pass
    assert sk.sk_rmem_alloc == sk.forward_deficit == 0
    assert server.mib[Udp.InDatagrams] == server.delivered == 8


def test_a_read_cuts_a_datagram_off():
    lab = Lab()
    client, server = veth_hosts(lab)
    sk = bound(lab, server)
    udp_sendmsg(lab.cpu(client), udp_socket(client), (server.address, 9), 100)
    assert udp_recvmsg(lab.cpu(server), sk, 30) == 30
    assert udp_recvmsg(lab.cpu(server), sk, 30) is None


def test_a_closed_port_refuses_a_connected_sender_once():
    lab = Lab()
    client, server = veth_hosts(lab)
    sk = udp_socket(client)
    udp_connect(lab.cpu(client), sk, server.address, 9)
    cpu = lab.cpu(client)
    assert [udp_sendmsg(cpu, sk, None, 10) for _ in range(3)] == [10, -ECONNREFUSED, 10]
    assert server.mib[Udp.NoPorts] == 2
    assert server.mib[Icmp.OutDestUnreachs] == 2
    assert client.mib[Icmp.InDestUnreachs] == 2
    assert server.mib[Udp.InErrors] == 0
    assert server.drops == {DropReason.NO_SOCKET: 2}


def test_an_unconnected_sender_learns_nothing():
    lab = Lab()
    client, server = veth_hosts(lab)
    sk = udp_socket(client)
    cpu = lab.cpu(client)
    assert [udp_sendmsg(cpu, sk, (server.address, 9), 10) for _ in range(3)] == [10, 10, 10]


def test_icmp_errors_are_limited_per_peer():
    lab = Lab()
    client, server = veth_hosts(lab)
    sk = udp_socket(client)
    for _ in range(20):
        udp_sendmsg(lab.cpu(client), sk, (server.address, 9), 10)
    assert server.mib[Icmp.OutDestUnreachs] == 6
    assert server.mib[Icmp.OutRateLimitHost] == 14
    lab.set(server, ICMP_RATELIMIT, 0)
    for _ in range(20):
        udp_sendmsg(lab.cpu(client), sk, (server.address, 9), 10)
    assert server.mib[Icmp.OutDestUnreachs] == 26


def test_icmp_errors_are_limited_for_the_whole_host():
    lab = Lab()
    net, nic = host(lab, rx_ring=4096)
    lab.set(net, ICMP_RATELIMIT, 0)
    for _ in range(60):
        nic.frame_arrives(0, udp_frame(net))
    lab.drain()
    assert net.mib[Icmp.OutDestUnreachs] == 50
    assert net.mib[Icmp.OutRateLimitGlobal] == 10


def test_bind_refuses_a_taken_port_and_a_foreign_address():
    lab = Lab()
    net, _ = host(lab)
    cpu = lab.cpu(net)
    sk = bound(lab, net)
    assert udp_bind(cpu, sk, 0, 10) == -EINVAL
    assert udp_bind(cpu, udp_socket(net), net.address, 9) == -EADDRINUSE
    assert udp_bind(cpu, udp_socket(net), ip_parse("10.9.9.9"), 99) == -EADDRNOTAVAIL
    udp_destroy(cpu, sk)
    assert udp_bind(cpu, udp_socket(net), net.address, 9) == 0


def test_automatic_ports_come_from_the_range_until_it_is_used_up():
    lab = Lab()
    net, _ = host(lab)
    lab.set(net, IP_LOCAL_PORT_RANGE, (40000, 40003))
    sockets = [udp_socket(net) for _ in range(5)]
    results = [udp_bind(lab.cpu(net), sk, 0, 0) for sk in sockets]
    assert results == [0, 0, 0, 0, -EADDRINUSE]
    assert sorted(sk.sk_num for sk in sockets[:4]) == [40000, 40001, 40002, 40003]


def test_the_most_specific_socket_gets_the_datagram():
    lab = Lab()
    client, server = veth_hosts(lab)
    cpu = lab.cpu(server)
    anyone, connected = udp_socket(server), udp_socket(server)
    anyone.sk_reuse = connected.sk_reuse = True
    udp_bind(cpu, anyone, 0, 9)
    udp_bind(cpu, connected, 0, 9)
    udp_connect(cpu, connected, client.address, 7)
    first, second = bound(lab, client, 7), bound(lab, client, 8)
    for sender in (first, second):
        udp_sendmsg(lab.cpu(client), sender, (server.address, 9), 10)
    assert [skb.flow[1] for skb in connected.sk_receive_queue] == [7]
    assert [skb.flow[1] for skb in anyone.sk_receive_queue] == [8]


def test_what_send_refuses():
    lab = Lab()
    client, server = two_hosts(lab)
    cpu, sk = lab.cpu(client), udp_socket(client)
    to = (server.address, 9)
    assert udp_sendmsg(cpu, sk, None, 10) == -EDESTADDRREQ
    assert udp_bind(cpu, sk, 0, 7) == -EINVAL, "a send that names no peer binds the socket all the same"
    assert udp_sendmsg(cpu, sk, to, 70000) == -EMSGSIZE
    assert udp_sendmsg(cpu, sk, to, 1473) == -EMSGSIZE
    assert udp_sendmsg(cpu, sk, to, 1472) == 1472
    assert udp_sendmsg(cpu, sk, to, 12900, 100) == -EINVAL
    assert client.mib[Ip.OutRequests] == 1


def test_a_full_send_buffer_asks_to_wait_and_completion_wakes():
    lab = Lab()
    client, server = two_hosts(lab)
    sk = udp_socket(client)
    sk.sk_sndbuf = 4608
    to = (server.address, 9)
    cpu = lab.cpu(client)
    assert [udp_sendmsg(cpu, sk, to, 1000) for _ in range(3)] == [1000, 1000, -EAGAIN]
    assert sk.sk_nospace
    lab.drain()
    assert not sk.sk_nospace
    assert udp_sendmsg(lab.cpu(client), sk, to, 1000) == 1000


def test_closing_drops_what_was_never_read_and_the_books_balance():
    lab = Lab()
    client, server = veth_hosts(lab)
    sk = bound(lab, server)
    for _ in range(3):
        udp_sendmsg(lab.cpu(client), udp_socket(client), (server.address, 9), 10)
    udp_recvmsg(lab.cpu(server), sk, 10)
    udp_destroy(lab.cpu(server), sk)
    assert server.drops == {DropReason.SOCKET_CLOSE: 2}
    assert client.born == server.delivered + sum(server.drops.values())
    assert sk.id not in server.sockets


def test_recvmmsg_takes_what_waits_and_no_more():
    lab = Lab()
    client, server = two_hosts(lab)
    task = Task(1, "reader", server, 0)
    cpu = lab.cpu(server)
    fd = do_syscall(cpu, task, Syscall("socket", (SOCK_DGRAM,)))
    assert do_syscall(cpu, task, Syscall("bind", (fd, (0, 9)))) == 0
    assert do_syscall(cpu, task, Syscall("recvmmsg", (fd, 8, 2000))) is None
    task.finish_wait()
    sender = udp_socket(client)
    for size in (10, 20, 30, 40, 50):
        udp_sendmsg(lab.cpu(client), sender, (server.address, 9), size)
    lab.drain()
    call = Syscall("recvmmsg", (fd, 3, 2000))
    assert (do_syscall(cpu, task, call), call.done) == (3, 60)
    call = Syscall("recvmmsg", (fd, 3, 2000))
    assert (do_syscall(cpu, task, call), call.done) == (2, 90)
