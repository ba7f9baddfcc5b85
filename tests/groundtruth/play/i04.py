"""I04: memory charged per datagram by payload size."""

from __future__ import annotations

from tests.groundtruth.pair import MS, SERVER, US, PairLab, sleep, sys
from tests.groundtruth.raw_peer import RawLab
from wireside.catalog.inet import ip_parse

PAYLOADS = range(1, 1473)
PORT = 9000
LOCALHOST = ip_parse("127.0.0.1")


def charged(net) -> int:
    """What the receiving socket's queue costs now."""
    return next(sk.sk_rmem_alloc for sk in net.sockets.values() if sk.sk_num == PORT)


def from_tun(steps: list[list[int]]) -> None:
    """A raw peer sends to a device that builds one sk_buff per packet."""
    lab = RawLab()
    fd = lab.sys("socket", "SOCK_DGRAM")
    lab.sys("bind", fd, (0, PORT))
    for payload in PAYLOADS:
        lab.peer.send(4000, PORT, protocol="udp", length=payload)
        lab.wait(100 * US)
        note(steps, payload, charged(lab.net))
        lab.sys("recv", fd, 2048)


def note(steps: list[list[int]], payload: int, memory: int) -> None:
    """Keep the payload at which the charge changes."""
    if not steps or steps[-1][1] != memory:
        steps.append([payload, memory])


def on_loopback(steps, net):
    """One program sends to itself."""
    fd = yield sys("socket", "SOCK_DGRAM")
    yield sys("bind", fd, (0, PORT))
    out = yield sys("socket", "SOCK_DGRAM")
    yield sys("connect", out, (LOCALHOST, PORT))
    for payload in PAYLOADS:
        yield sys("send", out, payload)
        note(steps, payload, charged(net))
        yield sys("recv", fd, 2048)


def receiver(steps, net):
    """Look at each datagram, then take it."""
    fd = yield sys("socket", "SOCK_DGRAM")
    yield sys("bind", fd, (0, PORT))
    for payload in PAYLOADS:
        while not charged(net):
            yield sleep(20 * US)
        note(steps, payload, charged(net))
        yield sys("recv", fd, 2048)


def sender():
    """Send one datagram at a time."""
    out = yield sys("socket", "SOCK_DGRAM")
    yield sys("connect", out, (SERVER, PORT))
    for payload in PAYLOADS:
        yield sys("send", out, payload)
        yield sleep(100 * US)


def play() -> dict[str, object]:
    """The steps on each kind of device."""
    tun: list[list[int]] = []
    veth: list[list[int]] = []
    loopback: list[list[int]] = []
    from_tun(tun)
    lab = PairLab("veth")
    lab.run(lab.server, receiver(veth, lab.server))
    lab.run(lab.client, sender(), at=1 * MS, cpu=1)
    lab.wait(300 * MS)
    lab = PairLab("veth")
    lab.run(lab.server, on_loopback(loopback, lab.server))
    lab.wait(300 * MS)
    return {
        "tun from_payload,charged": tun,
        "veth from_payload,charged": veth,
        "loopback from_payload,charged": loopback,
    }
