"""What the run looked like so far: the strips of the timeline, and the losses that have just happened."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wireside.snapshot import HostSnapshot

MOST_BUCKETS = 512
SERIES = ("pps", "ring", "rmem", "drops")


@dataclass(frozen=True, slots=True)
class Loss:
    """Packets lost for one reason between two looks at the host."""

    time_ns: int
    reason: str
    packets: int
    before_memory: bool
    """Whether the NIC or the wire lost them, so that no sk_buff (and no trace) ever existed."""


def losses_of(host: HostSnapshot) -> dict[tuple[str, bool], int]:
    """Every loss so far by (reason, lost before memory)."""
    found = {(reason, True): n for reason, n in host.wire_drops.items()}
    found.update({(reason, False): n for reason, n in host.drops.items()})
    return found


class History:
    """Equal buckets of simulated time; when there are too many, pairs are merged and buckets double.

    pps: packets per second; ring: part of the RX ring in use; rmem: the fullest socket's sk_rmem_alloc over its
    sk_rcvbuf; drops: packets lost. A bucket keeps the largest value seen, and the sum of drops.
    """

    def __init__(self, duration_ns: int) -> None:
        self.bucket_ns = max(1, duration_ns // 240)
        self.series: dict[str, list[float]] = {name: [] for name in SERIES}
        self.marks: list[tuple[int, str]] = []
        """(ns, "beat" or "knob"): moments worth a mark on the strip."""
        self.losses: deque[Loss] = deque(maxlen=256)
        self._lost: dict[tuple[str, bool], int] = {}

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
        rmem = max((s.sk_rmem_alloc / s.sk_rcvbuf for s in host.sockets if s.sk_rcvbuf), default=0.0)
        pps = float(sum(n.rx_rate_pps for n in nics if n.kind != "lo"))
        self._add(t, (pps, min(1.0, ring), min(1.0, rmem), float(fresh)))

    def mark(self, t: int, kind: str) -> None:
        """Remember a moment."""
        self.marks.append((t, kind))

    def _add(self, t: int, values: tuple[float, float, float, float]) -> None:
        index = t // self.bucket_ns
        while index >= MOST_BUCKETS:
            self._halve()
            index = t // self.bucket_ns
        for name, value in zip(SERIES, values, strict=True):
            series = self.series[name]
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
