"""I02: UDP without a listener, and what a connected sender hears of it."""

from __future__ import annotations

import errno

from tests.groundtruth.pair import MS, SERVER, PairLab, sleep, sys


def sender(results):
    """Three datagrams to a closed port."""
    fd = yield sys("socket", "SOCK_DGRAM")
    yield sys("connect", fd, (SERVER, 9))
    for _ in range(3):
        result = yield sys("send", fd, 10)
        results.append("ok" if result >= 0 else errno.errorcode[-result])
        yield sleep(10 * MS)


def play() -> dict[str, object]:
    """What the sends gave, and what the receiving host counted."""
    lab = PairLab("veth")
    results: list[str] = []
    lab.run(lab.client, sender(results))
    lab.wait(100 * MS)
    return {
        "three_sends": results,
        "counters": lab.counters("server", ("UdpNoPorts", "IcmpOutDestUnreachs", "UdpInErrors")),
    }
