"""Reading and writing: streams with their flags, timeouts and low-water marks; datagrams are handed on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.catalog.errno import EAGAIN, EINVAL, ENOTCONN, EPIPE
from wireside.catalog.stages import Stage
from wireside.catalog.tcp_states import TcpState
from wireside.kernel.core.ip_sockglue import ip_recv_error
from wireside.kernel.core.sock import RCV_SHUTDOWN, SEND_SHUTDOWN, Sock, sock_error
from wireside.kernel.core.task import Task, wait_on
from wireside.kernel.core.wait import EPOLLIN, EPOLLOUT, EPOLLRDHUP
from wireside.kernel.syscalls.call import timed_out
from wireside.kernel.syscalls.dgram import read_udp, write_udp
from wireside.kernel.tcp.door.tcp import tcp_sendmsg
from wireside.kernel.tcp.door.tcp_ipv4 import lock_sock, release_sock
from wireside.kernel.tcp.receive.tcp_recvmsg import tcp_peek, tcp_recvmsg
from wireside.kernel.tcp.sock.tcp_sock import TcpSock
from wireside.kernel.tcp.sock.tcp_stream import sk_stream_wait_memory
from wireside.kernel.udp.udp import UdpSock

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu
    from wireside.kernel.syscalls.call import Syscall

CONNECTING = (TcpState.SYN_SENT, TcpState.SYN_RECV)
MAX_RW_COUNT = 0x7FFFF000
"""The most that one read or write moves, bytes. Linux: include/linux/fs.h."""
SYS_WRITE, SYS_READ = int(Stage.SYS_WRITE), int(Stage.SYS_READ)


def hold(task: Task, sk: Sock) -> None:
    """Take the socket lock until the end of this slice of the call."""
    if isinstance(sk, TcpSock):
        lock_sock(sk)
        task.locked_sk = sk


def release(cpu: Cpu, task: Task) -> None:
    """The slice is over: let go of the socket, and do what came in meanwhile."""
    sk = task.locked_sk
    task.locked_sk = None
    if isinstance(sk, TcpSock):
        release_sock(cpu, sk)


def sys_write(cpu: Cpu, task: Task, call: Syscall) -> int | None:
    """write/send(fd, length[, flags]): the bytes taken; blocks until all are, or SO_SNDTIMEO is over."""
    cpu.now += cpu.cost[SYS_WRITE]
    file = task.files[call.args[0]]
    sk = file.sk
    size = min(int(call.args[1]), MAX_RW_COUNT)
    if size < 0:
        return -EINVAL
    flags = str(call.args[2]) if len(call.args) > 2 else ""
    nonblock = file.nonblock or "MSG_DONTWAIT" in flags
    if isinstance(sk, UdpSock):
        return write_udp(cpu, task, call, sk, None, size, nonblock=nonblock)
    assert isinstance(sk, TcpSock)
    hold(task, sk)
    if sk.sk_state in CONNECTING:
        if nonblock or timed_out(cpu, call, sk, sk.sk_sndtimeo):
            return -EAGAIN
        wait_on(task, sk, EPOLLOUT | EPOLLIN)
        return None
    if (
        sk.sk_err
        or sk.sk_shutdown & SEND_SHUTDOWN
        or sk.sk_state not in (TcpState.ESTABLISHED, TcpState.CLOSE_WAIT)
    ):
        if call.done:
            return call.done
        return sock_error(sk) if sk.sk_err else -EPIPE
    call.done, blocked = tcp_sendmsg(cpu, sk, call.done, size, more="MSG_MORE" in flags)
    if not blocked:
        return call.done
    call.wake_at = sk_stream_wait_memory(cpu, sk)
    if nonblock or timed_out(cpu, call, sk, sk.sk_sndtimeo):
        return call.done or -EAGAIN
    wait_on(task, sk, EPOLLOUT)
    return None


def sys_sendto(cpu: Cpu, task: Task, call: Syscall) -> int | None:
    """sendto(fd, length, (address, port)); a stream's peer is known already, and the address does not matter."""
    file = task.files[call.args[0]]
    if not isinstance(file.sk, UdpSock):
        call.args = call.args[:2]
        return sys_write(cpu, task, call)
    cpu.now += cpu.cost[SYS_WRITE]
    size = min(int(call.args[1]), MAX_RW_COUNT)
    if size < 0:
        return -EINVAL
    return write_udp(cpu, task, call, file.sk, call.args[2], size, nonblock=file.nonblock)


def sys_read(cpu: Cpu, task: Task, call: Syscall) -> int | None:
    """read/recv(fd, length[, flags]): the bytes copied, 0 at the end of the stream.

    It returns as soon as SO_RCVLOWAT bytes are there, with MSG_WAITALL when all are; MSG_PEEK leaves them in the queue.
    Linux: net/ipv4/tcp.c tcp_recvmsg_locked().
    """
    cpu.now += cpu.cost[SYS_READ]
    file = task.files[call.args[0]]
    sk = file.sk
    size = min(int(call.args[1]), MAX_RW_COUNT)
    if size < 0:
        return -EINVAL
    flags = str(call.args[2]) if len(call.args) > 2 else ""
    nonblock = file.nonblock or "MSG_DONTWAIT" in flags
    if isinstance(sk, UdpSock):
        return read_udp(cpu, task, call, sk, size, nonblock=nonblock, flags=flags)
    assert isinstance(sk, TcpSock)
    if "MSG_ERRQUEUE" in flags:
        return ip_recv_error(cpu, sk, size)
    if sk.sk_state == TcpState.LISTEN:
        return -ENOTCONN
    hold(task, sk)
    if size == 0 and sk.sk_receive_queue:
        return 0
    if "MSG_PEEK" in flags:
        call.done = tcp_peek(cpu, sk, size)
    else:
        call.done += tcp_recvmsg(cpu, sk, size - call.done)
    if call.done >= ((size if "MSG_WAITALL" in flags else min(sk.sk_rcvlowat, size)) or 1):
        return call.done
    if call.done and (sk.sk_err or sk.sk_shutdown & RCV_SHUTDOWN or sk.sk_state == TcpState.CLOSE):
        return call.done
    if not call.done:
        if sk.sock_done:
            return 0
        if sk.sk_err:
            return sock_error(sk)
        if sk.sk_shutdown & RCV_SHUTDOWN:
            return 0
        if sk.sk_state == TcpState.CLOSE:
            return -ENOTCONN
    if nonblock or timed_out(cpu, call, sk, sk.sk_rcvtimeo):
        return call.done or -EAGAIN
    wait_on(task, sk, EPOLLIN | EPOLLRDHUP)
    return None
