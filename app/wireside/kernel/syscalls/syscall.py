"""The system calls and what carries them out: arguments in, result or -errno out, or None while the caller must sleep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.errno import EAGAIN, EBADF
from wireside.catalog.flags import F_GETFL, O_NONBLOCK, O_RDWR
from wireside.catalog.syscalls import OF_THE_PROGRAM, SYSCALLS, Arg
from wireside.catalog.together import complete
from wireside.kernel.core.call import Syscall
from wireside.kernel.core.file import get_file, put_file
from wireside.kernel.core.proc_sysctl import sysctl_write
from wireside.kernel.core.task import copy_files, fd_install, get_unused_fd, put_unused_fd
from wireside.kernel.syscalls.poll import sys_poll
from wireside.kernel.syscalls.read_write import sys_read, sys_write
from wireside.kernel.syscalls.socket import (
    sys_accept,
    sys_accept4,
    sys_bind,
    sys_connect,
    sys_getpeername,
    sys_getsockname,
    sys_getsockopt,
    sys_listen,
    sys_recvfrom,
    sys_recvmmsg,
    sys_recvmsg,
    sys_send,
    sys_sendto,
    sys_setsockopt,
    sys_shutdown,
    sys_socket,
)
from wireside.kernel.tcp.door.tcp_ipv4 import release_sock
from wireside.kernel.tcp.sock.tcp_sock import TcpSock

if TYPE_CHECKING:
    from collections.abc import Callable

    from wireside.kernel.core.net import Cpu
    from wireside.kernel.core.task import Task


FORK_NS: Final = 20_000
"""What fork() of a small process takes on Linux 6.18, ns."""


def sys_close(cpu: Cpu, task: Task, call: Syscall) -> int | None:
    """close(fd): the file goes with its last descriptor; waits only when SO_LINGER says so. Linux: fs/file_table.c fput()."""
    file = call.closing
    if file is None:
        fd: int = call.args[0]
        file = put_unused_fd(task, fd)
        if not put_file(file, (task.comm, fd)):
            return 0
        call.closing = file
    return file.f_op.release(cpu, task, call, file)


def exit_files(cpu: Cpu, task: Task) -> None:
    """The program ends: every descriptor is closed, and nothing lingers. Linux: fs/file.c exit_files(), inet_release()."""
    for fd in sorted(task.files):
        call = Syscall("close", (fd,))
        while sys_close(cpu, task, call) is None:
            task.finish_wait()
            call.timeout_at = cpu.now
        do_syscall_end(cpu, task)


def sys_dup(cpu: Cpu, task: Task, call: Syscall) -> int:
    """dup(fd): another descriptor of the same open file."""
    file = task.files[call.args[0]]
    fd = get_unused_fd(task)
    if fd >= 0:
        get_file(file, (task.comm, call.args[0]), (task.comm, fd))
        fd_install(task, fd, file)
    return fd


def sys_fork(cpu: Cpu, task: Task, call: Syscall) -> int:
    """fork(program): the pid of the child; EAGAIN when there can be no further one of this name.

    Linux: kernel/fork.c kernel_clone(). Differs: the child goes on with a program of its own.
    """
    child = task.unborn.pop(call.args[0], None)
    if child is None:
        return -EAGAIN
    cpu.now += FORK_NS
    copy_files(task, child)
    cpu.machine.sched.wake_up_new_task(cpu, task, child)
    return child.pid


def sys_fcntl(cpu: Cpu, task: Task, call: Syscall) -> int:
    """fcntl(fd, F_SETFL, O_NONBLOCK or 0), and F_GETFL."""
    file = task.files[call.args[0]]
    if call.args[1] == F_GETFL:
        return O_RDWR | (O_NONBLOCK if file.nonblock else 0)
    file.nonblock = bool(call.args[2] & O_NONBLOCK)
    return 0


def sys_sysctl(cpu: Cpu, task: Task, call: Syscall) -> int:
    """`sysctl -w`, which is an open(), a write() and a close() below /proc/sys."""
    return sysctl_write(cpu, task.net, str(call.args[0]), str(call.args[1]))


_HANDLERS: Final[dict[str, Callable[[Cpu, Task, Syscall], int | None]]] = {
    "socket": sys_socket,
    "bind": sys_bind,
    "listen": sys_listen,
    "accept": sys_accept,
    "accept4": sys_accept4,
    "connect": sys_connect,
    "getsockname": sys_getsockname,
    "getpeername": sys_getpeername,
    "write": sys_write,
    "send": sys_send,
    "sendto": sys_sendto,
    "read": sys_read,
    "recv": sys_recvfrom,
    "recvfrom": sys_recvfrom,
    "recvmsg": sys_recvmsg,
    "recvmmsg": sys_recvmmsg,
    "shutdown": sys_shutdown,
    "close": sys_close,
    "setsockopt": sys_setsockopt,
    "getsockopt": sys_getsockopt,
    "poll": sys_poll,
    "dup": sys_dup,
    "fork": sys_fork,
    "fcntl": sys_fcntl,
    "sysctl": sys_sysctl,
}
HANDLERS: Final = complete("system call", SYSCALLS.keys() - OF_THE_PROGRAM, _HANDLERS)
"""What carries out each system call of catalog.syscalls."""
ON_A_FILE: Final = frozenset(name for name in HANDLERS if SYSCALLS[name].args[0] is Arg.FD) - {"poll"}
"""Calls whose first argument must be an open file; poll() tells which of its descriptors are not."""


def do_syscall(cpu: Cpu, task: Task, call: Syscall) -> int | None:
    """Run a system call as far as it gets: its result, or None while the task must sleep."""
    if call.name in ON_A_FILE and call.args[0] not in task.files and call.closing is None:
        return -EBADF
    return HANDLERS[call.name](cpu, task, call)


def do_syscall_end(cpu: Cpu, task: Task) -> None:
    """A slice of a system call is over: let go of the socket that it locked, and do what came in meanwhile.

    Every do_syscall() is followed by one, when the CPU time is over that the slice took. Linux: net/core/sock.c release_sock().
    """
    sk = task.locked_sk
    if isinstance(sk, TcpSock):
        task.locked_sk = None
        release_sock(cpu, sk)
