"""D01: TIME_WAIT lasts 60 s, whatever tcp_fin_timeout says."""

from __future__ import annotations

from tests.groundtruth.pair import MS, SECOND, PairLab, client_socket, server_socket, sleep, sys
from tests.groundtruth.states import moved, states, timers

POLL = 50 * MS


def server():
    """Accept, and close 50 ms after the client."""
    listener = yield from server_socket()
    fd = yield sys("accept", listener)
    yield sys("recv", fd, 1)
    yield sleep(50 * MS)
    yield sys("close", fd)
    yield sleep(1000 * SECOND)


def client():
    """Connect and close."""
    fd = yield from client_socket()
    yield sleep(100 * MS)
    yield sys("close", fd)
    yield sleep(1000 * SECOND)


def wait_out(fin_timeout: int) -> dict[str, object]:
    """One close, watched until nothing is left."""
    lab = PairLab(sysctl={"net.ipv4.tcp_fin_timeout": str(fin_timeout)})
    lab.run(lab.server, server())
    before = lab.host("client")
    lab.run(lab.client, client(), at=10 * MS)
    while "TIME_WAIT" not in states(lab.host("client")):
        lab.wait(POLL)
    began = lab.now
    host = lab.host("client")
    seen = {"client": states(host), "server": states(lab.host("server"))}
    shown = timers(host)[0]
    while states(lab.host("client")):
        lab.wait(POLL)
    return {
        "states": seen,
        "ss_timer": shown,
        "time_wait_s": (lab.now - began) / SECOND,
        "counters": moved(
            lab.host("client"), before, ("TW", "TWKilled", "TCPTimeWaitOverflow", "TcpOutRsts")
        ),
    }


def play() -> dict[str, object]:
    """Three values of tcp_fin_timeout."""
    return {
        f"fin_timeout={seconds} {what}": value
        for seconds in (60, 5, 120)
        for what, value in wait_out(seconds).items()
    }
