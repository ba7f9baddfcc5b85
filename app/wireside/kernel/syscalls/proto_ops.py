"""struct proto_ops: what system calls can do with a socket, whichever protocol it speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.catalog.errno import EINVAL, ENOTCONN, EOPNOTSUPP
from wireside.catalog.tcp_states import TcpState
from wireside.kernel.core.file import FileOps
from wireside.kernel.core.sock import sk_sleep

if TYPE_CHECKING:
    from wireside.kernel.core.call import Syscall
    from wireside.kernel.core.file import File
    from wireside.kernel.core.net import Cpu
    from wireside.kernel.core.sk_buff_head import Queue
    from wireside.kernel.core.sock import Sock
    from wireside.kernel.core.task import Task
    from wireside.kernel.core.uapi import MsgHdr, SockaddrIn
    from wireside.kernel.core.wait import WaitQueueEntry


class ProtoOps(FileOps):
    """What can be done with one kind of socket; what a kind does not know is refused.

    Linux: include/linux/net.h struct proto_ops, net/socket.c socket_file_ops. Differs: these are one object.
    """

    __slots__ = ()

    def poll_wait(self, file: File) -> Queue[WaitQueueEntry]:
        """Linux: net/socket.c sock_poll()."""
        sk: Sock = file.private_data
        return sk_sleep(sk)

    def held_by(self, file: File, comm: str, fd: int) -> None:
        """`ss` shows this program and descriptor."""
        sk: Sock = file.private_data
        sk.comm = comm
        sk.fd = fd

    def read(self, cpu: Cpu, task: Task, call: Syscall, file: File, size: int) -> int | None:
        """read() is recvmsg() without flags. Linux: net/socket.c sock_read_iter()."""
        return self.recvmsg(cpu, task, call, file, size, 0, None, None)

    def write(self, cpu: Cpu, task: Task, call: Syscall, file: File, size: int) -> int | None:
        """write() is sendmsg() without flags. Linux: net/socket.c sock_write_iter()."""
        return self.sendmsg(cpu, task, call, file, size, 0, None)

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
        """Receive up to `size` bytes; who sent them goes to `name`, the rest of what there is to say to `msg`."""
        raise NotImplementedError

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
        """Send `size` bytes, to `name` when one is given."""
        raise NotImplementedError

    def bind(self, cpu: Cpu, file: File, address: int, port: int) -> int:
        """Take a local address and port; 0 or -errno."""
        raise NotImplementedError

    def connect(self, cpu: Cpu, task: Task, call: Syscall, file: File, address: int, port: int) -> int | None:
        """Open a connection, or fix the peer; 0 or -errno."""
        raise NotImplementedError

    def listen(self, cpu: Cpu, file: File, backlog: int) -> int:
        """Linux: net/core/sock.c sock_no_listen()."""
        return -EOPNOTSUPP

    def accept(self, cpu: Cpu, task: Task, call: Syscall, file: File) -> Sock | int | None:
        """Linux: net/core/sock.c sock_no_accept()."""
        return -EOPNOTSUPP

    def recvmmsg(self, cpu: Cpu, task: Task, call: Syscall, file: File, most: int, size: int) -> int | None:
        """Receive up to `most` datagrams. Differs: of datagram sockets only."""
        return -EINVAL

    def shutdown(self, cpu: Cpu, task: Task, file: File, how: int) -> int:
        """Shut directions down: RCV_SHUTDOWN, SEND_SHUTDOWN or both; 0 or -errno."""
        raise NotImplementedError

    def getname(self, file: File, name: SockaddrIn, *, peer: bool) -> int:
        """The socket's own address, or its peer's; 0 or -ENOTCONN. Linux: net/ipv4/af_inet.c inet_getname()."""
        sk: Sock = file.private_data
        if peer:
            if sk.flow_out is None or sk.sk_state in (TcpState.CLOSE, TcpState.SYN_SENT):
                return -ENOTCONN
            name.fill(*sk.flow_out[2:])
        else:
            name.fill(
                sk.rcv_saddr or (sk.flow_out[0] if sk.flow_out is not None else 0), sk.sk_num or sk.inet_sport
            )
        return 0
