"""How the sender cuts its data.

Every number was measured on Linux 6.18.44 in a network namespace, with a raw peer on a TUN device.
"""

from __future__ import annotations

import pytest

from tests.groundtruth.raw_peer import MS, RawLab


class Sender:
    """A host whose program has accepted a connection from a peer with a certain window and round trip."""

    def __init__(self, window: int, rtt_ns: int = 40_000) -> None:
        self.lab = RawLab()
        listener = self.lab.listen()
        self.lab.peer.send(40000, 8080, "S", win=window, mss=1460)
        self.lab.wait(60_000)
        self.lab.arrivals()
        self.lab.wait(rtt_ns)
        self.lab.peer.send(40000, 8080, ".", seq=1, ack=1, win=window)
        self.lab.wait(100_000)
        self.fd = self.lab.sys("accept", listener)
        self.lab.sys("fcntl", self.fd, "F_SETFL", "O_NONBLOCK")

    def write(self, size: int) -> int:
        """What write() takes."""
        return self.lab.sys("send", self.fd, size)

    def sent(self) -> list[tuple[int, int, bool]]:
        """(sequence number, bytes, PSH) of each segment on the wire."""
        self.lab.wait(1 * MS)
        return [
            (self.lab.peer.relative(skb)[0] - 1, skb.len, bool(skb.tcp_flags & 0x08))
            for _, skb in self.lab.arrivals()
        ]


@pytest.mark.parametrize(
    ("window", "taken", "memory"),
    [
        (100, 5400, 47000),
        (200, 9600, 46208),
        (400, 16400, 47184),
        (536, 19832, 47288),
        (537, 12060, 46172),
        (1000, 19000, 47288),
        (2000, 27000, 46136),
        (2919, 32098, 47074),
        (5000, 32120, 47096),
    ],
)
def test_the_head_of_the_queue_grows_behind_a_small_window(window, taken, memory):
    end = Sender(window)
    assert end.write(100_000) == taken
    (sk,) = (sk for sk in end.lab.net.sockets.values() if sk.sk_state == 1)
    assert sk.sk_wmem_queued == memory
    assert sk.sk_sndbuf == 46080


@pytest.mark.parametrize(("rtt_ns", "segments"), [(0, 5), (100 * MS, 2)])
def test_a_packet_of_several_segments_carries_psh(rtt_ns, segments):
    """As many as half of cwnd, or as a millisecond at the pacing rate allows: that one is known from the handshake."""
    end = Sender(65535, rtt_ns)
    end.write(100_000)
    assert end.sent() == [(n * 1460, 1460, n % segments == segments - 1) for n in range(10)]


@pytest.mark.parametrize(
    ("sndbuf", "taken", "short"), [(2304, 4380, 1460), (8192, 11680, 1460), (65536, 143080, 1460)]
)
def test_epollout_comes_when_two_thirds_are_used(sndbuf, taken, short):
    end = Sender(65535)
    end.lab.sys("setsockopt", end.fd, "SO_SNDBUF", sndbuf)
    (sk,) = (sk for sk in end.lab.net.sockets.values() if sk.sk_state == 1)
    total = last = 0
    while (count := end.write(1460)) > 0:
        total, last = total + count, count
    assert (total, last) == (taken, short)
    received = acked = 0
    readiness = []
    for _ in range(200):
        for seq, length, _ in end.sent():
            received += length if seq == received else 0
        if acked == received:
            break
        acked = min(acked + 1460, received)
        end.lab.peer.send(40000, 8080, ".", seq=1, ack=1 + acked, win=65535)
        end.lab.wait(1 * MS)
        ready = bool(end.lab.sys("poll", end.fd, "POLLOUT", 0))
        assert ready == (3 * sk.sk_wmem_queued <= 2 * sk.sk_sndbuf)
        readiness.append(ready)
    assert readiness[-1]
    assert not readiness[0]
