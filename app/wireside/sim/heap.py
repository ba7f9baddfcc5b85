"""The garbage collector and large worlds: its pauses stay short, because what stays is taken out of its sight.

The kernel's model frees its things by reference counts; a look at all of a hundred thousand sockets would find
nothing, and stop the picture for a second.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

THRESHOLDS = (700, 3, 2)
"""Objects more than there were, and rounds, after which young, middle and old objects are looked at."""
SELDOM = (50_000, 20, 100)
"""The same for runs that nobody watches: there is hardly anything to find, and looking costs a tenth of the time."""
LONG_S = 0.003
"""A collection beyond the youngest that took longer has seen things that stay."""


class Stillness:
    """A garbage collector's callback: freezes what a slow collection left over."""

    __slots__ = ("began", "longest_s")

    def __init__(self) -> None:
        self.began = 0.0
        self.longest_s = 0.0
        """The longest pause so far."""

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        """A collection starts or stops."""
        if phase == "start":
            self.began = perf_counter()
            return
        took = perf_counter() - self.began
        self.longest_s = max(self.longest_s, took)
        if info["generation"] and took > LONG_S:
            gc.freeze()


STILLNESS = Stillness()


def begin() -> None:
    """A program starts: until it keeps still, nothing is collected, for all that is made now stays."""
    gc.disable()


def keep_still() -> None:
    """From now on collections are frequent and short; for programs that show a world in motion."""
    gc.enable()
    gc.set_threshold(*THRESHOLDS)
    if STILLNESS not in gc.callbacks:
        gc.callbacks.append(STILLNESS)
    settle()


def collect_seldom() -> None:
    """From now on collections are few; for programs that play a world to its end and show it then."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*SELDOM)


@contextmanager
def uncollected() -> Iterator[None]:
    """No collection meanwhile: for work that makes much and leaves nothing to be found."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def settle() -> None:
    """A world begins or was left: collect everything once, if keep_still() is in force."""
    if STILLNESS in gc.callbacks:
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        STILLNESS.longest_s = 0.0
