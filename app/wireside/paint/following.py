"""How many packets a brick stands for, and how long it stays in a station: so that eyes can follow.

Both hang on the packets of late alone, so that the same instant always looks the same; and both look back a little, so
that the picture does not flicker when the traffic changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.paint.scene import DWELL_S, FEW_MOVERS, MAX_MOVERS, SLOW_DWELL_S, N, window_ns
from wireside.session.rolls import DEPTH, LEVELS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wireside.snapshot import PacketTrace

SHRINKS = 0.9
"""What a thirtieth of a second leaves of the time in a station while it is crowded."""
STEPS_A_SECOND = 30
BACK = (0.0, 0.33, 0.67, 1.0)
"""A picture is as thin as the busiest of so many moments ago needs it, in lives of a packet."""


def thinned(
    level: Callable[[int], Sequence[PacketTrace]], t: int, scale: int
) -> tuple[int, Sequence[PacketTrace]]:
    """(packets that one brick stands for, the packets that are shown) at `t` ns and `scale` ns a second.

    `level` gives the packets of late, every packet at 0, every 2nd at 1, every 4th at 2 and so on.
    """
    window = window_ns(scale, DWELL_S)
    number, packets = 0, level(0)
    since = t - int((1 + BACK[-1]) * window)
    if sum(packet.stamps[-1][1] >= since for packet in packets) <= MAX_MOVERS:
        return 1, packets
    moments = [t - int(back * window) for back in BACK]
    while number < LEVELS - 1 and any(_moving(packets, at, window) > MAX_MOVERS for at in moments):
        number += 1
        packets = level(number)
    return 1 << number, packets


def _moving(packets: Sequence[PacketTrace], at: int, window: int) -> int:
    """How many packets were moving, or had been shortly before `at` ns."""
    return sum(at - window <= packet.stamps[-1][1] and packet.stamps[0][1] <= at for packet in packets)


def dwell(packets: Sequence[PacketTrace], focus: str, t: int, scale: int) -> float:
    """The least time, seconds, that a packet is shown in each station: long while few move, shrinking when more come.

    It grows again only when nothing has moved for as long as a packet is on its way, so that no packet ever goes back.
    """
    if len(packets) <= FEW_MOVERS:
        return SLOW_DWELL_S
    born = [p.stamps[0][1] for p in packets if p.stamps[0][1] <= t and focus in {p.source, p.destination}]
    life, way = window_ns(scale, SLOW_DWELL_S), int(SLOW_DWELL_S * scale * (N + 1))
    if not born or t - born[-1] > life:
        return SLOW_DWELL_S
    first = len(born) - 1
    while first and born[first] - born[first - 1] <= life:
        first -= 1
    crowded = next(
        (born[i] for i in range(first + FEW_MOVERS, len(born)) if born[i] - born[i - FEW_MOVERS] <= way), None
    )
    if crowded is None:
        return SLOW_DWELL_S
    if not first and len(packets) >= DEPTH:
        return DWELL_S
    shrunk: float = SLOW_DWELL_S * SHRINKS ** (STEPS_A_SECOND * (t - crowded) / scale)
    return max(DWELL_S, shrunk)
