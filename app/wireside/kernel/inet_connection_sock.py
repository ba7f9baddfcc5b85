"""Sockets and their addresses: create, bind, listen, accept and connect, with the errors of Linux."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.catalog.counters import TcpExt
from wireside.catalog.sysctls import (
    IP_LOCAL_PORT_RANGE,
    IP_LOCAL_RESERVED_PORTS,
    IP_UNPRIVILEGED_PORT_START,
    SOMAXCONN,
    TCP_TW_REUSE,
    TCP_TW_REUSE_DELAY,
    port_ranges,
)
from wireside.catalog.tcp_states import TcpState
from wireside.kernel.tcp_establish import tcp_connect
from wireside.kernel.tcp_listen import RequestSockQueue
from wireside.kernel.tcp_minisocks import TimewaitSock, inet_twsk_kill
from wireside.kernel.tcp_sock import MASK, TcpSock
from wireside.kernel.tcp_state import tcp_set_state
from wireside.kernel.tcp_timer import tcp_init_xmit_timers

if TYPE_CHECKING:
    from wireside.kernel.net import Cpu, Net

EACCES, EINVAL, EADDRINUSE, EADDRNOTAVAIL, EISCONN, EALREADY = 13, 22, 98, 99, 106, 114


def tcp_socket(net: Net) -> TcpSock:
    """A fresh TCP socket; buffer sizes are read from tcp_rmem and tcp_wmem here. Linux: tcp_init_sock()."""
    tp = TcpSock(net, net.machine.sock_id())
    tcp_init_xmit_timers(tp)
    net.sockets[tp.id] = tp
    return tp


def inet_bind_conflict(net: Net, tp: TcpSock, address: int, port: int) -> bool:
    """Somebody else's hold on the port forbids this bind. Linux: inet_csk_bind_conflict(), inet_bind_conflict()."""
    for other in net.bind_ports.get(port, ()):
        if other is tp:
            continue
        minisock = isinstance(other, TimewaitSock)
        other_addr = (other.flow_out[0] if other.flow_out else 0) if minisock else other.rcv_saddr
        if address and other_addr and address != other_addr:
            continue
        listening = not minisock and other.sk_state == TcpState.LISTEN
        if tp.sk_reuse and other.sk_reuse and not listening:
            continue
        if tp.sk_reuseport and other.sk_reuseport:
            continue
        return True
    return False


def tcp_bind(cpu: Cpu, tp: TcpSock, address: int, port: int) -> int:
    """Take a local address; port 0 chooses an odd one. Linux: __inet_bind(), inet_csk_get_port()."""
    net = tp.net
    if tp.sk_num or tp.sk_state != TcpState.CLOSE:
        return -EINVAL
    if address not in (0, net.address) and address >> 24 != 127:
        return -EADDRNOTAVAIL
    if 0 < port < net.sysctl[IP_UNPRIVILEGED_PORT_START] and not net.privileged:
        return -EACCES
    if not port:
        port = inet_csk_find_open_port(net, tp, address)
        if not port:
            return -EADDRINUSE
    elif inet_bind_conflict(net, tp, address, port):
        return -EADDRINUSE
    tp.rcv_saddr = address
    tp.sk_num = port
    net.bind_ports.setdefault(port, []).append(tp)
    return 0


def reserved_ports(net: Net) -> frozenset[int]:
    """Ports that automatic selection must avoid."""
    text = net.sysctl[IP_LOCAL_RESERVED_PORTS]
    return (
        frozenset(p for low, high in port_ranges(IP_LOCAL_RESERVED_PORTS, text) for p in range(low, high + 1)) if text else frozenset()
    )


def inet_csk_find_open_port(net: Net, tp: TcpSock, address: int) -> int:
    """bind() to port 0: odd ports from a random start, then even ones; 0 when none is free."""
    low, high = net.sysctl[IP_LOCAL_PORT_RANGE]
    count = high - low + 1
    avoid = reserved_ports(net)
    offset = net.machine.rng.randrange(count) | 1
    for parity in (0, 1):
        for step in range(0, count + 1, 2):
            port = low + (offset + parity + step) % count
            if (port - low) & 1 != 1 - parity or port in avoid:
                continue
            if not inet_bind_conflict(net, tp, address, port):
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
        error = tcp_bind(cpu, tp, 0, 0)
        if error:
            return error
    for other in net.listening.get(tp.sk_num, ()):
        overlap = not tp.rcv_saddr or not other.rcv_saddr or tp.rcv_saddr == other.rcv_saddr
        if overlap and not (tp.sk_reuseport and other.sk_reuseport):
            return -EADDRINUSE
    tp.icsk_accept_queue = RequestSockQueue(limit)
    tcp_set_state(cpu, tp, TcpState.LISTEN)
    net.listening.setdefault(tp.sk_num, []).append(tp)
    return 0


def tcp_accept(tp: TcpSock) -> TcpSock | None:
    """Take the child that has waited longest; None when there is none. Linux: inet_csk_accept()."""
    queue: RequestSockQueue = tp.icsk_accept_queue
    return queue.accept.popleft() if queue.accept else None


def tcp_twsk_unique(cpu: Cpu, tp: TcpSock, tw: TimewaitSock, *, chosen: bool) -> bool:
    """A connection in TIME_WAIT may be replaced by this connect(). Linux: net/ipv4/tcp_ipv4.c tcp_twsk_unique()."""
    sysctl = tp.net.sysctl
    reuse = sysctl[TCP_TW_REUSE]
    if tw.tw_substate != TcpState.TIME_WAIT or not tw.tw_tstamp_ok:
        return False
    if reuse == 2:
        assert tw.flow_out is not None
        reuse = int(tw.flow_out[0] >> 24 == 127 or tw.flow_out[2] >> 24 == 127)
    age_ns = cpu.now - tw.tw_entry_ns
    if chosen and not (reuse and age_ns > sysctl[TCP_TW_REUSE_DELAY] * 1_000_000):
        return False
    tp.write_seq = tp.iss = (tw.tw_snd_nxt + 65535 + 2) & MASK or 1
    tp.ts_recent = tw.tw_ts_recent
    tp.ts_off = tw.tw_ts_off
    tp.net.mib[TcpExt.TWRecycled] += 1
    inet_twsk_kill(tw)
    return True


def inet_hash_check(cpu: Cpu, tp: TcpSock, flow_in: tuple[int, int, int, int], *, chosen: bool) -> bool:
    """The 4-tuple is free, or its TIME_WAIT entry may be replaced. Linux: __inet_check_established()."""
    other = tp.net.ehash.get(flow_in)
    if other is None:
        return True
    return isinstance(other, TimewaitSock) and tcp_twsk_unique(cpu, tp, other, chosen=chosen)


def inet_hash_connect(cpu: Cpu, tp: TcpSock, daddr: int, dport: int) -> int:
    """Find a local port for connect(): even ports first, in small steps. Linux: __inet_hash_connect()."""
    net = tp.net
    low, high = net.sysctl[IP_LOCAL_PORT_RANGE]
    saddr = tp.rcv_saddr or net.address
    count = high - low + 1
    if count > 1:
        count &= ~1
    avoid = reserved_ports(net)
    key = (saddr * 31 + daddr * 17 + dport * 2654435761) & MASK
    offset = ((key * net.hash_secret & MASK) + net.ephemeral_perturb) % count & ~1
    for parity in (0, 1):
        for step in range(0, count, 2):
            port = low + (offset + parity + step) % count if count > 1 else low
            if port > high or port in avoid:
                continue
            owners = net.bind_ports.get(port)
            if owners and any(getattr(o, "sk_userlocks", 0) & 4 or not o.flow_in for o in owners):
                continue
            if inet_hash_check(cpu, tp, (daddr, dport, saddr, port), chosen=True):
                net.ephemeral_perturb += step + 2
                tp.sk_num = port
                net.bind_ports.setdefault(port, []).append(tp)
                return 0
            if count == 1:
                break
    return -EADDRNOTAVAIL


def tcp_v4_connect(cpu: Cpu, tp: TcpSock, daddr: int, dport: int) -> int:
    """Start connecting: choose the port, enter the hash table, send the SYN. Linux: tcp_v4_connect()."""
    net = tp.net
    if tp.sk_state != TcpState.CLOSE or tp.flow_in is not None:
        return -EISCONN
    saddr = tp.rcv_saddr or (daddr if daddr >> 24 == 127 else net.address)
    tp.iss = tp.write_seq = 0
    if not tp.sk_num:
        error = inet_hash_connect(cpu, tp, daddr, dport)
        if error:
            return error
    elif not inet_hash_check(cpu, tp, (daddr, dport, saddr, tp.sk_num), chosen=False):
        return -EADDRNOTAVAIL
    if not tp.iss:
        tp.iss = tp.write_seq = net.machine.rng.getrandbits(32)
        tp.ts_off = net.machine.rng.getrandbits(32)
    tp.rcv_saddr = saddr
    tp.flow_out = (saddr, tp.sk_num, daddr, dport)
    tp.flow_in = (daddr, dport, saddr, tp.sk_num)
    net.ehash[tp.flow_in] = tp
    tcp_set_state(cpu, tp, TcpState.SYN_SENT)
    tcp_connect(cpu, tp)
    return 0
