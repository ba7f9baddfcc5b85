"""Orphans: sockets that no program holds any more but whose connection is not over, and how many a host bears."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.counters import TcpExt
from wireside.catalog.sysctls import TCP_MAX_ORPHANS, TCP_MEM
from wireside.kernel.core.sock import SOCK_MIN_SNDBUF

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu, Machine
    from wireside.kernel.tcp.sock.tcp_sock import TcpSock

TCP_ORPHAN_TIMER_PERIOD_NS: Final = 100_000_000
"""How often the host counts its orphans anew; between, it works with the last count. Linux: net/ipv4/tcp.c."""


def tcp_orphan_update(machine: Machine, now: int) -> None:
    """Take over the true count if a period has begun since it last changed. Linux: tcp_orphan_update()."""
    period = now // TCP_ORPHAN_TIMER_PERIOD_NS
    if period != machine.tcp_orphan_period:
        machine.tcp_orphan_period = period
        machine.tcp_orphan_cache = machine.tcp_orphan_count


def tcp_orphan_count_add(cpu: Cpu, delta: int) -> None:
    """A socket has become an orphan (+1), or an orphan has been freed (-1)."""
    tcp_orphan_update(cpu.machine, cpu.now)
    cpu.machine.tcp_orphan_count += delta


def sock_orphan(cpu: Cpu, tp: TcpSock) -> None:
    """The program lets go of the socket; nobody is woken for it any more. Linux: include/net/sock.h sock_orphan()."""
    tp.orphan = True
    tp.sk_wq.clear()
    tcp_orphan_count_add(cpu, 1)


def tcp_out_of_memory(tp: TcpSock) -> bool:
    """TCP is over its hard limit and this socket holds more than the least. Linux: tcp_out_of_memory()."""
    machine = tp.net.machine
    hard: int = machine.sysctl[TCP_MEM][2]
    return tp.sk_wmem_queued > SOCK_MIN_SNDBUF and machine.tcp_memory_allocated > hard


def tcp_check_oom(cpu: Cpu, tp: TcpSock, shift: int) -> bool:
    """The host cannot afford this orphan; each `shift` counts it double. Linux: net/ipv4/tcp.c tcp_check_oom()."""
    net = tp.net
    tcp_orphan_update(net.machine, cpu.now)
    limit: int = net.sysctl[TCP_MAX_ORPHANS]
    if net.machine.tcp_orphan_cache << shift > limit:
        net.event(cpu, "tcp", f"{net.name}: too many orphaned sockets", 2)
        return True
    if tcp_out_of_memory(tp):
        net.event(cpu, "tcp", f"{net.name}: out of memory -- consider tuning tcp_mem", 2)
        return True
    return False


def tcp_abort_on_memory(tp: TcpSock) -> None:
    """Count a connection given up for want of memory."""
    tp.net.mib[TcpExt.TCPAbortOnMemory] += 1
