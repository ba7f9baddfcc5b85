"""The numbers that system calls take and give by name: socket types, message flags, events, directions; each declared once.

Linux: include/linux/net.h, include/linux/socket.h, include/uapi/asm-generic/poll.h, fcntl.h, include/uapi/linux/errqueue.h.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from wireside.catalog import inet
from wireside.catalog.together import numbered

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
MSG_NOSIGNAL: Final = 0x4000
MSG_MORE: Final = 0x8000

SHUT_RD: Final = 0
SHUT_WR: Final = 1
SHUT_RDWR: Final = 2

POLLIN: Final = 0x1
POLLOUT: Final = 0x4
POLLERR: Final = 0x8
POLLHUP: Final = 0x10
POLLNVAL: Final = 0x20
POLLRDHUP: Final = 0x2000

F_GETFL: Final = 3
F_SETFL: Final = 4

O_RDWR: Final = 0o2
O_NONBLOCK: Final = 0o4000

SO_EE_ORIGIN_LOCAL: Final = 1
SO_EE_ORIGIN_ICMP: Final = 2

_MEANINGS = {
    "SOCK_STREAM": "A TCP socket.",
    "SOCK_DGRAM": "A UDP socket.",
    "SOCK_NONBLOCK": "Calls on it do not wait.",
    "MSG_PEEK": "What is read stays in the queue.",
    "MSG_TRUNC": "recv(): the true length of a datagram, however little of it fits; from a stream, bytes are thrown away. "
    "As an answer of recvmsg(): the datagram was longer.",
    "MSG_DONTWAIT": "This call does not wait.",
    "MSG_WAITALL": "recv() waits until all it asked for is there.",
    "MSG_ERRQUEUE": "recv() takes an error from the error queue, not data.",
    "MSG_NOSIGNAL": "No SIGPIPE; there are no signals here anyway.",
    "MSG_MORE": "More will follow: hold a small segment back.",
    "SHUT_RD": "Nothing more is read.",
    "SHUT_WR": "Nothing more is written: TCP sends a FIN.",
    "SHUT_RDWR": "Both.",
    "POLLIN": "Something can be read: data, a connection, the end of the stream.",
    "POLLOUT": "Something can be written.",
    "POLLERR": "An error is pending; told unasked.",
    "POLLHUP": "Both directions are shut down; told unasked.",
    "POLLNVAL": "The descriptor is not open; told unasked.",
    "POLLRDHUP": "The peer has sent its FIN.",
    "F_GETFL": "Asks for the file's status flags.",
    "F_SETFL": "Sets the file's status flags.",
    "O_RDWR": "Open for reading and writing, as every socket is.",
    "O_NONBLOCK": "Calls on the file do not wait.",
    "SO_EE_ORIGIN_LOCAL": "The host itself refused the packet.",
    "SO_EE_ORIGIN_ICMP": "An ICMP message complained about it.",
}
_PREFIXES = ("SOCK_", "MSG_", "SHUT_", "POLL", "F_", "O_", "SO_EE_")
_NUMBERS = dict(numbered("flag", _PREFIXES, _MEANINGS, globals()))


@dataclass(frozen=True, slots=True)
class Family:
    """Numbers that an argument or answer may have by name."""

    what: str
    """One of them, in words."""
    numbers: Mapping[str, int]
    joined: bool = False
    """They are bits: several may be joined with |, and 0 is none of them."""

    def number(self, text: str) -> int:
        """The number that a name stands for, or several joined with |; KeyError for a name that is none of them."""
        if self.joined and text == "0":
            return 0
        found = 0
        for name in text.split("|") if self.joined else [text]:
            found |= self.numbers[name.strip()]
        return found

    def text(self, number: int) -> str:
        """The number in names, as strace prints it; what has no name stays a number."""
        if not self.joined:
            return next((name for name, each in self.numbers.items() if each == number), str(number))
        names = [name for name, bit in self.numbers.items() if number & bit]
        return "|".join(names) or str(number)


def _family(what: str, names: str, *, joined: bool = False) -> Family:
    return Family(what, {name: _NUMBERS[name] for name in names.split()}, joined)


SOCKET_TYPES = _family("a socket type", "SOCK_STREAM SOCK_DGRAM SOCK_NONBLOCK", joined=True)
ACCEPT_FLAGS = _family("flags of accept4()", "SOCK_NONBLOCK", joined=True)
MESSAGE_FLAGS = _family(
    "message flags",
    "MSG_DONTWAIT MSG_MORE MSG_PEEK MSG_WAITALL MSG_NOSIGNAL MSG_ERRQUEUE MSG_TRUNC",
    joined=True,
)
DIRECTIONS = _family("a shutdown direction", "SHUT_RD SHUT_WR SHUT_RDWR")
EVENTS = _family("poll events", "POLLIN POLLOUT POLLRDHUP", joined=True)
REVENTS = _family("an event of poll()", "POLLIN POLLOUT POLLERR POLLHUP POLLNVAL POLLRDHUP", joined=True)
COMMANDS = _family("an fcntl command", "F_SETFL F_GETFL")
STATUS_FLAGS = _family("status flags", "O_NONBLOCK", joined=True)
ORIGINS = _family("the origin of an error", "SO_EE_ORIGIN_LOCAL SO_EE_ORIGIN_ICMP")
ICMP_TYPES = Family("an ICMP type", {"ICMP_DEST_UNREACH": inet.ICMP_DEST_UNREACH})
ICMP_CODES = Family(
    "an ICMP code",
    {
        "ICMP_NET_UNREACH": inet.ICMP_NET_UNREACH,
        "ICMP_HOST_UNREACH": inet.ICMP_HOST_UNREACH,
        "ICMP_PROT_UNREACH": inet.ICMP_PROT_UNREACH,
        "ICMP_PORT_UNREACH": inet.ICMP_PORT_UNREACH,
        "ICMP_FRAG_NEEDED": inet.ICMP_FRAG_NEEDED,
        "ICMP_PKT_FILTERED": inet.ICMP_PKT_FILTERED,
    },
)
FAMILIES = (
    SOCKET_TYPES, ACCEPT_FLAGS, MESSAGE_FLAGS, DIRECTIONS, EVENTS, REVENTS, COMMANDS, STATUS_FLAGS, ORIGINS, ICMP_TYPES, ICMP_CODES,
)  # fmt: skip
FLAGS = {name: (number, _MEANINGS[name]) for name, number in _NUMBERS.items()}
"""Every name with its number and its meaning."""
