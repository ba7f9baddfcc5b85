"""A population of TCP clients: one connection for each request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wireside.catalog.errno import EINPROGRESS
from wireside.catalog.flags import SOCK_NONBLOCK, SOCK_STREAM
from wireside.kernel.core.uapi import PollFd
from wireside.kernel.core.wait import EPOLLIN, EPOLLOUT
from wireside.sim.programs.steps import CATCH_UP_NS, EventLoop, Resolve, Step, Value
from wireside.sim.run import NEVER
from wireside.sim.script import NOT_YET

if TYPE_CHECKING:
    from collections.abc import Mapping

MINUTE = 60_000_000_000
READ_SIZE = 65536


@dataclass(slots=True)
class TcpVisitorsParameters:
    """Parameters of `tcp_visitors`."""

    to: str
    rate: int
    total: int
    request: int
    answer: int
    closes_first: int
    hold: int
    keepalive: int


class TcpVisitors(EventLoop[TcpVisitorsParameters]):
    """Visits a server at a rate: connects, sends a request, reads the answer, and closes.

    A visit that fails, in whichever call, is counted, and the next one comes at its time all the same.
    """

    __slots__ = ("asks_alive", "held", "missing", "unasked", "visits")
    PARAMETERS = TcpVisitorsParameters

    def __init__(self, params: Mapping[str, Value], resolve: Resolve) -> None:
        super().__init__(params, resolve)
        self.visits = 0
        """Visits begun."""
        self.missing: dict[int, int] = {}
        """Descriptor → bytes of the answer that have not come yet."""
        self.held: dict[int, int] = {}
        """Descriptor → the ns at which its answer was complete, oldest first; these are kept for `hold`."""
        self.asks_alive = int(self.params.keepalive)
        """SO_KEEPALIVE as the open connections have it."""
        self.unasked: list[int] = []
        """Descriptors that are still to be told."""

    def open(self, now: int, result: int) -> Step:
        """Begin with the first visit."""
        self.due = now
        return self.round(now, 0)

    def round(self, now: int, result: int) -> Step:
        """Begin the visit that is due, end one that was kept long enough, or wait for what comes first."""
        params = self.params
        if self.asks_alive != params.keepalive:
            self.asks_alive = int(params.keepalive)
            self.unasked = [*self.missing]
        if self.unasked:
            return self.call("round", "setsockopt", self.unasked.pop(), "SO_KEEPALIVE", self.asks_alive)
        until = self._next_leave()
        if until <= now:
            self.fd = next(iter(self.held))
            return self.leave()
        due = self._next_visit()
        if due > now:
            return self.poll("polled", now, min(due, until))
        self.visits += 1
        self.due = max(self.due, now - CATCH_UP_NS)
        whole, self.rest = divmod(MINUTE + self.rest, params.rate)
        self.due += whole
        return self.call("made", "socket", SOCK_STREAM | SOCK_NONBLOCK)

    def _next_visit(self) -> int:
        total = self.params.total
        if not self.params.rate or (total and self.visits >= total):
            return NEVER
        return self.due

    def _next_leave(self) -> int:
        if not self.held or not self.params.closes_first:
            return NEVER
        return next(iter(self.held.values())) + int(self.params.hold)

    def made(self, now: int, result: int) -> Step:
        """Ask for keepalive when wanted."""
        if self.failed(result):
            return self.round(now, 0)
        self.fd = result
        if not self.params.keepalive:
            return self.connect(now, 0)
        return self.call("connect", "setsockopt", self.fd, "SO_KEEPALIVE", 1)

    def connect(self, now: int, result: int) -> Step:
        """Connect without waiting for it."""
        return self.call("connecting", "connect", self.fd, self.address)

    def connecting(self, now: int, result: int) -> Step:
        """Wait for the connection with all the others."""
        if result == -EINPROGRESS:
            self.watched[self.fd] = PollFd(EPOLLOUT)
            return self.round(now, 0)
        if self.failed(result):
            return self.call("round", "close", self.fd)
        return self.ask(now, 0)

    def polled(self, now: int, result: int) -> Step:
        """Look after the visits that can go on, one after the other."""
        self.collect(result)
        return self.look_after(now, 0)

    def look_after(self, now: int, result: int) -> Step:
        """The next one: read its answer, or ask what became of its connect()."""
        if not self.ready:
            return self.round(now, 0)
        self.fd = self.ready.pop(0)
        if self.fd in self.missing:
            return self.call("took", "read", self.fd, READ_SIZE)
        return self.call("ask", "getsockopt", self.fd, "SO_ERROR")

    def ask(self, now: int, result: int) -> Step:
        """Send the request, if there is a connection; `result` is what SO_ERROR told."""
        if self.failed(-result):
            return self.leave()
        self.tally.connected += 1
        self.watched[self.fd] = PollFd(EPOLLIN)
        self.missing[self.fd] = max(1, self.params.answer)
        return self.call("asked", "write", self.fd, self.params.request)

    def asked(self, now: int, result: int) -> Step:
        """Wait for the answer."""
        return self.leave() if self.failed(result) else self.look_after(now, 0)

    def took(self, now: int, result: int) -> Step:
        """Go when the answer is complete, or when the server has closed."""
        if result in NOT_YET:
            return self.look_after(now, 0)
        if self.failed(result) or result == 0:
            if result == 0 and self.missing[self.fd] > 0:
                self.tally.fail("end of stream")
            return self.leave()
        before = self.missing[self.fd]
        self.missing[self.fd] = before - result
        if before > 0 >= before - result:
            self.tally.answered += 1
            if self.params.closes_first and not self.params.hold:
                return self.leave()
            self.held[self.fd] = now
        return self.look_after(now, 0)

    def leave(self) -> Step:
        """Close the connection."""
        self.watched.pop(self.fd, None)
        self.missing.pop(self.fd, None)
        self.held.pop(self.fd, None)
        return self.call("look_after", "close", self.fd)
