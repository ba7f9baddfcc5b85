"""Programs that receive and send datagrams."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wireside.catalog.flags import SOCK_DGRAM
from wireside.sim.programs.steps import Resolve, Step, Steps, Value
from wireside.sim.run import NEVER

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(slots=True)
class UdpSinkParameters:
    """Parameters of `udp_sink`."""

    port: int
    rcvbuf: int
    rate: int
    batch: int
    read: int


class UdpSink(Steps[UdpSinkParameters]):
    """Binds a datagram socket and reads datagrams."""

    __slots__ = ()
    PARAMETERS = UdpSinkParameters

    def open(self, now: int, result: int) -> Step:
        """Make the socket."""
        return self.call("set_rcvbuf", "socket", SOCK_DGRAM)

    def set_rcvbuf(self, now: int, result: int) -> Step:
        """Set SO_RCVBUF when asked."""
        self.fd = result
        if not self.params.rcvbuf:
            return self.bind(now, 0)
        return self.call("bind", "setsockopt", self.fd, "SO_RCVBUF", self.params.rcvbuf)

    def bind(self, now: int, result: int) -> Step:
        """Bind to the port."""
        return self.call("bound", "bind", self.fd, (0, self.params.port))

    def bound(self, now: int, result: int) -> Step:
        """Receive, or end without a port."""
        return None if self.failed(result) else self.receive(now, 0)

    def receive(self, now: int, result: int) -> Step:
        """Read a datagram, unless a parameter says not to or not yet."""
        params = self.params
        if not params.read:
            return self.wait("receive", NEVER, "read is off")
        if params.rate and now < self.due:
            return self.wait("receive", self.due, f"reads {params.rate} pps")
        if params.batch > 1:
            return self.call("took_many", "recvmmsg", self.fd, params.batch, 65536)
        return self.call("took", "recvfrom", self.fd, 65536)

    def took(self, now: int, result: int) -> Step:
        """Count it."""
        return self.took_many(now, 1 if result >= 0 else result)

    def took_many(self, now: int, result: int) -> Step:
        """Count them."""
        if result >= 0:
            self.total += result
        else:
            self.failed(result)
        if self.params.rate:
            self.pace(now, max(result, 1), self.params.rate)
        return self.receive(now, 0)


@dataclass(slots=True)
class UdpSourceParameters:
    """Parameters of `udp_source`."""

    to: str
    size: int
    pps: int
    total: int
    burst: int


class UdpSource(Steps[UdpSourceParameters]):
    """Sends datagrams at a steady rate."""

    __slots__ = ("left",)
    PARAMETERS = UdpSourceParameters

    def __init__(self, params: Mapping[str, Value], resolve: Resolve) -> None:
        super().__init__(params, resolve)
        self.left = 0

    def open(self, now: int, result: int) -> Step:
        """Make the socket."""
        return self.call("begin", "socket", SOCK_DGRAM)

    def begin(self, now: int, result: int) -> Step:
        """Take the descriptor and start sending."""
        self.fd = result
        self.due = now
        return self.send(now, 0)

    def send(self, now: int, result: int) -> Step:
        """Send the next datagram of a burst, or wait for the next burst."""
        params = self.params
        if self.left <= 0:
            if params.total and self.total >= params.total:
                return self.call("over", "close", self.fd)
            if not params.pps:
                return self.wait("send", NEVER, "pps is 0")
            if now < self.due:
                return self.wait("send", self.due, f"sends {params.pps} pps")
            self.left = max(1, params.burst)
            self.pace(now, self.left, params.pps)
        self.left -= 1
        self.total += 1
        return self.call("sent", "sendto", self.fd, params.size, self.address)

    def sent(self, now: int, result: int) -> Step:
        """Go on, whatever became of it."""
        self.failed(result)
        return self.send(now, 0)
