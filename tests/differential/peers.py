"""One hand-driven peer twice: opposite the real kernel behind a TUN device, and opposite the simulated host.

Both sides are told the same things at the same times and report what they see with relative sequence numbers.
"""

from __future__ import annotations

import socket
import struct
import time

from tests.differential.info import real_info, simulated_info
from tests.differential.namespaces import Namespace, Tun, tcp_info
from tests.differential.packets import (
    FLAGS,
    HOST,
    MASK,
    MSS,
    PEER,
    SACK,
    SACK_OK,
    TIMESTAMPS,
    WSCALE,
    segment,
)
from tests.groundtruth.raw_peer import RawLab
from wireside.catalog.inet import ip_parse
from wireside.catalog.tcp_states import TcpState

PORTS = (40000, 8080)
MSG_MORE = 0x8000
NOT_CONNECTED = (None, TcpState.LISTEN, TcpState.CLOSE)
SYSCTL = {"net.ipv4.tcp_congestion_control": "reno", "net.ipv4.tcp_rmem": "4096 131072 6291456"}


class Difference(Exception):  # noqa: N818 - what was looked for, not a failure
    """The two sides do not agree: what, then the real kernel's and the simulator's view."""


class RealHost:
    """System calls on the real kernel; sockets are numbered as they come into being."""

    def __init__(self, sysctl: dict[str, str]) -> None:
        self.space = Namespace(SYSCTL | sysctl)
        self.tun = Tun(self.space, HOST)
        with self.space.inside():
            self.sockets = [socket.socket()]

    def call(self, name: str, number: int, *args) -> int:
        """A non-blocking system call's result, or -errno."""
        try:
            return getattr(self, f"do_{name}")(self.sockets[number], *args)
        except OSError as error:
            return -error.errno

    def do_bind(self, sock, port) -> int:
        sock.bind(("0.0.0.0", port))
        return 0

    def do_listen(self, sock, backlog) -> int:
        sock.listen(backlog)
        sock.setblocking(False)
        return 0

    def do_accept(self, sock) -> int:
        child, _ = sock.accept()
        child.setblocking(False)
        self.sockets.append(child)
        return 0

    def do_connect(self, sock, port) -> int:
        sock.setblocking(False)
        return -sock.connect_ex((PEER, port))

    def do_send(self, sock, size, flags="") -> int:
        return sock.send(b"y" * size, socket.MSG_NOSIGNAL | (MSG_MORE if flags else 0))

    def do_recv(self, sock, size) -> int:
        return len(sock.recv(size))

    def do_shutdown(self, sock, how) -> int:
        sock.shutdown(getattr(socket, how))
        return 0

    def do_close(self, sock) -> int:
        sock.close()
        return 0

    def do_getsockopt(self, sock, option) -> int:
        return sock.getsockopt(socket.SOL_SOCKET, getattr(socket, option))

    def do_setsockopt(self, sock, option, value) -> int:
        level = socket.SOL_SOCKET if option.startswith("SO_") else socket.IPPROTO_TCP
        sock.setsockopt(level, getattr(socket, option), value.encode() if isinstance(value, str) else value)
        return 0

    def states(self) -> list[int | None]:
        """TCP state numbers; None where closed."""
        return [tcp_info(sock)[0] if sock.fileno() >= 0 else None for sock in self.sockets]

    def info(self, number: int) -> dict[str, int]:
        """What the kernel tells of a socket."""
        return real_info(self.sockets[number])

    def counters(self) -> dict[str, int]:
        return {name: value for name, value in self.space.counters().items() if name.startswith("Tcp")}

    def close(self) -> None:
        for sock in self.sockets:
            sock.close()
        self.tun.close()
        self.space.close()


class SimulatedHost:
    """The same host in the simulator."""

    def __init__(self, sysctl: dict[str, str]) -> None:
        self.lab = RawLab(SYSCTL | sysctl)
        self.fds = [self.nonblocking(self.lab.sys("socket", "SOCK_STREAM"))]

    def nonblocking(self, fd: int) -> int:
        self.lab.task.files[fd].nonblock = True
        return fd

    def call(self, name: str, number: int, *args) -> int:
        fd = self.fds[number]
        if name == "bind":
            args = ((0, *args),)
        elif name == "connect":
            args = ((ip_parse(PEER), *args),)
        result = self.lab.sys(name, fd, *args)
        if name == "accept" and result >= 0:
            self.fds.append(self.nonblocking(result))
            return 0
        if name == "close" and result == 0:
            self.fds[number] = -1
        return result

    def wait_until(self, ns: int) -> None:
        self.lab.wait(max(0, ns - self.lab.world.now))

    def received(self) -> list[dict]:
        return [fields(skb) for _, skb in self.lab.arrivals()]

    def states(self) -> list[int | None]:
        files = (self.lab.task.files.get(fd) for fd in self.fds)
        return [int(file.private_data.sk_state) if file else None for file in files]

    def info(self, number: int) -> dict[str, int]:
        return simulated_info(self.lab.task.files[self.fds[number]].private_data)

    def counters(self) -> dict[str, int]:
        counters = self.lab.world.snapshot().host("host").counters
        return {name: value for name, value in counters.items() if value and name.startswith("Tcp")}


def fields(skb) -> dict:
    """A simulated packet as packets.parse() tells a real one."""
    options = {}
    if skb.opt is not None:
        options[MSS] = struct.pack("!H", skb.opt.mss)
        if skb.opt.wscale is not None:
            options[WSCALE] = bytes([skb.opt.wscale])
        if skb.opt.sack_ok:
            options[SACK_OK] = b""
    if skb.tsval is not None:
        options[TIMESTAMPS] = struct.pack("!II", skb.tsval & MASK, skb.tsecr & MASK)
    if skb.sack:
        options[SACK] = b"".join(struct.pack("!II", left & MASK, right & MASK) for left, right in skb.sack)
    ack = skb.ack_seq & MASK if skb.tcp_flags & FLAGS["."] else 0
    return {
        "seq": skb.seq & MASK, "ack": ack, "flags": skb.tcp_flags, "win": skb.window, "len": skb.len, "options": options,
    }  # fmt: skip


class View:
    """One side's conversation in relative numbers."""

    def __init__(self, isn: int) -> None:
        self.isn = isn
        self.host_isn: int | None = None
        self.tsval = 0
        """The last timestamp of the host, to be echoed."""
        self.next = self.acked = self.edge = self.wscale = 0
        """The end of what the host has sent, what it has acknowledged, the end of its window, and that window's scale."""

    def see(self, seen: dict) -> tuple:
        """(flags, seq, ack, window, length, options) of a segment from the host."""
        flags, options = seen["flags"], dict(seen["options"])
        if flags & FLAGS["S"] and self.host_isn != seen["seq"]:
            self.host_isn = seen["seq"]
            self.next = self.acked = 0
        # A RST for no connection has the number 0 itself.
        bare = bool(flags & FLAGS["R"]) and not seen["seq"]
        seq = -1 if bare else (seen["seq"] - (self.host_isn or 0)) & MASK
        ack = (seen["ack"] - self.isn) & MASK if flags & FLAGS["."] else None
        if TIMESTAMPS in options:
            self.tsval, options[TIMESTAMPS] = struct.unpack("!II", options[TIMESTAMPS])
        if SACK in options:
            edges = struct.unpack(f"!{len(options[SACK]) // 4}I", options[SACK])
            options[SACK] = [(edge - self.isn) & MASK for edge in edges]
        if not flags & FLAGS["R"]:
            self.follow(flags, seq, ack, seen)
        letters = "".join(letter for letter in "FSRP." if flags & FLAGS[letter])
        return letters, seq, ack, seen["win"], seen["len"], tuple(sorted(options.items()))

    def follow(self, flags: int, seq: int, ack: int | None, seen: dict) -> None:
        """Keep track of what the host has sent and allowed."""
        syn = bool(flags & FLAGS["S"])
        if syn:
            self.wscale = seen["options"].get(WSCALE, b"\0")[0]
        if seq < 1 << 31:
            self.next = max(self.next, seq + seen["len"] + syn + bool(flags & FLAGS["F"]))
        if ack is not None and ack < 1 << 31:
            self.acked = max(self.acked, ack)
            self.edge = ack + (seen["win"] << (0 if syn else self.wscale))

    def echo(self, kind: str) -> int:
        """The timestamp to send back: the last one, none, or a wrong one."""
        return {"last": self.tsval, "none": 0, "future": self.tsval + 1000, "old": self.tsval - 5}[
            kind
        ] & MASK


class Pair:
    """Both hosts, told the same. `log` is what was done and seen."""

    def __init__(self, sysctl: dict[str, str], isn: int = 1000) -> None:
        self.log: list[tuple] = [("sysctl", sysctl)]
        self.real, self.simulated = RealHost(sysctl), SimulatedHost(sysctl)
        self.views = (View(isn), View(isn))
        self.simulated.lab.peer.isn = isn
        self.began = time.monotonic_ns() - self.simulated.lab.world.now

    @property
    def view(self) -> View:
        """What the peer knows of the host."""
        return self.views[0]

    def catch_up(self) -> None:
        """Let as much time pass in the simulator as has passed for the real kernel."""
        self.simulated.wait_until(time.monotonic_ns() - self.began)

    def call(self, name: str, number: int, *args) -> int:
        """A system call on both; they must agree on its result."""
        self.catch_up()
        results = (self.real.call(name, number, *args), self.simulated.call(name, number, *args))
        self.log.append((name, number, args, results[0]))
        self.agree(f"result of {name}()", *results)
        return results[0]

    def send(self, flags, seq, ack, win, length=0, *, syn=None, ts=None, sack=()) -> None:
        """The same segment to both. `syn`: mss, sack, wscale; `ts`: (value, which echo); `sack`: blocks."""
        self.log.append((">", flags, seq, ack, win, length, syn, ts, sack))
        self.catch_up()
        self._send_real(flags, seq, ack, win, length, syn, ts, sack)
        peer, view = self.simulated.lab.peer, self.views[1]
        told: dict = {"seq": seq, "win": win, "length": length, "sack": tuple(sack)}
        if "." in flags:
            told["ack"] = ack
        if syn:
            told |= {"mss": syn["mss"], "sack_ok": syn["sack"], "wscale": syn["wscale"]}
        if ts is not None:
            told["ts"] = (ts[0] & MASK, view.echo(ts[1]))
        if view.host_isn is not None:
            peer.peer_isn[PORTS] = view.host_isn
        peer.send(*PORTS, flags, **told)

    def _send_real(self, flags, seq, ack, win, length, syn, ts, sack) -> None:
        view, options = self.views[0], b""
        if syn:
            options += struct.pack("!BBH", MSS, 4, syn["mss"])
            options += struct.pack("!BB", SACK_OK, 2) if syn["sack"] else b""
            options += struct.pack("!BBB", WSCALE, 3, syn["wscale"]) if syn["wscale"] is not None else b""
        if sack:
            edges = [((view.host_isn or 0) + edge) & MASK for block in sack for edge in block]
            options += struct.pack(f"!BB{len(edges)}I", SACK, 2 + 4 * len(edges), *edges)
        if ts is not None:
            options += struct.pack("!BBII", TIMESTAMPS, 10, ts[0] & MASK, view.echo(ts[1]))
        number = (view.host_isn or 0) + ack if "." in flags else 0
        self.real.tun.send(segment(PORTS, flags, view.isn + seq, number, win, options, length))

    def look(self, ms: int) -> list[tuple]:
        """Wait so long on both; they must have sent the same and be in the same states."""
        real = [self.views[0].see(seen) for seen in self.real.tun.receive(ms / 1000)]
        self.catch_up()
        simulated = [self.views[1].see(seen) for seen in self.simulated.received()]
        self.log.append(("<", ms, real))
        self.agree("segments", real, simulated)
        self.agree("states", self.real.states(), self.simulated.states())
        return real

    def agree(self, what: str, real, simulated) -> None:
        """Raise Difference unless both are the same; of tables the entries that differ are told."""
        if real != simulated:
            if isinstance(real, dict):
                real, simulated = different(real, simulated)
            raise Difference(what, real, simulated)

    def agree_on_sockets(self) -> None:
        """What tcp_info and SO_MEMINFO tell of every connection."""
        for number, state in enumerate(self.real.states()):
            if state not in NOT_CONNECTED:
                self.agree(f"socket {number}", self.real.info(number), self.simulated.info(number))

    def agree_on_counters(self) -> None:
        """Every counter of TCP, at the end."""
        real, simulated = self.real.counters(), self.simulated.counters()
        self.agree("counters", *different(real, simulated))

    def close(self) -> None:
        """Remove the real one."""
        self.real.close()


def different(real: dict, simulated: dict) -> tuple[dict, dict]:
    """The entries in which two tables of counters differ."""
    constant = ("TcpRtoAlgorithm", "TcpRtoMin", "TcpRtoMax", "TcpMaxConn")
    names = [
        name
        for name in sorted({*real, *simulated})
        if name.split()[-1] not in constant and real.get(name, 0) != simulated.get(name, 0)
    ]
    return {name: real.get(name, 0) for name in names}, {name: simulated.get(name, 0) for name in names}
