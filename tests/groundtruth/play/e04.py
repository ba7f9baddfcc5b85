"""E04: the server closes first, and the client uses its port again at once."""

from __future__ import annotations

import errno

from tests.groundtruth.pair import MS, SERVER, PairLab, sleep, sys

COUNTED = ("TcpExtTW", "TcpExtTWRecycled", "TcpPassiveOpens")


def server():
    """Accept and close, again and again."""
    listener = yield sys("socket", "SOCK_STREAM")
    yield sys("bind", listener, (0, 8080))
    yield sys("listen", listener, 8)
    while True:
        fd = yield sys("accept", listener)
        yield sys("close", fd)


def client(outcomes):
    """Five connections from the only port; each is closed when the server has closed it."""
    for _ in range(5):
        fd = yield sys("socket", "SOCK_STREAM")
        error = yield sys("connect", fd, (SERVER, 8080))
        outcomes.append("ok" if not error else errno.errorcode[-error])
        yield sys("recv", fd, 100)
        yield sys("close", fd)
        yield sleep(20 * MS)
    yield sleep(1000 * MS)


def states(lab: PairLab, name: str) -> dict[str, int]:
    """How many sockets of a host are in which state, listeners left out."""
    found: dict[str, int] = {}
    for row in lab.host(name).sockets:
        if row.state != "LISTEN":
            state = row.state.replace("-", "_")
            found[state] = found.get(state, 0) + 1
    return found


def play() -> dict[str, object]:
    """Every observation of the document."""
    lab = PairLab("veth", {"net.ipv4.ip_local_port_range": "40000 40000"})
    outcomes: list[str] = []
    lab.run(lab.server, server())
    lab.run(lab.client, client(outcomes), at=5 * MS)
    lab.wait(500 * MS)
    return {
        "five_connections_in_a_row_from_one_port": outcomes,
        "states": {name: states(lab, name) for name in ("client", "server")},
        "server_counters": lab.counters("server", COUNTED),
    }
