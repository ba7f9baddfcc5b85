"""The named behaviours: small programs that name their next system call.

Each is a chain of steps; a step takes the result of the call before it. Parameters are read at every step, so that a
knob takes effect at the next call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from wireside.kernel.syscall import Syscall
from wireside.sim.run import NEVER, Sleep

Step = Syscall | Sleep | None
Value = int | float | str
Resolve = Callable[[str], tuple[int, int]]
SECOND = 1_000_000_000
CATCH_UP_NS = 10_000_000
"""A source that could not keep its rate for longer than this forgets what it missed."""


class Steps:
    """A program made of methods; `step` names the one that takes the next result."""

    __slots__ = ("address", "due", "failed", "fd", "params", "rest", "step", "total")

    def __init__(self, params: Mapping[str, Value], resolve: Resolve) -> None:
        self.params: dict[str, Any] = dict(params)
        self.address = resolve(str(self.params["to"])) if "to" in self.params else (0, 0)
        self.step = "open"
        self.failed = ""
        self.fd = -1
        self.total = 0
        """Bytes (or datagrams, messages) dealt with so far."""
        self.due = 0
        """The ns at which the rate allows the next one."""
        self.rest = 0

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

    def over(self, now: int, result: int) -> Step:
        """The program ends."""
        return None


class Idle(Steps):
    """Does nothing."""

    __slots__ = ()

    def open(self, now: int, result: int) -> Step:
        """Sleep for ever."""
        return Sleep(NEVER, "idle")


class Server(Steps):
    """What TCP servers share: socket(), bind(), listen(), and accept() until a connection comes."""

    __slots__ = ("listener",)

    def __init__(self, params: Mapping[str, Value], resolve: Resolve) -> None:
        super().__init__(params, resolve)
        self.listener = -1

    def open(self, now: int, result: int) -> Step:
        """Make the listening socket."""
        return self.call("set_rcvbuf", "socket", "SOCK_STREAM")

    def set_rcvbuf(self, now: int, result: int) -> Step:
        """Set SO_RCVBUF when asked."""
        self.listener = result
        rcvbuf = self.params.get("rcvbuf", 0)
        if not rcvbuf:
            return self.bind(now, result)
        return self.call("bind", "setsockopt", self.listener, "SO_RCVBUF", rcvbuf)

    def bind(self, now: int, result: int) -> Step:
        """Bind to the port."""
        return self.call("listen", "bind", self.listener, (0, self.params["port"]))

    def listen(self, now: int, result: int) -> Step:
        """Listen."""
        if result < 0:
            return None
        return self.call("accept", "listen", self.listener, self.params.get("backlog", 128))

    def accept(self, now: int, result: int) -> Step:
        """Wait for a connection."""
        return self.call("accepted", "accept", self.listener)

    def accepted(self, now: int, result: int) -> Step:
        """Serve the connection."""
        if result < 0:
            return self.accept(now, 0)
        self.fd = result
        self.due = 0
        return self.serve(now, 0)

    def serve(self, now: int, result: int) -> Step:
        """What this server does with a connection."""
        raise NotImplementedError


class TcpSink(Server):
    """Accepts one connection after the other and reads until the peer closes.

    stop_after turns the parameter `read` off, once; resume_after turns it on again, unless someone did before.
    """

    __slots__ = ("resume_at", "stopped")

    def __init__(self, params: Mapping[str, Value], resolve: Resolve) -> None:
        super().__init__(params, resolve)
        self.stopped = False
        self.resume_at = NEVER

    def serve(self, now: int, result: int) -> Step:
        """Read, unless a parameter says not to or not yet."""
        params = self.params
        chunk = params["chunk"]
        if params["stop_after"] and not self.stopped:
            if self.total >= params["stop_after"]:
                self.stop(now)
            chunk = min(chunk, params["stop_after"] - self.total)
        if now >= self.resume_at:
            self.resume_at = NEVER
            params["read"] = 1
        if not params["read"]:
            return self.wait("serve", self.resume_at, "stopped reading")
        if params["rate"] and now < self.due:
            return self.wait("serve", self.due, f"reads {params['rate']} bytes/s")
        return self.call("took", "read", self.fd, chunk)

    def stop(self, now: int) -> None:
        """stop_after is reached: rest for resume_after, or until the knob `read` is turned."""
        self.stopped = True
        self.params["read"] = 0
        if self.params["resume_after"]:
            self.resume_at = now + self.params["resume_after"]

    def took(self, now: int, result: int) -> Step:
        """Account for what was read; 0 or an error ends the connection."""
        if result <= 0:
            return self.call("accept", "close", self.fd)
        self.total += result
        if self.params["rate"]:
            self.pace(now, result, self.params["rate"])
        return self.serve(now, 0)


class TcpEcho(Server):
    """Accepts connections and writes back what it reads."""

    __slots__ = ("owed",)

    def __init__(self, params: Mapping[str, Value], resolve: Resolve) -> None:
        super().__init__(params, resolve)
        self.owed = 0

    def serve(self, now: int, result: int) -> Step:
        """Read some."""
        return self.call("reply", "read", self.fd, 65536)

    def reply(self, now: int, result: int) -> Step:
        """Write back what was read."""
        if result <= 0:
            return self.call("accept", "close", self.fd)
        self.owed = result
        return self.call("replied", "write", self.fd, result)

    def replied(self, now: int, result: int) -> Step:
        """Write the rest, if write() took only a part."""
        if result <= 0:
            return self.call("accept", "close", self.fd)
        self.owed -= result
        if self.owed > 0:
            return self.call("replied", "write", self.fd, self.owed)
        return self.serve(now, 0)


class Client(Steps):
    """What TCP clients share: socket() and connect()."""

    __slots__ = ()

    def open(self, now: int, result: int) -> Step:
        """Make the socket."""
        return self.call("set_sndbuf", "socket", "SOCK_STREAM")

    def set_sndbuf(self, now: int, result: int) -> Step:
        """Set SO_SNDBUF when asked."""
        self.fd = result
        if not self.params.get("sndbuf", 0):
            return self.set_nodelay(now, 0)
        return self.call("set_nodelay", "setsockopt", self.fd, "SO_SNDBUF", self.params["sndbuf"])

    def set_nodelay(self, now: int, result: int) -> Step:
        """Set TCP_NODELAY when asked."""
        if not self.params.get("nodelay", 0):
            return self.connect(now, 0)
        return self.call("connect", "setsockopt", self.fd, "TCP_NODELAY", 1)

    def connect(self, now: int, result: int) -> Step:
        """Connect."""
        return self.call("connected", "connect", self.fd, self.address)

    def connected(self, now: int, result: int) -> Step:
        """Begin to talk, or give up."""
        if result < 0:
            return self.call("over", "close", self.fd)
        return self.talk(now, 0)

    def talk(self, now: int, result: int) -> Step:
        """What this client does with its connection."""
        raise NotImplementedError


class TcpSource(Client):
    """Connects and writes."""

    __slots__ = ()

    def talk(self, now: int, result: int) -> Step:
        """Write, as soon as the rate allows it."""
        params = self.params
        chunk = params["chunk"]
        if params["total"]:
            chunk = min(chunk, params["total"] - self.total)
            if chunk <= 0:
                return self.call("over", "close", self.fd)
        if params["rate"] and now < self.due:
            return self.wait("talk", self.due, f"writes {params['rate']} bytes/s")
        return self.call("wrote", "write", self.fd, chunk)

    def wrote(self, now: int, result: int) -> Step:
        """Account for what was written."""
        if result < 0:
            return self.call("over", "close", self.fd)
        self.total += result
        if self.params["rate"]:
            self.pace(now, result, self.params["rate"])
        return self.talk(now, 0)


class TcpPing(Client):
    """Connects, writes a message, reads the echo, waits, and does it again."""

    __slots__ = ("missing",)

    def __init__(self, params: Mapping[str, Value], resolve: Resolve) -> None:
        super().__init__(params, resolve)
        self.missing = 0

    def talk(self, now: int, result: int) -> Step:
        """Write the next message when it is due."""
        params = self.params
        if params["count"] and self.total >= params["count"]:
            return self.call("over", "close", self.fd)
        if now < self.due:
            return self.wait("talk", self.due, "until the next message")
        self.due = now + params["every"]
        self.missing = params["size"]
        return self.call("wrote", "write", self.fd, self.missing)

    def wrote(self, now: int, result: int) -> Step:
        """Wait for the echo."""
        if result < 0:
            return self.call("over", "close", self.fd)
        return self.call("took", "read", self.fd, self.missing)

    def took(self, now: int, result: int) -> Step:
        """Read until the whole message is back."""
        if result <= 0:
            return self.call("over", "close", self.fd)
        self.missing -= result
        if self.missing > 0:
            return self.call("took", "read", self.fd, self.missing)
        self.total += 1
        return self.talk(now, 0)


class UdpSink(Steps):
    """Binds a datagram socket and reads datagrams."""

    __slots__ = ()

    def open(self, now: int, result: int) -> Step:
        """Make the socket."""
        return self.call("set_rcvbuf", "socket", "SOCK_DGRAM")

    def set_rcvbuf(self, now: int, result: int) -> Step:
        """Set SO_RCVBUF when asked."""
        self.fd = result
        if not self.params["rcvbuf"]:
            return self.bind(now, 0)
        return self.call("bind", "setsockopt", self.fd, "SO_RCVBUF", self.params["rcvbuf"])

    def bind(self, now: int, result: int) -> Step:
        """Bind to the port."""
        return self.call("receive", "bind", self.fd, (0, self.params["port"]))

    def receive(self, now: int, result: int) -> Step:
        """Read a datagram, unless a parameter says not to or not yet."""
        params = self.params
        if not params["read"]:
            return self.wait("receive", NEVER, "read is off")
        if params["rate"] and now < self.due:
            return self.wait("receive", self.due, f"reads {params['rate']} datagrams/s")
        if params["batch"] > 1:
            return self.call("took_many", "recvmmsg", self.fd, params["batch"], 65536)
        return self.call("took", "recvfrom", self.fd, 65536, "0")

    def took(self, now: int, result: int) -> Step:
        """Count it."""
        return self.took_many(now, 1 if result >= 0 else result)

    def took_many(self, now: int, result: int) -> Step:
        """Count them."""
        if result > 0:
            self.total += result
        if self.params["rate"]:
            self.pace(now, max(result, 1), self.params["rate"])
        return self.receive(now, 0)


class UdpSource(Steps):
    """Sends datagrams at a steady rate."""

    __slots__ = ("left",)

    def __init__(self, params: Mapping[str, Value], resolve: Resolve) -> None:
        super().__init__(params, resolve)
        self.left = 0

    def open(self, now: int, result: int) -> Step:
        """Make the socket."""
        return self.call("begin", "socket", "SOCK_DGRAM")

    def begin(self, now: int, result: int) -> Step:
        """Take the descriptor and start sending."""
        self.fd = result
        self.due = now
        return self.send(now, 0)

    def send(self, now: int, result: int) -> Step:
        """Send the next datagram of a burst, or wait for the next burst."""
        params = self.params
        if self.left <= 0:
            if params["total"] and self.total >= params["total"]:
                return self.call("over", "close", self.fd)
            if not params["pps"]:
                return self.wait("send", NEVER, "pps is 0")
            if now < self.due:
                return self.wait("send", self.due, f"sends {params['pps']} datagrams/s")
            self.left = max(1, params["burst"])
            self.pace(now, self.left, params["pps"])
        self.left -= 1
        self.total += 1
        return self.call("send", "sendto", self.fd, params["size"], self.address)


PROGRAMS: dict[str, type[Steps]] = {
    "tcp_sink": TcpSink,
    "tcp_source": TcpSource,
    "udp_sink": UdpSink,
    "udp_source": UdpSource,
    "tcp_echo": TcpEcho,
    "tcp_ping": TcpPing,
    "idle": Idle,
}
"""The class that carries out each behaviour of scenario.behaviours."""
