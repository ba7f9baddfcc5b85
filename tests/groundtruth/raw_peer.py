"""A raw peer against one simulated host: hand-made segments on a NIC-like device, system calls at will.

The host's device delivers one packet per skb, as a NIC without GRO would. `RawLab.sys` performs a system call at the
present moment; `RawLab.wait` lets time pass.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from tests.words import outcome, syscall
from wireside.kernel.core.task import Task
from wireside.kernel.syscalls.syscall import do_syscall, do_syscall_end
from wireside.scenario.spec import HostSpec, LinkSpec, NicSpec, Scenario, WirePeerSpec
from wireside.sim.world import World

if TYPE_CHECKING:
    from wireside.kernel.core.skbuff import SkBuff
    from wireside.snapshot import SocketRow

MS = 1_000_000
SERVER, PEER = "10.0.0.1", "10.0.0.9"
BURST = 8
"""Segments that the recordings' peer sends before it reads an ACK."""
BASE_SYSCTL = {"net.ipv4.tcp_congestion_control": "reno", "net.ipv4.tcp_rmem": "4096 131072 6291456"}


LETTERS = ((0x02, "S"), (0x01, "F"), (0x04, "R"), (0x08, "P"), (0x10, "."))


def answer_text(lab: RawLab, skb: SkBuff) -> str:
    """A segment the peer received, with sequence numbers counted from the first byte of data."""
    flags = "".join(letter for bit, letter in LETTERS if skb.tcp_flags & bit)
    seq, ack = lab.peer.relative(skb)
    text = f"{flags} seq={seq - 1} ack={ack - 1} len={skb.len}"
    if skb.sack:
        isn = lab.peer.isn + 1
        text += " sack=" + ",".join(f"{left - isn}-{right - isn}" for left, right in skb.sack)
    return text


class RawLab:
    """One host and one raw peer on a fast link; the peer's MSS, scale and timestamps are the test's choice."""

    def __init__(
        self, sysctl: dict[str, str] | None = None, *, mtu: int = 1500, gso: bool = True, seed: int = 1
    ) -> None:
        nic = NicSpec(kind="tun", qdisc="noqueue", gso=gso)
        host = HostSpec("host", SERVER, nic=nic, sysctl=BASE_SYSCTL | (sysctl or {}))
        self.world = World(
            Scenario(
                id="raw",
                title="raw peer",
                summary="",
                duration_ns=10**12,
                seed=seed,
                kernel="6.18",
                hosts=(host,),
                links=(LinkSpec("peer", "host", rate_bps=10_000_000_000, delay_ns=20_000, mtu=mtu),),
                wire_peers=(WirePeerSpec("peer", PEER),),
            ),
            trace=0,
        )
        self.peer = self.world.peers["peer"]
        self.net = self.world.nets["host"]
        self.cpu = self.net.machine.cpus[0]
        self.task = Task(1, "test", self.net, 0)
        self.seen = 0

    def wait(self, ns: int) -> None:
        """Let time pass."""
        self.world.run_until(self.world.now + ns)

    def sys(self, name: str, *args: Any) -> int:
        """Perform a system call that does not block; its result."""
        self.cpu.now = max(self.cpu.now, self.world.now)
        call = syscall(name, *args)
        result = do_syscall(self.cpu, self.task, call)
        do_syscall_end(self.cpu, self.task)
        engine = self.world.engines["host"]
        if engine.wheel_due and engine.wheel_due[0] < engine.timer_at:
            engine._arm_timer(engine.wheel_due[0])
        assert result is not None, f"{name}{args} would block"
        self.wait(0)
        return outcome(call, result)

    def arrivals(self) -> list[tuple[int, Any]]:
        """What the peer has received since the last call: (ns, packet)."""
        fresh = list(self.peer.received)[self.seen :]
        self.seen += len(fresh)
        return fresh

    def listen(self, port: int = 8080, backlog: int = 8, **options: int) -> int:
        """A listening socket with options set before listen()."""
        fd = self.sys("socket", "SOCK_STREAM")
        for option, value in options.items():
            self.sys("setsockopt", fd, option, value)
        assert self.sys("bind", fd, (0, port)) == 0
        assert self.sys("listen", fd, backlog) == 0
        return fd

    def connection(self) -> SocketRow:
        """The host's only socket that does not listen."""
        (row,) = (row for row in self.world.snapshot().host("host").sockets if row.state != "LISTEN")
        return row

    def counters(self) -> dict[str, int]:
        """TcpExt counters without their group's name, as the recordings give them; zeros left out."""
        names = self.world.snapshot().host("host").counters
        return {
            name.removeprefix("TcpExt"): value
            for name, value in names.items()
            if value and name.startswith("TcpExt")
        }


class RawConnection:
    """A connection the peer has opened to the host; tracks the advertised window."""

    def __init__(
        self,
        lab: RawLab,
        *,
        sport: int = 40000,
        port: int = 8080,
        mss: int = 1460,
        wscale: int | None = 7,
        sack_ok: bool = False,
    ) -> None:
        self.lab = lab
        self.sport, self.port = sport, port
        self.sent = 0
        self.acked = 0
        self.windows: list[int] = []
        self.inbox: deque[tuple[int, SkBuff]] = deque()
        lab.peer.send(sport, port, "S", win=65535, mss=mss, wscale=wscale, sack_ok=sack_ok)
        lab.wait(1 * MS)
        (_, synack), *_ = lab.arrivals()
        assert synack.opt is not None
        self.wscale = synack.opt.wscale or 0
        self.syn_window = self.window = synack.window
        self.windows.append(self.window)
        lab.peer.send(sport, port, ".", seq=1, ack=1, win=65535)
        lab.wait(1 * MS)

    def accept(self, listener: int) -> int:
        """The host's program accepts this connection."""
        return self.lab.sys("accept", listener)

    @property
    def room(self) -> int:
        """Bytes the peer may still send."""
        return self.acked + self.window - self.sent

    def segment(self, length: int, flags: str = ".") -> None:
        """Send the next `length` bytes."""
        self.lab.peer.send(self.sport, self.port, flags, seq=1 + self.sent, ack=1, win=65535, length=length)
        self.sent += length

    def read_one(self, patience_ns: int = 0) -> bool:
        """Take in the oldest unread segment of the host, or wait for one; False when none comes in time."""
        deadline = self.lab.world.now + patience_ns
        self.inbox.extend(self.lab.arrivals())
        while not self.inbox:
            if self.lab.world.now >= deadline:
                return False
            self.lab.wait(100_000)
            self.inbox.extend(self.lab.arrivals())
        _, skb = self.inbox.popleft()
        _, ack = self.lab.peer.relative(skb)
        self.acked = max(self.acked, ack - 1)
        self.window = skb.window << self.wscale
        if self.window != self.windows[-1]:
            self.windows.append(self.window)
        return True

    def read_acks(self) -> int:
        """Take in all that the host sent; the number of segments."""
        count = 0
        while self.read_one():
            count += 1
        return count

    def fill(self, length: int, limit: int = 1 << 20, patience_ns: int = 300 * MS) -> None:
        """Send until `limit` bytes are out or the window stays too small: the recordings' peer.

        It sends up to eight segments with PSH while the window it knows of has room, then reads exactly one ACK, for
        which it waits. So it knows old windows while several ACKs wait to be read, and meets every delayed ACK when
        none does. Measured on Linux 6.18.44: only this peer gives the recorded numbers of C01 and C06.
        """
        while self.sent < limit:
            burst = 0
            while burst < BURST and self.room >= length and self.sent < limit:
                self.segment(length, "P.")
                self.lab.wait(20_000)
                burst += 1
            if not self.read_one(patience_ns) and not burst:
                break
        self.lab.wait(1 * MS)
