"""Random system calls on two hosts joined by a veth pair."""

from __future__ import annotations

import ctypes
import fcntl
import select
import socket
import struct
import termios
import time
from typing import TYPE_CHECKING

from tests.differential.info import real_info, simulated_info
from tests.differential.namespaces import LIBC, Namespace, tcp_info, veth
from tests.differential.peers import Difference, different
from tests.groundtruth.pair import PairLab
from tests.words import syscall
from wireside.catalog.inet import ip_parse, ip_text
from wireside.catalog.tcp_states import TcpState
from wireside.kernel.core.task import Task
from wireside.kernel.core.uapi import MsgHdr, SockaddrIn
from wireside.kernel.syscalls.syscall import do_syscall, do_syscall_end
from wireside.kernel.tcp.sock.tcp_sock import TcpSock

if TYPE_CHECKING:
    from random import Random

HOSTS = {"server": "10.0.0.1", "client": "10.0.0.2"}
OTHER = {"server": "client", "client": "server"}
PORTS = (7000, 7001)
CLOSED = -1
"""Stands for a descriptor that was closed: its number goes to the next socket."""
SETTLE_MS = (9, 9, 9, 100)
"""Longer than a timer tick, so that what is due at once is done on both sides."""
POLLED = select.POLLIN | select.POLLOUT | select.POLLRDHUP
LEVEL = {
    "SO": socket.SOL_SOCKET,
    "TCP": socket.IPPROTO_TCP,
    "IP": socket.IPPROTO_IP,
    "UDP": socket.IPPROTO_UDP,
}
OPTIONS = {
    "SO_REUSEADDR": 2, "SO_SNDBUF": 7, "SO_RCVBUF": 8, "SO_KEEPALIVE": 9, "SO_REUSEPORT": 15, "SO_RCVLOWAT": 18, "SO_ERROR": 4,
    "TCP_NODELAY": 1, "TCP_MAXSEG": 2, "TCP_CORK": 3, "TCP_KEEPIDLE": 4, "TCP_KEEPCNT": 6, "TCP_SYNCNT": 7, "TCP_LINGER2": 8,
    "TCP_DEFER_ACCEPT": 9, "TCP_WINDOW_CLAMP": 10, "TCP_QUICKACK": 12, "TCP_USER_TIMEOUT": 18, "TCP_NOTSENT_LOWAT": 25,
    "IP_RECVERR": 11, "IP_BIND_ADDRESS_NO_PORT": 24, "UDP_SEGMENT": 103,
}  # fmt: skip
SET = (
    ("SO_KEEPALIVE", 1), ("TCP_NODELAY", 1), ("TCP_NODELAY", 0), ("TCP_CORK", 1), ("TCP_CORK", 0), ("TCP_QUICKACK", 0),
    ("TCP_QUICKACK", 1), ("SO_REUSEADDR", 1), ("SO_REUSEPORT", 1), ("SO_RCVBUF", 4096), ("SO_SNDBUF", 4096), ("SO_RCVBUF", 100000),
    ("TCP_LINGER2", -1), ("TCP_LINGER2", 3), ("TCP_KEEPIDLE", 0), ("TCP_KEEPCNT", 200), ("TCP_SYNCNT", 0), ("SO_RCVLOWAT", 50),
    ("SO_RCVLOWAT", 100000), ("SO_RCVLOWAT", 0), ("TCP_MAXSEG", 500), ("TCP_MAXSEG", 50), ("TCP_NOTSENT_LOWAT", 1),
    ("TCP_NOTSENT_LOWAT", 5000), ("TCP_WINDOW_CLAMP", 2000), ("TCP_WINDOW_CLAMP", 0), ("TCP_USER_TIMEOUT", 5000),
    ("TCP_DEFER_ACCEPT", 3), ("SO_LINGER", 0), ("SO_LINGER", -1), ("IP_RECVERR", 1),
)  # fmt: skip
GOT = (
    "SO_ERROR", "SO_ERROR", "SO_RCVBUF", "SO_SNDBUF", "TCP_NODELAY", "TCP_LINGER2", "TCP_KEEPIDLE", "TCP_KEEPCNT", "TCP_USER_TIMEOUT",
    "SO_KEEPALIVE", "TCP_MAXSEG", "TCP_SYNCNT", "SO_RCVLOWAT", "TCP_WINDOW_CLAMP", "TCP_NOTSENT_LOWAT", "SO_REUSEADDR",
)  # fmt: skip
TOLD = ("rcv_mss", "delivered", "reord_seen", "sk_sndbuf", "sk_rcvbuf", "sk_wmem_queued", "advmss")
"""What is compared of a connection beside its state, queues and events."""
WEIGHTS = {
    "socket": 1, "datagram": 0.3, "bind": 1, "listen": 1, "connect": 2, "accept": 2, "send": 6, "sendto": 0.4, "recv": 8,
    "shutdown": 4, "close": 4, "setsockopt": 2, "getsockopt": 2, "getsockname": 1.5, "getpeername": 1.5, "error": 0.5,
}  # fmt: skip
MESSAGE_FLAGS = {"": 0, "MSG_MORE": 0x8000, "MSG_PEEK": 2, "MSG_WAITALL": 0x100, "MSG_ERRQUEUE": 0x2000}


def shown(address: str, port: int) -> tuple[str, int | str]:
    """An address without a port that the kernel has chosen, which is another on each side."""
    return address, port if port in (0, *PORTS) else "chosen"


class RealHosts:
    """Two namespaces and their sockets."""

    def __init__(self) -> None:
        sysctl = {"net.ipv4.tcp_congestion_control": "reno"}
        self.spaces = {host: Namespace(sysctl) for host in HOSTS}
        veth(*self.spaces.values())
        self.sockets: dict[str, list[socket.socket]] = {host: [] for host in HOSTS}

    def call(self, host: str, name: str, *args) -> int:
        """A system call's result, or -errno."""
        try:
            return getattr(self, f"do_{name}")(host, *args)
        except OSError as error:
            return -error.errno

    def do_socket(self, host, kind) -> int:
        with self.spaces[host].inside():
            self.sockets[host].append(socket.socket(type=getattr(socket, kind) | socket.SOCK_NONBLOCK))
        return 0

    def do_bind(self, host, number, address, port) -> int:
        self.sockets[host][number].bind((address, port))
        return 0

    def do_listen(self, host, number, backlog) -> int:
        self.sockets[host][number].listen(backlog)
        return 0

    def do_connect(self, host, number, address, port) -> int:
        return -self.sockets[host][number].connect_ex((address, port))

    def do_accept(self, host, number) -> int:
        child, _ = self.sockets[host][number].accept()
        child.setblocking(False)
        self.sockets[host].append(child)
        return 0

    def do_send(self, host, number, size, flags) -> int:
        return self.sockets[host][number].send(b"x" * size, socket.MSG_NOSIGNAL | MESSAGE_FLAGS[flags])

    def do_sendto(self, host, number, size, address, port) -> int:
        return self.sockets[host][number].sendto(b"x" * size, socket.MSG_NOSIGNAL, (address, port))

    def do_recv(self, host, number, size, flags) -> int:
        # Python answers recv(0) without asking the kernel.
        buffer = ctypes.create_string_buffer(max(size, 1))
        got = LIBC.recv(self.sockets[host][number].fileno(), buffer, size, MESSAGE_FLAGS[flags])
        return got if got >= 0 else -ctypes.get_errno()

    def do_shutdown(self, host, number, how) -> int:
        self.sockets[host][number].shutdown(getattr(socket, how))
        return 0

    def do_close(self, host, number) -> int:
        if self.sockets[host][number].fileno() < 0:
            return -9
        self.sockets[host][number].close()
        return 0

    def do_setsockopt(self, host, number, option, value) -> int:
        sock = self.sockets[host][number]
        if option == "SO_LINGER":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", value >= 0, max(value, 0)))
        else:
            sock.setsockopt(LEVEL[option.partition("_")[0]], OPTIONS[option], value)
        return 0

    def do_getsockname(self, host, number) -> tuple:
        return shown(*self.sockets[host][number].getsockname())

    def do_getpeername(self, host, number) -> tuple:
        return shown(*self.sockets[host][number].getpeername())

    def do_error(self, host, number) -> tuple:
        """What recvmsg() takes from the error queue: bytes, flags, whom the packet was for, and what happened."""
        flags = socket.MSG_ERRQUEUE | socket.MSG_DONTWAIT
        data, ((_, _, control),), told, name = self.sockets[host][number].recvmsg(100, 512, flags)
        number, origin, kind, code, _, info, _ = struct.unpack("IBBBBII", control[:16])
        return (
            len(data),
            told,
            shown(*name),
            (number, origin, kind, code, info, socket.inet_ntoa(control[20:24])),
        )

    def do_getsockopt(self, host, number, option) -> int:
        return self.sockets[host][number].getsockopt(LEVEL[option.partition("_")[0]], OPTIONS[option])

    def wait(self, ms: int) -> None:
        time.sleep(ms / 1000)

    def look(self) -> dict[tuple[str, int], tuple]:
        """(state, poll events, bytes to read, bytes not acknowledged, TOLD) of every open socket."""
        open_sockets = {
            (host, number): sock
            for host, sockets in self.sockets.items()
            for number, sock in enumerate(sockets)
            if sock.fileno() >= 0
        }
        return {key: self.row(sock) for key, sock in open_sockets.items()}

    def row(self, sock: socket.socket) -> tuple:
        poll = select.poll()
        poll.register(sock, POLLED)
        events = dict(poll.poll(0)).get(sock.fileno(), 0)
        if sock.type & 0xF != socket.SOCK_STREAM:
            return (None, events)
        state = tcp_info(sock)[0]
        if state in (TcpState.LISTEN, TcpState.CLOSE):
            return (state, events)
        queues = (
            struct.unpack("i", fcntl.ioctl(sock, what, bytes(4)))[0]
            for what in (termios.FIONREAD, termios.TIOCOUTQ)
        )
        told = real_info(sock)
        return (state, events, *queues, *(told[name] for name in TOLD))

    def counters(self) -> dict[str, int]:
        return {
            f"{host} {name}": value
            for host, space in self.spaces.items()
            for name, value in space.counters().items()
        }

    def close(self) -> None:
        for sockets in self.sockets.values():
            for sock in sockets:
                sock.close()
        for space in self.spaces.values():
            space.close()


class SimulatedHosts:
    """The same two in the simulator."""

    def __init__(self) -> None:
        self.lab = PairLab("veth", delay_ns=20_000)
        self.nets = {"server": self.lab.server, "client": self.lab.client}
        self.tasks = {
            host: Task(number, host, net, 0) for number, (host, net) in enumerate(self.nets.items(), 10)
        }
        self.fds: dict[str, list[int]] = {host: [] for host in HOSTS}

    def call(self, host: str, name: str, *args) -> int:
        if name == "socket":
            self.fds[host].append(self.sys(host, "socket", f"{args[0]}|SOCK_NONBLOCK"))
            return 0
        number, *rest = args
        if name in ("getsockname", "getpeername", "error"):
            return self.told(host, name, self.fds[host][number])
        if name in ("bind", "connect", "sendto"):
            rest[-2:] = [(ip_parse(rest[-2]), rest[-1])]
        result = self.sys(host, name, self.fds[host][number], *rest)
        if name == "accept" and result >= 0:
            self.tasks[host].files[result].nonblock = True
            self.fds[host].append(result)
            return 0
        if name == "close" and result == 0:
            self.fds[host][number] = CLOSED
        return result

    def told(self, host: str, name: str, fd: int):
        """What a call fills in, or -errno."""
        if name == "error":
            msg = MsgHdr()
            result = self.sys(host, "recvmsg", fd, (100, msg), "MSG_ERRQUEUE|MSG_DONTWAIT")
            if result < 0:
                return result
            *numbers, offender = msg.msg_control
            whom = shown(ip_text(msg.msg_name.sin_addr), msg.msg_name.sin_port)
            return result, msg.msg_flags, whom, (*numbers, ip_text(offender))
        address = SockaddrIn()
        result = self.sys(host, name, fd, address)
        return result if result < 0 else shown(ip_text(address.sin_addr), address.sin_port)

    def sys(self, host: str, name: str, *args) -> int:
        """A system call at the present moment."""
        world, cpu = self.lab.world, self.nets[host].machine.cpus[0]
        cpu.now = max(cpu.now, world.now)
        result = do_syscall(cpu, self.tasks[host], syscall(name, *args))
        do_syscall_end(cpu, self.tasks[host])
        engine = world.engines[self.nets[host].machine.name]
        if engine.wheel_due and engine.wheel_due[0] < engine.timer_at:
            engine._arm_timer(engine.wheel_due[0])
        assert result is not None, f"{name}{args} would block"
        return result

    def wait_until(self, ns: int) -> None:
        self.lab.wait(max(0, ns - self.lab.now))

    def look(self) -> dict[tuple[str, int], tuple]:
        return {
            (host, number): self.row(file)
            for host, fds in self.fds.items()
            for number, fd in enumerate(fds)
            if (file := self.tasks[host].files.get(fd)) is not None
        }

    def row(self, file) -> tuple:
        sk = file.private_data
        events = file.f_op.poll(file) & (POLLED | select.POLLERR | select.POLLHUP)
        if not isinstance(sk, TcpSock):
            return (None, events)
        state = int(sk.sk_state)
        if state in (TcpState.LISTEN, TcpState.CLOSE):
            return (state, events)
        told = [simulated_info(sk)[name] for name in TOLD]
        if state in (TcpState.SYN_SENT, TcpState.SYN_RECV):
            return (state, events, 0, 0, *told)
        unread = (sk.rcv_nxt - sk.copied_seq) & 0xFFFFFFFF
        return (
            state,
            events,
            unread - bool(unread and sk.sock_done),
            (sk.write_seq - sk.snd_una) & 0xFFFFFFFF,
            *told,
        )

    def counters(self) -> dict[str, int]:
        found = {
            (host, name): value for host in HOSTS for name, value in self.lab.host(host).counters.items()
        }
        return {
            f"{host} {name}": value
            for (host, name), value in found.items()
            if value and name.startswith(("Tcp", "Udp"))
        }


class Hosts:
    """Both, told the same."""

    def __init__(self) -> None:
        self.log: list[tuple] = []
        self.real, self.simulated = RealHosts(), SimulatedHosts()
        self.began = time.monotonic_ns()

    def wait(self, ms: int) -> None:
        """Let so much time pass on both: in the simulator as much as really did."""
        self.real.wait(ms)
        self.catch_up()

    def catch_up(self) -> None:
        """Let as much time pass in the simulator as has passed for the real kernel."""
        self.simulated.wait_until(time.monotonic_ns() - self.began)

    def call(self, wait_ms: int, host: str, name: str, *args) -> int:
        """A call on both, and what the sockets look like a moment later."""
        self.catch_up()
        sides = (self.real, self.simulated)
        results = [side.call(host, name, *args) for side in sides]
        self.log.append((host, name, args, results[0]))
        self.wait(wait_ms)
        if results[0] != results[1]:
            raise Difference(f"result of {name}()", *results)
        looks = [side.look() for side in sides]
        if looks[0] != looks[1]:
            raise Difference("sockets", *looks)
        return results[0]

    def agree_on_counters(self) -> None:
        """Every counter of TCP and UDP, when all is quiet."""
        self.wait(300)
        real, simulated = different(self.real.counters(), self.simulated.counters())
        if real:
            raise Difference("counters", real, simulated)

    def close(self) -> None:
        """Remove the real ones."""
        self.real.close()


def tell(random: Random) -> Hosts:
    """Begin a story; `play` goes on with it."""
    return Hosts()


def play(hosts: Hosts, random: Random) -> None:
    """Mostly begin with a connection, then do anything."""
    count = dict.fromkeys(HOSTS, 0)

    def call(host: str, name: str, *args) -> None:
        result = hosts.call(random.choice(SETTLE_MS), host, name, *args)
        count[host] += name == "socket" or (name == "accept" and result == 0)

    if random.random() < 0.85:
        call("server", "socket", "SOCK_STREAM")
        call("server", "bind", 0, HOSTS["server"], PORTS[0])
        call("server", "listen", 0, random.choice((0, 1, 5)))
        call("client", "socket", "SOCK_STREAM")
        call("client", "connect", 0, HOSTS["server"], PORTS[0])
        if random.random() < 0.9:
            call("server", "accept", 0)
    for _ in range(random.randint(4, 16)):
        host = random.choice(tuple(HOSTS))
        name = random.choices(tuple(WEIGHTS), tuple(WEIGHTS.values()))[0]
        if name in ("socket", "datagram"):
            call(host, "socket", "SOCK_STREAM" if name == "socket" else "SOCK_DGRAM")
        elif count[host]:
            call(host, name, random.randrange(count[host]), *arguments(random, host, name))
    hosts.agree_on_counters()


def arguments(random: Random, host: str, name: str) -> tuple:
    """What comes after the socket."""
    own, other, port = HOSTS[host], HOSTS[OTHER[host]], random.choice(PORTS)
    flags = random.choices(("", "MSG_PEEK", "MSG_WAITALL"), (6, 1, 1))[0]
    choices = {
        "bind": lambda: (random.choice((own, own, "0.0.0.0", other)), port),
        "listen": lambda: (random.choice((0, 1, 3)),),
        "connect": lambda: (random.choice((other, other, own)), port),
        "send": lambda: (
            random.choice((0, 1, 100, 1000, 5000, 20000)),
            random.choice(("", "", "", "", "MSG_MORE")),
        ),
        "sendto": lambda: (random.choice((1, 100)), other, port),
        "recv": lambda: (random.choice((0, 1, 50, 1000, 100000)), flags),
        "shutdown": lambda: (random.choice(("SHUT_RD", "SHUT_WR", "SHUT_WR", "SHUT_RDWR")),),
        "setsockopt": lambda: random.choice(SET),
        "getsockopt": lambda: (random.choice(GOT),),
    }
    return choices[name]() if name in choices else ()
