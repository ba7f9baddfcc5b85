"""A01: how many connections fit into the accept queue."""

from __future__ import annotations

from tests.groundtruth.handshakes import listener_row, states
from tests.groundtruth.pair import MS, SERVER, PairLab, sleep, sys

CASES = ((0, 4096), (1, 4096), (5, 4096), (128, 4096), (10, 4), (4096, 16), (-1, 8), (3, 0))
EXTRA = 5


def server(backlog):
    """Listen and never accept."""
    fd = yield sys("socket", "SOCK_STREAM")
    yield sys("bind", fd, (0, 8080))
    yield sys("listen", fd, backlog)
    yield sleep(10_000 * MS)


def client(count):
    """Connect one after another without waiting."""
    for _ in range(count):
        fd = yield sys("socket", "SOCK_STREAM|SOCK_NONBLOCK")
        yield sys("connect", fd, (SERVER, 8080))
        yield sleep(1 * MS)
    yield sleep(10_000 * MS)


def capacity(backlog: int, somaxconn: int) -> dict[str, int]:
    """Who got in."""
    lab = PairLab("veth", {"net.core.somaxconn": str(somaxconn)})
    lab.run(lab.server, server(backlog))
    limit = somaxconn if backlog < 0 else min(backlog, somaxconn)
    lab.run(lab.client, client(limit + EXTRA), at=2 * MS)
    lab.wait((400 + limit) * MS)
    at_client, at_server = states(lab.world, "client"), states(lab.world, "server")
    row = listener_row(lab.world, "server")
    return {
        "client_ESTABLISHED": at_client.get("ESTABLISHED", 0),
        "client_SYN_SENT": at_client.get("SYN_SENT", 0),
        "server_ESTABLISHED": at_server.get("ESTABLISHED", 0),
        "server_SYN_RECV": at_server.get("SYN_RECV", 0),
        "ss_Recv-Q": row.recv_q,
        "ss_Send-Q": row.send_q,
        **lab.counters("server", ("ListenOverflows", "ListenDrops")),
    }


def play() -> dict[str, object]:
    """Every pair of backlog and somaxconn."""
    return {f"backlog {backlog} somaxconn {limit}": capacity(backlog, limit) for backlog, limit in CASES}
