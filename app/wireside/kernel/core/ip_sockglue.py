"""The error queue of a socket: what ICMP, or the host itself, had to say about its packets."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from wireside.catalog.errno import EAGAIN
from wireside.catalog.flags import MSG_ERRQUEUE, MSG_TRUNC, SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_LOCAL
from wireside.catalog.inet import IP_HLEN
from wireside.kernel.core.sk_buff_head import NO_ENTRIES
from wireside.kernel.core.skbuff import skb_alloc_truesize
from wireside.kernel.core.sock import sk_error_report
from wireside.kernel.core.uapi import SockExtendedErr

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu
    from wireside.kernel.core.skbuff import SkBuff
    from wireside.kernel.core.sock import Sock
    from wireside.kernel.core.uapi import MsgHdr, SockaddrIn


class SockExterrSkb(NamedTuple):
    """One entry of the error queue. Linux: include/linux/errqueue.h struct sock_exterr_skb."""

    ee: SockExtendedErr
    len: int
    """Payload bytes of the packet in question, as far as they are known."""
    truesize: int
    destination: tuple[int, int]
    """Address and port that the packet was for."""


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


def ip_icmp_error(cpu: Cpu, sk: Sock, error: int, skb: SkBuff, offender: SkBuff, payload: int) -> None:
    """An ICMP message came in that quotes `payload` bytes of `offender`, a packet of the socket.

    Linux: net/ipv4/ip_sockglue.c ip_icmp_error().
    """
    saddr, icmp_type, _, code = skb.flow
    ee = SockExtendedErr(error, SO_EE_ORIGIN_ICMP, icmp_type, code, 0, saddr)
    sock_queue_err_skb(cpu, sk, SockExterrSkb(ee, payload, skb.truesize, offender.flow[2:]))


def ip_local_error(cpu: Cpu, sk: Sock, error: int, daddr: int, mtu: int) -> None:
    """The host itself refuses a packet; told to sockets with IP_RECVERR only.

    The port is the connected peer's, 0 without one. Linux: net/ipv4/ip_sockglue.c ip_local_error(), __ip_append_data().
    """
    if sk.recverr:
        port = sk.flow_out[3] if sk.flow_out is not None else 0
        ee = SockExtendedErr(error, SO_EE_ORIGIN_LOCAL, 0, 0, mtu, 0)
        sock_queue_err_skb(cpu, sk, SockExterrSkb(ee, 0, skb_alloc_truesize(IP_HLEN)[0], (daddr, port)))


def ip_recv_error(cpu: Cpu, sk: Sock, size: int, name: SockaddrIn | None, msg: MsgHdr | None) -> int:
    """recv() with MSG_ERRQUEUE: bytes of the oldest error's packet, or -EAGAIN; the next error becomes SO_ERROR.

    `name` is told whom the packet was for, the control message what happened, and who says so.
    Linux: net/ipv4/ip_sockglue.c ip_recv_error(), net/core/skbuff.c sock_dequeue_err_skb().
    """
    queue = sk.sk_error_queue
    if not queue:
        return -EAGAIN
    skb = queue.popleft()
    sk.sk_rmem_alloc -= skb.truesize
    if name is not None:
        name.fill(*skb.destination)
    if msg is not None:
        msg.msg_control = skb.ee
        msg.msg_flags |= MSG_ERRQUEUE | (MSG_TRUNC if skb.len > size else 0)
    if queue and queue[0].ee.ee_origin == SO_EE_ORIGIN_ICMP:
        sk.sk_err = queue[0].ee.ee_errno
    elif skb.ee.ee_origin == SO_EE_ORIGIN_ICMP:
        sk.sk_err = 0
    if queue:
        sk_error_report(cpu, sk)
    return min(skb.len, size)


def skb_errqueue_purge(sk: Sock) -> None:
    """Forget all errors: IP_RECVERR is turned off, or the socket goes away. Linux: net/core/skbuff.c."""
    sk.sk_rmem_alloc -= sum(skb.truesize for skb in sk.sk_error_queue)
    sk.sk_error_queue.clear()
