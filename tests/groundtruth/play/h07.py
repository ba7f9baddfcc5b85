"""H07: a full transmit queue."""

from __future__ import annotations

from errno import errorcode

from tests.groundtruth.pair import MS, SERVER, PairLab, sleep, sys
from wireside.kernel.core.sch_tbf import Tbf

RATE_BPS, BURST, LIMIT = 8_000, 2000, 3000
COUNT, SIZE, PORT = 50, 500, 9000


def sender(recverr: int, errors: dict[str, int]):
    """All datagrams as fast as the calls return."""
    fd = yield sys("socket", "SOCK_DGRAM")
    yield sys("setsockopt", fd, "IP_RECVERR", recverr)
    yield sys("connect", fd, (SERVER, PORT))
    for _ in range(COUNT):
        result = yield sys("send", fd, SIZE)
        if result < 0:
            name = errorcode[-result]
            errors[name] = errors.get(name, 0) + 1
    yield sleep(1000 * MS)


def listener():
    """Somebody has the port."""
    fd = yield sys("socket", "SOCK_DGRAM")
    yield sys("bind", fd, (0, PORT))
    yield sleep(1000 * MS)


def burst(recverr: int) -> dict[str, object]:
    """Send, and look at the queue."""
    lab = PairLab("veth")
    assert lab.client.dev is not None
    lab.client.dev.qdisc = qdisc = Tbf(RATE_BPS, BURST, LIMIT)
    errors: dict[str, int] = {}
    lab.run(lab.server, listener())
    lab.run(lab.client, sender(recverr, errors), at=5 * MS)
    lab.wait(20 * MS)
    return {
        "qdisc_dropped": qdisc.dropped,
        "qdisc_backlog": f"{qdisc.backlog}b {len(qdisc.queue)}p",
        "send_errors": errors,
        **lab.counters("client", ("UdpSndbufErrors", "UdpOutDatagrams")),
    }


def play() -> dict[str, object]:
    """Both settings of IP_RECVERR."""
    return {f"IP_RECVERR={recverr}": burst(recverr) for recverr in (0, 1)}
