"""S02: a transfer stalled by a closed window."""

from __future__ import annotations

from tests.groundtruth.pair import MS, SECOND, PairLab, client_socket, server_socket, sleep, sys
from tests.groundtruth.states import states


def sleeper():
    """Accept and never read."""
    listener = yield from server_socket()
    yield sys("accept", listener)
    yield sleep(1000 * SECOND)


def writer():
    """Write more than fits."""
    fd = yield from client_socket()
    yield sys("send", fd, 10_000_000)


def play() -> dict[str, object]:
    """Two seconds of it."""
    lab = PairLab()
    lab.run(lab.server, sleeper())
    lab.run(lab.client, writer(), at=10 * MS)
    lab.wait(2 * SECOND)
    return {"states": {name: states(lab.host(name)) for name in ("client", "server")}}
