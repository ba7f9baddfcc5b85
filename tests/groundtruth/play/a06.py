"""A06: somaxconn after listen(), and listen() again."""

from __future__ import annotations

from tests.groundtruth.handshakes import SECOND, listener_row, states
from tests.groundtruth.pair import MS, SERVER, PairLab, sleep, sys

CLIENTS = 8
AGAIN = 200 * MS


def server(lab, result):
    """Listen, have somaxconn raised, listen again, and once more with less."""

    def send_q() -> int:
        return listener_row(lab.world, "server").send_q

    fd = yield sys("socket", "SOCK_STREAM")
    yield sys("bind", fd, (0, 8080))
    yield sys("listen", fd, 64)
    result["send_q_at_listen"] = send_q()
    lab.world.command("server", "net.core.somaxconn", "64")
    result["send_q_after_sysctl"] = send_q()
    yield sleep(AGAIN)
    result["accept_queue_before_second_listen"] = listener_row(lab.world, "server").recv_q
    yield sys("listen", fd, 64)
    result["send_q_after_second_listen"] = send_q()
    start = lab.now
    while states(lab.world, "client").get("SYN_SENT", 0):
        yield sleep(1 * MS)
    result["waiting_clients_established_after_s"] = (lab.now - start) / SECOND
    yield sleep(50 * MS)
    result["accept_queue_after_second_listen"] = listener_row(lab.world, "server").recv_q
    yield sys("listen", fd, 2)
    result["send_q_after_listen(2)"] = send_q()
    result["accept_queue_kept_after_shrinking"] = listener_row(lab.world, "server").recv_q
    yield sleep(10 * SECOND)


def client():
    """Eight connections at once."""
    for _ in range(CLIENTS):
        fd = yield sys("socket", "SOCK_STREAM|SOCK_NONBLOCK")
        yield sys("connect", fd, (SERVER, 8080))
        yield sleep(1 * MS)
    yield sleep(20 * SECOND)


def play() -> dict[str, object]:
    """Every observation of the document."""
    lab = PairLab("veth", {"net.core.somaxconn": "4"})
    result: dict[str, object] = {}
    lab.run(lab.server, server(lab, result))
    lab.run(lab.client, client(), at=2 * MS)
    lab.wait(4 * SECOND)
    return result
