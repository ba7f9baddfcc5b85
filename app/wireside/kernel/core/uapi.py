"""The memory that a program hands to a system call, for the kernel to fill.

Linux: include/uapi/linux/in.h, include/linux/socket.h, include/uapi/linux/errqueue.h, include/uapi/asm-generic/poll.h.
"""

from __future__ import annotations

from typing import NamedTuple


class SockaddrIn:
    """struct sockaddr_in: an IPv4 address and a port, once the kernel has filled it."""

    __slots__ = ("filled", "sin_addr", "sin_port")

    def __init__(self) -> None:
        self.filled = False
        """The kernel had something to say (a length > 0)."""
        self.sin_addr = 0
        self.sin_port = 0

    def fill(self, address: int, port: int) -> None:
        """Store an address."""
        self.filled = True
        self.sin_addr = address
        self.sin_port = port


class SockExtendedErr(NamedTuple):
    """struct sock_extended_err and its offender: what went wrong with a packet of ours, and who says so."""

    ee_errno: int
    ee_origin: int
    """SO_EE_ORIGIN_ICMP or SO_EE_ORIGIN_LOCAL."""
    ee_type: int
    ee_code: int
    """Of the ICMP message."""
    ee_info: int
    """The MTU, when the packet was too large; else 0."""
    offender: int
    """The address of who sent the ICMP message; 0 when the host itself complains."""


class MsgHdr:
    """struct msghdr of recvmsg(): the sender's address, the control message, and flags of what was received."""

    __slots__ = ("msg_control", "msg_flags", "msg_name")

    def __init__(self) -> None:
        self.msg_name = SockaddrIn()
        self.msg_control: SockExtendedErr | None = None
        """The one control message there is, IP_RECVERR."""
        self.msg_flags = 0


class PollFd:
    """struct pollfd without its descriptor: what is asked, and what held when poll() returned (POLL* bits)."""

    __slots__ = ("events", "revents")

    def __init__(self, events: int) -> None:
        self.events = events
        self.revents = 0


class OptVal:
    """The value that getsockopt() stores: an int, a time in ns, or a word."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: int | str = 0
