"""TCP programs of one connection at a time: readers, writers, echo and ping."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from wireside.catalog.flags import SOCK_STREAM
from wireside.sim.programs.steps import RETRY_NS, Resolve, Step, Steps, Value
from wireside.sim.run import NEVER

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(slots=True)
class ServerParameters:
    """Parameters of a server."""

    port: int
    backlog: int = 128
    rcvbuf: int = 0


S = TypeVar("S", bound=ServerParameters)


class Server(Steps[S]):
    """What TCP servers share: socket(), bind(), listen(), and accept() until a connection comes."""

    __slots__ = ("listener",)

    def __init__(self, params: Mapping[str, Value], resolve: Resolve) -> None:
        super().__init__(params, resolve)
        self.listener = -1

    def open(self, now: int, result: int) -> Step:
        """Make the listening socket."""
        return self.call("set_rcvbuf", "socket", SOCK_STREAM)

    def set_rcvbuf(self, now: int, result: int) -> Step:
        """Set SO_RCVBUF when asked."""
        self.listener = result
        rcvbuf = self.params.rcvbuf
        if not rcvbuf:
            return self.bind(now, result)
        return self.call("bind", "setsockopt", self.listener, "SO_RCVBUF", rcvbuf)

    def bind(self, now: int, result: int) -> Step:
        """Bind to the port."""
        return self.call("listen", "bind", self.listener, (0, self.params.port))

    def listen(self, now: int, result: int) -> Step:
        """Listen."""
        if self.failed(result):
            return None
        return self.call("accept", "listen", self.listener, self.params.backlog)

    def accept(self, now: int, result: int) -> Step:
        """Wait for a connection."""
        return self.call("accepted", "accept", self.listener)

    def accepted(self, now: int, result: int) -> Step:
        """Serve the connection; without a descriptor to spare, look again later."""
        if self.failed(result):
            return self.wait("accept", now + RETRY_NS, "waits for a descriptor")
        self.tally.accepted += 1
        self.fd = result
        self.due = 0
        return self.serve(now, 0)

    def serve(self, now: int, result: int) -> Step:
        """What this server does with a connection."""
        raise NotImplementedError


@dataclass(slots=True)
class TcpSinkParameters(ServerParameters):
    """Parameters of `tcp_sink`."""

    rate: int = 0
    chunk: int = 0
    stop_after: int = 0
    resume_after: int = 0
    read: int = 1


class TcpSink(Server[TcpSinkParameters]):
    """Accepts one connection after the other and reads until the peer closes.

    stop_after turns the parameter `read` off, once; resume_after turns it on again, unless someone did before.
    """

    __slots__ = ("resume_at", "stopped")
    PARAMETERS = TcpSinkParameters

    def __init__(self, params: Mapping[str, Value], resolve: Resolve) -> None:
        super().__init__(params, resolve)
        self.stopped = False
        self.resume_at = NEVER

    def serve(self, now: int, result: int) -> Step:
        """Read, unless a parameter says not to or not yet."""
        params = self.params
        chunk = params.chunk
        if params.stop_after and not self.stopped:
            if self.total >= params.stop_after:
                self.stop(now)
            chunk = min(chunk, params.stop_after - self.total)
        if now >= self.resume_at:
            self.resume_at = NEVER
            params.read = 1
        if not params.read:
            return self.wait("serve", self.resume_at, "stopped reading")
        if params.rate and now < self.due:
            return self.wait("serve", self.due, f"reads {params.rate} bytes/s")
        return self.call("took", "read", self.fd, chunk)

    def stop(self, now: int) -> None:
        """stop_after is reached: rest for resume_after, or until the knob `read` is turned."""
        self.stopped = True
        self.params.read = 0
        if self.params.resume_after:
            self.resume_at = now + self.params.resume_after

    def took(self, now: int, result: int) -> Step:
        """Account for what was read; 0 or an error ends the connection."""
        if result <= 0:
            self.failed(result)
            return self.call("accept", "close", self.fd)
        self.total += result
        if self.params.rate:
            self.pace(now, result, self.params.rate)
        return self.serve(now, 0)


class TcpEcho(Server[ServerParameters]):
    """Accepts connections and writes back what it reads."""

    __slots__ = ("owed",)
    PARAMETERS = ServerParameters

    def __init__(self, params: Mapping[str, Value], resolve: Resolve) -> None:
        super().__init__(params, resolve)
        self.owed = 0

    def serve(self, now: int, result: int) -> Step:
        """Read some."""
        return self.call("reply", "read", self.fd, 65536)

    def reply(self, now: int, result: int) -> Step:
        """Write back what was read."""
        if result <= 0:
            self.failed(result)
            return self.call("accept", "close", self.fd)
        self.owed = result
        return self.call("replied", "write", self.fd, result)

    def replied(self, now: int, result: int) -> Step:
        """Write the rest, if write() took only a part."""
        if result <= 0:
            self.failed(result)
            return self.call("accept", "close", self.fd)
        self.owed -= result
        if self.owed > 0:
            return self.call("replied", "write", self.fd, self.owed)
        self.tally.answered += 1
        return self.serve(now, 0)


@dataclass(slots=True)
class ClientParameters:
    """Parameters of a client."""

    to: str
    sndbuf: int = 0
    nodelay: int = 0


C = TypeVar("C", bound=ClientParameters)


class Client(Steps[C]):
    """What TCP clients share: socket() and connect()."""

    __slots__ = ()

    def open(self, now: int, result: int) -> Step:
        """Make the socket."""
        return self.call("set_sndbuf", "socket", SOCK_STREAM)

    def set_sndbuf(self, now: int, result: int) -> Step:
        """Set SO_SNDBUF when asked."""
        self.fd = result
        if not self.params.sndbuf:
            return self.set_nodelay(now, 0)
        return self.call("set_nodelay", "setsockopt", self.fd, "SO_SNDBUF", self.params.sndbuf)

    def set_nodelay(self, now: int, result: int) -> Step:
        """Set TCP_NODELAY when asked."""
        if not self.params.nodelay:
            return self.connect(now, 0)
        return self.call("connect", "setsockopt", self.fd, "TCP_NODELAY", 1)

    def connect(self, now: int, result: int) -> Step:
        """Connect."""
        return self.call("connected", "connect", self.fd, self.address)

    def connected(self, now: int, result: int) -> Step:
        """Begin to talk, or give up."""
        if self.failed(result):
            return self.call("over", "close", self.fd)
        self.tally.connected += 1
        return self.talk(now, 0)

    def talk(self, now: int, result: int) -> Step:
        """What this client does with its connection."""
        raise NotImplementedError


@dataclass(slots=True)
class TcpSourceParameters(ClientParameters):
    """Parameters of `tcp_source`."""

    total: int = 0
    chunk: int = 0
    rate: int = 0


class TcpSource(Client[TcpSourceParameters]):
    """Connects and writes."""

    __slots__ = ()
    PARAMETERS = TcpSourceParameters

    def talk(self, now: int, result: int) -> Step:
        """Write, as soon as the rate allows it."""
        params = self.params
        chunk = params.chunk
        if params.total:
            chunk = min(chunk, params.total - self.total)
            if chunk <= 0:
                return self.call("over", "close", self.fd)
        if params.rate and now < self.due:
            return self.wait("talk", self.due, f"writes {params.rate} bytes/s")
        return self.call("wrote", "write", self.fd, chunk)

    def wrote(self, now: int, result: int) -> Step:
        """Account for what was written."""
        if self.failed(result):
            return self.call("over", "close", self.fd)
        self.total += result
        if self.params.rate:
            self.pace(now, result, self.params.rate)
        return self.talk(now, 0)


@dataclass(slots=True)
class TcpPingParameters(ClientParameters):
    """Parameters of `tcp_ping`."""

    size: int = 0
    head: int = 0
    answer: int = 0
    every: int = 0
    count: int = 0


class TcpPing(Client[TcpPingParameters]):
    """Connects, writes a message, reads the answer, waits, and does it again."""

    __slots__ = ("asked_at", "missing", "nodelay", "unwritten")
    PARAMETERS = TcpPingParameters

    def __init__(self, params: Mapping[str, Value], resolve: Resolve) -> None:
        super().__init__(params, resolve)
        self.asked_at = self.missing = self.unwritten = 0
        self.nodelay = int(self.params.nodelay)
        """TCP_NODELAY as it was last set."""

    def talk(self, now: int, result: int) -> Step:
        """Write the next message when it is due: in one write(), or its head first."""
        params = self.params
        if params.count and self.total >= params.count:
            return self.call("over", "close", self.fd)
        if now < self.due:
            return self.wait("talk", self.due, "until the next message")
        if self.nodelay != params.nodelay:
            self.nodelay = params.nodelay
            return self.call("talk", "setsockopt", self.fd, "TCP_NODELAY", int(self.nodelay))
        self.due = now + params.every
        self.asked_at = now
        self.missing = params.answer or params.size
        head = min(params.head, params.size)
        self.unwritten = params.size - head if head else 0
        return self.call("wrote", "write", self.fd, head or params.size)

    def wrote(self, now: int, result: int) -> Step:
        """Write the body, then wait for the answer."""
        if self.failed(result):
            return self.call("over", "close", self.fd)
        if self.unwritten:
            body, self.unwritten = self.unwritten, 0
            return self.call("wrote", "write", self.fd, body)
        return self.call("took", "read", self.fd, self.missing)

    def took(self, now: int, result: int) -> Step:
        """Read until the whole answer is there."""
        if result <= 0:
            self.failed(result)
            return self.call("over", "close", self.fd)
        self.missing -= result
        if self.missing > 0:
            return self.call("took", "read", self.fd, self.missing)
        self.total += 1
        self.tally.answered += 1
        self.tally.slowest_ns = max(self.tally.slowest_ns, now - self.asked_at)
        return self.talk(now, 0)
