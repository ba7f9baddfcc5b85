"""H02: single sends never build a backlog."""

from __future__ import annotations

from tests.groundtruth.pair import MS, SERVER, PairLab, sys
from tests.groundtruth.play.h01 import COUNT, PORT, SIZE, receiver


def sender():
    """One datagram per call."""
    fd = yield sys("socket", "SOCK_DGRAM")
    yield sys("connect", fd, (SERVER, PORT))
    for _ in range(COUNT):
        yield sys("send", fd, SIZE)


def play() -> dict[str, object]:
    """60 datagrams, one by one, with netdev_max_backlog=1."""
    lab = PairLab("veth", {"net.core.netdev_max_backlog": "1"})
    got: list[int] = []
    lab.run(lab.server, receiver(got))
    lab.run(lab.client, sender(), at=5 * MS)
    lab.wait(50 * MS)
    softnet = lab.host("server").softnet
    return {
        "softnet_dropped": sum(row.dropped for row in softnet),
        "softnet_processed": sum(row.processed for row in softnet),
        "received": len(got),
    }
