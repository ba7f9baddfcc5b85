"""H01: a burst against netdev_max_backlog."""

from __future__ import annotations

from tests.groundtruth.pair import MS, SERVER, PairLab, sleep, sys

LIMITS = (1, 5, 10, 30, 59, 60, 1000)
COUNT, SIZE, PORT = 60, 100, 9000
COUNTED = ("UdpInDatagrams", "UdpInErrors", "UdpRcvbufErrors", "IpInReceives", "IpInDiscards")


def receiver(got):
    """Bind, wait until the burst is over, and take what has come."""
    fd = yield sys("socket", "SOCK_DGRAM")
    yield sys("bind", fd, (0, PORT))
    yield sleep(20 * MS)
    while (yield sys("recv", fd, 2048, "MSG_DONTWAIT")) >= 0:
        got.append(1)
    yield sleep(1000 * MS)


def sender(sent):
    """One write that UDP cuts into datagrams."""
    fd = yield sys("socket", "SOCK_DGRAM")
    yield sys("connect", fd, (SERVER, PORT))
    yield sys("setsockopt", fd, "UDP_SEGMENT", SIZE)
    sent.append((yield sys("send", fd, COUNT * SIZE)) // SIZE)


def burst(limit: int) -> tuple[dict[str, object], dict[str, int]]:
    """Send one burst; (what was counted, the receiving device's counters)."""
    lab = PairLab("veth", {"net.core.netdev_max_backlog": str(limit)})
    got: list[int] = []
    sent: list[int] = []
    lab.run(lab.server, receiver(got))
    lab.run(lab.client, sender(sent), at=5 * MS)
    lab.wait(50 * MS)
    seen = {
        "sent": sent[0],
        "received": len(got),
        "softnet_dropped": sum(row.dropped for row in lab.host("server").softnet),
    }
    device = dict(lab.host("server").nics[0].statistics)
    return seen | lab.counters("server", COUNTED), device


def play() -> dict[str, object]:
    """Every limit, and the device at one of them."""
    result: dict[str, object] = {}
    for limit in LIMITS:
        seen, device = burst(limit)
        result[f"netdev_max_backlog={limit}"] = seen
        if limit == 10:
            result["receiving device's counters (limit 10)"] = device
    return result
