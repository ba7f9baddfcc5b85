"""Ports of UDP: who holds which, and who may share one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.catalog.errno import EADDRINUSE
from wireside.catalog.sysctls import IP_LOCAL_PORT_RANGE

if TYPE_CHECKING:
    from wireside.kernel.core.net import Net
    from wireside.kernel.core.sock import Sock


def udp_lib_get_port(sk: Sock, addr: int, port: int) -> int:
    """Take a port, or a free one when it is 0; 0 or -EADDRINUSE. Linux: net/ipv4/udp.c udp_lib_get_port()."""
    net = sk.net
    if port == 0:
        port = _free_port(net)
        if port == 0:
            return -EADDRINUSE
    elif any(_conflict(sk, other, addr) for other in net.udp_table.get(port, ())):
        return -EADDRINUSE
    sk.sk_num = port
    net.udp_table.setdefault(port, []).append(sk)
    return 0


def _free_port(net: Net) -> int:
    """A port nobody has, from a random place of the range on; 0 when there is none."""
    low, high = net.sysctl[IP_LOCAL_PORT_RANGE]
    span = high - low + 1
    first = net.machine.rng.randrange(span)
    for offset in range(span):
        port = low + (first + offset) % span
        if port not in net.udp_table:
            return port
    return 0


def _conflict(sk: Sock, other: Sock, addr: int) -> bool:
    """Two sockets cannot share the port. Linux: net/ipv4/udp.c inet_rcv_saddr_equal() and its callers."""
    if addr and other.rcv_saddr and addr != other.rcv_saddr:
        return False
    return not ((sk.sk_reuse and other.sk_reuse) or (sk.sk_reuseport and other.sk_reuseport))


def udp_autobind(sk: Sock) -> bool:
    """Give an unbound socket a port; whether it has one. Linux: net/ipv4/af_inet.c inet_autobind()."""
    return bool(sk.sk_num) or not udp_lib_get_port(sk, sk.rcv_saddr, 0)
