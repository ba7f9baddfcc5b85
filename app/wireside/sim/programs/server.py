"""A TCP server: one process with an event loop, many connections; and its two well-known faults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wireside.catalog.flags import SOCK_NONBLOCK, SOCK_STREAM
from wireside.kernel.core.call import Syscall
from wireside.kernel.core.uapi import PollFd
from wireside.kernel.core.wait import EPOLLIN
from wireside.sim.programs.steps import RETRY_NS, EventLoop, Resolve, Step, Value
from wireside.sim.run import NEVER, Spin
from wireside.sim.script import NOT_YET
from wireside.sim.spin import Rounds

if TYPE_CHECKING:
    from collections.abc import Mapping

READ_SIZE = 65536


@dataclass(slots=True)
class TcpServerParameters:
    """Parameters of `tcp_server`, `tcp_leaker` and `tcp_slow_acceptor`; what one of them lacks is off."""

    port: int
    backlog: int
    request: int
    answer: int
    work: int = 0
    closes_first: int = 0
    nodelay: int = 0
    closes: int = 1
    pause: int = 0
    backs_off: int = 1


class TcpServer(EventLoop[TcpServerParameters]):
    """Accepts connections, reads a request from each, answers it, and waits for the next one or for the end.

    `pause` is what a slow acceptor does instead of accept(); with a `closes` that is false a leaker answers, and never looks at
    the connection again. Without `backs_off` it asks its listener again and again when it has no descriptor to spare.
    """

    __slots__ = (
        "busy_until", "leaked", "listener", "missing", "nodelay", "pending", "reopen_at", "rested_at", "rounds", "unset",
    )  # fmt: skip
    PARAMETERS = TcpServerParameters

    def __init__(self, params: Mapping[str, Value], resolve: Resolve) -> None:
        super().__init__(params, resolve)
        self.listener = -1
        self.missing: dict[int, int] = {}
        """Descriptor → bytes of its request that have not come yet."""
        self.leaked: list[int] = []
        self.nodelay = 0
        """TCP_NODELAY as the open connections have it."""
        self.unset: list[int] = []
        """Descriptors that are still to get it."""
        self.rounds = Rounds(0)
        """Watches whether it comes to anything while it does not back off."""
        self.pending: Syscall | None = None
        """The call that these rounds have still to learn the result of."""
        self.busy_until = 0
        """When its work on a request is done."""
        self.rested_at = 0
        """When it last had looked after everybody."""
        self.reopen_at = NEVER
        """When it looks at its listener again after accept() failed."""

    def next(self, now: int, result: int) -> Step:
        """The next thing to do; a server that may spin is watched."""
        if self.pending is not None:
            self.rounds.note(self.pending.name, self.pending.args, result)
            self.pending = None
        step = super().next(now, result)
        if isinstance(step, Syscall) and not self.params.backs_off:
            self.pending = step
        return step

    def open(self, now: int, result: int) -> Step:
        """Make the listening socket."""
        return self.call("bind", "socket", SOCK_STREAM | SOCK_NONBLOCK)

    def bind(self, now: int, result: int) -> Step:
        """Bind to the port."""
        if self.failed(result):
            return None
        self.listener = result
        return self.call("listen", "bind", self.listener, (0, self.params.port))

    def listen(self, now: int, result: int) -> Step:
        """Listen."""
        if self.failed(result):
            return None
        return self.call("begin", "listen", self.listener, self.params.backlog)

    def begin(self, now: int, result: int) -> Step:
        """Begin to look after connections."""
        self.watched[self.listener] = PollFd(EPOLLIN)
        self.rested_at = now
        return self.round(now, 0)

    def round(self, now: int, result: int) -> Step:
        """Begin a round; those that come to nothing may pass at once."""
        if not self.params.backs_off:
            round_ns, calls = self.rounds.over(now)
            if round_ns:
                self.step = "spun"
                return Spin(round_ns, calls)
        return self.go_on(now, 0)

    def spun(self, now: int, result: int) -> Step:
        """So many rounds have passed in which accept() failed; look again."""
        self.tally.failed += result
        self.rounds.restart(now)
        return self.go_on(now, 0)

    def go_on(self, now: int, result: int) -> Step:
        """Do what is left to do, then wait until somebody wants something."""
        if self.leaked and self.params.closes:
            return self.call("round", "close", self.leaked.pop())
        if self.nodelay != self.params.nodelay:
            self.nodelay = int(self.params.nodelay)
            self.unset = [*self.missing]
        if self.unset:
            return self.call("round", "setsockopt", self.unset.pop(), "TCP_NODELAY", self.nodelay)
        pause = self.params.pause
        if pause and now < self.rested_at + pause:
            return self.wait("round", self.rested_at + pause, "does something else")
        if now >= self.reopen_at:
            self.reopen_at = NEVER
            self.watched[self.listener] = PollFd(EPOLLIN)
        return self.poll("polled", now, self.reopen_at)

    def polled(self, now: int, result: int) -> Step:
        """Look after those who are ready, one after the other."""
        self.collect(result)
        return self.look_after(now, 0)

    def look_after(self, now: int, result: int) -> Step:
        """The next one."""
        if not self.ready:
            if self.params.pause:
                return self.call("drained", "poll", self.watched, 0)
            return self.round(now, 0)
        fd = self.ready.pop(0)
        if fd == self.listener:
            return self.call("accepted", "accept", fd)
        self.fd = fd
        return self.call("took", "read", fd, READ_SIZE)

    def drained(self, now: int, result: int) -> Step:
        """Rest when nobody else is ready."""
        self.collect(result)
        if self.ready:
            return self.look_after(now, 0)
        self.rested_at = now
        return self.round(now, 0)

    def accepted(self, now: int, result: int) -> Step:
        """Take every connection that waits; without a descriptor to spare, leave the listener alone for a while, or do not."""
        if result in NOT_YET:
            return self.look_after(now, 0)
        if self.failed(result):
            if self.params.backs_off:
                del self.watched[self.listener]
                self.reopen_at = now + RETRY_NS
            return self.look_after(now, 0)
        self.tally.accepted += 1
        self.watched[result] = PollFd(EPOLLIN)
        self.missing[result] = self.params.request
        if self.nodelay:
            self.unset.append(result)
        return self.call("accepted", "accept", self.listener)

    def took(self, now: int, result: int) -> Step:
        """Work on the request when all of it is there; close when nothing more will come."""
        if result in NOT_YET:
            return self.look_after(now, 0)
        if self.failed(result) or result == 0:
            return self.leave(now)
        self.missing[self.fd] -= result
        if self.missing[self.fd] > 0:
            return self.look_after(now, 0)
        self.busy_until = now + self.params.work
        return self.answer(now, 0)

    def answer(self, now: int, result: int) -> Step:
        """Write the answer, when the work is done."""
        if now < self.busy_until:
            return self.wait("answer", self.busy_until, "works on a request")
        return self.call("answered", "write", self.fd, max(1, self.params.answer))

    def answered(self, now: int, result: int) -> Step:
        """Wait for the next request; or close, or forget the connection."""
        if self.failed(result):
            return self.leave(now)
        self.tally.answered += 1
        self.missing[self.fd] += self.params.request
        if self.params.closes_first or not self.params.closes:
            return self.leave(now)
        return self.look_after(now, 0)

    def leave(self, now: int) -> Step:
        """Close the connection; a leaker only forgets it."""
        del self.watched[self.fd], self.missing[self.fd]
        if self.params.closes:
            return self.call("look_after", "close", self.fd)
        self.leaked.append(self.fd)
        return self.look_after(now, 0)
