"""G01: write, write, read."""

from __future__ import annotations

from statistics import median

from tests.groundtruth.pair import MS, SECOND, PairLab, client_socket, server_socket, sys

ROUNDS = 40
SLOW = 20 * MS


def answerer(quickack):
    """Answer every second byte with one."""
    listener = yield from server_socket()
    fd = yield sys("accept", listener)
    got = 0
    while True:
        if quickack:
            yield sys("setsockopt", fd, "TCP_QUICKACK", 1)
        count = yield sys("recv", fd, 2 - got)
        if count <= 0:
            return
        got += count
        if got == 2:
            got = 0
            yield sys("send", fd, 1)


def asker(nodelay, lab, took):
    """Two writes and a read per round."""
    fd = yield from client_socket()
    if nodelay:
        yield sys("setsockopt", fd, "TCP_NODELAY", 1)
    for _ in range(ROUNDS):
        began = lab.now
        yield sys("send", fd, 1)
        yield sys("send", fd, 1)
        yield sys("recv", fd, 1)
        took.append(lab.now - began)


def rounds(nodelay: bool, quickack: bool) -> dict[str, object]:
    """How long the rounds took."""
    lab = PairLab("veth")
    took: list[int] = []
    lab.run(lab.server, answerer(quickack))
    lab.run(lab.client, asker(nodelay, lab, took), at=1 * MS, cpu=1)
    lab.wait(5 * SECOND)
    slow = [number for number, ns in enumerate(took) if ns > SLOW]
    result: dict[str, object] = {
        "median_round_s": median(took) / SECOND,
        "rounds_slower_than_20ms": len(slow),
        "first_slow_round": slow[0] if slow else None,
    }
    if slow:
        result["median_slow_round_s"] = median(took[number] for number in slow) / SECOND
    return result


def play() -> dict[str, object]:
    """All combinations."""
    return {
        f"nodelay={nodelay} quickack={quickack} {what}": value
        for nodelay in (False, True)
        for quickack in (False, True)
        for what, value in rounds(nodelay, quickack).items()
    }
