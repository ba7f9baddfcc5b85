"""Rates per CPU second, medians, and a yardstick for the machine."""

from __future__ import annotations

import gc
import statistics
import time
from dataclasses import dataclass

YARDSTICK_STEPS = 1_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `goal` is in words; `met` None: informative."""

    what: str
    value: str
    goal: str = ""
    met: bool | None = None


def median(measure, runs: int) -> float:
    """The median of `runs` calls of measure()."""
    return statistics.median(measure() for _ in range(runs))


def rate(work) -> float:
    """What work() returns (how much it did), per second of CPU time."""
    gc.collect()
    start = time.process_time()
    done = work()
    return done / (time.process_time() - start)


def seconds(work) -> float:
    """CPU seconds that work() takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def yardstick() -> float:
    """Steps per CPU second of a plain loop with a call, a dict and a list: what this machine's Python can do."""
    return rate(_loop)


def _loop() -> int:
    table: dict[int, int] = {}
    queue: list[int] = []
    for i in range(YARDSTICK_STEPS):
        key = i & 1023
        table[key] = _step(table.get(key, 0))
        queue.append(key)
        if len(queue) > 64:
            queue.clear()
    return YARDSTICK_STEPS


def _step(value: int) -> int:
    return value + 1
