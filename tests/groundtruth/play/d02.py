"""D02: how long FIN_WAIT_2 lasts."""

from __future__ import annotations

from tests.groundtruth.pair import MS, SECOND, PairLab, client_socket, server_socket, sleep, sys
from tests.groundtruth.states import moved, received, sent, states

POLL = 100 * MS
PATIENCE = 100 * SECOND
COUNTED = ("TW", "TWKilled", "TCPAbortOnData", "TCPAbortOnLinger", "TcpOutRsts")
CASES = (
    ("close", 5, None),
    ("close", 60, None),
    ("close", 65, None),
    ("close", 75, None),
    ("close", 90, None),
    ("shutdown", 5, None),
    ("close", 60, 3),
    ("close", 60, -1),
)


def keeper():
    """A server that accepts and never closes."""
    listener = yield from server_socket()
    yield sys("accept", listener)
    yield sleep(1000 * SECOND)


def leaver(how: str, linger2: int | None):
    """A client that closes, or only says that it will write no more."""
    fd = yield from client_socket(**({"TCP_LINGER2": linger2} if linger2 is not None else {}))
    yield sleep(100 * MS)
    if how == "close":
        yield sys("close", fd)
    else:
        yield sys("shutdown", fd, "SHUT_WR")
    yield sleep(1000 * SECOND)


def linger(how: str, fin_timeout: int, linger2: int | None) -> dict[str, object]:
    """One connection left half closed."""
    lab = PairLab(sysctl={"net.ipv4.tcp_fin_timeout": str(fin_timeout)})
    lab.run(lab.server, keeper())
    before = lab.host("client")
    lab.run(lab.client, leaver(how, linger2), at=10 * MS)
    lab.wait(110 * MS)
    began = lab.now
    lab.wait(POLL)
    start = {"client": states(lab.host("client")), "server": states(lab.host("server"))}
    while states(lab.host("client")) and lab.now - began < PATIENCE:
        lab.wait(POLL)
    gone = not states(lab.host("client"))
    return {
        "states_at_start": start,
        "fin_wait_2_s": (lab.now - began) / SECOND if gone else None,
        "states_at_end": {"client": states(lab.host("client")), "server": states(lab.host("server"))},
        "counters": moved(lab.host("client"), before, COUNTED),
    }


def late_writes() -> dict[str, object]:
    """The peer writes when the FIN_WAIT_2 entry is gone: answered with RST, then refused."""
    lab = PairLab(sysctl={"net.ipv4.tcp_fin_timeout": "5"})
    got: list[int] = []

    def late_server():
        listener = yield from server_socket()
        fd = yield sys("accept", listener)
        yield sleep(10 * SECOND)
        got.append((yield sys("send", fd, 1)))
        yield sleep(100 * MS)
        got.append((yield sys("send", fd, 1)))
        got.append((yield sys("recv", fd, 1)))

    lab.run(lab.server, late_server())
    lab.run(lab.client, leaver("close", None), at=10 * MS)
    lab.wait(9 * SECOND)
    before = lab.host("client")
    lab.wait(3 * SECOND)
    first, second, end = got
    return {
        "peer_writes_after_fin_wait_2_is_gone": [sent(first), None, sent(second), received(end)],
        "rst_sent_for_that": moved(lab.host("client"), before, ("TcpOutRsts",)),
    }


def play() -> dict[str, object]:
    """All ways to leave, and a peer that comes too late."""
    result: dict[str, object] = {}
    for how, fin_timeout, linger2 in CASES:
        case = f"{how} fin_timeout={fin_timeout}" + ("" if linger2 is None else f" TCP_LINGER2={linger2}")
        result |= {f"{case} {what}": value for what, value in linger(how, fin_timeout, linger2).items()}
    return result | late_writes()
