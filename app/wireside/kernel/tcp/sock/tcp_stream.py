"""What a stream's readers and writers wait for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.catalog.inet import MASK
from wireside.catalog.sysctls import TCP_MEM, TCP_NOTSENT_LOWAT
from wireside.kernel.core.sock import (
    SOCK_SNDBUF_LOCK,
    sk_stream_is_writeable,
    sk_stream_write_space,
    sock_def_readable,
)
from wireside.kernel.tcp.sock.tcp_sock import tcp_packets_in_flight, tcp_receive_window
from wireside.kernel.tcp.sock.tcp_window import tcp_sndbuf_expand

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu
    from wireside.kernel.tcp.sock.tcp_sock import TcpSock


def tcp_stream_memory_free(tp: TcpSock, wake: int) -> bool:
    """Not too much waits unsent (TCP_NOTSENT_LOWAT); `wake` 1: so little that it is worth to wake a writer.

    Linux: net/ipv4/tcp.c tcp_stream_memory_free().
    """
    lowat = tp.notsent_lowat or tp.net.sysctl[TCP_NOTSENT_LOWAT]
    return lowat >= MASK or ((tp.write_seq - tp.snd_nxt) & MASK) << wake < lowat


def sk_stream_memory_free(tp: TcpSock) -> bool:
    """Another skb may be queued. Linux: include/net/sock.h sk_stream_memory_free()."""
    return tp.sk_wmem_queued < tp.sk_sndbuf and tcp_stream_memory_free(tp, 0)


def tcp_writeable(tp: TcpSock) -> bool:
    """A blocked writer or EPOLLOUT waiter may go on. Linux: include/net/sock.h __sk_stream_is_writeable()."""
    return sk_stream_is_writeable(tp) and tcp_stream_memory_free(tp, 1)


def tcp_write_space(cpu: Cpu, tp: TcpSock) -> None:
    """Wake those who wait to write, if they may. Linux: net/core/stream.c sk_stream_write_space()."""
    if tcp_stream_memory_free(tp, 1):
        sk_stream_write_space(cpu, tp)


def sk_stream_wait_memory(cpu: Cpu, tp: TcpSock) -> int:
    """A writer goes to sleep; when the sleep ends at the latest, ns, or 0: with a wake-up alone.

    Memory that is free by now, because sending has enlarged sk_sndbuf, is no reason to go on at once: the kernel takes the
    write queue for short of memory, and sleeps for 2 to HZ / 5 + 1 ticks or until it is woken. Linux: net/core/stream.c.
    """
    tp.sk_nospace = True
    if not sk_stream_memory_free(tp):
        return 0
    timers = tp.net.machine.timers
    ticks = 2 + tp.net.machine.rng.randrange(200_000_000 // timers.tick_ns)
    return timers.wheel_time(cpu.now, cpu.now + ticks * timers.tick_ns)


def tcp_should_expand_sndbuf(tp: TcpSock) -> bool:
    """More memory would let more be sent: no SO_SNDBUF, less than tcp_mem[0] pages in use, and cwnd not used up.

    Linux: net/ipv4/tcp_input.c tcp_should_expand_sndbuf().
    """
    machine = tp.net.machine
    return (
        not tp.sk_userlocks & SOCK_SNDBUF_LOCK
        and not machine.tcp_memory_pressure
        and machine.tcp_memory_allocated < machine.sysctl[TCP_MEM][0]
        and tcp_packets_in_flight(tp) < tp.snd_cwnd
    )


def tcp_check_space(cpu: Cpu, tp: TcpSock) -> None:
    """A writer waits for memory: let sk_sndbuf follow cwnd, and wake the writer when a third of it is free.

    Called after an ACK and after each segment that is sent. Linux: net/ipv4/tcp_input.c tcp_check_space(), tcp_new_space().
    """
    if not tp.sk_nospace:
        return
    if tcp_should_expand_sndbuf(tp):
        tcp_sndbuf_expand(tp)
        tp.snd_cwnd_stamp_ns = cpu.now
    tcp_write_space(cpu, tp)


def tcp_rmem_pressure(tp: TcpSock) -> bool:
    """Seven eighths of the receive buffer are used, or memory is scarce. Linux: include/net/tcp.h tcp_rmem_pressure()."""
    return tp.net.machine.tcp_memory_pressure or tp.sk_rmem_alloc > tp.sk_rcvbuf - (tp.sk_rcvbuf >> 3)


def tcp_epollin_ready(tp: TcpSock) -> bool:
    """SO_RCVLOWAT bytes can be read, or no more will fit. Linux: include/net/tcp.h tcp_epollin_ready()."""
    there = (tp.rcv_nxt - tp.copied_seq) & MASK
    if not there or there & 0x80000000 or not tp.sk_receive_queue:
        return False
    return there >= tp.sk_rcvlowat or tcp_rmem_pressure(tp) or tcp_receive_window(tp) <= tp.rcv_mss


def tcp_data_ready(cpu: Cpu, tp: TcpSock) -> None:
    """Wake the reader when it is worth it. Linux: net/ipv4/tcp_input.c tcp_data_ready()."""
    if tp.sk_wq and (tp.sock_done or tcp_epollin_ready(tp)):
        sock_def_readable(cpu, tp)
