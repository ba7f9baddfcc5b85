"""SO_REUSEPORT groups: listeners of one address and port that share its connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from wireside.catalog.counters import TcpExt
from wireside.catalog.inet import MASK
from wireside.catalog.sysctls import TCP_MIGRATE_REQ
from wireside.kernel.core.secure_seq import keyed_hash

if TYPE_CHECKING:
    from wireside.kernel.core.net import Net
    from wireside.kernel.core.skbuff import Flow
    from wireside.kernel.tcp.sock.tcp_sock import TcpSock


def reuseport_group(listener: TcpSock) -> list[TcpSock]:
    """The sockets of the listener's group that listen now, in the order in which they began to."""
    others = cast("list[TcpSock]", listener.net.listening.get(listener.sk_num, []))
    return [sk for sk in others if sk.sk_reuseport and sk.rcv_saddr == listener.rcv_saddr]


def reuseport_select_sock(net: Net, group: list[TcpSock], flow: Flow) -> TcpSock:
    """The member that a flow's hash chooses; another one when members come or go.

    Linux: net/core/sock_reuseport.c reuseport_select_sock(), reciprocal_scale().
    """
    saddr, sport, daddr, dport = flow
    spread = keyed_hash(net, saddr << 32 | daddr, sport << 16 | dport) & MASK
    return group[spread * len(group) >> 32]


def reuseport_migrate_sock(listener: TcpSock, flow: Flow) -> TcpSock | None:
    """Who takes over a handshake, or a child not yet accepted, of a listener that has closed; None: nobody.

    Linux: net/core/sock_reuseport.c reuseport_migrate_sock().
    """
    if not listener.sk_reuseport:
        return None
    net = listener.net
    group = reuseport_group(listener)
    if not group or not net.sysctl[TCP_MIGRATE_REQ]:
        net.mib[TcpExt.TCPMigrateReqFailure] += 1
        return None
    return reuseport_select_sock(net, group, flow)
