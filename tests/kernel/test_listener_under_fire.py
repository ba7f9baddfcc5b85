"""Random segments, sysctls, closes and ICMP errors at a group of listeners: nothing crashes, the sums stay right."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from tests.groundtruth.handshakes import MS, PORT, SECOND, SynLab
from wireside.catalog.counters import TcpExt
from wireside.catalog.tcp_states import TcpState

CHOICES = {
    "tcp_syncookies": (0, 1, 2),
    "tcp_max_syn_backlog": (1, 4, 16, 1024),
    "tcp_abort_on_overflow": (0, 1),
    "tcp_timestamps": (0, 1, 2),
    "tcp_migrate_req": (0, 1),
    "tcp_synack_retries": (0, 1, 3),
}
FLAGS = ("S", "S", "S", ".", "P.", "F.", "R", "R.", "S.", "SF", "F")
STEPS = 120


class Fire:
    """Two listeners of one port, and somebody who does anything to them."""

    def __init__(self, seed):
        self.random = Random(seed)
        pick = self.random.choice
        sysctl = {f"net.ipv4.{name}": str(pick(values)) for name, values in CHOICES.items()}
        deferred = {"TCP_DEFER_ACCEPT": self.random.randrange(1, 6)} if pick((True, False)) else {}
        self.lab = lab = SynLab(sysctl, backlog=self.random.randrange(4), SO_REUSEPORT=1, **deferred)
        other = lab.sys("socket", "SOCK_STREAM")
        lab.sys("setsockopt", other, "SO_REUSEPORT", 1)
        lab.sys("bind", other, (0, PORT))
        lab.sys("listen", other, 3)
        self.listeners = [lab.fd, other]
        self.connections = []
        for fd in self.listeners:
            lab.sys("fcntl", fd, "F_SETFL", "O_NONBLOCK")

    def segment(self):
        """Any segment, from one of six ports."""
        pick = self.random.choice
        flags = pick(FLAGS)
        self.lab.peer.send(
            40000 + self.random.randrange(6),
            PORT,
            flags,
            seq=pick((0, 0, 1, 1, 1, 5, 70000)),
            ack=pick((1, 1, 1, 2, 77)) if "." in flags else None,
            length=pick((0, 10)) if "P" in flags or flags == "S" else 0,
            mss=pick((None, 1, 100, 1460, 9000)),
            wscale=pick((None, 0, 7, 14)),
            sack_ok=pick((True, False)),
            ts=pick((None, None, (1, 0), (5, 1), (100, self.lab.world.now // MS))),
        )
        self.lab.wait(pick((0, 1000, MS)))

    def accept(self):
        """Whatever there is to accept."""
        for fd in self.listeners:
            child = self.lab.sys("accept", fd)
            if child >= 0:
                self.connections.append(child)

    def close(self):
        """Close a connection, rarely a listener."""
        if self.connections:
            place = self.random.randrange(len(self.connections))
            self.lab.sys("close", self.connections.pop(place))
        elif len(self.listeners) > 1:
            self.lab.sys("close", self.listeners.pop())

    def listen(self):
        """Another limit."""
        self.lab.sys("listen", self.listeners[0], self.random.randrange(5))

    def complain(self):
        """An ICMP error about anything the peer has got."""
        if self.lab.peer.received:
            _, skb = self.random.choice(list(self.lab.peer.received))
            self.lab.peer.unreachable(skb, self.random.randrange(16))

    def wait(self):
        """Let time pass."""
        self.lab.wait(self.random.choice((MS, 100 * MS, SECOND, 5 * SECOND)))


def counts_hold(net):
    """What is counted as it changes is what a walk over all sockets would find."""
    states = [sk.sk_state for sk in net.sockets.values()]
    for state in TcpState:
        assert net.tcp_in_state[state] == states.count(state)
        assert net.tcp_entered[state] >= states.count(state)
    waiting = Counter(sk.comm for sk in net.sockets.values() if sk.sk_state == TcpState.CLOSE_WAIT)
    assert {comm: n for comm, n in net.close_wait_of.items() if n} == waiting
    away = net.turned_away
    assert away["SYN"] + away["ACK"] <= net.mib[TcpExt.ListenDrops]
    assert away["ACK"] <= net.mib[TcpExt.ListenOverflows] <= away["SYN"] + away["ACK"]


@pytest.mark.parametrize("seed", range(60))
def test_listeners_under_fire(seed):
    fire = Fire(seed)
    doing = [fire.segment] * 12 + [fire.accept] * 3 + [fire.close, fire.listen, fire.complain, fire.wait]
    for _ in range(STEPS):
        fire.random.choice(doing)()
    lab = fire.lab
    lab.wait(MS)
    born, accounted = lab.world.books_balance()
    assert born == accounted
    for fd in fire.listeners:
        sk = lab.task.files[fd].private_data
        queue = sk.icsk_accept_queue
        pending = [req for req in lab.net.requests.values() if req.listener is sk]
        assert queue.qlen == len(pending)
        assert queue.young == sum(not req.num_timeout for req in pending)
        assert queue.acked == sum(req.acked for req in pending)
    counts_hold(lab.net)
    lab.wait(100 * SECOND)
    assert not lab.net.requests
