"""Sockets and their addresses: create, bind, listen, accept and connect, with the errors of Linux."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.catalog.errno import EADDRINUSE, EINVAL, EISCONN, ENETUNREACH
from wireside.catalog.sysctls import (
    IP_AUTOBIND_REUSE,
    IP_LOCAL_PORT_RANGE,
    SOMAXCONN,
)
from wireside.catalog.tcp_states import TcpState
from wireside.kernel.core.net import INADDR_BROADCAST, ipv4_is_multicast
from wireside.kernel.core.secure_seq import secure_tcp_seq, secure_tcp_ts_off
from wireside.kernel.core.sock import SOCK_BINDADDR_LOCK, SOCK_BINDPORT_LOCK, Sock
from wireside.kernel.ip.inet_bind import inet_bind_hash, inet_bind_owners, inet_bind_refused
from wireside.kernel.ip.ip_output import ip_route_output_key
from wireside.kernel.tcp.door.inet_hashtables import inet_hash_connect, reserved_ports
from wireside.kernel.tcp.door.request_sock import RequestSockQueue
from wireside.kernel.tcp.door.tcp_establish import tcp_connect
from wireside.kernel.tcp.door.tcp_timer import tcp_init_xmit_timers
from wireside.kernel.tcp.sock.tcp_sock import TcpSock
from wireside.kernel.tcp.sock.tcp_state import put_port_unless_bound, sock_prot_inuse_add, tcp_set_state

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu, Net


def tcp_socket(net: Net) -> TcpSock:
    """A fresh TCP socket; buffer sizes are read from tcp_rmem and tcp_wmem here. Linux: tcp_init_sock()."""
    tp = TcpSock(net, net.machine.sock_id())
    tcp_init_xmit_timers(tp)
    sock_prot_inuse_add(tp)
    return tp


def inet_csk_bind_conflict(tp: TcpSock, address: int, port: int, *, relax: bool, reuseport_ok: bool) -> bool:
    """Somebody else's hold on the port forbids this bind.

    Without `relax` nothing may be shared; with it, both sides' SO_REUSEADDR serves unless the other listens.
    Linux: net/ipv4/inet_connection_sock.c inet_csk_bind_conflict(), inet_bind_conflict(). Differs: all programs run
    as one user.
    """
    for other in inet_bind_owners(tp.net, port):
        if other is tp:
            continue
        taken = other.rcv_saddr if isinstance(other, Sock) else other.flow_out[0] if other.flow_out else 0
        if address and taken and address != taken:
            continue
        shared = reuseport_ok and tp.sk_reuseport and other.sk_reuseport
        listens = isinstance(other, Sock) and other.sk_state == TcpState.LISTEN
        if tp.sk_reuse and other.sk_reuse and not listens:
            if not relax:
                return True
        elif not shared:
            return True
    return False


def tcp_bind(cpu: Cpu, tp: TcpSock, address: int, port: int) -> int:
    """Take a local address; port 0 chooses an odd one. Linux: net/ipv4/af_inet.c __inet_bind()."""
    error = inet_bind_refused(tp, address, port)
    if error:
        return error
    if port or not tp.bind_address_no_port:
        error = inet_csk_get_port(tp, address, port)
        if error:
            return error
    tp.rcv_saddr = address
    if address:
        tp.sk_userlocks |= SOCK_BINDADDR_LOCK
    if port:
        tp.sk_userlocks |= SOCK_BINDPORT_LOCK
    return 0


def inet_csk_get_port(tp: TcpSock, address: int, port: int) -> int:
    """Take a port, or any when it is 0; 0 or -EADDRINUSE. Linux: inet_csk_get_port()."""
    if not port:
        port = inet_csk_find_open_port(tp, address)
    elif inet_csk_bind_conflict(tp, address, port, relax=True, reuseport_ok=True):
        port = 0
    if not port:
        return -EADDRINUSE
    tp.sk_num = port
    inet_bind_hash(tp.net, port, tp)
    return 0


def inet_csk_find_open_port(tp: TcpSock, address: int) -> int:
    """bind() to port 0: from a random start, ports of the parity that connect() does not favour first; 0 when none.

    With SO_REUSEADDR the lower half of the range is searched before the upper. Linux: inet_csk_find_open_port().
    """
    net = tp.net
    low, high = net.sysctl[IP_LOCAL_PORT_RANGE]
    high += 1
    middle = low + ((high - low) >> 2 << 1)
    halves = [(low, middle), (middle, high)] if tp.sk_reuse and high - low >= 4 else [(low, high)]
    avoid = reserved_ports(net)
    for relax in (False, True) if net.sysctl[IP_AUTOBIND_REUSE] else (False,):
        for first, end in halves:
            port = find_in_range(tp, address, first, end, avoid, relax=relax)
            if port:
                return port
    return 0


def find_in_range(
    tp: TcpSock, address: int, low: int, high: int, avoid: frozenset[int], *, relax: bool
) -> int:
    """A port from `low` to below `high` that nobody's hold forbids, 0 when there is none."""
    remaining = high - low
    if remaining > 1:
        remaining &= ~1
    start = tp.net.machine.rng.randrange(remaining) | 1
    for offset in (start, start - 1):
        for step in range(0, remaining, 2):
            port = low + offset + step
            if port >= high:
                port -= remaining
            if port in avoid or port >= high:
                continue
            if not inet_csk_bind_conflict(tp, address, port, relax=relax, reuseport_ok=False):
                return port
    return 0


def tcp_listen(cpu: Cpu, tp: TcpSock, backlog: int) -> int:
    """Start (or re-adjust) listening; somaxconn is read here and only here. Linux: __sys_listen(), inet_listen()."""
    net = tp.net
    limit = net.sysctl[SOMAXCONN]
    if 0 <= backlog < limit:
        limit = backlog
    if tp.sk_state == TcpState.LISTEN:
        tp.icsk_accept_queue.sk_max_ack_backlog = limit
        return 0
    if tp.sk_state != TcpState.CLOSE or tp.flow_in is not None:
        return -EINVAL
    if not tp.sk_num:
        error = inet_csk_get_port(tp, tp.rcv_saddr, 0)
        if error:
            return error
    elif inet_csk_bind_conflict(tp, tp.rcv_saddr, tp.sk_num, relax=True, reuseport_ok=True):
        return -EADDRINUSE
    tp.icsk_accept_queue = RequestSockQueue(limit)
    tcp_set_state(cpu, tp, TcpState.LISTEN)
    net.listening.setdefault(tp.sk_num, []).append(tp)
    return 0


def tcp_accept(tp: TcpSock) -> TcpSock | None:
    """Take the child that has waited longest; None when there is none. Linux: inet_csk_accept()."""
    queue: RequestSockQueue = tp.icsk_accept_queue
    return queue.accept.popleft() if queue.accept else None


def tcp_v4_connect(cpu: Cpu, tp: TcpSock, daddr: int, dport: int) -> int:
    """Start connecting: choose the port, enter the hash table, send the SYN. Linux: tcp_v4_connect()."""
    net = tp.net
    if tp.sk_state != TcpState.CLOSE or tp.flow_in is not None:
        return -EISCONN
    route = ip_route_output_key(net, tp.rcv_saddr, daddr)
    if isinstance(route, int):
        return route
    saddr, daddr = route
    if ipv4_is_multicast(daddr) or daddr == INADDR_BROADCAST:
        return -ENETUNREACH
    tp.write_seq = 0
    error = inet_hash_connect(cpu, tp, saddr, daddr, dport)
    if error:
        put_port_unless_bound(tp)
        return error
    tp.rcv_saddr = saddr
    tp.flow_out = (saddr, tp.sk_num, daddr, dport)
    tp.flow_in = (daddr, dport, saddr, tp.sk_num)
    if not tp.write_seq:
        tp.write_seq = secure_tcp_seq(net, tp.flow_out, cpu.now)
    tp.iss = tp.write_seq
    tp.ts_off = secure_tcp_ts_off(net, saddr, daddr)
    net.ehash[tp.flow_in] = tp
    tcp_set_state(cpu, tp, TcpState.SYN_SENT)
    tcp_connect(cpu, tp)
    return 0
