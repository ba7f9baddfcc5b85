"""Local addresses and ports: what bind() looks at first, and who holds a port.

One holder of a port stands for itself, several share a dict by socket id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.catalog.errno import EACCES, EADDRNOTAVAIL, EINVAL
from wireside.catalog.sysctls import IP_NONLOCAL_BIND, IP_UNPRIVILEGED_PORT_START
from wireside.catalog.tcp_states import TcpState
from wireside.kernel.core.net import INADDR_BROADCAST, inet_addr_local, ipv4_is_multicast

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wireside.kernel.core.net import Net
    from wireside.kernel.core.sock import Sock
    from wireside.kernel.core.sock_common import PortOwner


def inet_addr_valid_or_nonlocal(net: Net, address: int) -> bool:
    """A program may bind to this address. Linux: include/net/inet_sock.h inet_addr_valid_or_nonlocal().

    Differs: of broadcast addresses only 255.255.255.255 is known.
    """
    return (
        not address
        or inet_addr_local(net, address)
        or bool(net.sysctl[IP_NONLOCAL_BIND])
        or ipv4_is_multicast(address)
        or address == INADDR_BROADCAST
    )


def inet_bind_refused(sk: Sock, address: int, port: int) -> int:
    """What bind() refuses before it looks for the port, as -errno in this order; 0 to go on.

    Linux: net/ipv4/af_inet.c __inet_bind().
    """
    net = sk.net
    if not inet_addr_valid_or_nonlocal(net, address):
        return -EADDRNOTAVAIL
    if 0 < port < net.sysctl[IP_UNPRIVILEGED_PORT_START] and not net.privileged:
        return -EACCES
    if sk.sk_num or sk.sk_state != TcpState.CLOSE:
        return -EINVAL
    return 0


def inet_bind_owners(net: Net, port: int) -> Iterable[PortOwner]:
    """Sockets and minisocks that hold a port, oldest first. Linux: struct inet_bind_bucket owners."""
    held = net.bind_ports.get(port)
    if held is None:
        return ()
    return held.values() if isinstance(held, dict) else (held,)


def inet_bind_hash(net: Net, port: int, owner: PortOwner) -> None:
    """Let a socket hold a port. Linux: net/ipv4/inet_hashtables.c inet_bind_hash()."""
    held = net.bind_ports.get(port)
    if isinstance(held, dict):
        held[owner.id] = owner
    elif held is not None:
        net.bind_ports[port] = {held.id: held, owner.id: owner}
    else:
        net.bind_ports[port] = owner


def inet_bind_unhash(net: Net, port: int, owner: PortOwner) -> None:
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


def inet_bind_replace(net: Net, port: int, owner: PortOwner, minisock: PortOwner) -> None:
    """A minisock of the same id takes its socket's place. Linux: inet_twsk_hashdance_schedule()."""
    held = net.bind_ports.get(port)
    if isinstance(held, dict):
        held[minisock.id] = minisock
    elif held is owner or held is None:
        net.bind_ports[port] = minisock
    else:
        inet_bind_hash(net, port, minisock)
