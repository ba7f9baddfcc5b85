"""A host that talks to itself."""

from __future__ import annotations

import pytest

from tests.groundtruth.pair import MS, PairLab, sleep, sys
from wireside.catalog.inet import ip_parse
from wireside.kernel.tcp.sock.tcp_sock import TcpSock


def server(got: list[int]):
    """Accept one, read to the end."""
    listener = yield sys("socket", "SOCK_STREAM")
    yield sys("bind", listener, (0, 8080))
    yield sys("listen", listener, 8)
    fd = yield sys("accept", listener)
    while (count := (yield sys("recv", fd, 1 << 20))) > 0:
        got.append(count)


def client(address: int):
    """Send half a megabyte."""
    fd = yield sys("socket", "SOCK_STREAM")
    yield sys("connect", fd, (address, 8080))
    yield sys("send", fd, 500_000)
    yield sleep(10 * MS)
    yield sys("close", fd)


@pytest.mark.parametrize(
    ("address", "source"),
    [("127.0.0.1", "127.0.0.1"), ("127.1.2.3", "127.0.0.1"), ("10.0.0.2", "10.0.0.2")],
)
def test_loopback_takes_segments_as_large_as_half_the_first_window(address: str, source: str) -> None:
    lab = PairLab("veth")
    got: list[int] = []
    lab.run(lab.client, server(got))
    lab.run(lab.client, client(ip_parse(address)), at=5 * MS, cpu=1)
    lab.wait(10 * MS)
    sender = next(sk for sk in lab.client.sockets.values() if isinstance(sk, TcpSock) and sk.bytes_sent)
    assert sender.advmss == 65483
    assert sender.flow_out is not None
    assert (sender.flow_out[0], sender.flow_out[2]) == (ip_parse(source), ip_parse(address))
    lab.wait(100 * MS)
    assert sum(got) == 500_000
    assert lab.client.dev is not None
    assert lab.client.dev.tx_packets == 0
