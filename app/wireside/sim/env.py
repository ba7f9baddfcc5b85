"""The clock of a world: a SimPy environment that counts whole nanoseconds and can stop, go on, and be pickled."""

from __future__ import annotations

from heapq import heappop, heappush
from time import perf_counter
from typing import TYPE_CHECKING, Any

import simpy

if TYPE_CHECKING:
    from collections.abc import Callable

    from simpy.core import SimTime

NORMAL = 1
"""SimPy's ordinary priority; calls and ordinary events of one instant run in the order they were scheduled."""
CLOCK_CHECK = 64
"""Events between two looks at the wall clock."""


class Call:
    """One function call planned for an instant; `dead` once it is cancelled (the heap keeps it until its time)."""

    __slots__ = ("arg", "dead", "function")

    def __init__(self, function: Callable[[Any], None], arg: Any) -> None:
        self.function = function
        self.arg = arg
        self.dead = False


class KernelEnv(simpy.Environment):
    """Integer time in ns. Plain calls share the heap with SimPy's own events, so that both kinds keep one order."""

    def __init__(self) -> None:
        super().__init__(0)
        self._now: int = 0
        self._count = 0
        self.until = 0
        """How far the present run goes, ns; up to there, and before the next event, a call may move `now` on."""

    @property
    def now(self) -> int:
        """The current instant, ns."""
        return self._now

    @property
    def planned(self) -> int:
        """How many calls and events have been planned so far."""
        return self._count

    def at(self, when: int, function: Callable[[Any], None], arg: Any) -> Call:
        """Call function(arg) at `when` ns, or now if that is past."""
        call = Call(function, arg)
        self._count = count = self._count + 1
        now = self._now
        heappush(self._queue, (when if when > now else now, NORMAL, count, call))  # type: ignore[misc]  # noqa: FURB136
        return call

    def cancel(self, handle: Call) -> None:
        """Make sure that a call does not happen any more."""
        handle.dead = True

    def schedule(
        self,
        event: simpy.Event,
        priority: Any = NORMAL,
        delay: SimTime = 0,
    ) -> None:
        """Put a SimPy event on the heap; its delay counts whole ns."""
        self._count += 1
        heappush(self._queue, (self._now + int(delay), priority, self._count, event))

    def peek(self) -> int:
        """The instant of the next thing that will happen, or -1 when nothing will."""
        queue = self._queue
        while queue:
            item: Any = queue[0][3]
            if item.__class__ is not Call or not item.dead:
                return int(queue[0][0])
            heappop(queue)
        return -1

    def step(self) -> None:
        """Let the next call or event happen."""
        if not self._queue:
            raise simpy.core.EmptySchedule
        when, _, _, item = heappop(self._queue)
        self._now = self.until = int(when)
        self._happen(item)

    def run_until(self, until: int, wall_deadline: float | None = None) -> bool:
        """Let everything up to and including `until` ns happen; False when `wall_deadline` came first.

        `wall_deadline` is a value of time.perf_counter(). After True, `now` is `until`.
        """
        queue: list[Any] = self._queue
        left = CLOCK_CHECK
        self.until = until
        while queue and queue[0][0] <= until:
            self._now, _, _, item = heappop(queue)
            if item.__class__ is Call:
                if not item.dead:
                    item.function(item.arg)
            else:
                self._happen(item)
            left -= 1
            if not left:
                left = CLOCK_CHECK
                if wall_deadline is not None and perf_counter() >= wall_deadline:
                    return False
        self._now = max(self._now, until)
        return True

    def run_watched(
        self, until: int, looks: Callable[[Any], bool], wall_deadline: float | None = None
    ) -> bool:
        """Like run_until(), but `looks` is asked after each thing that has happened, and True stops the run at once.

        It is told the function that was called (None for an event of SimPy). Nothing runs on without an event of its
        own, so that every slice of a CPU and every frame is looked at. False when the run was stopped.
        """
        queue: list[Any] = self._queue
        left = CLOCK_CHECK
        while queue and queue[0][0] <= until:
            self._now, _, _, item = heappop(queue)
            self.until = self._now
            function = None
            if item.__class__ is Call:
                if item.dead:
                    continue
                function = item.function
                function(item.arg)
            else:
                self._happen(item)
            if looks(function):
                return False
            left -= 1
            if not left:
                left = CLOCK_CHECK
                if wall_deadline is not None and perf_counter() >= wall_deadline:
                    return False
        self._now = max(self._now, until)
        return True

    def _happen(self, item: Any) -> None:
        if item.__class__ is Call:
            if not item.dead:
                item.function(item.arg)
            return
        callbacks, item.callbacks = item.callbacks, None
        for callback in callbacks:
            callback(item)
        if not item._ok and not item.defused:
            raise item._value

    def __getstate__(self) -> tuple[int, list[Any], int]:
        return self._now, self._queue, self._count

    def __setstate__(self, state: tuple[int, list[Any], int]) -> None:
        super().__init__(0)
        self._now, self._queue, self._count = state
        self.until = self._now
