"""Which connection owns which four numbers, and how connect() finds a local port."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from wireside.catalog.counters import TcpExt
from wireside.catalog.errno import EADDRNOTAVAIL
from wireside.catalog.inet import MASK
from wireside.catalog.sysctls import (
    IP_LOCAL_PORT_RANGE,
    IP_LOCAL_RESERVED_PORTS,
    TCP_TW_REUSE,
    TCP_TW_REUSE_DELAY,
    port_ranges,
)
from wireside.catalog.tcp_states import TcpState
from wireside.catalog.work import PORT_NS
from wireside.kernel.core.secure_seq import secure_port_ephemeral
from wireside.kernel.core.sock import SOCK_CONNECT_BIND, Sock
from wireside.kernel.ip.inet_bind import inet_bind_hash, inet_bind_owners
from wireside.kernel.tcp.send.tcp_minisocks import TimewaitSock, inet_twsk_kill

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu, Net
    from wireside.kernel.core.skbuff import Flow
    from wireside.kernel.tcp.sock.tcp_sock import TcpSock

TABLE_PERTURB_MASK: Final = 0xFFFF


def reserved_ports(net: Net) -> frozenset[int]:
    """Ports that automatic selection must avoid."""
    text = net.sysctl[IP_LOCAL_RESERVED_PORTS]
    if not text:
        return frozenset()
    ranges = port_ranges(IP_LOCAL_RESERVED_PORTS, text)
    return frozenset(port for low, high in ranges for port in range(low, high + 1))


def tw_reuse_allowed(net: Net, saddr: int, daddr: int) -> bool:
    """tcp_tw_reuse lets connect() take over old entries between these addresses; 2 means on loopback only."""
    reuse = net.sysctl[TCP_TW_REUSE]
    return reuse == 1 or (reuse == 2 and (saddr >> 24 == 127 or daddr >> 24 == 127))


def tcp_twsk_unique(cpu: Cpu, tp: TcpSock, tw: TimewaitSock, *, chosen: bool) -> bool:
    """A minisock may give way to this connect(); tcp_tw_reuse counts only when the kernel chose the port.

    Linux: net/ipv4/tcp_ipv4.c tcp_twsk_unique().
    """
    sysctl = tp.net.sysctl
    if not tw.tw_tstamp_ok:
        return False
    if chosen:
        if not tw_reuse_allowed(tp.net, tw.flow_in[0], tw.flow_in[2]) or tw.tw_substate == TcpState.FIN_WAIT2:
            return False
        if cpu.now - tw.tw_entry_ns <= sysctl[TCP_TW_REUSE_DELAY] * 1_000_000:
            return False
    tp.write_seq = (tw.tw_snd_nxt + 65535 + 2) & MASK or 1
    tp.ts_recent = tw.tw_ts_recent
    return True


def inet_check_established(cpu: Cpu, tp: TcpSock, flow_in: Flow, *, chosen: bool) -> bool:
    """The four numbers are free, or their minisock gives way. Linux: __inet_check_established()."""
    other = tp.net.ehash.get(flow_in)
    if other is None:
        return True
    if not isinstance(other, TimewaitSock) or not tcp_twsk_unique(cpu, tp, other, chosen=chosen):
        return False
    inet_twsk_kill(other)
    tp.net.mib[TcpExt.TWRecycled] += 1
    return True


def connect_may_share(net: Net, port: int) -> bool:
    """Every holder of the port got it from connect(). Linux: a bind bucket with fastreuse -1."""
    return all(
        owner.sk_userlocks & SOCK_CONNECT_BIND
        if isinstance(owner, Sock)
        else cast("TimewaitSock", owner).tw_connect_bind
        for owner in inet_bind_owners(net, port)
    )


def inet_hash_connect(cpu: Cpu, tp: TcpSock, saddr: int, daddr: int, dport: int) -> int:
    """Find a local port for connect(): those of the range's lower parity first; 0 or -EADDRNOTAVAIL.

    Every port that is taken costs its time, so that connect() is slow when few are left.

    Linux: net/ipv4/inet_hashtables.c __inet_hash_connect().
    """
    net = tp.net
    if tp.sk_num:
        free = inet_check_established(cpu, tp, (daddr, dport, saddr, tp.sk_num), chosen=False)
        return 0 if free else -EADDRNOTAVAIL
    low, high = net.sysctl[IP_LOCAL_PORT_RANGE]
    count = high + 1 - low
    remaining = count & ~1 if count > 1 else count
    avoid = reserved_ports(net)
    start = secure_port_ephemeral(net, saddr, daddr, dport)
    index = start & TABLE_PERTURB_MASK
    perturb = net.table_perturb.get(index, index * 2654435761 & MASK)
    offset = (perturb + (start >> 32)) % remaining & ~1
    reuse = tw_reuse_allowed(net, saddr, daddr)
    for parity in (0, 1) if remaining > 1 else (0,):
        # Of an odd number of ports one is left out, the lowest or the highest, by where the search begins.
        left_out = (low if offset else high) if count != remaining and not parity else 0
        search = (saddr, daddr, dport, low, high, parity, left_out)
        if not reuse and net.ports_full.get(search) == net.ports_freed:
            cpu.now += PORT_NS * (remaining >> 1)
            continue
        for step in range(0, remaining, 2):
            port = low + offset + parity + step
            if port > high:
                port -= remaining
            if (
                port in avoid
                or not connect_may_share(net, port)
                or not inet_check_established(cpu, tp, (daddr, dport, saddr, port), chosen=True)
            ):
                continue
            cpu.now += PORT_NS * (step >> 1)
            net.table_perturb[index] = perturb + max(step, net.machine.rng.randrange(8) * 2) + 2 & MASK
            tp.sk_num = port
            tp.sk_userlocks |= SOCK_CONNECT_BIND
            inet_bind_hash(net, port, tp)
            return 0
        cpu.now += PORT_NS * (remaining >> 1)
        net.ports_full[search] = -1 if avoid else net.ports_freed
    return -EADDRNOTAVAIL
