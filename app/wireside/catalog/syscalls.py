"""The system calls, each declared once with its arguments: what a script may write, what is printed, what the kernel carries out.

A call takes descriptors, sizes (bytes), times (ns), the numbers of `catalog.flags`, and addresses. Where the kernel fills memory, an
argument says where: ADDRESS, MESSAGE, POLLFDS and ANSWER.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from wireside.catalog import flags


class Arg(Enum):
    """What an argument of a system call is; `value` names it in messages."""

    FD = "a file descriptor"
    TYPE = "a socket type"
    ENDPOINT = "an endpoint"
    LOCAL = "a local port, or address and port"
    SIZE = "a size"
    COUNT = "a whole number"
    TIME = "a time"
    OPTION = "a socket option"
    VALUE = "an option value"
    FLAGS = "message flags"
    ACCEPT = "flags of accept4()"
    HOW = "a shutdown direction"
    EVENTS = "poll events"
    COMMAND = "an fcntl command"
    STATUS = "status flags"
    NAME = "a sysctl"
    TEXT = "a setting"
    PROGRAM = "a program"
    ADDRESS = "a place for an address"
    MESSAGE = "a message header"
    ANSWER = "a place for an option's value"


FAMILIES = {
    Arg.TYPE: flags.SOCKET_TYPES,
    Arg.FLAGS: flags.MESSAGE_FLAGS,
    Arg.HOW: flags.DIRECTIONS,
    Arg.EVENTS: flags.EVENTS,
    Arg.COMMAND: flags.COMMANDS,
    Arg.STATUS: flags.STATUS_FLAGS,
    Arg.ACCEPT: flags.ACCEPT_FLAGS,
}
"""The arguments that are numbers with names."""


@dataclass(frozen=True, slots=True)
class SyscallInfo:
    """One system call: `optional` arguments may be left out at the end and then take the value given here, if any."""

    name: str
    args: tuple[Arg, ...]
    doc: str
    optional: tuple[tuple[Arg, int | str | None], ...] = ()
    gives: str = "0"
    """What it returns when all goes well, in words."""

    @property
    def kinds(self) -> tuple[Arg, ...]:
        """What each argument is, the optional ones at the end."""
        return (*self.args, *(kind for kind, _ in self.optional))

    @property
    def usage(self) -> str:
        """The call as it is written, such as "listen(fd, backlog)"."""
        needed = [arg.name.lower() for arg in self.args]
        extra = [f"[{arg.name.lower()}]" for arg, _ in self.optional]
        return f"{self.name}({', '.join(needed + extra)})"


SYSCALLS: dict[str, SyscallInfo] = {
    call.name: call
    for call in (
        SyscallInfo("socket", (Arg.TYPE,), "Makes a socket.", gives="a descriptor"),
        SyscallInfo(
            "bind",
            (Arg.FD, Arg.LOCAL),
            "Gives the socket a local port, or one of the host's addresses and a port.",
        ),
        SyscallInfo("listen", (Arg.FD, Arg.COUNT), "Makes it a listener with this backlog."),
        SyscallInfo(
            "accept",
            (Arg.FD,),
            "Takes an established connection, or waits for one; the address is its peer's.",
            ((Arg.ADDRESS, None),),
            "a descriptor",
        ),
        SyscallInfo(
            "accept4",
            (Arg.FD, Arg.ADDRESS, Arg.ACCEPT),
            "accept() of a connection that may be non-blocking from the start (SOCK_NONBLOCK).",
            gives="a descriptor",
        ),
        SyscallInfo(
            "connect", (Arg.FD, Arg.ENDPOINT), "Opens a connection, or fixes a datagram socket's peer."
        ),
        SyscallInfo("getsockname", (Arg.FD, Arg.ADDRESS), "Tells the socket's own address and port."),
        SyscallInfo("getpeername", (Arg.FD, Arg.ADDRESS), "Tells its peer's; ENOTCONN without one."),
        SyscallInfo(
            "read",
            (Arg.FD, Arg.SIZE),
            "Reads up to so many bytes; 0 is the end of the stream.",
            gives="bytes",
        ),
        SyscallInfo(
            "write",
            (Arg.FD, Arg.SIZE),
            "Writes so many bytes; blocks while the send buffer is full.",
            gives="bytes",
        ),
        SyscallInfo("recv", (Arg.FD, Arg.SIZE), "read() with flags.", ((Arg.FLAGS, "0"),), "bytes"),
        SyscallInfo("send", (Arg.FD, Arg.SIZE), "write() with flags.", ((Arg.FLAGS, "0"),), "bytes"),
        SyscallInfo("sendto", (Arg.FD, Arg.SIZE, Arg.ENDPOINT), "Sends one datagram.", gives="bytes"),
        SyscallInfo(
            "recvmmsg",
            (Arg.FD, Arg.COUNT, Arg.SIZE),
            "Receives up to so many datagrams of up to so many bytes each; waits for the first.",
            gives="datagrams",
        ),
        SyscallInfo(
            "recvfrom",
            (Arg.FD, Arg.SIZE),
            "Receives one datagram; the address is its sender's.",
            ((Arg.FLAGS, "0"), (Arg.ADDRESS, None)),
            "bytes",
        ),
        SyscallInfo(
            "recvmsg",
            (Arg.FD, Arg.MESSAGE),
            "Receives one datagram with what there is to say about it, or with MSG_ERRQUEUE an error.",
            ((Arg.FLAGS, "0"),),
            "bytes",
        ),
        SyscallInfo(
            "setsockopt",
            (Arg.FD, Arg.OPTION, Arg.VALUE),
            "Sets a socket option (a level before it is allowed).",
        ),
        SyscallInfo(
            "getsockopt",
            (Arg.FD, Arg.OPTION),
            "Reads a socket option; with a place for its value, as on Linux, it gives 0.",
            ((Arg.ANSWER, None),),
            "its value",
        ),
        SyscallInfo(
            "poll",
            (Arg.FD, Arg.EVENTS),
            "Waits until one of the events holds; `-> 0` when none did in time. Without a timeout it waits for ever. Of several descriptors: see below.",
            ((Arg.TIME, -1),),
            "events",
        ),
        SyscallInfo(
            "fcntl",
            (Arg.FD, Arg.COMMAND),
            "Makes later calls on the socket non-blocking (F_SETFL, O_NONBLOCK) or blocking (F_SETFL, 0).",
            ((Arg.STATUS, "0"),),
        ),
        SyscallInfo("dup", (Arg.FD,), "Gives the socket one more descriptor.", gives="a descriptor"),
        SyscallInfo(
            "fork",
            (Arg.PROGRAM,),
            "Lets a program begin that has this one as its `parent`: with its descriptors and variables. EAGAIN when it has begun already.",
            gives="its pid",
        ),
        SyscallInfo("shutdown", (Arg.FD, Arg.HOW), "Closes one or both directions."),
        SyscallInfo("close", (Arg.FD,), "Gives the descriptor back."),
        SyscallInfo(
            "sysctl",
            (Arg.NAME, Arg.TEXT),
            "Turns a sysctl of the host, as `sysctl -w` does; `-> EINVAL` when the kernel refuses the value, ENOENT when it has no such sysctl.",
        ),
        SyscallInfo(
            "sleep", (Arg.TIME,), "Does nothing for so long; not a system call of its own, but nanosleep()."
        ),
    )
}

OF_THE_PROGRAM = frozenset({"sleep"})
"""What a script writes like a call and the kernel has no part in."""
