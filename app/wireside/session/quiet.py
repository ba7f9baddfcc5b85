"""Stretches of a run in which there is nothing to see, and how they are crossed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from wireside.snapshot import HostSnapshot, WorldSnapshot

SETTLED_S = 2.5
"""After the last thing that happened the picture is left alone so long: bricks still move, and losses fall."""
WORTH_S = 2.0
"""A shorter rest is not worth leaping over, in seconds of the picture."""
CROSSING_S = 1.0
"""How long crossing takes, however much there is to cross."""
LEAD_S = 0.3
"""So long before the next thing happens, the ordinary pace is back."""


class Crossing(NamedTuple):
    """A quiet stretch that is being crossed: where it ends, ns, how fast, ns a second, and how long it is, ns."""

    until_ns: int
    rate: float
    length_ns: int


def is_quiet(world: WorldSnapshot) -> bool:
    """Nothing moves, waits to move, or runs on any host: no packet, no byte, no connection, no program."""
    return all(_is_quiet(host) for host in world.hosts)


def _is_quiet(host: HostSnapshot) -> bool:
    if host.books.get("queued"):
        return False
    if any(cpu.runnable or cpu.context != "idle" for cpu in host.cpus):
        return False
    return not any(row.recv_q or (row.send_q and row.state != "LISTEN") for row in host.sockets)


def crossing(now_ns: int, next_ns: int, moved_ns: int, scale: int) -> Crossing | None:
    """How to cross from `now_ns` to the next thing that happens; None when it is too near or the picture still moves.

    `moved_ns` is when something was last seen to happen. The caller has found the world quiet.
    """
    if next_ns - now_ns <= WORTH_S * scale or now_ns - moved_ns < SETTLED_S * scale:
        return None
    until = next_ns - int(LEAD_S * scale)
    return Crossing(until, max(scale, (until - now_ns) / CROSSING_S), next_ns - moved_ns)
