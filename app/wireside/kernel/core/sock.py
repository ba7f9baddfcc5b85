"""struct sock: what all sockets share, above all the accounting of memory."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from wireside.catalog.counters import TcpExt
from wireside.catalog.sysctls import TCP_MEM, TCP_RMEM, TCP_WMEM
from wireside.catalog.tcp_states import TcpState
from wireside.kernel.core.sk_buff_head import NO_ENTRIES
from wireside.kernel.core.skbuff import PAGE_SIZE
from wireside.kernel.core.wait import EPOLLERR, EPOLLIN, EPOLLOUT, wake_up

if TYPE_CHECKING:
    from wireside.kernel.core.ip_sockglue import SockExterrSkb
    from wireside.kernel.core.net import Cpu, Net
    from wireside.kernel.core.sk_buff_head import Queue, SkBuffHead
    from wireside.kernel.core.skbuff import Charged, Flow, SkBuff
    from wireside.kernel.core.wait import WaitQueueEntry

RCV_SHUTDOWN: Final = 1
SEND_SHUTDOWN: Final = 2
SOCK_SNDBUF_LOCK: Final = 1
SOCK_RCVBUF_LOCK: Final = 2
SOCK_BINDADDR_LOCK: Final = 4
SOCK_BINDPORT_LOCK: Final = 8
SOCK_CONNECT_BIND: Final = 16
"""Bits of sk_userlocks: what the program has fixed, and that connect() chose the port. Linux: include/net/sock.h."""
SS_UNCONNECTED: Final = 1
SS_CONNECTING: Final = 2
SS_CONNECTED: Final = 3
SS_DISCONNECTING: Final = 4
"""How far connect() has come. Linux: include/uapi/linux/net.h socket_state."""
SOCK_MIN_RCVBUF: Final = 2304
"""Smallest sk_rcvbuf that setsockopt() leaves, bytes. Linux: include/net/sock.h."""
SOCK_MIN_SNDBUF: Final = 4608


class Sock:
    """One socket. Memory is in bytes of truesize; queues hold SkBuffs oldest first.

    `flow_out` and `flow_in` are the 4-tuples of packets this socket sends and receives; both are None until
    the socket is connected. `sk_lock_owned` means a system call holds the socket lock, so that softirq work goes to `sk_backlog`.
    Linux: include/net/sock.h struct sock.
    """

    __slots__ = (
        "bind_address_no_port",
        "comm",
        "fd",
        "flow_in",
        "flow_out",
        "id",
        "inet_sport",
        "keepopen",
        "net",
        "orphan",
        "rcv_saddr",
        "recverr",
        "sk_backlog",
        "sk_backlog_len",
        "sk_drops",
        "sk_err",
        "sk_err_soft",
        "sk_error_queue",
        "sk_forward_alloc",
        "sk_gso_max_segs",
        "sk_linger",
        "sk_lock_owned",
        "sk_nospace",
        "sk_num",
        "sk_protocol",
        "sk_rcvbuf",
        "sk_rcvlowat",
        "sk_rcvtimeo",
        "sk_receive_queue",
        "sk_reuse",
        "sk_reuseport",
        "sk_rmem_alloc",
        "sk_shutdown",
        "sk_sndbuf",
        "sk_sndtimeo",
        "sk_state",
        "sk_userlocks",
        "sk_wmem_alloc",
        "sk_wmem_queued",
        "sk_wq",
        "socket_state",
    )

    def __init__(self, net: Net, sk_id: int, protocol: int) -> None:
        self.id = sk_id
        self.net = net
        self.sk_protocol = protocol
        self.sk_state = TcpState.CLOSE
        self.socket_state = SS_UNCONNECTED
        """State of struct socket, which is one with its struct sock here."""
        self.flow_out: Flow | None = None
        self.flow_in: Flow | None = None
        self.rcv_saddr = 0
        """Bound local address; 0 is any."""
        self.sk_num = 0
        """Bound local port; 0 when unbound."""
        self.inet_sport = 0
        """The port it had last, once it has given sk_num back: getsockname() still tells it."""
        self.sk_rcvbuf = self.sk_sndbuf = self.sk_rmem_alloc = 0
        self.sk_wmem_alloc = 0
        """Bytes of truesize handed to qdisc and device and not yet completed."""
        self.sk_wmem_queued = 0
        self.sk_forward_alloc = 0
        """Bytes charged in whole pages to the protocol but not yet used by an skb."""
        self.sk_gso_max_segs = 1
        """The most segments that may go down as one packet."""
        self.sk_receive_queue: SkBuffHead[SkBuff] = NO_ENTRIES
        self.sk_backlog: deque[SkBuff] | None = None
        self.sk_backlog_len = self.sk_drops = 0
        self.sk_err = self.sk_err_soft = 0
        self.sk_error_queue: SkBuffHead[SockExterrSkb] = NO_ENTRIES
        self.sk_shutdown = 0
        self.sk_userlocks = 0
        self.sk_wq: Queue[WaitQueueEntry] = NO_ENTRIES
        self.sk_lock_owned = False
        self.sk_nospace = False
        self.sk_linger = -1
        """SO_LINGER time, ns; -1 when off."""
        self.sk_rcvlowat = 1
        """SO_RCVLOWAT: bytes that make a reader go on."""
        self.sk_rcvtimeo = self.sk_sndtimeo = 0
        """SO_RCVTIMEO and SO_SNDTIMEO, ns; 0 is for ever."""
        self.recverr = False
        """IP_RECVERR: whatever ICMP says is an error at once, and of a datagram so is a full qdisc."""
        self.bind_address_no_port = False
        """IP_BIND_ADDRESS_NO_PORT: bind() to port 0 takes the address only."""
        self.keepopen = False
        """SO_KEEPALIVE; only TCP acts on it."""
        self.sk_reuse = self.sk_reuseport = False
        self.orphan = False
        """No file refers to it any more (SOCK_DEAD)."""
        self.comm = ""
        self.fd = -1


def sk_sleep(sk: Sock) -> Queue[WaitQueueEntry]:
    """The socket's wait queue, to sleep on. Linux: include/net/sock.h sk_sleep()."""
    if sk.sk_wq is NO_ENTRIES:
        sk.sk_wq = []
    return sk.sk_wq


def sk_receive_queue_tail(sk: Sock, skb: SkBuff) -> None:
    """Put a packet at the end of the receive queue. Linux: __skb_queue_tail(&sk->sk_receive_queue)."""
    if sk.sk_receive_queue is NO_ENTRIES:
        sk.sk_receive_queue = deque()
    sk.sk_receive_queue.append(skb)


def skb_set_owner_r(sk: Sock, skb: SkBuff) -> None:
    """Charge a packet to the socket's receive memory. Linux: include/net/sock.h skb_set_owner_r()."""
    if not sk.sk_rmem_alloc:
        sk.net.holding[sk.id] = sk
    sk.sk_rmem_alloc += skb.truesize
    sk.sk_forward_alloc -= skb.truesize


def sock_rfree(sk: Sock, truesize: int) -> None:
    """Give `truesize` bytes of receive memory back. Linux: net/core/sock.c sock_rfree()."""
    sk.sk_rmem_alloc -= truesize
    sk_mem_uncharge(sk, truesize)


def sk_mem_uncharge(sk: Sock, size: int) -> None:
    """Return `size` bytes to the socket's reserve, and whole pages of it to the protocol.

    Linux: include/net/sock.h sk_mem_uncharge(), sk_mem_reclaim().
    """
    sk.sk_forward_alloc += size
    if sk.sk_forward_alloc >= PAGE_SIZE:
        pages = sk.sk_forward_alloc // PAGE_SIZE
        sk.sk_forward_alloc -= pages * PAGE_SIZE
        sk.net.machine.tcp_memory_allocated -= pages


def sk_rmem_schedule(cpu: Cpu, sk: Sock, size: int) -> bool:
    """Make sure `size` bytes of receive memory are reserved; False when the protocol has none left.

    Linux: include/net/sock.h sk_rmem_schedule(), net/core/sock.c __sk_mem_schedule().
    """
    return size <= sk.sk_forward_alloc or sk_mem_schedule(cpu, sk, size - sk.sk_forward_alloc, receive=True)


def sk_wmem_schedule(cpu: Cpu, sk: Sock, size: int) -> bool:
    """Make sure `size` bytes of send memory are reserved. Linux: include/net/sock.h sk_wmem_schedule()."""
    return size <= sk.sk_forward_alloc or sk_mem_schedule(cpu, sk, size - sk.sk_forward_alloc, receive=False)


def sk_mem_schedule(cpu: Cpu, sk: Sock, delta: int, *, receive: bool) -> bool:
    """Reserve `delta` more bytes in whole pages under the limits of tcp_mem.

    Linux: net/core/sock.c __sk_mem_raise_allocated().
    """
    pages = -(-delta // PAGE_SIZE)
    machine = sk.net.machine
    low, pressure, hard = machine.sysctl[TCP_MEM]
    allocated = machine.tcp_memory_allocated + pages
    if allocated <= low:
        machine.tcp_memory_pressure = False
    elif allocated > pressure and not machine.tcp_memory_pressure:
        machine.tcp_memory_pressure = True
        sk.net.mib[TcpExt.TCPMemoryPressures] += 1
    if allocated > hard and not (
        sk.sk_rmem_alloc < sk.net.sysctl[TCP_RMEM][0]
        if receive
        else sk.sk_wmem_queued < sk.net.sysctl[TCP_WMEM][0]
    ):
        return False
    machine.tcp_memory_allocated = allocated
    sk.sk_forward_alloc += pages * PAGE_SIZE
    return True


def sk_forced_mem_schedule(sk: Sock, size: int) -> None:
    """Reserve `size` bytes whatever the limits: a FIN or SYN must go out. Linux: sk_forced_mem_schedule()."""
    if size > sk.sk_forward_alloc:
        pages = -(-(size - sk.sk_forward_alloc) // PAGE_SIZE)
        sk.sk_forward_alloc += pages * PAGE_SIZE
        sk.net.machine.tcp_memory_allocated += pages


def sk_wmem_queue_add(sk: Sock, size: int) -> None:
    """Account `size` bytes of truesize put into the write queue. Linux: include/net/sock.h sk_wmem_queued_add()."""
    sk.sk_wmem_queued += size
    sk.sk_forward_alloc -= size


def sk_wmem_free(sk: Sock, size: int) -> None:
    """Account `size` bytes of truesize that left the write or retransmit queue. Linux: tcp_wmem_free_skb()."""
    sk.sk_wmem_queued -= size
    sk_mem_uncharge(sk, size)


def sk_stream_min_wspace(sk: Sock) -> int:
    """The free send memory that makes a socket writable again. Linux: include/net/sock.h."""
    return sk.sk_wmem_queued >> 1


def sk_stream_is_writeable(sk: Sock) -> bool:
    """A blocked writer or EPOLLOUT waiter may go on: at most two thirds of sk_sndbuf are used."""
    return sk.sk_sndbuf - sk.sk_wmem_queued >= sk_stream_min_wspace(sk)


def sk_stream_write_space(cpu: Cpu, sk: Sock) -> None:
    """Wake those who wait for send memory. Linux: net/core/stream.c sk_stream_write_space()."""
    if sk.sk_nospace and sk_stream_is_writeable(sk):
        sk.sk_nospace = False
        if sk.sk_wq:
            wake_up(cpu, sk.sk_wq, EPOLLOUT)


def sock_wfree(cpu: Cpu, skb: Charged) -> None:
    """The device is done with a datagram: stop charging it, and wake a blocked sender. Linux: net/core/sock.c sock_wfree()."""
    sk = skb.sk
    assert sk is not None
    sk.sk_wmem_alloc -= skb.truesize
    if sk.sk_nospace and sk.sk_wmem_alloc < sk.sk_sndbuf >> 1:
        sk.sk_nospace = False
        if sk.sk_wq:
            wake_up(cpu, sk.sk_wq, EPOLLOUT)


def sock_def_readable(cpu: Cpu, sk: Sock) -> None:
    """Wake those who wait to read. Linux: net/core/sock.c sock_def_readable()."""
    if sk.sk_wq:
        wake_up(cpu, sk.sk_wq, EPOLLIN)


def sk_error_report(cpu: Cpu, sk: Sock) -> None:
    """Wake everybody: the socket has an error. Linux: net/core/sock.c sock_def_error_report()."""
    if sk.sk_wq:
        wake_up(cpu, sk.sk_wq, EPOLLIN | EPOLLOUT | EPOLLERR)


def sk_state_change(cpu: Cpu, sk: Sock) -> None:
    """Wake everybody: the socket changed its state. Linux: net/core/sock.c sock_def_wakeup()."""
    if sk.sk_wq:
        wake_up(cpu, sk.sk_wq, 0, nr_exclusive=0)


def sk_add_backlog(sk: Sock, skb: SkBuff, limit: int) -> bool:
    """Park a packet that met a locked socket; False when there is no room.

    Linux: include/net/sock.h sk_add_backlog(), sk_rcvqueues_full().
    """
    if sk.sk_backlog_len + sk.sk_rmem_alloc > limit:
        return False
    if sk.sk_backlog is None:
        sk.sk_backlog = deque()
    if not sk.sk_backlog_len:
        sk.net.holding[sk.id] = sk
    sk.sk_backlog.append(skb)
    sk.sk_backlog_len += skb.truesize
    return True


def sock_error(sk: Sock) -> int:
    """Return the pending error as -errno, once. Linux: include/net/sock.h sock_error()."""
    error, sk.sk_err = sk.sk_err, 0
    return -error
