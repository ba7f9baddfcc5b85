"""Linux's error numbers: each declared once, used by the kernel, the scripts and what is printed.

They are Linux's own; the system that Wireside runs on may number its errors differently.
Linux: include/uapi/asm-generic/errno-base.h, errno.h, include/linux/errno.h.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from wireside.catalog.together import numbered

ENOENT: Final = 2
EINTR: Final = 4
EBADF: Final = 9
EAGAIN: Final = 11
EACCES: Final = 13
EINVAL: Final = 22
EMFILE: Final = 24
EPIPE: Final = 32
ENONET: Final = 64
ENOTSOCK: Final = 88
EDESTADDRREQ: Final = 89
EMSGSIZE: Final = 90
ENOPROTOOPT: Final = 92
EOPNOTSUPP: Final = 95
EADDRINUSE: Final = 98
EADDRNOTAVAIL: Final = 99
ENETUNREACH: Final = 101
ECONNABORTED: Final = 103
ECONNRESET: Final = 104
ENOBUFS: Final = 105
EISCONN: Final = 106
ENOTCONN: Final = 107
ETIMEDOUT: Final = 110
ECONNREFUSED: Final = 111
EHOSTDOWN: Final = 112
EHOSTUNREACH: Final = 113
EALREADY: Final = 114
EINPROGRESS: Final = 115


class Errno(NamedTuple):
    """One error: what a call that fails returns, negated."""

    name: str
    number: int
    doc: str


_MEANINGS = {
    "ENOENT": "Nothing has this name: a sysctl, a congestion control.",
    "EINTR": "A signal ended the call while it waited.",
    "EBADF": "The descriptor is not open.",
    "EAGAIN": "Nothing there, or no room, and the call was not to wait, or waited as long as it might.",
    "EACCES": "Not allowed: a port below ip_unprivileged_port_start, a broadcast.",
    "EINVAL": "An argument is out of range, or the socket is in no state for this call.",
    "EMFILE": "The program has as many descriptors as RLIMIT_NOFILE allows.",
    "EPIPE": "Nothing can be written any more: the connection, or this direction of it, is closed.",
    "ENONET": "ICMP: the host is isolated.",
    "ENOTSOCK": "The descriptor is open, but no socket.",
    "EDESTADDRREQ": "A datagram without a destination: neither connect() nor sendto() named one.",
    "EMSGSIZE": "A datagram too large to be sent.",
    "ENOPROTOOPT": "No such socket option on this socket; as a pending error, ICMP: no such protocol there.",
    "EOPNOTSUPP": "This kind of socket cannot do that.",
    "EADDRINUSE": "Somebody has this address and port.",
    "EADDRNOTAVAIL": "No address of this host; or connect() found no free port.",
    "ENETUNREACH": "No route leads there.",
    "ECONNABORTED": "The connection went away before the call could have it.",
    "ECONNRESET": "The peer reset the connection.",
    "ENOBUFS": "A queue had no room for the packet.",
    "EISCONN": "The socket is connected already.",
    "ENOTCONN": "The socket is not connected.",
    "ETIMEDOUT": "The peer did not answer for as long as TCP waits.",
    "ECONNREFUSED": "Nobody listens there: an RST, or ICMP port unreachable.",
    "EHOSTDOWN": "ICMP: the host is down or unknown.",
    "EHOSTUNREACH": "ICMP: the host cannot be reached.",
    "EALREADY": "A connect() is under way already.",
    "EINPROGRESS": "The connect() has begun and goes on by itself.",
}

ERRNOS = {
    name: Errno(name, number, _MEANINGS[name])
    for name, number in numbered("errno", "E", _MEANINGS, globals())
}
"""Every error by its name."""
_NAMES = {number: name for name, (_, number, _) in ERRNOS.items()}


def errno_name(number: int) -> str:
    """The name of a positive error number, such as "EAGAIN"; the number itself when it has none."""
    return _NAMES.get(number, str(number))
