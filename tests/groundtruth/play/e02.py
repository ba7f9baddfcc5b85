"""E02: how long a port in TIME_WAIT stays taken, by tcp_tw_reuse."""

from __future__ import annotations

import errno

from tests.groundtruth.pair import MS, SECOND, SERVER, PairLab, sleep, sys
from wireside.catalog.inet import ip_parse

LOOPBACK = ip_parse("127.0.0.1")
RETRY = 30 * MS


def server():
    """Accept two connections; close each when its client has."""
    listener = yield sys("socket", "SOCK_STREAM")
    yield sys("bind", listener, (0, 8080))
    yield sys("listen", listener, 8)
    while True:
        fd = yield sys("accept", listener)
        yield sys("recv", fd, 100)
        yield sys("close", fd)


def client(lab, net, address, result):
    """Connect and close first, then try again until it works."""
    fd = yield sys("socket", "SOCK_STREAM")
    yield sys("connect", fd, (address, 8080))
    yield sys("close", fd)
    yield sleep(20 * MS)
    rows = lab.host(net.name).sockets
    result["state_after_close"] = {"TIME_WAIT": sum(row.state == "TIME-WAIT" for row in rows)}
    began = lab.now
    while True:
        fd = yield sys("socket", "SOCK_STREAM")
        error = yield sys("connect", fd, (address, 8080))
        if not error:
            break
        result["error_until_then"] = errno.errorcode[-error]
        yield sys("close", fd)
        yield sleep(RETRY)
    result["connects_after_s"] = (lab.now - began) / SECOND
    known = lab.host(net.name).counters
    moved = {"TWRecycled": known["TcpExtTWRecycled"], "TW": known["TcpExtTW"]}
    result["counters"] = {name: value for name, value in moved.items() if value}
    yield sleep(10 * MS)


def attempt(where: str, reuse: int, timestamps: int) -> dict[str, object]:
    """One combination."""
    lab = PairLab(
        "veth",
        {
            "net.ipv4.tcp_tw_reuse": str(reuse),
            "net.ipv4.tcp_timestamps": str(timestamps),
            "net.ipv4.ip_local_port_range": "40000 40000",
        },
    )
    result: dict[str, object] = {}
    if where == "loopback":
        lab.run(lab.client, server())
        lab.run(lab.client, client(lab, lab.client, LOOPBACK, result), at=5 * MS, cpu=1)
    else:
        lab.run(lab.server, server())
        lab.run(lab.client, client(lab, lab.client, SERVER, result), at=5 * MS)
    lab.wait(70 * SECOND)
    return result


def play() -> dict[str, object]:
    """Every combination of the document."""
    return {
        f"{where} tcp_tw_reuse={reuse} timestamps={timestamps} {name}": value
        for where in ("veth", "loopback")
        for reuse in (0, 1, 2)
        for timestamps in (1, 0)
        for name, value in attempt(where, reuse, timestamps).items()
    }
