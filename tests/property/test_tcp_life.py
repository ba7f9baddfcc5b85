"""Whatever programs and peers do: sockets change state by the table, take their timers with them, and die."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.groundtruth.pair import MS, SECOND
from tests.groundtruth.raw_peer import RawConnection, RawLab
from wireside.catalog.tcp_states import TcpState
from wireside.kernel.tcp.door.request_sock import RequestSock
from wireside.kernel.tcp.send.tcp_minisocks import TimewaitSock
from wireside.kernel.tcp.sock.tcp_sock import TcpSock

OPTIONS = {
    "SO_LINGER": (-1, 0),
    "SO_KEEPALIVE": (0, 1),
    "TCP_KEEPIDLE": (1, 100),
    "TCP_LINGER2": (-1, 3, 90),
    "TCP_USER_TIMEOUT": (0, 700, 5000),
}
CALLS = st.one_of(
    st.tuples(st.just("send"), st.integers(1, 30_000)),
    st.tuples(st.just("recv"), st.integers(1, 30_000)),
    st.tuples(st.just("shutdown"), st.sampled_from(["SHUT_RD", "SHUT_WR", "SHUT_RDWR"])),
    st.sampled_from(sorted(OPTIONS)).flatmap(
        lambda option: st.tuples(st.just("setsockopt"), st.just(option), st.sampled_from(OPTIONS[option]))
    ),
)
WINDOWS = st.sampled_from([65535, 65535, 1000, 0])
GOOD = st.tuples(
    st.just("segment"),
    st.sampled_from([".", ".", "P."]),
    st.just(0),
    st.just(0),
    st.sampled_from([0, 1000]),
    WINDOWS,
)
FINS = st.tuples(
    st.just("segment"),
    st.sampled_from(["F.", "FP."]),
    st.just(0),
    st.sampled_from([0, -1]),
    st.just(0),
    WINDOWS,
)
ODD = st.tuples(
    st.just("segment"),
    st.sampled_from([".", "P.", "F.", "R", "R.", "S", "S.", "F", ""]),
    st.sampled_from([0, -1, 1, -1000, 1000, 100_000]),
    st.sampled_from([0, -1, 1, -500]),
    st.sampled_from([0, 1, 1000]),
    WINDOWS,
)
SEGMENTS = st.one_of(GOOD, FINS, ODD)
WAITS = st.tuples(st.just("wait"), st.sampled_from([1 * MS, 50 * MS, 1 * SECOND, 70 * SECOND]))
CLOSE = st.tuples(st.just("close"))
STEPS = st.lists(st.one_of(CALLS, SEGMENTS, WAITS), max_size=10)
LIVES = st.builds(
    lambda before, close, after: [*before, *close, *after], STEPS, st.lists(CLOSE, max_size=1), STEPS
)
"""What happens before the program closes and after."""
LONG_ENOUGH = 1000 * SECOND


class Life:
    """One connection of a host, and a peer that says whatever it likes, near to what would be right."""

    def __init__(self):
        self.lab = RawLab({"net.ipv4.tcp_retries2": "6"})
        self.lab.wait(1 * MS)
        self.listener = self.lab.listen()
        self.connection = RawConnection(self.lab)
        self.fd = self.connection.accept(self.listener)
        self.lab.sys("fcntl", self.fd, "F_SETFL", "O_NONBLOCK")

    @property
    def socket(self):
        file = self.lab.task.files.get(self.fd)
        return file.sk if file else None

    def do(self, step):
        name, *args = step
        if name == "wait":
            self.lab.wait(*args)
        elif name == "segment":
            self.segment(*args)
        elif self.fd in self.lab.task.files:
            self.lab.sys(name, self.fd, *args)

    def segment(self, flags, seq, ack, length, window):
        owner = self.lab.net.ehash.get(
            (self.lab.peer.net.address, self.connection.sport, self.lab.net.address, 8080)
        )
        isn = self.lab.peer.peer_isn[self.connection.sport, 8080]
        if isinstance(owner, TcpSock):
            seq, ack = seq + owner.rcv_nxt - self.lab.peer.isn, ack + owner.snd_nxt - isn
        elif isinstance(owner, TimewaitSock):
            seq, ack = seq + owner.tw_rcv_nxt - self.lab.peer.isn, ack + owner.tw_snd_nxt - isn
        self.lab.peer.send(
            self.connection.sport,
            8080,
            flags,
            seq=seq,
            ack=ack if "." in flags else None,
            length=length,
            win=window,
            mss=1460 if "S" in flags else None,
        )
        self.lab.wait(1 * MS)

    def timers(self):
        """Every timer that is armed."""
        wheel = self.lab.net.machine.timers
        return [timer for when, bucket in wheel.buckets.items() for timer in bucket if timer.expires == when]


def belongs_to_the_living(life, timer):
    """The timer's owner exists, and is in a state that may have one."""
    net, owner = life.lab.net, timer.arg
    if isinstance(owner, TcpSock):
        return net.sockets.get(owner.id) is owner and owner.sk_state not in (TcpState.CLOSE, TcpState.LISTEN)
    if isinstance(owner, TimewaitSock):
        return net.timewait.get(owner.id) is owner and net.ehash.get(owner.flow_in) is owner
    return isinstance(owner, RequestSock) and net.ehash.get(owner.flow_in) is owner


@settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(LIVES)
def test_sockets_change_state_by_the_table_and_die(steps):
    life = Life()
    for step in steps:
        life.do(step)
        assert all(belongs_to_the_living(life, timer) for timer in life.timers()), step
    for fd in (life.fd, life.listener):
        if fd in life.lab.task.files:
            life.lab.sys("setsockopt", fd, "SO_LINGER", -1)
            life.lab.sys("close", fd)
    life.lab.wait(LONG_ENOUGH)
    net = life.lab.net
    assert not net.sockets
    assert not net.ehash
    assert not net.timewait
    assert not net.bind_ports
    assert net.machine.timers.pending == 0
    assert net.machine.tcp_orphan_count == 0
    assert net.machine.tcp_memory_allocated == 0


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(SEGMENTS, min_size=1, max_size=8))
def test_no_segment_brings_a_closed_connection_back(segments):
    life = Life()
    life.lab.sys("setsockopt", life.fd, "SO_LINGER", 0)
    life.lab.sys("close", life.fd)
    life.lab.sys("close", life.listener)
    life.lab.wait(1 * MS)
    for segment in segments:
        life.do(segment)
    assert not life.lab.net.ehash
