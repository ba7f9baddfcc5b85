"""What the named behaviours have in common: chains of steps that name their next system call.

A step takes the result of the call before it. Parameters are read at every step, so that a knob takes effect at the
next call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from wireside.catalog.errno import errno_name
from wireside.kernel.core.call import Syscall
from wireside.sim.run import NEVER, Sleep, Spin, Tally

if TYPE_CHECKING:
    from wireside.kernel.core.uapi import PollFd
    from wireside.sim.run import Program

Step = Syscall | Sleep | Spin | None
P = TypeVar("P")
Value = int | float | str
Resolve = Callable[[str], tuple[int, int]]
SECOND = 1_000_000_000
CATCH_UP_NS = 10_000_000
"""A source that could not keep its rate for longer than this forgets what it missed."""
RETRY_NS = 100_000_000
"""How long a server that may not open a further descriptor leaves its listener alone."""


class Steps(Generic[P]):
    """A program made of methods; `step` names the one that takes the next result.

    `PARAMETERS` is the record of its parameters, which are declared in scenario.behaviours; knobs turn its fields.
    """

    PARAMETERS: type[Any]

    __slots__ = ("address", "due", "fd", "params", "rest", "step", "tally", "total")

    def __init__(self, params: Mapping[str, Value], resolve: Resolve) -> None:
        self.params: P = self.PARAMETERS(**params)
        self.address = resolve(str(params["to"])) if "to" in params else (0, 0)
        self.step = "open"
        self.tally = Tally()
        self.fd = -1
        self.total = 0
        """Bytes (or datagrams, messages) dealt with so far."""
        self.due = 0
        """The ns at which the rate allows the next one."""
        self.rest = 0

    def inherit(self, parent: Program) -> None:
        """A named program that is forked knows nothing of its parent; it has its descriptors all the same."""

    def next(self, now: int, result: int) -> Step:
        """The next thing to do."""
        step: Step = getattr(self, self.step)(now, result)
        return step

    def call(self, then: str, name: str, *args: Any) -> Syscall:
        """Do a system call and take its result in step `then`."""
        self.step = then
        return Syscall(name, args)

    def wait(self, then: str, until: int, why: str) -> Sleep:
        """Sleep and go on with step `then`."""
        self.step = then
        return Sleep(until, why)

    def pace(self, now: int, amount: int, per_second: float) -> None:
        """Move `due` on by the time that `amount` takes at a rate; what is below 1 ns is carried over."""
        if now - self.due > CATCH_UP_NS or not self.due:
            self.due = now
        rate = max(1, int(per_second))
        whole, self.rest = divmod(amount * SECOND + self.rest, rate)
        self.due += whole

    def failed(self, result: int) -> bool:
        """Whether a call's result is an error, which is counted."""
        if result >= 0:
            return False
        self.tally.fail(errno_name(-result))
        return True

    def over(self, now: int, result: int) -> Step:
        """The program ends."""
        return None


class EventLoop(Steps[P]):
    """A program that waits for many descriptors with one poll()."""

    __slots__ = ("ready", "watched")

    def __init__(self, params: Mapping[str, Value], resolve: Resolve) -> None:
        super().__init__(params, resolve)
        self.watched: dict[int, PollFd] = {}
        """Descriptor → what is asked of it."""
        self.ready: list[int] = []
        """Descriptors that poll() found ready, still to be looked after."""

    def poll(self, then: str, now: int, until: int) -> Step:
        """Wait until a watched descriptor is ready, or `until` ns."""
        return self.call(then, "poll", self.watched, max(0, until - now) if until < NEVER else -1)

    def collect(self, result: int) -> None:
        """Note which descriptors poll() found ready; none after a timeout or an interruption."""
        if result > 0:
            self.ready = [fd for fd, each in self.watched.items() if each.revents]


@dataclass(slots=True)
class IdleParameters:
    """It has none."""


class Idle(Steps[IdleParameters]):
    """Does nothing."""

    __slots__ = ()
    PARAMETERS = IdleParameters

    def open(self, now: int, result: int) -> Step:
        """Sleep for ever."""
        return Sleep(NEVER, "idle")
