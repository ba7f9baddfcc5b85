"""Keepalive whose settings are turned while it runs, and whose peer speaks before it falls silent.

Measured on Linux 6.18.44 in two network namespaces; times since SO_KEEPALIVE was set. The last segment of a case whose
connection dies is the RST; timers of 2 s and more are late by up to 256 ms.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests.groundtruth.pair import MS, SECOND
from tests.groundtruth.silent_peer import PORT, SilentPeer
from wireside.catalog.inet import RST
from wireside.catalog.sysctls_tcp import TCP_KEEPALIVE_INTVL, TCP_KEEPALIVE_PROBES, TCP_KEEPALIVE_TIME
from wireside.sim.knobs import write_sysctl

LATE = 0.256
TIME, INTVL, PROBES = TCP_KEEPALIVE_TIME, TCP_KEEPALIVE_INTVL, TCP_KEEPALIVE_PROBES


class Case(NamedTuple):
    """Idle time, interval and number of probes by sysctl; what happens when; times of the segments sent."""

    settings: tuple[int, int, int]
    turned: list[tuple]
    sent: list[float]
    user_timeout_ms: int = 0


CASES = {
    "the peer speaks": Case((2, 1, 3), [(1, "data", 10)], [1.0, 3.03, 4.06, 5.08, 6.1]),
    "the peer speaks thrice": Case(
        (2, 1, 3),
        [(1, "data", 10), (2, "data", 10), (3, "data", 10)],
        [1.0, 2.0, 3.0, 5.03, 6.06, 7.08, 8.11],
    ),
    "the peer speaks after a probe": Case((2, 1, 3), [(2.5, "data", 9)], [2.02, 2.5, 4.53, 5.55, 6.58, 7.6]),
    "time lowered": Case((6, 1, 2), [(1, TIME, 1)], [6.09, 7.11, 8.14]),
    "time raised": Case((2, 1, 2), [(1, TIME, 5)], [5.02, 6.04, 7.07]),
    "time raised while probing": Case((2, 1, 5), [(3.5, TIME, 5)], [2.02, 3.04, 4.96, 5.98, 7.01, 8.03]),
    "probes lowered": Case((2, 1, 9), [(4.5, PROBES, 2)], [2.02, 3.04, 4.06, 5.09]),
    "interval raised": Case((2, 1, 3), [(2.5, INTVL, 3)], [2.02, 3.04, 6.18, 9.26]),
    "time lowered by option": Case((6, 1, 2), [(1, "TCP_KEEPIDLE", 2)], [1.95, 2.97, 4.0]),
    "time raised by option": Case((2, 1, 2), [(1, "TCP_KEEPIDLE", 5)], [5.14, 6.16, 7.18]),
    "off and on": Case((2, 1, 2), [(1, "SO_KEEPALIVE", 0), (3, "SO_KEEPALIVE", 1)], [5.01, 6.03, 7.05]),
    "user timeout 4.5 s": Case((2, 1, 9), [], [2.02, 3.04, 4.07, 5.09], 4500),
    "user timeout 1 s": Case((2, 1, 9), [], [2.03, 3.05], 1000),
}


@pytest.mark.parametrize("name", CASES)
def test_when_a_turned_keepalive_sends(name: str) -> None:
    """Every segment, and the end of the connection with the last."""
    case = CASES[name]
    peer = SilentPeer(
        {sysctl.name: str(value) for sysctl, value in zip((TIME, INTVL, PROBES), case.settings, strict=True)}
    )
    lab = peer.lab
    lab.sys("setsockopt", peer.fd, "TCP_USER_TIMEOUT", case.user_timeout_ms)
    lab.sys("setsockopt", peer.fd, "SO_KEEPALIVE", 1)
    peer.mark()
    seq = 1
    for when, what, value in case.turned:
        lab.wait(int(peer.began + when * SECOND) - lab.world.now)
        if what == "data":
            lab.peer.send(PORT, peer.sport, "P.", seq=seq, ack=1, win=65535, length=value)
            lab.wait(1 * MS)
            assert lab.sys("recv", peer.fd, 100) == value
            seq += value
        elif isinstance(what, str):
            lab.sys("setsockopt", peer.fd, what, value)
        else:
            write_sysctl(lab.net, what, value)
    gone = peer.until_gone(20 * SECOND, 10 * MS)
    arrivals = lab.arrivals()
    assert [peer.seconds(when) for when, _ in arrivals] == pytest.approx(case.sent, abs=LATE)
    assert gone == pytest.approx(case.sent[-1], abs=LATE)
    assert [bool(skb.tcp_flags & RST) for _, skb in arrivals] == [False] * (len(case.sent) - 1) + [True]
    assert peer.error() == "ETIMEDOUT"
