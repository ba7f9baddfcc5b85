"""System calls on datagram sockets: one datagram a call, or many with recvmmsg()."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.catalog.errno import EAGAIN, EINVAL
from wireside.catalog.stages import Stage
from wireside.kernel.core.ip_sockglue import ip_recv_error
from wireside.kernel.core.sock import RCV_SHUTDOWN, sock_error
from wireside.kernel.core.task import wait_on
from wireside.kernel.core.wait import EPOLLIN, EPOLLOUT
from wireside.kernel.syscalls.call import timed_out
from wireside.kernel.udp.udp import UdpSock, udp_recvmsg, udp_sendmsg

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu
    from wireside.kernel.core.task import Task
    from wireside.kernel.syscalls.call import Syscall

SYS_READ = int(Stage.SYS_READ)
UIO_MAXIOV = 1024
"""Most datagrams of one recvmmsg(). Linux: include/uapi/linux/uio.h."""
RECVMMSG_EACH_NS = 150
"""What each further datagram of one recvmmsg() costs beside its copy: no crossing into the kernel, no lock, ns."""


def write_udp(
    cpu: Cpu,
    task: Task,
    call: Syscall,
    sk: UdpSock,
    address: tuple[int, int] | None,
    size: int,
    *,
    nonblock: bool,
) -> int | None:
    """Send one datagram; a full send buffer blocks, at most for SO_SNDTIMEO."""
    result = udp_sendmsg(cpu, sk, address, size, sk.gso_size)
    if result != -EAGAIN or nonblock or not sk.sk_num or timed_out(cpu, call, sk, sk.sk_sndtimeo):
        return result
    wait_on(task, sk, EPOLLOUT)
    return None


def read_udp(
    cpu: Cpu, task: Task, call: Syscall, sk: UdpSock, size: int, *, nonblock: bool, flags: str = ""
) -> int | None:
    """Receive one datagram, look at it (MSG_PEEK), or take an error (MSG_ERRQUEUE).

    Only who waits learns that the socket is shut down. Linux: net/core/datagram.c __skb_wait_for_more_packets().
    """
    if "MSG_ERRQUEUE" in flags:
        return ip_recv_error(cpu, sk, size)
    if sk.sk_err:
        return sock_error(sk)
    if "MSG_PEEK" in flags and sk.sk_receive_queue:
        return min(sk.sk_receive_queue[0].len, size)
    result = udp_recvmsg(cpu, sk, size)
    if result is not None:
        return result
    if nonblock:
        return -EAGAIN
    if sk.sk_shutdown & RCV_SHUTDOWN:
        return 0
    if timed_out(cpu, call, sk, sk.sk_rcvtimeo):
        return -EAGAIN
    wait_on(task, sk, EPOLLIN, exclusive=True)
    return None


def sys_recvmmsg(cpu: Cpu, task: Task, call: Syscall) -> int | None:
    """recvmmsg(fd, vlen, size): up to `vlen` datagrams of at most `size` bytes each; how many came.

    It waits for the first (MSG_WAITFORONE); `call.done` counts their bytes. Linux: net/socket.c do_recvmmsg().
    """
    cpu.now += cpu.cost[SYS_READ]
    file = task.files[call.args[0]]
    sk = file.sk
    most, size = min(int(call.args[1]), UIO_MAXIOV), int(call.args[2])
    if not isinstance(sk, UdpSock) or most <= 0 or size < 0:
        return -EINVAL
    first = read_udp(cpu, task, call, sk, size, nonblock=file.nonblock)
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
