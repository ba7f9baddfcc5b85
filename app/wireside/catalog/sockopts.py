"""Socket options, each declared once: level, name and number, what it takes, its limits, and what it does.

From this table follow the grammar of scripts, the reference, and what setsockopt() and getsockopt() let pass; the functions that
read and set them are tied to it by name in kernel.syscalls.sockopt.
Linux: include/uapi/asm-generic/socket.h, include/uapi/linux/in.h, tcp.h, udp.h.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from wireside.catalog.limits import USHRT_MAX
from wireside.catalog.sysctls_tcp import TCP_CONGESTION_CONTROL


class Level(Enum):
    """Which layer an option belongs to: its number, and the other name that Linux has for it."""

    SOL_SOCKET = (1, "SOL_SOCKET")
    IPPROTO_IP = (0, "SOL_IP")
    IPPROTO_TCP = (6, "SOL_TCP")
    IPPROTO_UDP = (17, "SOL_UDP")

    @property
    def protocol(self) -> int:
        """Its number; of the transports, the protocol whose sockets have such options."""
        return int(self.value[0])


LEVELS = {name: level for level in Level for name in (level.name, level.value[1])}
"""Levels by both names."""


class Takes(Enum):
    """What an option's value is; `value` says it in words."""

    SWITCH = "0 or 1"
    BYTES = "bytes"
    COUNT = "a number"
    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    TIME = "a time with its unit; 0s is for ever"
    LINGER = "seconds; -1 is off"
    WORD = "a word"


@dataclass(frozen=True, slots=True)
class SockOpt:
    """One socket option. A value below `low` or above `high` is refused with EINVAL; None: any int is taken, or made to fit."""

    level: Level
    name: str
    number: int
    takes: Takes
    doc: str
    low: int | None = None
    high: int | None = None
    settable: bool = True
    gettable: bool = True

    @property
    def limits(self) -> str:
        """What it takes, in words."""
        if self.takes is Takes.WORD:
            return " or ".join(f"`{word}`" for word in WORDS)
        words = str(self.takes.value)
        if self.low is None:
            return words
        return f"{words}, {self.low} or more" if self.high is None else f"{words}, {self.low} to {self.high}"

    def fits(self, value: int) -> bool:
        """Whether the value is within the limits."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    @property
    def access(self) -> str:
        """Which of the two calls knows it."""
        return "set, get" if self.settable and self.gettable else "set" if self.settable else "get"


WORDS: tuple[str, ...] = TCP_CONGESTION_CONTROL.choices
"""The words that an option's value may be."""
_SOL, _IP, _TCP, _UDP = Level.SOL_SOCKET, Level.IPPROTO_IP, Level.IPPROTO_TCP, Level.IPPROTO_UDP
_SWITCH, _BYTES, _COUNT, _SECONDS, _MS = (
    Takes.SWITCH,
    Takes.BYTES,
    Takes.COUNT,
    Takes.SECONDS,
    Takes.MILLISECONDS,
)

# fmt: off
SOCKOPTS: dict[str, SockOpt] = {
    option.name: option
    for option in (
        SockOpt(_SOL, "SO_REUSEADDR", 2, _SWITCH, "bind() may share the port with sockets that allow it, too, and with TIME-WAIT."),
        SockOpt(_SOL, "SO_TYPE", 3, _COUNT, "SOCK_STREAM is 1, SOCK_DGRAM 2.", settable=False),
        SockOpt(_SOL, "SO_ERROR", 4, _COUNT, "The pending error, an errno, which is taken away; 0 is none.", settable=False),
        SockOpt(_SOL, "SO_SNDBUF", 7, _BYTES, "Send buffer, at most wmem_max; the kernel doubles it for its own needs."),
        SockOpt(_SOL, "SO_RCVBUF", 8, _BYTES, "Receive buffer, at most rmem_max; doubled, and no longer tuned by itself."),
        SockOpt(_SOL, "SO_KEEPALIVE", 9, _SWITCH, "Asks a silent peer whether it is still there."),
        SockOpt(_SOL, "SO_LINGER", 13, Takes.LINGER, "close() waits so long for what is unsent; 0: it throws that away and sends RST."),
        SockOpt(_SOL, "SO_REUSEPORT", 15, _SWITCH, "Several sockets share the port, and the kernel spreads what comes in."),
        SockOpt(_SOL, "SO_RCVLOWAT", 18, _BYTES, "So much wakes a reader."),
        SockOpt(_SOL, "SO_RCVTIMEO", 20, Takes.TIME, "How long a call waits to read, and accept() for a connection."),
        SockOpt(_SOL, "SO_SNDTIMEO", 21, Takes.TIME, "How long a call waits to write, and connect() for its connection."),
        SockOpt(_SOL, "SO_ACCEPTCONN", 30, _SWITCH, "Whether it is a listener.", settable=False),
        SockOpt(_SOL, "SO_SNDBUFFORCE", 32, _BYTES, "SO_SNDBUF beyond wmem_max.", gettable=False),
        SockOpt(_SOL, "SO_RCVBUFFORCE", 33, _BYTES, "SO_RCVBUF beyond rmem_max.", gettable=False),
        SockOpt(_SOL, "SO_PROTOCOL", 38, _COUNT, "TCP is 6, UDP 17.", settable=False),
        SockOpt(_IP, "IP_RECVERR", 11, _SWITCH, "Every ICMP error is told at once, and kept in the error queue."),
        SockOpt(_IP, "IP_BIND_ADDRESS_NO_PORT", 24, _SWITCH, "bind() to port 0 takes the address only; connect() chooses the port."),
        SockOpt(_TCP, "TCP_NODELAY", 1, _SWITCH, "Nagle's algorithm is off: small segments leave at once."),
        SockOpt(_TCP, "TCP_MAXSEG", 2, _BYTES, "The largest segment; 0 is none of its own, else at least 88.", low=0, high=32767),
        SockOpt(_TCP, "TCP_CORK", 3, _SWITCH, "Only full segments leave, until it is taken out, at most for 200 ms."),
        SockOpt(_TCP, "TCP_KEEPIDLE", 4, _SECONDS, "Silence before the first keepalive probe.", low=1, high=32767),
        SockOpt(_TCP, "TCP_KEEPINTVL", 5, _SECONDS, "From one keepalive probe to the next.", low=1, high=32767),
        SockOpt(_TCP, "TCP_KEEPCNT", 6, _COUNT, "Probes without an answer before it gives up.", low=1, high=127),
        SockOpt(_TCP, "TCP_SYNCNT", 7, _COUNT, "How often a SYN is sent again.", low=1, high=127),
        SockOpt(_TCP, "TCP_LINGER2", 8, _SECONDS, "tcp_fin_timeout of this socket, at most 120; -1: no FIN-WAIT-2 as an orphan."),
        SockOpt(_TCP, "TCP_DEFER_ACCEPT", 9, _SECONDS, "accept() gets a connection when data have come, or after so long."),
        SockOpt(_TCP, "TCP_WINDOW_CLAMP", 10, _BYTES, "The window is never larger; 0: no limit (only of a closed socket)."),
        SockOpt(_TCP, "TCP_QUICKACK", 12, _SWITCH, "Acknowledge at once, for the moment."),
        SockOpt(_TCP, "TCP_CONGESTION", 13, Takes.WORD, "The congestion control."),
        SockOpt(_TCP, "TCP_USER_TIMEOUT", 18, _MS, "Gives up when data stay unacknowledged for so long; 0: tcp_retries2 decides.", low=0),
        SockOpt(_TCP, "TCP_NOTSENT_LOWAT", 25, _BYTES, "POLLOUT only while less than this waits to be sent."),
        SockOpt(_UDP, "UDP_SEGMENT", 103, _BYTES, "Large sends are cut into datagrams of this size; 0: they are not.", low=0, high=USHRT_MAX),
    )
}
"""Every option by its name."""
# fmt: on
