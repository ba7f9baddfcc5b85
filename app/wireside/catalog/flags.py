"""The numbers that system calls take and give by name: socket types, message flags, events, directions; each declared once.

Linux: include/linux/net.h, include/linux/socket.h, include/uapi/asm-generic/poll.h, fcntl.h, include/uapi/linux/errqueue.h.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from wireside.catalog import inet

if TYPE_CHECKING:
    from collections.abc import Mapping

SOCK_STREAM: Final = 1
SOCK_DGRAM: Final = 2
SOCK_NONBLOCK: Final = 0o4000

MSG_PEEK: Final = 0x2
MSG_TRUNC: Final = 0x20
MSG_DONTWAIT: Final = 0x40
MSG_WAITALL: Final = 0x100
MSG_ERRQUEUE: Final = 0x2000
MSG_MORE: Final = 0x8000

SHUT_RDWR: Final = 2

POLLIN: Final = 0x1
POLLOUT: Final = 0x4
POLLERR: Final = 0x8
POLLHUP: Final = 0x10
POLLNVAL: Final = 0x20
POLLRDHUP: Final = 0x2000

F_GETFL: Final = 3

O_RDWR: Final = 0o2
O_NONBLOCK: Final = 0o4000

SO_EE_ORIGIN_LOCAL: Final = 1
SO_EE_ORIGIN_ICMP: Final = 2


class Flag(NamedTuple):
    """One name: the number that it stands for, and what it means."""

    number: int
    doc: str


@dataclass(frozen=True, slots=True)
class Family:
    """Numbers that an argument or answer may have by name."""

    what: str
    """One of them, in words."""
    flags: Mapping[str, Flag]
    joined: bool = False
    """They are bits: several may be joined with |, and 0 is none of them."""

    def number(self, text: str) -> int:
        """The number that a name stands for, or several joined with |; KeyError for a name that is none of them."""
        if self.joined and text == "0":
            return 0
        found = 0
        for name in text.split("|") if self.joined else [text]:
            found |= self.flags[name.strip()].number
        return found

    def text(self, number: int) -> str:
        """The number in names, as strace prints it; what has no name stays a number."""
        if not self.joined:
            return next((name for name, each in self.flags.items() if each.number == number), str(number))
        names = [name for name, each in self.flags.items() if number & each.number]
        return "|".join(names) or str(number)


SOCKET_TYPES = Family(
    "a socket type",
    {
        "SOCK_STREAM": Flag(SOCK_STREAM, "A TCP socket."),
        "SOCK_DGRAM": Flag(SOCK_DGRAM, "A UDP socket."),
        "SOCK_NONBLOCK": Flag(SOCK_NONBLOCK, "Calls on it do not wait."),
    },
    joined=True,
)
ACCEPT_FLAGS = Family(
    "flags of accept4()", {"SOCK_NONBLOCK": SOCKET_TYPES.flags["SOCK_NONBLOCK"]}, joined=True
)
MESSAGE_FLAGS = Family(
    "message flags",
    {
        "MSG_DONTWAIT": Flag(MSG_DONTWAIT, "This call does not wait."),
        "MSG_MORE": Flag(MSG_MORE, "More will follow: hold a small segment back."),
        "MSG_PEEK": Flag(MSG_PEEK, "What is read stays in the queue."),
        "MSG_WAITALL": Flag(MSG_WAITALL, "recv() waits until all it asked for is there."),
        "MSG_NOSIGNAL": Flag(0x4000, "No SIGPIPE; there are no signals here anyway."),
        "MSG_ERRQUEUE": Flag(MSG_ERRQUEUE, "recv() takes an error from the error queue, not data."),
        "MSG_TRUNC": Flag(
            MSG_TRUNC,
            "recv(): the true length of a datagram, however little of it fits; from a stream, bytes are thrown away. "
            "As an answer of recvmsg(): the datagram was longer.",
        ),
    },
    joined=True,
)
DIRECTIONS = Family(
    "a shutdown direction",
    {
        "SHUT_RD": Flag(0, "Nothing more is read."),
        "SHUT_WR": Flag(1, "Nothing more is written: TCP sends a FIN."),
        "SHUT_RDWR": Flag(SHUT_RDWR, "Both."),
    },
)
EVENTS = Family(
    "poll events",
    {
        "POLLIN": Flag(POLLIN, "Something can be read: data, a connection, the end of the stream."),
        "POLLOUT": Flag(POLLOUT, "Something can be written."),
        "POLLRDHUP": Flag(POLLRDHUP, "The peer has sent its FIN."),
    },
    joined=True,
)
REVENTS = Family(
    "an event of poll()",
    {
        **EVENTS.flags,
        "POLLERR": Flag(POLLERR, "An error is pending; told unasked."),
        "POLLHUP": Flag(POLLHUP, "Both directions are shut down; told unasked."),
        "POLLNVAL": Flag(POLLNVAL, "The descriptor is not open; told unasked."),
    },
    joined=True,
)
COMMANDS = Family(
    "an fcntl command",
    {
        "F_SETFL": Flag(4, "Sets the file's status flags."),
        "F_GETFL": Flag(F_GETFL, "Asks for the file's status flags."),
    },
)
STATUS_FLAGS = Family(
    "status flags",
    {
        "O_NONBLOCK": Flag(O_NONBLOCK, "Calls on the file do not wait."),
    },
    joined=True,
)
ORIGINS = Family(
    "the origin of an error",
    {
        "SO_EE_ORIGIN_LOCAL": Flag(SO_EE_ORIGIN_LOCAL, "The host itself refused the packet."),
        "SO_EE_ORIGIN_ICMP": Flag(SO_EE_ORIGIN_ICMP, "An ICMP message complained about it."),
    },
)
ICMP_TYPES = Family(
    "an ICMP type",
    {"ICMP_DEST_UNREACH": Flag(inet.ICMP_DEST_UNREACH, "The packet could not be delivered.")},
)
ICMP_CODES = Family(
    "an ICMP code",
    {
        "ICMP_NET_UNREACH": Flag(inet.ICMP_NET_UNREACH, "No route to its network."),
        "ICMP_HOST_UNREACH": Flag(inet.ICMP_HOST_UNREACH, "No route to the host, or no answer from it."),
        "ICMP_PROT_UNREACH": Flag(inet.ICMP_PROT_UNREACH, "The host does not speak the protocol."),
        "ICMP_PORT_UNREACH": Flag(inet.ICMP_PORT_UNREACH, "Nobody has a socket for it."),
        "ICMP_FRAG_NEEDED": Flag(inet.ICMP_FRAG_NEEDED, "Too large, and not to be cut."),
        "ICMP_PKT_FILTERED": Flag(inet.ICMP_PKT_FILTERED, "A firewall refused it."),
    },
)
