"""The token bucket holds a device to its rate."""

from __future__ import annotations

from itertools import pairwise

from tests.groundtruth.pair import MS, SECOND, SERVER, PairLab, client_socket, server_socket, sleep, sys
from wireside.kernel.core.sch_tbf import Tbf

PORT = 9000


def datagrams(count: int, size: int):
    """Send them one after the other."""
    fd = yield sys("socket", "SOCK_DGRAM")
    yield sys("connect", fd, (SERVER, PORT))
    for _ in range(count):
        yield sys("send", fd, size)
    yield sleep(SECOND)


def receiver(times: list[int], lab: PairLab):
    """Write down when each comes."""
    fd = yield sys("socket", "SOCK_DGRAM")
    yield sys("bind", fd, (0, PORT))
    while True:
        yield sys("recv", fd, 2048)
        times.append(lab.now)


def test_the_burst_leaves_at_once_and_the_rest_at_the_rate() -> None:
    lab = PairLab("veth")
    assert lab.client.dev is not None
    lab.client.dev.qdisc = qdisc = Tbf(rate_bps=800_000, burst=3000, limit_bytes=100_000)
    times: list[int] = []
    lab.run(lab.server, receiver(times, lab))
    lab.run(lab.client, datagrams(10, 958), at=5 * MS, cpu=1)
    lab.wait(SECOND)
    assert len(times) == 10
    assert times[2] - times[0] < 1 * MS
    gaps = [round((b - a) / MS) for a, b in pairwise(times[2:])]
    assert gaps == [10] * 7
    assert (qdisc.dropped, qdisc.backlog) == (0, 0)


def test_a_tcp_sender_is_held_back_not_cut() -> None:
    lab = PairLab("veth")
    assert lab.client.dev is not None
    lab.client.dev.qdisc = qdisc = Tbf(rate_bps=8_000_000, burst=5000, limit_bytes=1_000_000)
    got: list[int] = []

    def reader():
        listener = yield from server_socket()
        fd = yield sys("accept", listener)
        while (count := (yield sys("recv", fd, 1 << 20))) > 0:
            got.append(count)

    def writer():
        fd = yield from client_socket()
        yield sys("send", fd, 500_000)
        yield sys("close", fd)

    lab.run(lab.server, reader())
    lab.run(lab.client, writer(), at=5 * MS, cpu=1)
    lab.wait(400 * MS)
    assert 300_000 < sum(got) < 420_000
    lab.wait(2 * SECOND)
    assert sum(got) == 500_000
    assert qdisc.dropped == 0
