"""O01: slow start, segments per round trip."""

from __future__ import annotations

from tests.groundtruth.pair import MS, SECOND, PairLab, client_socket, server_socket, sleep, sys

SEGMENTS, SIZE = 300, 1448
DELAY = 50 * MS
ROUND = 2 * DELAY
LARGE = 1 << 20


def reader():
    """Take everything at once."""
    listener = yield from server_socket(SO_RCVBUF=LARGE)
    fd = yield sys("accept", listener)
    while (yield sys("recv", fd, 1 << 20)) > 0:
        pass


def writer(congestion_control):
    """Write all segments at once."""
    fd = yield from client_socket(SO_SNDBUF=LARGE)
    yield sys("setsockopt", fd, "TCP_CONGESTION", congestion_control)
    yield sleep(200 * MS)
    yield sys("send", fd, SEGMENTS * SIZE)
    yield sleep(100 * SECOND)


def rounds(times: list[int]) -> list[int]:
    """How many of these frames belong together; a gap of half a round trip separates."""
    counts: list[int] = []
    last = -ROUND
    for when in times:
        if when - last > ROUND // 2:
            counts.append(0)
        counts[-1] += 1
        last = when
    return counts


def slow_start(congestion_control: str) -> dict[str, object]:
    """One transfer."""
    lab = PairLab("wire", {"net.ipv4.tcp_congestion_control": congestion_control}, delay_ns=DELAY)
    data, acks = lab.tap("client"), lab.tap("server")
    lab.run(lab.server, reader())
    lab.run(lab.client, writer(congestion_control), at=1 * MS)
    lab.wait(400 * MS)
    before = lab.connection("client").cwnd
    lab.wait(3 * SECOND)
    return {
        "initial_cwnd": before,
        "segments_per_round_trip": rounds([when for when, skb in data.frames if skb.len]),
        "acks": sum(not skb.len for _, skb in acks.frames) - 1,
        "cwnd_after": lab.connection("client").cwnd,
    }


def play() -> dict[str, object]:
    """Reno and CUBIC."""
    return {f"{name} {what}": value for name in ("reno", "cubic") for what, value in slow_start(name).items()}
