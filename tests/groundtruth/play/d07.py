"""D07: thirty closes with room for ten TIME_WAIT entries."""

from __future__ import annotations

from tests.groundtruth.pair import MS, SECOND, PairLab, client_socket, server_socket, sleep, sys
from tests.groundtruth.states import moved, states

CLOSES = 30


def server():
    """Close each connection 20 ms after the client."""
    listener = yield from server_socket()
    for _ in range(CLOSES):
        fd = yield sys("accept", listener)
        yield sys("recv", fd, 1)
        yield sleep(60 * MS)
        yield sys("close", fd)
    yield sleep(1000 * SECOND)


def client():
    """Open and close, one after the other."""
    for _ in range(CLOSES):
        fd = yield from client_socket()
        yield sleep(20 * MS)
        yield sys("close", fd)
        yield sleep(150 * MS)
    yield sleep(1000 * SECOND)


def play() -> dict[str, object]:
    """All thirty."""
    lab = PairLab(sysctl={"net.ipv4.tcp_max_tw_buckets": "10"})
    lab.run(lab.server, server())
    before = lab.host("client")
    lab.run(lab.client, client(), at=10 * MS)
    lab.wait(10 * SECOND)
    return {
        "client": states(lab.host("client")),
        "server": states(lab.host("server")),
        "counters": moved(lab.host("client"), before, ("TcpOutRsts", "TW", "TCPTimeWaitOverflow")),
    }
