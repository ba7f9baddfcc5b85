"""100 bytes to a peer that has fallen silent, until the connection is given up.

Measured on Linux 6.18.44 in two network namespaces; seconds since the first copy left. A timer is late by up to 4 ms
(below 0.25 s), 32 ms (below 2 s) and 256 ms (below 16 s), and all that follow with it.
"""

from __future__ import annotations

import pytest

from tests.groundtruth.pair import MS, SECOND
from tests.groundtruth.silent_peer import SilentPeer

COUNTED = ("TcpRetransSegs", "TCPTimeouts", "TCPLossProbes", "TCPAbortOnTimeout", "TcpEstabResets")


# fmt: off
CASES = [
    ({"retries2": 1, "sack": 0}, 0, [0.0, 0.21, 0.63], 1.46, 2, 3, 0),
    ({"retries2": 1}, 0, [0.0, 0.21, 0.41, 0.85], 1.68, 3, 3, 1),
    ({"retries2": 2, "sack": 0}, 0, [0.0, 0.2, 0.63, 1.46], 3.13, 3, 4, 0),
    ({"retries2": 2}, 0, [0.0, 0.21, 0.41, 0.85, 1.68], 3.35, 4, 4, 1),
    ({"retries2": 3, "sack": 0}, 0, [0.0, 0.2, 0.64, 1.47, 3.13], 6.49, 4, 5, 0),
    ({"retries2": 3}, 0, [0.0, 0.21, 0.41, 0.83, 1.66, 3.33], 6.65, 5, 5, 1),
    ({"retries2": 5, "sack": 0}, 0, [0.0, 0.21, 0.64, 1.47, 3.14, 6.56], 13.22, 5, 6, 0),
    ({"retries2": 5}, 0, [0.0, 0.2, 0.41, 0.83, 1.66, 3.32, 6.72], 13.38, 6, 6, 1),
    ({"retries2": 6, "sack": 0}, 0, [0.0, 0.21, 0.64, 1.48, 3.14, 6.63, 13.29], 26.59, 6, 7, 0),
    ({"retries2": 6}, 0, [0.0, 0.21, 0.42, 0.83, 1.66, 3.33, 6.79, 13.44], 26.75, 7, 7, 1),
    ({"retries2": 8, "sack": 0}, 0, [0.0, 0.21, 0.63, 1.46, 3.13, 6.43, 13.08, 26.39, 53.27], 106.52, 8, 9, 0),
    ({"retries2": 8}, 0, [0.0, 0.21, 0.42, 0.86, 1.69, 3.35, 6.84, 13.5, 26.81, 54.97], 108.22, 9, 9, 1),
    ({}, 200, [0.0, 0.21, 0.42], 0.62, 2, 2, 1),
    ({}, 500, [0.0, 0.2, 0.42, 0.84], 0.92, 3, 3, 1),
    ({}, 1000, [0.0, 0.21, 0.42, 0.84], 1.45, 3, 3, 1),
    ({}, 3000, [0.0, 0.2, 0.41, 0.85, 1.68, 3.34], 3.42, 5, 5, 1),
    ({}, 10000, [0.0, 0.21, 0.42, 0.85, 1.68, 3.35, 6.64], 10.49, 6, 6, 1),
    ({}, 30000, [0.0, 0.21, 0.42, 0.85, 1.69, 3.35, 6.8, 13.46, 26.77], 30.61, 8, 8, 1),
    ({"sack": 0}, 3000, [0.0, 0.21, 0.62, 1.45, 3.12], 3.21, 4, 5, 0),
    ({"rto_max_ms": 1000, "retries2": 5}, 0, [0.0, 0.21, 0.41, 0.83, 1.67, 2.69, 3.71, 4.74], 5.76, 7, 7, 1),
    ({"rto_max_ms": 2000, "retries2": 8}, 0, [0.0, 0.21, 0.42, 0.84, 1.67, 3.34, 5.35, 7.37, 9.38, 11.4], 13.42, 9, 9, 1),
    ({"rto_min_us": 1000000, "retries2": 3}, 0, [0.0, 1.02, 2.05, 4.06], 8.1, 3, 3, 1),
    ({"early_retrans": 0, "retries2": 5}, 0, [0.0, 0.21, 0.65, 1.48, 3.14, 6.47], 13.13, 5, 6, 0),
    ({"timestamps": 0, "retries2": 5}, 0, [0.0, 0.21, 0.42, 0.85, 1.68, 3.34, 6.64], 13.3, 6, 6, 1),
    ({"thin_linear_timeouts": 1, "retries2": 5}, 0, [0.0, 0.21, 0.42, 0.63, 0.84, 1.05, 1.26, 1.46, 1.68, 2.1, 2.94, 4.6, 8.06], 14.72, 12, 12, 1),
    ({"retries1": 1, "retries2": 3}, 0, [0.0, 0.21, 0.42, 0.84, 1.67, 3.33], 6.69, 5, 5, 1),
    ({"retries2": 0}, 0, [0.0, 0.21, 0.41], 0.85, 2, 2, 1),
]
# fmt: on


@pytest.mark.parametrize(
    ("settings", "user_timeout", "sent", "gone", "retransmitted", "timeouts", "probes"), CASES
)
def test_when_data_is_sent_again_and_given_up(
    settings: dict[str, int],
    user_timeout: int,
    sent: list[float],
    gone: float,
    retransmitted: int,
    timeouts: int,
    probes: int,
) -> None:
    """Every copy, the end, its error and the counters."""
    peer = SilentPeer(
        {f"net.ipv4.tcp_{name}": str(value) for name, value in settings.items()},
        sack=settings.get("sack", 1) == 1,
        timestamps=settings.get("timestamps", 1) == 1,
    )
    peer.lab.sys("setsockopt", peer.fd, "TCP_USER_TIMEOUT", user_timeout)
    peer.mark()
    peer.lab.sys("send", peer.fd, 100)
    ended = peer.until_gone(200 * SECOND, 10 * MS)
    arrivals = peer.lab.arrivals()
    times = [(when - arrivals[0][0]) / SECOND for when, _ in arrivals]
    assert times == [pytest.approx(each, abs=0.01 + 0.032 * each) for each in sent]
    assert ended == pytest.approx(gone, abs=0.2 + 0.01 * gone)
    assert peer.error() == "ETIMEDOUT"
    expected = dict(zip(COUNTED, (retransmitted, timeouts, probes, 1, 1), strict=True))
    assert peer.moved(COUNTED) == {name: value for name, value in expected.items() if value}


# fmt: off
ORPHANS = [
    ("FIN_WAIT1", 0, 0, 9, 107.66, 9),
    ("FIN_WAIT1", 0, 2, 4, 3.24, 4),
    ("FIN_WAIT1", 0, 3, 5, 6.45, 5),
    ("FIN_WAIT1", 1, 0, 10, 108.15, 9),
    ("FIN_WAIT1", 1, 1, 4, 1.73, 3),
    ("FIN_WAIT1", 1, 2, 5, 3.38, 4),
    ("FIN_WAIT1", 1, 3, 6, 6.82, 5),
    ("FIN_WAIT1", 1, 4, 6, 6.91, 5),
    ("FIN_WAIT1", 1, 5, 7, 13.33, 6),
    ("FIN_WAIT1", 1, 6, 8, 26.7, 7),
    ("FIN_WAIT1", 1, 7, 9, 53.83, 8),
    ("FIN_WAIT1", 1, 8, 10, 106.39, 9),
    ("LAST_ACK", 1, 0, 10, 107.72, 9),
    ("LAST_ACK", 1, 1, 4, 1.76, 3),
    ("LAST_ACK", 1, 2, 5, 3.37, 4),
    ("LAST_ACK", 1, 3, 6, 6.66, 5),
    ("LAST_ACK", 1, 4, 6, 6.78, 5),
    ("LAST_ACK", 1, 5, 7, 13.48, 6),
    ("LAST_ACK", 1, 6, 8, 26.91, 7),
    ("LAST_ACK", 1, 7, 9, 53.49, 8),
    ("LAST_ACK", 1, 8, 10, 107.93, 9),
]
# fmt: on


@pytest.mark.parametrize(("state", "sack", "retries", "fins", "gone", "timeouts"), ORPHANS)
def test_when_an_orphan_is_given_up(
    state: str, sack: int, retries: int, fins: int, gone: float, timeouts: int
) -> None:
    """close() with a peer that is silent: how often the FIN leaves, and when nothing is left of the connection.

    tcp_orphan_retries is a time, not a number: 3 and 4 end at the same timeout.
    """
    peer = SilentPeer({"net.ipv4.tcp_orphan_retries": str(retries)}, sack=bool(sack))
    if state == "LAST_ACK":
        peer.say("F.", 1, 1)
        peer.lab.wait(50 * MS)
        peer.lab.arrivals()
    peer.mark()
    peer.lab.sys("close", peer.fd)
    ended = peer.until_gone(200 * SECOND, 10 * MS)
    assert len(peer.lab.arrivals()) == fins
    assert ended == pytest.approx(gone, abs=0.25 + 0.012 * gone)
    probes = {"TCPLossProbes": 1} if sack else {}
    assert peer.moved(COUNTED) == {
        "TcpRetransSegs": fins - 1,
        "TCPTimeouts": timeouts,
        "TCPAbortOnTimeout": 1,
        **probes,
    }
