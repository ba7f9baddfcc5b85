"""How much of cwnd survives a pause: halved once per RTO that the pause is longer than the RTO, down to ten.

Measured on Linux 6.18.44 (two network namespaces, 25 ms each way, 100 segments, a pause, and 100 more); Reno and CUBIC
alike. RTO is 252 ms, and the last segment before the pause left 150 ms after its beginning.
"""

from __future__ import annotations

import pytest

from tests.groundtruth.pair import MS, SECOND, PairLab, client_socket, sleep, sys
from tests.groundtruth.play.o02 import DELAY, SIZE, Box, reader

SEGMENTS = 100
PACE = 20_000


@pytest.mark.parametrize(
    ("pause_ms", "after_idle", "rounds"),
    [
        (500, 1, [55, 45]),
        (600, 1, [55, 45]),
        (800, 1, [27, 54, 19]),
        (1200, 1, [10, 20, 40, 30]),
        (5000, 1, [10, 20, 40, 30]),
        (1200, 0, [100]),
    ],
)
@pytest.mark.parametrize("congestion_control", ["reno", "cubic"])
def test_segments_per_round_trip_after_a_pause(
    congestion_control: str, pause_ms: int, after_idle: int, rounds: list[int]
) -> None:
    """Flights are told apart by a gap of half a round trip."""
    lab = PairLab(
        "wire",
        {
            "net.ipv4.tcp_congestion_control": congestion_control,
            "net.ipv4.tcp_slow_start_after_idle": str(after_idle),
        },
        delay_ns=DELAY,
    )

    def writer():
        fd = yield from client_socket(SO_SNDBUF=1 << 20)
        yield sys("send", fd, SEGMENTS * SIZE)
        yield sleep(pause_ms * MS)
        yield sys("send", fd, SEGMENTS * SIZE)
        yield sleep(100 * SECOND)

    data = lab.tap("client", Box(lab, PACE))
    lab.run(lab.server, reader())
    lab.run(lab.client, writer(), at=1 * MS)
    lab.wait(pause_ms * MS + SECOND)
    times = [when for when, skb in data.frames if skb.len][SEGMENTS:]
    found: list[int] = []
    last = -SECOND
    for when in times:
        if when - last > DELAY:
            found.append(0)
        found[-1] += 1
        last = when
    assert found == rounds
