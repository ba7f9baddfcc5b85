"""The bind table: who holds a local port. One holder stands for itself, several share a dict by socket id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wireside.kernel.net import Net


def inet_bind_owners(net: Net, port: int) -> Iterable[Any]:
    """Sockets and minisocks that hold a port, oldest first. Linux: struct inet_bind_bucket owners."""
    held = net.bind_ports.get(port)
    if held is None:
        return ()
    return held.values() if isinstance(held, dict) else (held,)


def inet_bind_hash(net: Net, port: int, owner: Any) -> None:
    """Let a socket hold a port. Linux: net/ipv4/inet_hashtables.c inet_bind_hash()."""
    held = net.bind_ports.get(port)
    if isinstance(held, dict):
        held[owner.id] = owner
    elif held is not None:
        net.bind_ports[port] = {held.id: held, owner.id: owner}
    else:
        net.bind_ports[port] = owner


def inet_bind_unhash(net: Net, port: int, owner: Any) -> None:
    """Give a port back; nothing happens when `owner` does not hold it. Linux: __inet_put_port()."""
    held = net.bind_ports.get(port)
    if isinstance(held, dict):
        key = owner.id
        if held.get(key) is not owner:
            return
        del held[key]
        if not held:
            del net.bind_ports[port]
    elif held is None or held is not owner:
        return
    else:
        del net.bind_ports[port]
    net.ports_freed += 1


def inet_bind_replace(net: Net, port: int, owner: Any, minisock: Any) -> None:
    """A minisock of the same id takes its socket's place. Linux: inet_twsk_hashdance_schedule()."""
    held = net.bind_ports.get(port)
    if isinstance(held, dict):
        held[minisock.id] = minisock
    elif held is owner or held is None:
        net.bind_ports[port] = minisock
    else:
        inet_bind_hash(net, port, minisock)
