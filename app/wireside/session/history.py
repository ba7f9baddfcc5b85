"""What the run looked like so far: the strips of the timeline, how fast states fill, and the losses just now."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wireside.catalog.drop_reasons import NO_LOSS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wireside.snapshot import HostSnapshot, SocketRow

MOST_BUCKETS = 512
SECOND = 1_000_000_000
LOOK_NS = SECOND // 10
"""How far apart the looks lie from which rates are taken."""
BY_CHANCE = 2
PARTS = ("pps", "ring", "rmem", "drops")
"""Series that every run has; one for each state and for a listener's queues follow when there is something in them."""
UNTOLD = frozenset({"LISTEN", "UNCONN", "SYN-RECV"})
"""States without a series: no pile, or (SYN-RECV) told by the requests."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Packets lost for one reason between two looks at the host."""

    time_ns: int
    reason: str
    packets: int
    unseen: bool
    """Whether no packet is seen to fall for it: lost before any sk_buff (and trace) existed, or a SYN that a listener
    took and threw away."""


def losses_of(host: HostSnapshot) -> dict[tuple[str, bool], int]:
    """Every loss so far by (reason, unseen); "SYN" stands for those that a listener turned away."""
    found = {(reason, True): n for reason, n in host.wire_drops.items()}
    found.update({(reason, False): n for reason, n in host.drops.items() if reason not in NO_LOSS})
    if syns := host.turned_away.get("SYN", 0):
        found["SYN", True] = syns
    return found


@dataclass(frozen=True, slots=True)
class Strips:
    """What a `History` holds at one instant; see there for the series."""

    bucket_ns: int
    series: Mapping[str, tuple[float, ...]]
    most: Mapping[str, float]
    """Series → the largest value so far; of listener queues and parts, how full they were at most (1: full)."""
    marks: tuple[tuple[int, str], ...]
    """(ns, "beat" or "knob"): moments worth a mark on the strip."""
    rates: Mapping[str, tuple[float, float]]
    """State → connections per second that came into it and left it in the last second; empty before there was one."""
    grown: frozenset[str]
    """States with more sockets than about a second ago, and more than pass through them by chance."""


class History:
    """Equal buckets of simulated time; when there are too many, pairs are merged and buckets double.

    pps: packets per second; ring: part of the RX ring in use; rmem: the fullest socket's sk_rmem_alloc over its
    sk_rcvbuf; drops: packets lost; "accept q" and "SYN reqs": connections in the fullest listener's queues; a state's
    name: its sockets. A bucket keeps the largest value seen, and the sum of drops.
    """

    def __init__(self, duration_ns: int) -> None:
        self.bucket_ns = max(1, duration_ns // 240)
        self.series: dict[str, list[float]] = {name: [] for name in PARTS}
        self.most: dict[str, float] = {}
        self.marks: list[tuple[int, str]] = []
        self.losses: deque[Loss] = deque(maxlen=256)
        self._lost: dict[tuple[str, bool], int] = {}
        self._sockets: tuple[SocketRow, ...] | None = None
        self._rmem = 0.0
        """How full the fullest of `_sockets` is."""
        self._looks: deque[tuple[int, Mapping[str, int], Mapping[str, int]]] = deque()
        """(ns, entered, states) of about the last second."""

    def sample(self, host: HostSnapshot) -> None:
        """Take in one look at the host."""
        t = host.time_ns
        lost = losses_of(host)
        fresh = 0
        if lost != self._lost:
            for key, n in lost.items():
                more = n - self._lost.get(key, 0)
                if more > 0:
                    fresh += more
                    self.losses.append(Loss(t, key[0], more, key[1]))
            self._lost = lost
        nics = host.nics
        ring = max((n.rx_ring_used / n.rx_ring_size for n in nics if n.rx_ring_size), default=0.0)
        if host.sockets is not self._sockets:
            self._sockets = host.sockets
            parts = (s.sk_rmem_alloc / s.sk_rcvbuf for s in host.sockets if s.sk_rcvbuf)
            self._rmem = max(parts, default=0.0)
        rmem = self._rmem
        values = {
            "pps": float(sum(n.rx_rate_pps for n in nics if n.kind != "lo")),
            "ring": min(1.0, ring),
            "rmem": min(1.0, rmem),
            "drops": float(fresh),
        }
        self._note("ring", ring)
        self._note("rmem", rmem)
        for row in host.listeners:
            self._queue(values, "accept q", row.accept_queue, row.backlog + 1)
            self._queue(values, "SYN reqs", row.requests, row.backlog + 1)
        for state, n in host.states.items():
            if state not in UNTOLD:
                values[state] = float(n)
                self._note(state, n)
        self._add(t, values)
        self._remember(t, host)

    def mark(self, t: int, kind: str) -> None:
        """Remember a moment."""
        self.marks.append((t, kind))

    def strips(self, host: HostSnapshot) -> Strips:
        """All of it as it stands; `host` is the newest look."""
        then, entered, states = self._looks[0]
        elapsed = host.time_ns - then
        rates: dict[str, tuple[float, float]] = {}
        if elapsed >= SECOND - LOOK_NS:
            for state in {*host.entered, *host.states, *states}:
                came = host.entered.get(state, 0) - entered.get(state, 0)
                left = came - (host.states.get(state, 0) - states.get(state, 0))
                rates[state] = came * SECOND / elapsed, left * SECOND / elapsed
        return Strips(
            self.bucket_ns,
            {name: tuple(values) for name, values in self.series.items()},
            dict(self.most),
            tuple(self.marks),
            rates,
            frozenset(state for state, n in host.states.items() if n > max(states.get(state, 0), BY_CHANCE)),
        )

    def _note(self, name: str, value: float) -> None:
        if value > self.most.get(name, 0.0):
            self.most[name] = value

    def _queue(self, values: dict[str, float], name: str, used: int, limit: int) -> None:
        if used or name in self.series:
            values[name] = max(values.get(name, 0.0), used)
            self._note(name, used / limit)

    def _remember(self, t: int, host: HostSnapshot) -> None:
        looks = self._looks
        if not looks or t - looks[-1][0] >= LOOK_NS:
            looks.append((t, host.entered, host.states))
        while len(looks) > 1 and t - looks[1][0] >= SECOND:
            looks.popleft()

    def _add(self, t: int, values: dict[str, float]) -> None:
        index = t // self.bucket_ns
        while index >= MOST_BUCKETS:
            self._halve()
            index = t // self.bucket_ns
        for name in values:
            self.series.setdefault(name, [])
        for name, series in self.series.items():
            value = values.get(name, 0.0)
            if len(series) > index:
                series[index] = series[index] + value if name == "drops" else max(series[index], value)
                continue
            last = series[-1] if series and name != "drops" else 0.0
            series.extend([last] * (index - len(series)))
            series.append(value)

    def _halve(self) -> None:
        self.bucket_ns *= 2
        for name, series in self.series.items():
            pairs = [series[i : i + 2] for i in range(0, len(series), 2)]
            self.series[name] = [sum(pair) if name == "drops" else max(pair) for pair in pairs]
