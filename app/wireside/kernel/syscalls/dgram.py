"""What system calls do with a UDP socket: one datagram a call, or many with recvmmsg()."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.errno import EAGAIN, EINVAL
from wireside.catalog.flags import MSG_DONTWAIT, MSG_ERRQUEUE, MSG_PEEK, MSG_TRUNC
from wireside.kernel.core.call import timed_out
from wireside.kernel.core.ip_sockglue import ip_recv_error
from wireside.kernel.core.sock import RCV_SHUTDOWN, sock_error
from wireside.kernel.core.task import wait_on
from wireside.kernel.core.wait import EPOLLIN, EPOLLOUT
from wireside.kernel.syscalls.poll import datagram_poll
from wireside.kernel.syscalls.proto_ops import ProtoOps
from wireside.kernel.udp.udp import (
    udp_bind,
    udp_connect,
    udp_destroy,
    udp_recvmsg,
    udp_sendmsg,
    udp_shutdown,
)

if TYPE_CHECKING:
    from wireside.kernel.core.call import Syscall
    from wireside.kernel.core.file import File
    from wireside.kernel.core.net import Cpu
    from wireside.kernel.core.task import Task
    from wireside.kernel.core.uapi import MsgHdr, SockaddrIn
    from wireside.kernel.udp.udp import UdpSock

UIO_MAXIOV: Final = 1024
"""Most datagrams of one recvmmsg(). Linux: include/uapi/linux/uio.h."""
RECVMMSG_EACH_NS: Final = 150
"""What each further datagram of one recvmmsg() costs beside its copy: no crossing into the kernel, no lock, ns."""


class InetDgramOps(ProtoOps):
    """System calls on UDP sockets. Linux: net/ipv4/af_inet.c inet_dgram_ops."""

    __slots__ = ()

    def __reduce__(self) -> str:
        return "inet_dgram_ops"

    def poll(self, file: File) -> int:
        """The events that hold."""
        return datagram_poll(file.private_data)

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
        """Send one datagram; a full send buffer blocks, at most for SO_SNDTIMEO."""
        sk: UdpSock = file.private_data
        result = udp_sendmsg(cpu, sk, name, size, sk.gso_size)
        if (
            result != -EAGAIN
            or file.nonblock
            or flags & MSG_DONTWAIT
            or not sk.sk_num
            or timed_out(cpu, call, sk, sk.sk_sndtimeo)
        ):
            return result
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
        """Receive one datagram, look at it (MSG_PEEK), or take an error (MSG_ERRQUEUE).

        Only who waits learns that the socket is shut down. Linux: net/core/datagram.c __skb_wait_for_more_packets().
        """
        sk: UdpSock = file.private_data
        if flags & MSG_ERRQUEUE:
            return ip_recv_error(cpu, sk, size, name, msg)
        if sk.sk_err:
            return sock_error(sk)
        queue = sk.sk_receive_queue
        if queue:
            skb = queue[0]
            taken = min(skb.len, size) if flags & MSG_PEEK else udp_recvmsg(cpu, sk, size)
            if name is not None:
                name.fill(*skb.flow[:2])
            if skb.len > size and (msg is not None or flags & MSG_TRUNC):
                if msg is not None:
                    msg.msg_flags |= MSG_TRUNC
                return skb.len if flags & MSG_TRUNC else taken
            return taken
        if file.nonblock or flags & MSG_DONTWAIT:
            return -EAGAIN
        if sk.sk_shutdown & RCV_SHUTDOWN:
            return 0
        if timed_out(cpu, call, sk, sk.sk_rcvtimeo):
            return -EAGAIN
        wait_on(task, sk, EPOLLIN, exclusive=True)
        return None

    def recvmmsg(self, cpu: Cpu, task: Task, call: Syscall, file: File, most: int, size: int) -> int | None:
        """Up to `most` datagrams of at most `size` bytes each; how many came.

        It waits for the first (MSG_WAITFORONE); `call.done` counts their bytes. Linux: net/socket.c do_recvmmsg().
        """
        sk: UdpSock = file.private_data
        most = min(most, UIO_MAXIOV)
        if most <= 0 or size < 0:
            return -EINVAL
        first = self.recvmsg(cpu, task, call, file, size, 0, None, None)
        if first is None or first < 0:
            return first
        call.done = first
        count = 1
        while count < most and sk.sk_receive_queue:
            cpu.now += RECVMMSG_EACH_NS
            taken = udp_recvmsg(cpu, sk, size)
            if taken is None or taken < 0:
                break
            call.done += taken
            count += 1
        return count

    def bind(self, cpu: Cpu, file: File, address: int, port: int) -> int:
        """Linux: net/ipv4/af_inet.c inet_bind()."""
        return udp_bind(cpu, file.private_data, address, port)

    def connect(self, cpu: Cpu, task: Task, call: Syscall, file: File, address: int, port: int) -> int | None:
        """Fix the peer. Linux: net/ipv4/af_inet.c inet_dgram_connect()."""
        return udp_connect(cpu, file.private_data, address, port)

    def shutdown(self, cpu: Cpu, task: Task, file: File, how: int) -> int:
        """Linux: net/ipv4/af_inet.c inet_shutdown()."""
        return udp_shutdown(cpu, file.private_data, how)

    def release(self, cpu: Cpu, task: Task, call: Syscall, file: File) -> int | None:
        """Close the socket, at once."""
        udp_destroy(cpu, file.private_data)
        return 0


inet_dgram_ops = InetDgramOps()
