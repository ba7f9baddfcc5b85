"""O05: cwnd after a pause."""

from __future__ import annotations

from tests.groundtruth.pair import MS, SECOND, PairLab, client_socket, sleep, sys
from tests.groundtruth.play.o02 import DELAY, SIZE, reader

SEGMENTS = 100
PAUSE = 2500 * MS


def writer(lab, cwnd):
    """Two bursts with a pause between them."""
    fd = yield from client_socket(SO_SNDBUF=1 << 20)
    yield sys("send", fd, SEGMENTS * SIZE)
    yield sleep(PAUSE)
    cwnd.append(lab.connection("client").cwnd)
    yield sys("send", fd, SEGMENTS * SIZE)
    yield sleep(100 * SECOND)


def play() -> dict[str, object]:
    """With and without a slow start after idle time."""
    result: dict[str, object] = {}
    for after_idle in (1, 0):
        lab = PairLab("wire", {"net.ipv4.tcp_slow_start_after_idle": str(after_idle)}, delay_ns=DELAY)
        data = lab.tap("client")
        cwnd: list[int] = []
        lab.run(lab.server, reader())
        lab.run(lab.client, writer(lab, cwnd), at=1 * MS)
        lab.wait(4 * SECOND)
        second = [when for when, skb in data.frames if skb.len][SEGMENTS:]
        flight = sum(when - second[0] < DELAY for when in second)
        result[f"slow_start_after_idle={after_idle}"] = {
            "cwnd_before_pause": cwnd[0],
            "first_flight_after_pause": flight,
        }
    return result
