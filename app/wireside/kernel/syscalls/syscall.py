"""System calls on sockets: arguments in, result or -errno out, or None while the caller must sleep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.catalog.errno import (
    EAGAIN,
    EALREADY,
    EBADF,
    ECONNABORTED,
    EINPROGRESS,
    EINVAL,
    EISCONN,
    EOPNOTSUPP,
)
from wireside.catalog.tcp_states import TcpState
from wireside.kernel.core.proc_sysctl import sysctl_write
from wireside.kernel.core.sock import (
    RCV_SHUTDOWN,
    Sock,
    sock_error,
)
from wireside.kernel.core.task import (
    SS_CONNECTED,
    SS_CONNECTING,
    SS_DISCONNECTING,
    SS_UNCONNECTED,
    File,
    Task,
    fd_install,
    get_unused_fd,
    put_unused_fd,
    wait_on,
)
from wireside.kernel.core.wait import EPOLLIN, EPOLLOUT
from wireside.kernel.syscalls.call import Syscall, timed_out
from wireside.kernel.syscalls.dgram import sys_recvmmsg
from wireside.kernel.syscalls.poll import sys_poll
from wireside.kernel.syscalls.sockopt import get_option, set_option
from wireside.kernel.syscalls.stream import CONNECTING, hold, release, sys_read, sys_sendto, sys_write
from wireside.kernel.tcp.door.inet_connection_sock import (
    tcp_accept,
    tcp_bind,
    tcp_listen,
    tcp_socket,
    tcp_v4_connect,
)
from wireside.kernel.tcp.door.tcp import (
    inet_shutdown,
    tcp_close,
    tcp_disconnect,
    tcp_orphan,
)
from wireside.kernel.tcp.sock.tcp_sock import (
    TcpSock,
)
from wireside.kernel.udp.udp import (
    UdpSock,
    udp_bind,
    udp_connect,
    udp_destroy,
    udp_shutdown,
    udp_socket,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from wireside.kernel.core.net import Cpu

O_RDWR, O_NONBLOCK = 0o2, 0o4000


def sys_socket(cpu: Cpu, task: Task, call: Syscall) -> int:
    """socket(type): SOCK_STREAM or SOCK_DGRAM, with or without SOCK_NONBLOCK."""
    kind, *flags = str(call.args[0]).split("|")
    if kind == "SOCK_NONBLOCK" and flags:
        kind, flags = flags[0], [kind]
    if kind not in ("SOCK_STREAM", "SOCK_DGRAM") or any(flag != "SOCK_NONBLOCK" for flag in flags):
        return -EINVAL
    fd = get_unused_fd(task)
    if fd < 0:
        return fd
    sk: Sock = tcp_socket(task.net) if kind == "SOCK_STREAM" else udp_socket(task.net)
    install(task, fd, sk).nonblock = bool(flags)
    return fd


def install(task: Task, fd: int, sk: Sock) -> File:
    """Give a socket its file and descriptor."""
    file = File(sk)
    fd_install(task, fd, file)
    sk.comm = task.comm
    sk.fd = fd
    return file


def sys_bind(cpu: Cpu, task: Task, call: Syscall) -> int:
    """bind(fd, (address, port))."""
    sk = task.files[call.args[0]].sk
    address, port = call.args[1]
    if isinstance(sk, UdpSock):
        return udp_bind(cpu, sk, address, port)
    assert isinstance(sk, TcpSock)
    return tcp_bind(cpu, sk, address, port)


def sys_listen(cpu: Cpu, task: Task, call: Syscall) -> int:
    """listen(fd, backlog)."""
    file = task.files[call.args[0]]
    sk = file.sk
    if not isinstance(sk, TcpSock):
        return -EOPNOTSUPP
    return tcp_listen(cpu, sk, call.args[1]) if file.state == SS_UNCONNECTED else -EINVAL


def sys_accept(cpu: Cpu, task: Task, call: Syscall) -> int | None:
    """accept(fd): the new descriptor, whose number is looked for first: without one, whoever waits in the queue stays.

    Linux: net/socket.c __sys_accept4_file().
    """
    file = task.files[call.args[0]]
    sk = file.sk
    fd = get_unused_fd(task)
    if fd < 0:
        return fd
    if not isinstance(sk, TcpSock):
        return -EOPNOTSUPP
    if sk.sk_state != TcpState.LISTEN:
        return -EINVAL
    child = tcp_accept(sk)
    if child is not None:
        install(task, fd, child).state = SS_CONNECTED
        return fd
    if file.nonblock or timed_out(cpu, call, sk, sk.sk_rcvtimeo):
        return -EAGAIN
    wait_on(task, sk, EPOLLIN, exclusive=True)
    return None


def sys_connect(cpu: Cpu, task: Task, call: Syscall) -> int | None:
    """connect(fd, (address, port)); again while it is under way: waits, or EALREADY.

    A failed attempt leaves a socket that can try again. Linux: net/ipv4/af_inet.c __inet_stream_connect().
    """
    file = task.files[call.args[0]]
    sk = file.sk
    address, port = call.args[1]
    if isinstance(sk, UdpSock):
        return udp_connect(cpu, sk, address, port)
    assert isinstance(sk, TcpSock)
    if not call.started:
        if file.state == SS_DISCONNECTING:
            return -EINVAL
        if file.state == SS_CONNECTED or (file.state == SS_UNCONNECTED and sk.sk_state != TcpState.CLOSE):
            return -EISCONN
        hold(task, sk)
        call.done = -EALREADY
        if file.state == SS_UNCONNECTED:
            error = tcp_v4_connect(cpu, sk, address, port)
            if error:
                return error
            file.state = SS_CONNECTING
            call.done = -EINPROGRESS
        if file.nonblock and sk.sk_state in CONNECTING:
            return call.done
        call.started = True
    if sk.sk_state in CONNECTING:
        if timed_out(cpu, call, sk, sk.sk_sndtimeo):
            return call.done
        wait_on(task, sk, EPOLLOUT | EPOLLIN)
        return None
    if sk.sk_state == TcpState.CLOSE:
        error = sock_error(sk) or -ECONNABORTED
        file.state = SS_UNCONNECTED
        tcp_disconnect(cpu, sk)
        return error
    file.state = SS_CONNECTED
    return 0


def sys_shutdown(cpu: Cpu, task: Task, call: Syscall) -> int:
    """shutdown(fd, SHUT_RD | SHUT_WR | SHUT_RDWR). Linux: net/ipv4/af_inet.c inet_shutdown()."""
    file = task.files[call.args[0]]
    sk = file.sk
    how = {"SHUT_RD": 1, "SHUT_WR": 2, "SHUT_RDWR": 3}.get(str(call.args[1]))
    if how is None:
        return -EINVAL
    if isinstance(sk, UdpSock):
        return udp_shutdown(cpu, sk, how)
    assert isinstance(sk, TcpSock)
    hold(task, sk)
    if file.state == SS_CONNECTING:
        under_way = sk.sk_state in CONNECTING or sk.sk_state == TcpState.CLOSE
        file.state = SS_DISCONNECTING if under_way else SS_CONNECTED
    if sk.sk_state == TcpState.SYN_SENT or (sk.sk_state == TcpState.LISTEN and how & RCV_SHUTDOWN):
        file.state = SS_UNCONNECTED
    return inet_shutdown(cpu, sk, how)


def sys_close(cpu: Cpu, task: Task, call: Syscall) -> int | None:
    """close(fd); waits only when SO_LINGER says so."""
    fd = call.args[0]
    if call.started:
        sk = call.args[1]
        if (
            sk.sk_state in (TcpState.FIN_WAIT1, TcpState.CLOSING, TcpState.LAST_ACK)
            and cpu.now < call.timeout_at
        ):
            wait_on(task, sk, 0)
            return None
        tcp_orphan(cpu, sk)
        return 0
    file = put_unused_fd(task, fd)
    file.f_count -= 1
    if file.f_count:
        return 0
    sk = file.sk
    if isinstance(sk, UdpSock):
        udp_destroy(cpu, sk)
        return 0
    assert isinstance(sk, TcpSock)
    hold(task, sk)
    if tcp_close(cpu, sk):
        call.started = True
        call.args = (fd, sk)
        call.timeout_at = cpu.now + sk.sk_linger
        wait_on(task, sk, 0)
        return None
    return 0


def exit_task(cpu: Cpu, task: Task) -> None:
    """The program ends: every descriptor is closed."""
    for fd in sorted(task.files):
        call = Syscall("close", (fd,))
        if sys_close(cpu, task, call) is None:
            task.finish_wait()
            tcp_orphan(cpu, call.args[1])
        release(cpu, task)


def sys_dup(cpu: Cpu, task: Task, call: Syscall) -> int:
    """dup(fd): another descriptor of the same open file."""
    file = task.files[call.args[0]]
    fd = get_unused_fd(task)
    if fd >= 0:
        file.f_count += 1
        fd_install(task, fd, file)
    return fd


def sys_fcntl(cpu: Cpu, task: Task, call: Syscall) -> int:
    """fcntl(fd, F_SETFL, O_NONBLOCK or 0), and F_GETFL."""
    file = task.files[call.args[0]]
    if call.args[1] == "F_GETFL":
        return O_RDWR | (O_NONBLOCK if file.nonblock else 0)
    file.nonblock = call.args[2] == "O_NONBLOCK"
    return 0


def sys_setsockopt(cpu: Cpu, task: Task, call: Syscall) -> int:
    """setsockopt(fd, option, value)."""
    return set_option(cpu, task.files[call.args[0]], str(call.args[1]), call.args[2])


def sys_getsockopt(cpu: Cpu, task: Task, call: Syscall) -> int:
    """getsockopt(fd, option): the value."""
    return get_option(task.files[call.args[0]].sk, str(call.args[1]))


def sys_sysctl(cpu: Cpu, task: Task, call: Syscall) -> int:
    """`sysctl -w`, which is an open(), a write() and a close() below /proc/sys."""
    return sysctl_write(cpu, task.net, str(call.args[0]), str(call.args[1]))


HANDLERS: dict[str, Callable[[Cpu, Task, Syscall], int | None]] = {
    "socket": sys_socket,
    "bind": sys_bind,
    "listen": sys_listen,
    "accept": sys_accept,
    "connect": sys_connect,
    "write": sys_write,
    "send": sys_write,
    "sendto": sys_sendto,
    "read": sys_read,
    "recv": sys_read,
    "recvfrom": sys_read,
    "recvmmsg": sys_recvmmsg,
    "shutdown": sys_shutdown,
    "close": sys_close,
    "setsockopt": sys_setsockopt,
    "getsockopt": sys_getsockopt,
    "poll": sys_poll,
    "dup": sys_dup,
    "fcntl": sys_fcntl,
    "sysctl": sys_sysctl,
}


WITHOUT_SOCKET = ("socket", "poll", "sysctl")
"""Calls whose first argument is no open file, or that say so themselves."""


def do_syscall(cpu: Cpu, task: Task, call: Syscall) -> int | None:
    """Run a system call as far as it gets: its result, or None while the task must sleep."""
    if call.name not in WITHOUT_SOCKET and not call.started and call.args[0] not in task.files:
        return -EBADF
    return HANDLERS[call.name](cpu, task, call)
