"""What system calls do with a TCP socket: streams with their flags, timeouts and low-water marks, and the way to a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.errno import (
    EAGAIN,
    EALREADY,
    ECONNABORTED,
    EINPROGRESS,
    EINVAL,
    EISCONN,
    ENOTCONN,
    EPIPE,
)
from wireside.catalog.flags import MSG_DONTWAIT, MSG_ERRQUEUE, MSG_MORE, MSG_PEEK, MSG_WAITALL
from wireside.catalog.tcp_states import TcpState
from wireside.kernel.core.call import timed_out
from wireside.kernel.core.ip_sockglue import ip_recv_error
from wireside.kernel.core.sock import (
    RCV_SHUTDOWN,
    SEND_SHUTDOWN,
    SS_CONNECTED,
    SS_CONNECTING,
    SS_DISCONNECTING,
    SS_UNCONNECTED,
    sock_error,
)
from wireside.kernel.core.task import wait_on
from wireside.kernel.core.wait import EPOLLIN, EPOLLOUT, EPOLLRDHUP
from wireside.kernel.syscalls.poll import tcp_poll
from wireside.kernel.syscalls.proto_ops import ProtoOps
from wireside.kernel.tcp.door.inet_connection_sock import tcp_accept, tcp_bind, tcp_listen, tcp_v4_connect
from wireside.kernel.tcp.door.tcp import (
    LINGERS,
    inet_shutdown,
    tcp_close,
    tcp_disconnect,
    tcp_orphan,
    tcp_sendmsg,
)
from wireside.kernel.tcp.door.tcp_ipv4 import lock_sock
from wireside.kernel.tcp.receive.tcp_recvmsg import tcp_peek, tcp_recvmsg
from wireside.kernel.tcp.sock.tcp_state import count_close_wait
from wireside.kernel.tcp.sock.tcp_stream import sk_stream_wait_memory

if TYPE_CHECKING:
    from wireside.kernel.core.call import Syscall
    from wireside.kernel.core.file import File
    from wireside.kernel.core.net import Cpu
    from wireside.kernel.core.task import Task
    from wireside.kernel.core.uapi import MsgHdr, SockaddrIn
    from wireside.kernel.tcp.sock.tcp_sock import TcpSock

CONNECTING: Final = (TcpState.SYN_SENT, TcpState.SYN_RECV)


def hold(task: Task, tp: TcpSock) -> None:
    """Take the socket lock until do_syscall_end(), the end of this slice of the call."""
    lock_sock(tp)
    task.locked_sk = tp


class InetStreamOps(ProtoOps):
    """System calls on TCP sockets. Linux: net/ipv4/af_inet.c inet_stream_ops."""

    __slots__ = ()

    def __reduce__(self) -> str:
        return "inet_stream_ops"

    def poll(self, file: File) -> int:
        """The events that hold."""
        return tcp_poll(file.private_data)

    def held_by(self, file: File, comm: str, fd: int) -> None:
        """Sockets in CLOSE-WAIT are counted by program."""
        sk: TcpSock = file.private_data
        waits = sk.sk_state == TcpState.CLOSE_WAIT
        if waits:
            count_close_wait(sk, -1)
        sk.comm = comm
        sk.fd = fd
        if waits:
            count_close_wait(sk, 1)

    def sendmsg(
        self,
        cpu: Cpu,
        task: Task,
        call: Syscall,
        file: File,
        size: int,
        flags: int,
        name: tuple[int, int] | None,
    ) -> int | None:
        """Take bytes; it waits until all are taken, or SO_SNDTIMEO is over. The peer is known: `name` does not matter.

        Linux: net/ipv4/tcp.c tcp_sendmsg_locked().
        """
        sk: TcpSock = file.private_data
        nonblock = file.nonblock or flags & MSG_DONTWAIT
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
        call.done, blocked = tcp_sendmsg(cpu, sk, call.done, size, more=bool(flags & MSG_MORE))
        if not blocked:
            return call.done
        call.wake_at = sk_stream_wait_memory(cpu, sk)
        if nonblock or timed_out(cpu, call, sk, sk.sk_sndtimeo):
            return call.done or -EAGAIN
        wait_on(task, sk, EPOLLOUT)
        return None

    def recvmsg(
        self,
        cpu: Cpu,
        task: Task,
        call: Syscall,
        file: File,
        size: int,
        flags: int,
        name: SockaddrIn | None,
        msg: MsgHdr | None,
    ) -> int | None:
        """Copy bytes, 0 at the end of the stream; of a stream nobody is told who sent it.

        It returns as soon as SO_RCVLOWAT bytes are there, with MSG_WAITALL when all are; MSG_PEEK leaves them in the queue.
        Linux: net/ipv4/tcp.c tcp_recvmsg_locked().
        """
        sk: TcpSock = file.private_data
        if flags & MSG_ERRQUEUE:
            return ip_recv_error(cpu, sk, size, name, msg)
        if sk.sk_state == TcpState.LISTEN:
            return -ENOTCONN
        hold(task, sk)
        if size == 0 and sk.sk_receive_queue:
            return 0
        if flags & MSG_PEEK:
            call.done = tcp_peek(cpu, sk, size)
        else:
            call.done += tcp_recvmsg(cpu, sk, size - call.done)
        if call.done >= ((size if flags & MSG_WAITALL else min(sk.sk_rcvlowat, size)) or 1):
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
        if file.nonblock or flags & MSG_DONTWAIT or timed_out(cpu, call, sk, sk.sk_rcvtimeo):
            return call.done or -EAGAIN
        wait_on(task, sk, EPOLLIN | EPOLLRDHUP)
        return None

    def bind(self, cpu: Cpu, file: File, address: int, port: int) -> int:
        """Linux: net/ipv4/af_inet.c inet_bind()."""
        return tcp_bind(cpu, file.private_data, address, port)

    def listen(self, cpu: Cpu, file: File, backlog: int) -> int:
        """Linux: net/ipv4/af_inet.c inet_listen()."""
        sk: TcpSock = file.private_data
        return tcp_listen(cpu, sk, backlog) if sk.socket_state == SS_UNCONNECTED else -EINVAL

    def accept(self, cpu: Cpu, task: Task, call: Syscall, file: File) -> TcpSock | int | None:
        """The connection that has waited longest; one sleeper is woken for each that comes, in the order in which they came.

        Linux: net/ipv4/inet_connection_sock.c inet_csk_accept(), inet_csk_wait_for_connect().
        """
        sk: TcpSock = file.private_data
        if sk.sk_state != TcpState.LISTEN:
            return -EINVAL
        child = tcp_accept(sk)
        if child is not None:
            child.socket_state = SS_CONNECTED
            return child
        if file.nonblock or timed_out(cpu, call, sk, sk.sk_rcvtimeo):
            return -EAGAIN
        wait_on(task, sk, EPOLLIN, exclusive=True)
        return None

    def connect(self, cpu: Cpu, task: Task, call: Syscall, file: File, address: int, port: int) -> int | None:
        """Open a connection; again while it is under way: wait, or EALREADY.

        A failed attempt leaves a socket that can try again. Linux: net/ipv4/af_inet.c __inet_stream_connect().
        """
        sk: TcpSock = file.private_data
        state = sk.socket_state
        if not call.started:
            if state == SS_DISCONNECTING:
                return -EINVAL
            if state == SS_CONNECTED or (state == SS_UNCONNECTED and sk.sk_state != TcpState.CLOSE):
                return -EISCONN
            hold(task, sk)
            call.done = -EALREADY
            if state == SS_UNCONNECTED:
                error = tcp_v4_connect(cpu, sk, address, port)
                if error:
                    return error
                sk.socket_state = SS_CONNECTING
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
            sk.socket_state = SS_UNCONNECTED
            tcp_disconnect(cpu, sk)
            return error
        sk.socket_state = SS_CONNECTED
        return 0

    def shutdown(self, cpu: Cpu, task: Task, file: File, how: int) -> int:
        """Linux: net/ipv4/af_inet.c inet_shutdown()."""
        sk: TcpSock = file.private_data
        hold(task, sk)
        if sk.socket_state == SS_CONNECTING:
            under_way = sk.sk_state in CONNECTING or sk.sk_state == TcpState.CLOSE
            sk.socket_state = SS_DISCONNECTING if under_way else SS_CONNECTED
        if sk.sk_state == TcpState.SYN_SENT or (sk.sk_state == TcpState.LISTEN and how & RCV_SHUTDOWN):
            sk.socket_state = SS_UNCONNECTED
        return inet_shutdown(cpu, sk, how)

    def release(self, cpu: Cpu, task: Task, call: Syscall, file: File) -> int | None:
        """Close the connection; it waits only when SO_LINGER says so. Linux: net/ipv4/af_inet.c inet_release()."""
        sk: TcpSock = file.private_data
        if not call.started:
            hold(task, sk)
            if not tcp_close(cpu, sk):
                return 0
            call.started = True
            call.timeout_at = cpu.now + sk.sk_linger
        elif sk.sk_state not in LINGERS or cpu.now >= call.timeout_at:
            tcp_orphan(cpu, sk)
            return 0
        wait_on(task, sk, 0)
        return None


inet_stream_ops = InetStreamOps()
