"""struct sock_common: what a socket, a request and a TIME-WAIT entry have in common, so that one table finds all three."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from wireside.kernel.core.skbuff import Flow


class SockCommon(Protocol):
    """Whoever may be found by a packet's four numbers. Linux: include/net/sock.h struct sock_common."""

    @property
    def id(self) -> int:
        """Its number, unique in the world."""

    @property
    def flow_out(self) -> Flow | None:
        """The four numbers of packets that it sends, once it has a peer."""


class PortOwner(SockCommon, Protocol):
    """Whoever may hold a port: a socket, or the TIME-WAIT entry that took its place."""

    @property
    def sk_reuse(self) -> bool:
        """SO_REUSEADDR."""

    @property
    def sk_reuseport(self) -> bool:
        """SO_REUSEPORT."""
