"""time_squeeze by budget and weight: each round of net_rx_action polls each NAPI once, and counts when it took the budget.

Measured on Linux 6.18.44: a burst cut into datagrams above a veth pair, all processed by one CPU; nothing is lost.
"""

from __future__ import annotations

import pytest

from tests.groundtruth.pair import MS, SERVER, PairLab, sleep, sys

SIZE, PORT = 100, 9000


def receiver():
    """Bind, and leave everything in the buffer."""
    fd = yield sys("socket", "SOCK_DGRAM")
    yield sys("bind", fd, (0, PORT))
    yield sleep(1000 * MS)


def sender(count: int):
    """One write that UDP cuts into datagrams."""
    fd = yield sys("socket", "SOCK_DGRAM")
    yield sys("connect", fd, (SERVER, PORT))
    yield sys("setsockopt", fd, "UDP_SEGMENT", SIZE)
    yield sys("send", fd, count * SIZE)


@pytest.mark.parametrize(
    ("count", "budget", "weight", "squeezed"),
    [
        (60, 300, 64, 0), (60, 61, 64, 0), (60, 60, 64, 1), (60, 59, 64, 1), (60, 20, 64, 1), (60, 1, 64, 1),
        (60, 60, 100, 1), (60, 20, 16, 0), (60, 16, 16, 3), (60, 15, 16, 3), (60, 16, 8, 0), (60, 9, 8, 0),
        (60, 8, 8, 7), (60, 7, 8, 7), (60, 1, 8, 8), (60, 2, 1, 0), (60, 1, 1, 60), (60, 30, 32, 1), (60, 1, 30, 2),
        (60, 1, 60, 1), (60, 3, 4, 15), (64, 64, 64, 1), (64, 65, 64, 0), (8, 1, 64, 1), (1, 1, 64, 1), (8, 20, 16, 0),
    ],
)  # fmt: skip
def test_time_squeeze(count: int, budget: int, weight: int, squeezed: int) -> None:
    """The burst arrives whole, after so many rounds that used the budget up."""
    lab = PairLab("veth", {"net.core.netdev_budget": str(budget), "net.core.dev_weight": str(weight)})
    lab.run(lab.server, receiver())
    lab.run(lab.client, sender(count), at=5 * MS)
    lab.wait(50 * MS)
    rows = lab.host("server").softnet
    assert sum(row.processed for row in rows) == count
    assert sum(row.time_squeeze for row in rows) == squeezed
    assert lab.counters("server", ["UdpInDatagrams", "UdpInErrors"])["UdpInErrors"] == 0
