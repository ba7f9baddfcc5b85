"""The system calls a script may make, each declared once with its arguments; sim carries them out.

Arguments arrive in `Call.args` in this order, optional ones filled in: an FD is the name of a variable (or a number), an
OPTION, TYPE, FLAGS or HOW its Linux name ("SOCK_STREAM|SOCK_NONBLOCK"), an ENDPOINT "host:port", a LOCAL a port number or
"host:port", a SIZE bytes, a TIME ns, a NAME the full name of a sysctl, a TEXT what is written to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from wireside.catalog.sysctls_tcp import TCP_CONGESTION_CONTROL


class Arg(Enum):
    """What an argument of a system call is; `value` names it in messages."""

    FD = "a file descriptor"
    TYPE = "a socket type"
    ENDPOINT = "an endpoint"
    LOCAL = "a local port, or address and port"
    SIZE = "a size"
    COUNT = "a whole number"
    TIME = "a time"
    LEVEL = "an option level"
    OPTION = "a socket option"
    VALUE = "an option value"
    FLAGS = "message flags"
    HOW = "a shutdown direction"
    EVENTS = "poll events"
    COMMAND = "an fcntl command"
    STATUS = "status flags"
    NAME = "a sysctl"
    TEXT = "a setting"


CONSTANTS: dict[Arg, tuple[str, ...]] = {
    Arg.TYPE: ("SOCK_STREAM", "SOCK_DGRAM", "SOCK_NONBLOCK"),
    Arg.LEVEL: ("SOL_SOCKET", "IPPROTO_IP", "IPPROTO_TCP", "IPPROTO_UDP"),
    Arg.OPTION: (
        "SO_RCVBUF", "SO_SNDBUF", "SO_RCVBUFFORCE", "SO_SNDBUFFORCE", "SO_ERROR", "SO_REUSEADDR", "SO_REUSEPORT", "SO_LINGER",
        "SO_KEEPALIVE", "TCP_NODELAY", "TCP_CORK", "TCP_QUICKACK", "TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT",
        "TCP_USER_TIMEOUT", "TCP_LINGER2", "TCP_SYNCNT", "TCP_DEFER_ACCEPT", "TCP_CONGESTION", "IP_BIND_ADDRESS_NO_PORT",
        "UDP_SEGMENT", "IP_RECVERR", "SO_RCVTIMEO", "SO_SNDTIMEO", "SO_RCVLOWAT", "TCP_MAXSEG", "TCP_WINDOW_CLAMP",
        "TCP_NOTSENT_LOWAT",
    ),
    Arg.FLAGS: ("MSG_DONTWAIT", "MSG_MORE", "MSG_PEEK", "MSG_WAITALL", "MSG_NOSIGNAL", "MSG_ERRQUEUE"),
    Arg.HOW: ("SHUT_RD", "SHUT_WR", "SHUT_RDWR"),
    Arg.EVENTS: ("POLLIN", "POLLOUT", "POLLRDHUP"),
    Arg.COMMAND: ("F_SETFL", "F_GETFL"),
    Arg.STATUS: ("O_NONBLOCK",),
}  # fmt: skip
"""The names that stand for numbers; those of TYPE, FLAGS and EVENTS may be joined with |."""
JOINED = (Arg.TYPE, Arg.FLAGS, Arg.EVENTS)
POLL_EVENTS = {
    "POLLIN": 0x1,
    "POLLOUT": 0x4,
    "POLLERR": 0x8,
    "POLLHUP": 0x10,
    "POLLNVAL": 0x20,
    "POLLRDHUP": 0x2000,
}
"""What poll() may answer."""
ALGORITHMS = TCP_CONGESTION_CONTROL.choices
"""The words that a socket option's value may be."""
TIME_OPTIONS = ("SO_RCVTIMEO", "SO_SNDTIMEO")
"""Options whose value is a time with its unit; 0s is for ever."""
MAX_VALUE = 2**31 - 1
"""The largest value of a socket option, an int."""


@dataclass(frozen=True, slots=True)
class Syscall:
    """One system call: `optional` arguments may be left out at the end and then take the value given here."""

    name: str
    args: tuple[Arg, ...]
    doc: str
    optional: tuple[tuple[Arg, int | str], ...] = ()
    gives: str = "0"
    """What it returns when all goes well, in words."""

    @property
    def usage(self) -> str:
        """The call as it is written, such as "listen(fd, backlog)"."""
        needed = [arg.name.lower() for arg in self.args]
        extra = [f"[{arg.name.lower()}]" for arg, _ in self.optional]
        return f"{self.name}({', '.join(needed + extra)})"


SYSCALLS: dict[str, Syscall] = {
    call.name: call
    for call in (
        Syscall("socket", (Arg.TYPE,), "Makes a socket.", gives="a descriptor"),
        Syscall(
            "bind",
            (Arg.FD, Arg.LOCAL),
            "Gives the socket a local port, or one of the host's addresses and a port.",
        ),
        Syscall("listen", (Arg.FD, Arg.COUNT), "Makes it a listener with this backlog."),
        Syscall(
            "accept", (Arg.FD,), "Takes an established connection, or waits for one.", gives="a descriptor"
        ),
        Syscall("connect", (Arg.FD, Arg.ENDPOINT), "Opens a connection, or fixes a datagram socket's peer."),
        Syscall(
            "read",
            (Arg.FD, Arg.SIZE),
            "Reads up to so many bytes; 0 is the end of the stream.",
            gives="bytes",
        ),
        Syscall(
            "write",
            (Arg.FD, Arg.SIZE),
            "Writes so many bytes; blocks while the send buffer is full.",
            gives="bytes",
        ),
        Syscall("recv", (Arg.FD, Arg.SIZE), "read() with flags.", ((Arg.FLAGS, "0"),), "bytes"),
        Syscall("send", (Arg.FD, Arg.SIZE), "write() with flags.", ((Arg.FLAGS, "0"),), "bytes"),
        Syscall("sendto", (Arg.FD, Arg.SIZE, Arg.ENDPOINT), "Sends one datagram.", gives="bytes"),
        Syscall(
            "recvmmsg",
            (Arg.FD, Arg.VALUE, Arg.SIZE),
            "Receives up to so many datagrams of up to so many bytes each; waits for the first.",
            gives="datagrams",
        ),
        Syscall("recvfrom", (Arg.FD, Arg.SIZE), "Receives one datagram.", ((Arg.FLAGS, "0"),), "bytes"),
        Syscall(
            "setsockopt",
            (Arg.FD, Arg.OPTION, Arg.VALUE),
            "Sets a socket option (a level before it is allowed).",
        ),
        Syscall("getsockopt", (Arg.FD, Arg.OPTION), "Reads a socket option.", gives="its value"),
        Syscall(
            "poll",
            (Arg.FD, Arg.EVENTS),
            "Waits until one of the events holds; `-> 0` when none did in time. Without a timeout it waits for ever.",
            ((Arg.TIME, -1),),
            "events",
        ),
        Syscall(
            "fcntl",
            (Arg.FD, Arg.COMMAND),
            "Makes later calls on the socket non-blocking (F_SETFL, O_NONBLOCK) or blocking (F_SETFL, 0).",
            ((Arg.STATUS, "0"),),
        ),
        Syscall("dup", (Arg.FD,), "Gives the socket one more descriptor.", gives="a descriptor"),
        Syscall("shutdown", (Arg.FD, Arg.HOW), "Closes one or both directions."),
        Syscall("close", (Arg.FD,), "Gives the descriptor back."),
        Syscall(
            "sysctl",
            (Arg.NAME, Arg.TEXT),
            "Turns a sysctl of the host, as `sysctl -w` does; `-> EINVAL` when the kernel refuses the value, ENOENT when it has no such sysctl.",
        ),
        Syscall(
            "sleep", (Arg.TIME,), "Does nothing for so long; not a system call of its own, but nanosleep()."
        ),
    )
}
