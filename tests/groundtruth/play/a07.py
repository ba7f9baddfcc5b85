"""A07: a full accept queue is drained while clients knock."""

from __future__ import annotations

from tests.groundtruth.handshakes import SECOND, states
from tests.groundtruth.pair import MS, SERVER, PairLab, sleep, sys

FILL, KNOCKING = 3, 3
START = 100 * MS


def server():
    """Backlog 2; accept one at 1.5 s and the rest at 3.5 s."""
    fd = yield sys("socket", "SOCK_STREAM")
    yield sys("bind", fd, (0, 8080))
    yield sys("listen", fd, 2)
    yield sleep(START + 1500 * MS)
    yield sys("accept", fd)
    yield sleep(2 * SECOND)
    for _ in range(FILL + KNOCKING - 1):
        yield sys("accept", fd)
    yield sleep(20 * SECOND)


def client():
    """Fill the queue; then three more at once."""
    for number in range(FILL + KNOCKING):
        if number == FILL:
            yield sleep(START - 2 * FILL * MS)
        fd = yield sys("socket", "SOCK_STREAM|SOCK_NONBLOCK")
        yield sys("connect", fd, (SERVER, 8080))
        if number < FILL:
            yield sleep(2 * MS)
    yield sleep(20 * SECOND)


def play() -> dict[str, object]:
    """When the knocking clients get in, and what had been counted then."""
    lab = PairLab("wire")
    lab.run(lab.server, server())
    lab.run(lab.client, client())
    lab.wait(START)
    before = lab.counters("server", ("TcpExtListenOverflows", "TcpExtListenDrops"))
    times: list[float] = []
    while len(times) < KNOCKING:
        lab.wait(1 * MS)
        fresh = states(lab.world, "client").get("ESTABLISHED", 0) - FILL - len(times)
        times += [(lab.now - START) / SECOND] * fresh
    lab.wait(100 * MS)
    after = lab.counters("server", before)
    return {"established_at_s": times, "counters": {name: after[name] - before[name] for name in before}}
