"""E01: connecting until the ephemeral range is used up."""

from __future__ import annotations

import errno

from tests.groundtruth.pair import MS, SERVER, PairLab, local_port, sleep, sys
from wireside.catalog.inet import ip_parse

RANGE = {"net.ipv4.ip_local_port_range": "40000 40009"}
SECOND_SERVER, SECOND_CLIENT = ip_parse("10.0.0.3"), ip_parse("10.0.0.4")


def listeners():
    """Listen on two ports, accept nothing."""
    for port in (8080, 8081):
        fd = yield sys("socket", "SOCK_STREAM")
        yield sys("bind", fd, (0, port))
        yield sys("listen", fd, 100)
    yield sleep(10_000 * MS)


def connect_all(address, port):
    """Connect until it fails; (descriptors, errno's name)."""
    fds = []
    while True:
        fd = yield sys("socket", "SOCK_STREAM")
        result = yield sys("connect", fd, (address, port))
        if result < 0:
            yield sys("close", fd)
            return fds, errno.errorcode[-result]
        fds.append(fd)


def from_second_address(*, no_port):
    """bind() to the second source address and port 0, then connect()."""
    fd = yield sys("socket", "SOCK_STREAM")
    if no_port:
        yield sys("setsockopt", fd, "IP_BIND_ADDRESS_NO_PORT", 1)
    result = yield sys("bind", fd, (SECOND_CLIENT, 0))
    result = result or (yield sys("connect", fd, (SERVER, 8080)))
    return "ok" if not result else errno.errorcode[-result]


def client(lab, result):
    """All attempts."""
    fds, then = yield from connect_all(SERVER, 8080)
    result["same_destination"] = {"connected": len(fds), "then": then}
    result["ports_used"] = sorted(local_port(lab.client, fd) for fd in fds)
    for name, address, port in (("second_port", SERVER, 8081), ("second_address", SECOND_SERVER, 8080)):
        more, then = yield from connect_all(address, port)
        result[name] = {"connected": len(more), "then": then}
    result["second_source_address"] = {
        "bind_port_0": (yield from from_second_address(no_port=False)),
        "bind_address_no_port": (yield from from_second_address(no_port=True)),
    }
    yield sys("setsockopt", fds[0], "SO_LINGER", 0)
    yield sys("close", fds[0])
    fd = yield sys("socket", "SOCK_STREAM")
    again = yield sys("connect", fd, (SERVER, 8080))
    result["after_one_reset_close"] = "ok" if not again else errno.errorcode[-again]
    yield sleep(10_000 * MS)


def play() -> dict[str, object]:
    """Every observation of the document."""
    lab = PairLab("veth", RANGE)
    lab.server.secondary = (SECOND_SERVER,)
    lab.client.secondary = (SECOND_CLIENT,)
    result: dict[str, object] = {}
    lab.run(lab.server, listeners())
    lab.run(lab.client, client(lab, result), at=5 * MS)
    lab.wait(1000 * MS)
    return result
