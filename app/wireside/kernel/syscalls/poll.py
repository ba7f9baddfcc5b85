"""poll(): what a socket is ready for, and sleeping until it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.errno import EINVAL
from wireside.catalog.flags import POLLNVAL
from wireside.catalog.tcp_states import TcpState
from wireside.kernel.core.sock import RCV_SHUTDOWN, SEND_SHUTDOWN, Sock
from wireside.kernel.core.wait import EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDHUP, WaitQueueEntry
from wireside.kernel.tcp.sock.tcp_stream import tcp_epollin_ready, tcp_writeable

if TYPE_CHECKING:
    from wireside.kernel.core.call import Syscall
    from wireside.kernel.core.net import Cpu
    from wireside.kernel.core.task import Task
    from wireside.kernel.core.uapi import PollFd
    from wireside.kernel.tcp.sock.tcp_sock import TcpSock

BOTH: Final = RCV_SHUTDOWN | SEND_SHUTDOWN
UNASKED: Final = EPOLLERR | EPOLLHUP
"""What poll() tells whether it was asked for or not."""
POLL_FD_NS: Final = 100
"""What asking one of many descriptors costs: poll() of 1,000 idle sockets takes about 100 us on Linux 6.18."""


def tcp_poll(tp: TcpSock) -> int:
    """Linux: net/ipv4/tcp.c tcp_poll()."""
    if tp.sk_state == TcpState.LISTEN:
        return EPOLLIN if tp.icsk_accept_queue.accept else 0
    mask = 0
    if tp.sk_shutdown == BOTH or tp.sk_state == TcpState.CLOSE:
        mask |= EPOLLHUP
    if tp.sk_shutdown & RCV_SHUTDOWN:
        mask |= EPOLLIN | EPOLLRDHUP
    if tp.sk_state not in (TcpState.SYN_SENT, TcpState.SYN_RECV):
        if tcp_epollin_ready(tp):
            mask |= EPOLLIN
        if tp.sk_shutdown & SEND_SHUTDOWN or tcp_writeable(tp):
            mask |= EPOLLOUT
        else:
            tp.sk_nospace = True
    return mask | (EPOLLERR if tp.sk_err or tp.sk_error_queue else 0)


def datagram_poll(sk: Sock) -> int:
    """Linux: net/core/datagram.c datagram_poll()."""
    mask = EPOLLERR if sk.sk_err or sk.sk_error_queue else 0
    if sk.sk_shutdown == BOTH:
        mask |= EPOLLHUP
    if sk.sk_shutdown & RCV_SHUTDOWN:
        mask |= EPOLLIN | EPOLLRDHUP
    if sk.sk_receive_queue:
        mask |= EPOLLIN
    if sk.sk_wmem_alloc < sk.sk_sndbuf >> 1:
        mask |= EPOLLOUT
    else:
        sk.sk_nospace = True
    return mask


def sys_poll(cpu: Cpu, task: Task, call: Syscall) -> int | None:
    """poll(dict of descriptor to PollFd, timeout ns): fills their revents; how many have any, 0 when none came in time.

    A timeout < 0 is none. Linux: fs/select.c do_poll().
    """
    watched: dict[int, PollFd] = call.args[0]
    timeout: int = call.args[1]
    if len(watched) > task.rlimit_nofile:
        return -EINVAL
    files = task.files
    cpu.now += POLL_FD_NS * len(watched)
    ready = 0
    for fd, each in watched.items():
        file = files.get(fd)
        each.revents = file.f_op.poll(file) & (each.events | UNASKED) if file is not None else POLLNVAL
        ready += each.revents != 0
    if ready or timeout == 0:
        return ready
    if not call.started:
        call.started = True
        call.timeout_at = cpu.now + timeout if timeout > 0 else 0
    elif call.timeout_at and cpu.now >= call.timeout_at:
        return 0
    for fd, each in watched.items():
        file = files[fd]
        task.prepare_to_wait(file.f_op.poll_wait(file), WaitQueueEntry(task, each.events | UNASKED))
    return None
