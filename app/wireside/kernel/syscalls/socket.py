"""System calls on sockets: arguments are checked, and the socket's protocol does the rest. Linux: net/socket.c."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.catalog.errno import EINVAL, ENOTSOCK
from wireside.catalog.flags import SHUT_RDWR, SOCK_DGRAM, SOCK_NONBLOCK, SOCK_STREAM
from wireside.kernel.core.file import File
from wireside.kernel.core.task import fd_install, get_unused_fd
from wireside.kernel.syscalls.dgram import inet_dgram_ops
from wireside.kernel.syscalls.proto_ops import ProtoOps
from wireside.kernel.syscalls.read_write import MAX_RW_COUNT, SYS_READ, SYS_WRITE
from wireside.kernel.syscalls.sockopt import do_getsockopt, do_setsockopt
from wireside.kernel.syscalls.stream import inet_stream_ops
from wireside.kernel.tcp.door.inet_connection_sock import tcp_socket
from wireside.kernel.udp.udp import udp_socket

if TYPE_CHECKING:
    from wireside.kernel.core.call import Syscall
    from wireside.kernel.core.net import Cpu
    from wireside.kernel.core.sock import Sock
    from wireside.kernel.core.task import Task
    from wireside.kernel.core.uapi import MsgHdr, SockaddrIn


def sock_alloc_file(task: Task, fd: int, ops: ProtoOps, sk: Sock, *, nonblock: bool) -> int:
    """Give a socket its file and the descriptor that was found for it."""
    file = File(ops, sk, nonblock=nonblock)
    fd_install(task, fd, file)
    ops.held_by(file, task.comm, fd)
    return fd


def sock_from_file(file: File) -> ProtoOps | None:
    """What a file can do as a socket; None when it is none. Linux: net/socket.c sock_from_file()."""
    ops = file.f_op
    return ops if isinstance(ops, ProtoOps) else None


def sys_socket(cpu: Cpu, task: Task, call: Syscall) -> int:
    """socket(type): SOCK_STREAM or SOCK_DGRAM, with or without SOCK_NONBLOCK."""
    kind: int = call.args[0]
    nonblock = bool(kind & SOCK_NONBLOCK)
    kind &= ~SOCK_NONBLOCK
    if kind not in (SOCK_STREAM, SOCK_DGRAM):
        return -EINVAL
    fd = get_unused_fd(task)
    if fd < 0:
        return fd
    if kind == SOCK_STREAM:
        return sock_alloc_file(task, fd, inet_stream_ops, tcp_socket(task.net), nonblock=nonblock)
    return sock_alloc_file(task, fd, inet_dgram_ops, udp_socket(task.net), nonblock=nonblock)


def sys_bind(cpu: Cpu, task: Task, call: Syscall) -> int:
    """bind(fd, (address, port))."""
    file: File = task.files[call.args[0]]
    sock = sock_from_file(file)
    return -ENOTSOCK if sock is None else sock.bind(cpu, file, *call.args[1])


def sys_listen(cpu: Cpu, task: Task, call: Syscall) -> int:
    """listen(fd, backlog)."""
    file: File = task.files[call.args[0]]
    sock = sock_from_file(file)
    return -ENOTSOCK if sock is None else sock.listen(cpu, file, call.args[1])


def sys_accept(cpu: Cpu, task: Task, call: Syscall) -> int | None:
    """accept(fd, memory for the peer's address): the new descriptor."""
    return _accept4(cpu, task, call, call.args[1] if len(call.args) > 1 else None, 0)


def sys_accept4(cpu: Cpu, task: Task, call: Syscall) -> int | None:
    """accept4(fd, memory for the peer's address, SOCK_NONBLOCK or 0)."""
    return _accept4(cpu, task, call, *call.args[1:3])


def _accept4(cpu: Cpu, task: Task, call: Syscall, name: SockaddrIn | None, flags: int) -> int | None:
    """The descriptor's number is looked for first: without one, whoever waits in the queue stays.

    Linux: net/socket.c __sys_accept4_file(), do_accept().
    """
    if flags & ~SOCK_NONBLOCK:
        return -EINVAL
    file: File = task.files[call.args[0]]
    sock = sock_from_file(file)
    if sock is None:
        return -ENOTSOCK
    fd = get_unused_fd(task)
    if fd < 0:
        return fd
    child = sock.accept(cpu, task, call, file)
    if child is None or isinstance(child, int):
        return child
    sock_alloc_file(task, fd, sock, child, nonblock=bool(flags))
    if name is not None and child.flow_out is not None:
        name.fill(*child.flow_out[2:])
    return fd


def sys_connect(cpu: Cpu, task: Task, call: Syscall) -> int | None:
    """connect(fd, (address, port))."""
    file: File = task.files[call.args[0]]
    sock = sock_from_file(file)
    return -ENOTSOCK if sock is None else sock.connect(cpu, task, call, file, *call.args[1])


def sys_shutdown(cpu: Cpu, task: Task, call: Syscall) -> int:
    """shutdown(fd, SHUT_RD | SHUT_WR | SHUT_RDWR): the kernel counts its directions from 1. Linux: inet_shutdown()."""
    file: File = task.files[call.args[0]]
    sock = sock_from_file(file)
    if sock is None:
        return -ENOTSOCK
    how: int = call.args[1]
    return sock.shutdown(cpu, task, file, how + 1) if 0 <= how <= SHUT_RDWR else -EINVAL


def sys_getsockname(cpu: Cpu, task: Task, call: Syscall) -> int:
    """getsockname(fd, memory for the address)."""
    file: File = task.files[call.args[0]]
    sock = sock_from_file(file)
    return -ENOTSOCK if sock is None else sock.getname(file, call.args[1], peer=False)


def sys_getpeername(cpu: Cpu, task: Task, call: Syscall) -> int:
    """getpeername(fd, memory for the address)."""
    file: File = task.files[call.args[0]]
    sock = sock_from_file(file)
    return -ENOTSOCK if sock is None else sock.getname(file, call.args[1], peer=True)


def sys_send(cpu: Cpu, task: Task, call: Syscall) -> int | None:
    """send(fd, length, flags): the bytes taken."""
    fd, size, flags = call.args
    return _sendto(cpu, task, call, task.files[fd], size, flags, None)


def sys_sendto(cpu: Cpu, task: Task, call: Syscall) -> int | None:
    """sendto(fd, length, (address, port)); a stream's peer is known already, and the address does not matter."""
    fd, size, name = call.args
    return _sendto(cpu, task, call, task.files[fd], size, 0, name)


def _sendto(
    cpu: Cpu, task: Task, call: Syscall, file: File, size: int, flags: int, name: tuple[int, int] | None
) -> int | None:
    cpu.now += cpu.cost[SYS_WRITE]
    sock = sock_from_file(file)
    if sock is None:
        return -ENOTSOCK
    return sock.sendmsg(cpu, task, call, file, min(size, MAX_RW_COUNT), flags, name) if size >= 0 else -EINVAL


def sys_recvfrom(cpu: Cpu, task: Task, call: Syscall) -> int | None:
    """Recv or recvfrom(fd, length, flags, memory for the sender's address): the bytes copied."""
    args = call.args
    return _recvmsg(
        cpu, task, call, args[1], args[2] if len(args) > 2 else 0, args[3] if len(args) > 3 else None, None
    )


def sys_recvmsg(cpu: Cpu, task: Task, call: Syscall) -> int | None:
    """recvmsg(fd, (length, MsgHdr), flags): the bytes copied."""
    size, msg = call.args[1]
    return _recvmsg(cpu, task, call, size, call.args[2], msg.msg_name, msg)


def _recvmsg(
    cpu: Cpu,
    task: Task,
    call: Syscall,
    size: int,
    flags: int,
    name: SockaddrIn | None,
    msg: MsgHdr | None,
) -> int | None:
    cpu.now += cpu.cost[SYS_READ]
    file: File = task.files[call.args[0]]
    sock = sock_from_file(file)
    if sock is None:
        return -ENOTSOCK
    if size < 0:
        return -EINVAL
    return sock.recvmsg(cpu, task, call, file, min(size, MAX_RW_COUNT), flags, name, msg)


def sys_recvmmsg(cpu: Cpu, task: Task, call: Syscall) -> int | None:
    """recvmmsg(fd, count, length): how many datagrams came."""
    cpu.now += cpu.cost[SYS_READ]
    fd, most, size = call.args
    file = task.files[fd]
    sock = sock_from_file(file)
    return -ENOTSOCK if sock is None else sock.recvmmsg(cpu, task, call, file, most, size)


def sys_setsockopt(cpu: Cpu, task: Task, call: Syscall) -> int:
    """setsockopt(fd, option, value)."""
    fd, option, value = call.args
    file = task.files[fd]
    return -ENOTSOCK if sock_from_file(file) is None else do_setsockopt(cpu, file.private_data, option, value)


def sys_getsockopt(cpu: Cpu, task: Task, call: Syscall) -> int:
    """getsockopt(fd, option, memory for the value). Differs: without such memory it returns the value itself."""
    file: File = task.files[call.args[0]]
    if sock_from_file(file) is None:
        return -ENOTSOCK
    return do_getsockopt(file.private_data, call.args[1], call.args[2] if len(call.args) > 2 else None)
