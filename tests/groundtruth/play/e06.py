"""E06: order and parity of ephemeral ports."""

from __future__ import annotations

from itertools import pairwise

from tests.groundtruth.pair import MS, SERVER, PairLab, local_port, sleep, sys


def listener():
    """Listen and accept nothing."""
    fd = yield sys("socket", "SOCK_STREAM")
    yield sys("bind", fd, (0, 8080))
    yield sys("listen", fd, 100)
    yield sleep(10_000 * MS)


def connects(lab, count, ports):
    """So many connections; the ports they got."""
    for _ in range(count):
        fd = yield sys("socket", "SOCK_STREAM")
        yield sys("connect", fd, (SERVER, 8080))
        ports.append(local_port(lab.client, fd))
    yield sleep(10_000 * MS)


def binds(lab, count, ports):
    """So many bind() to port 0; the ports they got."""
    for _ in range(count):
        fd = yield sys("socket", "SOCK_STREAM")
        yield sys("bind", fd, (0, 0))
        ports.append(local_port(lab.client, fd))
    yield sleep(10_000 * MS)


def ports_of(program, count: int, sysctl: dict[str, str] | None = None) -> list[int]:
    """The ports a program got, in order."""
    lab = PairLab("veth", sysctl)
    ports: list[int] = []
    lab.run(lab.server, listener())
    lab.run(lab.client, program(lab, count, ports), at=5 * MS)
    lab.wait(500 * MS)
    return ports


def play() -> dict[str, object]:
    """Every observation of the document."""
    connected = ports_of(connects, 60)
    bound = ports_of(binds, 60)
    small = {
        "net.ipv4.ip_local_port_range": "40000 40009",
        "net.ipv4.ip_local_reserved_ports": "40002-40005",
    }
    few = ports_of(connects, 6, small)
    return {
        "connect_parities_seen_32768_60999": sorted({port % 2 for port in connected}),
        "connect_ports_sequential": all(b - a == 1 for a, b in pairwise(connected)),
        "bind0_parities_seen_32768_60999": sorted({port % 2 for port in bound}),
        "with_reserved_40002-40005": sorted(few),
        "parity_order_in_small_range": [port % 2 for port in few],
    }
