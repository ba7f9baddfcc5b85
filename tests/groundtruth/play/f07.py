"""F07: how late kernel timers fire."""

from __future__ import annotations

from tests.groundtruth.pair import MS, SECOND
from tests.groundtruth.silent_peer import SilentPeer

CASES = {1: 36, 2: 260, 4: 260, 8: 260, 16: 2052, 32: 2052}
"""Idle seconds → ms by which the first probe may be late."""
TIMERS = 8
APART = 37 * MS


def lateness(idle: int) -> list[float]:
    """Milliseconds by which eight keepalive timers fire late."""
    peer = SilentPeer()
    lab = peer.lab
    fds = {peer.sport: peer.fd}
    for _ in range(TIMERS - 1):
        fd, sport = peer.connect()
        fds[sport] = fd
    due = {}
    for sport, fd in fds.items():
        lab.sys("setsockopt", fd, "TCP_KEEPIDLE", idle)
        lab.sys("setsockopt", fd, "SO_KEEPALIVE", 1)
        due[sport] = lab.world.now + idle * SECOND
        lab.wait(APART)
    lab.wait((idle + 3) * SECOND)
    first: dict[int, int] = {}
    for when, skb in lab.arrivals():
        first.setdefault(skb.flow[1], when)
    return [(first[sport] - due[sport]) / MS for sport in fds]


def play() -> dict[str, object]:
    """One length of timer after the other."""
    result: dict[str, object] = {}
    for idle, limit in CASES.items():
        late = lateness(idle)
        result |= {
            f"idle={idle}s late_ms": {"least": min(late), "most": max(late)},
            f"idle={idle}s never early": min(late) >= 0,
            f"idle={idle}s late by at most {limit} ms": max(late) <= limit,
        }
    return result
