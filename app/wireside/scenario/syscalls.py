"""The system calls a script may make, each declared once with its arguments; sim carries them out.

Arguments arrive in `Call.args` in this order, optional ones filled in: an FD is the name of a variable (or a number), an
OPTION, TYPE, FLAGS or HOW its Linux name ("SOCK_STREAM|SOCK_NONBLOCK"), an ENDPOINT "host:port", a LOCAL a port number, a
SIZE bytes, a TIME ns.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Arg(Enum):
    """What an argument of a system call is; `value` names it in messages."""

    FD = "a file descriptor"
    TYPE = "a socket type"
    ENDPOINT = "an endpoint"
    LOCAL = "a local port"
    SIZE = "a size"
    COUNT = "a whole number"
    TIME = "a time"
    LEVEL = "an option level"
    OPTION = "a socket option"
    VALUE = "an option value"
    FLAGS = "message flags"
    HOW = "a shutdown direction"


CONSTANTS: dict[Arg, tuple[str, ...]] = {
    Arg.TYPE: ("SOCK_STREAM", "SOCK_DGRAM", "SOCK_NONBLOCK"),
    Arg.LEVEL: ("SOL_SOCKET", "IPPROTO_TCP"),
    Arg.OPTION: ("SO_RCVBUF", "SO_SNDBUF", "SO_ERROR", "TCP_NODELAY"),
    Arg.FLAGS: ("MSG_DONTWAIT",),
    Arg.HOW: ("SHUT_RD", "SHUT_WR", "SHUT_RDWR"),
}
"""The names that stand for numbers; those of TYPE and FLAGS may be joined with |."""
JOINED = (Arg.TYPE, Arg.FLAGS)


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
        Syscall("bind", (Arg.FD, Arg.LOCAL), "Gives the socket a local port."),
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
        Syscall("recvfrom", (Arg.FD, Arg.SIZE), "Receives one datagram.", ((Arg.FLAGS, "0"),), "bytes"),
        Syscall(
            "setsockopt",
            (Arg.FD, Arg.OPTION, Arg.VALUE),
            "Sets a socket option (a level before it is allowed).",
        ),
        Syscall("getsockopt", (Arg.FD, Arg.OPTION), "Reads a socket option.", gives="its value"),
        Syscall("shutdown", (Arg.FD, Arg.HOW), "Closes one or both directions."),
        Syscall("close", (Arg.FD,), "Gives the descriptor back."),
        Syscall(
            "sleep", (Arg.TIME,), "Does nothing for so long; not a system call of its own, but nanosleep()."
        ),
    )
}

ERRNOS = (
    "EADDRINUSE", "EADDRNOTAVAIL", "EAGAIN", "EALREADY", "EBADF", "ECONNABORTED", "ECONNREFUSED", "ECONNRESET", "EHOSTUNREACH",
    "EINPROGRESS", "EINTR", "EINVAL", "EISCONN", "EMSGSIZE", "ENETUNREACH", "ENOBUFS", "ENOPROTOOPT", "ENOTCONN", "ENOTSOCK",
    "EOPNOTSUPP", "EPIPE", "EDESTADDRREQ", "ETIMEDOUT", "EMFILE", "ENOTSUPP",
)  # fmt: skip
"""Errors that a script may expect after `->`."""
