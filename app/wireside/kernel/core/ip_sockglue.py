"""The error queue of a socket: what ICMP, or the host itself, had to say about its packets."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from wireside.catalog.errno import EAGAIN
from wireside.catalog.inet import IP_HLEN
from wireside.kernel.core.sk_buff_head import NO_ENTRIES
from wireside.kernel.core.skbuff import skb_alloc_truesize
from wireside.kernel.core.sock import sk_error_report

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu
    from wireside.kernel.core.sock import Sock


class SockExterrSkb(NamedTuple):
    """One entry of the error queue. Linux: include/linux/errqueue.h struct sock_exterr_skb."""

    ee_errno: int
    len: int
    """Payload bytes of the packet in question, as far as they are known."""
    truesize: int
    icmp: bool
    """From an ICMP message (SO_EE_ORIGIN_ICMP), not from the host itself."""


def sock_queue_err_skb(cpu: Cpu, sk: Sock, skb: SockExterrSkb) -> None:
    """Queue an error, if receive memory has room for it, and wake everybody. Linux: net/core/skbuff.c."""
    if sk.sk_rmem_alloc + skb.truesize >= sk.sk_rcvbuf:
        return
    if not sk.sk_rmem_alloc:
        sk.net.holding[sk.id] = sk
    sk.sk_rmem_alloc += skb.truesize
    if sk.sk_error_queue is NO_ENTRIES:
        sk.sk_error_queue = deque()
    sk.sk_error_queue.append(skb)
    sk_error_report(cpu, sk)


def ip_icmp_error(cpu: Cpu, sk: Sock, error: int, payload: int, truesize: int) -> None:
    """An ICMP error came in that quotes `payload` bytes of what the socket sent. Linux: net/ipv4/ip_sockglue.c."""
    sock_queue_err_skb(cpu, sk, SockExterrSkb(error, payload, truesize, True))


def ip_local_error(cpu: Cpu, sk: Sock, error: int) -> None:
    """The host itself refuses a packet; told to sockets with IP_RECVERR only. Linux: net/ipv4/ip_sockglue.c."""
    if sk.recverr:
        sock_queue_err_skb(cpu, sk, SockExterrSkb(error, 0, skb_alloc_truesize(IP_HLEN)[0], False))


def ip_recv_error(cpu: Cpu, sk: Sock, size: int) -> int:
    """recv() with MSG_ERRQUEUE: bytes of the oldest error's packet, or -EAGAIN; the next error becomes SO_ERROR.

    Linux: net/ipv4/ip_sockglue.c ip_recv_error(), net/core/skbuff.c sock_dequeue_err_skb().
    """
    queue = sk.sk_error_queue
    if not queue:
        return -EAGAIN
    skb = queue.popleft()
    sk.sk_rmem_alloc -= skb.truesize
    if queue and queue[0].icmp:
        sk.sk_err = queue[0].ee_errno
    elif skb.icmp:
        sk.sk_err = 0
    if queue:
        sk_error_report(cpu, sk)
    return int(min(skb.len, size))


def skb_errqueue_purge(sk: Sock) -> None:
    """Forget all errors: IP_RECVERR is turned off, or the socket goes away. Linux: net/core/skbuff.c."""
    sk.sk_rmem_alloc -= sum(skb.truesize for skb in sk.sk_error_queue)
    sk.sk_error_queue.clear()
