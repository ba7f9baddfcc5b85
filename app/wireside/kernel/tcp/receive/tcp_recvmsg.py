"""What a program takes out of a TCP socket's receive queue, and what the peer is told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.inet import FIN, MASK
from wireside.catalog.stages import Stage
from wireside.kernel.core.skbuff import SkBuff, deliver_skb
from wireside.kernel.core.sock import RCV_SHUTDOWN, sock_rfree
from wireside.kernel.tcp.receive.tcp_rmem import tcp_rcv_space_adjust
from wireside.kernel.tcp.send.tcp_control import tcp_in_pingpong_mode, tcp_send_ack
from wireside.kernel.tcp.sock.tcp_sock import ICSK_ACK_PUSHED, ICSK_ACK_PUSHED2, ICSK_ACK_SCHED, TcpSock
from wireside.kernel.tcp.sock.tcp_window import window_update_due

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu

SYS_READ: Final = int(Stage.SYS_READ)
COPY_NS_PER_KIB: Final = 100
"""Copying between user and kernel memory, partly cached, ns."""


def tcp_cleanup_rbuf(cpu: Cpu, tp: TcpSock, copied: int) -> None:
    """After a read: acknowledge if one is owed, or announce a window that has doubled.

    Linux: net/ipv4/tcp.c __tcp_cleanup_rbuf().
    """
    time_to_ack = False
    if tp.ack_pending & ICSK_ACK_SCHED:
        pushed = tp.ack_pending & ICSK_ACK_PUSHED2 or (
            tp.ack_pending & ICSK_ACK_PUSHED and not tcp_in_pingpong_mode(tp)
        )
        time_to_ack = (tp.rcv_nxt - tp.rcv_wup) & MASK > tp.rcv_mss or bool(
            copied > 0 and pushed and not tp.sk_rmem_alloc
        )
    if not time_to_ack and not tp.sk_shutdown & RCV_SHUTDOWN:
        time_to_ack = window_update_due(tp, copied)
    if time_to_ack:
        tcp_send_ack(cpu, tp)


def tcp_eat_recv_skb(cpu: Cpu, tp: TcpSock, skb: SkBuff) -> None:
    """The program has taken all of a packet: free it. Linux: net/ipv4/tcp.c tcp_eat_recv_skb()."""
    tp.sk_receive_queue.popleft()
    if skb.stamps is not None:
        skb.stamps += (SYS_READ, cpu.now)
    sock_rfree(tp, skb.truesize)
    deliver_skb(tp.net, skb)


def tcp_recvmsg(cpu: Cpu, tp: TcpSock, size: int) -> int:
    """Copy up to `size` bytes to the program; how many. Linux: net/ipv4/tcp.c tcp_recvmsg_locked()."""
    copied = 0
    queue = tp.sk_receive_queue
    while queue and copied < size:
        skb = queue[0]
        offset = (tp.copied_seq - skb.seq) & MASK
        used = min(skb.len - offset, size - copied)
        if used > 0:
            tp.copied_seq = (tp.copied_seq + used) & MASK
            copied += used
            cpu.now += used * COPY_NS_PER_KIB // 1024
            tcp_rcv_space_adjust(cpu, tp)
        if used + offset < skb.len:
            break
        tcp_eat_recv_skb(cpu, tp, skb)
        if skb.tcp_flags & FIN:
            tp.copied_seq = (tp.copied_seq + 1) & MASK
            break
    if queue and not queue[0].len and queue[0].tcp_flags & FIN and copied < size:
        tp.copied_seq = (tp.copied_seq + 1) & MASK
        tcp_eat_recv_skb(cpu, tp, queue[0])
    tcp_cleanup_rbuf(cpu, tp, copied)
    return copied


def tcp_peek(cpu: Cpu, tp: TcpSock, size: int) -> int:
    """Copy up to `size` bytes and leave them where they are (MSG_PEEK); how many."""
    there = sum(skb.len for skb in tp.sk_receive_queue)
    if there:
        there -= (tp.copied_seq - tp.sk_receive_queue[0].seq) & MASK
    copied = min(there, size)
    cpu.now += copied * COPY_NS_PER_KIB // 1024
    tcp_cleanup_rbuf(cpu, tp, copied)
    return copied
