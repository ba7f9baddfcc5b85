"""Small writes on a path with a round trip: what Nagle gathers, which segments carry PSH, and when they leave.

Measured on Linux 6.18.44 in two network namespaces with a user-space box between two TUN devices. A super-packet carries
PSH on its last segment, whatever the writes were; a segment that leaves alone carries it only at the end of what was
written.
"""

from __future__ import annotations

import pytest

from tests.groundtruth.pair import MS, SECOND, PairLab, client_socket, sleep, sys
from tests.groundtruth.play.o02 import reader
from tests.groundtruth.raw_peer import RawConnection, RawLab

FULL = 1448


@pytest.mark.parametrize(
    ("rtt_ms", "writes", "size", "gap_ms", "nodelay", "segments"),
    [
        (50, 60, 10, 5, 0, "0.00: 10P, 0.05: 100P, 0.10: 100P, 0.15: 100P, 0.20: 100P, 0.25: 100P, 0.30: 90P"),
        (100, 60, 10, 5, 0, "0.00: 10P, 0.10: 200P, 0.20: 200P, 0.30: 190P"),
        (50, 60, 10, 0, 0, "0.00: 10P, 0.05: 590P"),
        (50, 60, 10, 0, 1, "0.00:" + " 10P" * 10 + ", 0.05: 500P"),
        (50, 5, 2000, 2, 0, "0.000: 1448 552P, 0.002: 1448, 0.004: 1448, 0.006: 1448 1448P, 0.008: 1448, 0.050: 760P"),
        (50, 5, 2000, 2, 1, "0.000: 1448 552P, 0.002: 1448 552P, 0.004: 1448 552P, 0.006: 1448 552P, 0.008: 1448 552P"),
    ],
)  # fmt: skip
def test_what_leaves_when(
    rtt_ms: int, writes: int, size: int, gap_ms: int, nodelay: int, segments: str
) -> None:
    """Segments as length and PSH, by the time they leave together."""
    lab = PairLab("wire", delay_ns=rtt_ms * MS // 2)
    sent: list[tuple[int, str]] = []

    def seen(_count: int, skb) -> int:
        if skb.len:
            sent.append((lab.now, f"{skb.len}{'P' if skb.tcp_flags & 0x08 else ''}"))
        return 0

    def writer():
        fd = yield from client_socket()
        yield sys("setsockopt", fd, "TCP_NODELAY", nodelay)
        yield sleep(200 * MS)
        for _ in range(writes):
            yield sys("send", fd, size)
            if gap_ms:
                yield sleep(gap_ms * MS - 2000)
        yield sleep(100 * SECOND)

    lab.tap("client", seen)
    lab.run(lab.server, reader())
    lab.run(lab.client, writer(), at=1 * MS)
    lab.wait(2 * SECOND)
    measured = [group.split(":") for group in segments.split(", ")]
    groups: list[tuple[int, list[str]]] = []
    for when, text in sent:
        if not groups or when - groups[-1][0] > 1 * MS:
            groups.append((when, []))
        groups[-1][1].append(text)
    assert [texts for _, texts in groups] == [texts.split() for _, texts in measured]
    times = [(when - groups[0][0]) / SECOND for when, _ in groups]
    assert times == pytest.approx([float(when) for when, _ in measured], abs=0.003)


@pytest.mark.parametrize(
    ("sysctl", "value", "pushed"),
    [
        ("tcp_min_tso_segs", 2, ".P.P.P.P.P"),
        ("tcp_min_tso_segs", 1, ".........P"),
        ("tcp_min_tso_segs", 4, "...P...P.P"),
        ("tcp_tso_rtt_log", 14, "....P....P"),
        ("tcp_tso_rtt_log", 16, "....P....P"),
        ("tcp_pacing_ss_ratio", 1000, ".P.P.P.P.P"),
    ],
)
def test_the_size_of_super_packets(sysctl: str, value: int, pushed: str) -> None:
    """Ten segments in one write, a round trip of 50 ms: each super-packet ends with PSH; half of cwnd is the most."""
    lab = PairLab("wire", {f"net.ipv4.{sysctl}": str(value)}, delay_ns=25 * MS)
    seen: list[str] = []

    def see(_count: int, skb) -> int:
        if skb.len:
            seen.append("P" if skb.tcp_flags & 0x08 else ".")
        return 0

    def writer():
        fd = yield from client_socket()
        yield sleep(200 * MS)
        yield sys("send", fd, 10 * FULL)
        yield sleep(100 * SECOND)

    lab.tap("client", see)
    lab.run(lab.server, reader())
    lab.run(lab.client, writer(), at=1 * MS)
    lab.wait(1 * SECOND)
    assert "".join(seen) == pushed


@pytest.mark.parametrize(("threshold", "at_once"), [(1, 1), (2, 2), (3, 3), (10, 6)])
def test_after_how_many_answers_a_dialogue_delays_its_acks(threshold: int, at_once: int) -> None:
    """Requests of 10 bytes that are answered after 17 ms: the first are acknowledged at once, the others by the answer."""
    lab = RawLab({"net.ipv4.tcp_pingpong_thresh": str(threshold)})
    listener = lab.listen()
    connection = RawConnection(lab)
    fd = connection.accept(listener)
    lab.arrivals()
    acknowledged = 0
    for number in range(6):
        lab.peer.send(connection.sport, connection.port, "P.", seq=1 + 10 * number, ack=1 + 10 * number, win=65535, length=10)  # fmt: skip
        lab.wait(15 * MS)
        acknowledged += len(lab.arrivals())
        assert lab.sys("recv", fd, 100) == 10
        lab.wait(2 * MS)
        assert lab.sys("send", fd, 10) == 10
        lab.wait(5 * MS)
        assert len(lab.arrivals()) == 1
        lab.peer.send(connection.sport, connection.port, ".", seq=11 + 10 * number, ack=11 + 10 * number, win=65535)  # fmt: skip
        lab.wait(10 * MS)
    assert acknowledged == at_once
