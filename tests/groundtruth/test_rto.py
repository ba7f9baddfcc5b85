"""What a connection takes its RTO from: the handshake, timestamps, and one message after the other.

Measured on Linux 6.18.44 in two network namespaces with a user-space box between two TUN devices; `ss -ti` of both ends.
The RTO is srtt + max(2 * first round trip, 200 ms) at first, in whole ticks of 4 ms, and comes down by a quarter of the
excess with every round trip.
"""

from __future__ import annotations

import pytest

from tests.groundtruth.pair import MS, SECOND, PairLab, client_socket, server_socket, sleep, sys
from wireside.catalog.inet import ACK, SYN
from wireside.kernel.tcp.sock.tcp_sock import TCP_INFINITE_SSTHRESH

LATER = 1300 * MS
FALLBACK = 3000


class Conversation:
    """Messages of 100 bytes and their echoes; `seen` has (client, server) after each, the handshake first."""

    def __init__(self, rtt: int, rounds: int, sysctl: dict[str, str] | None = None, lost: str = "") -> None:
        self.rtt, self.rounds, self.lost = rtt, rounds, lost
        self.lab = lab = PairLab("wire", sysctl, delay_ns=rtt // 2)
        self.seen: list[tuple] = []
        lab.tap("client", self.lose)
        lab.tap("server", self.lose)
        lab.run(lab.server, self.echo())
        lab.run(lab.client, self.talk(), at=1 * MS)
        lab.wait(LATER + (rounds + 2) * (2 * rtt + 60 * MS) + SECOND)

    def lose(self, _count: int, skb) -> int | None:
        """Lose the first SYN, SYN-ACK or ACK of the handshake."""
        name = {SYN: "SYN", SYN | ACK: "SYN-ACK", ACK: "ACK"}.get(skb.tcp_flags, "")
        if name != self.lost or not name:
            return 0
        self.lost = ""
        return None

    def ends(self) -> tuple:
        """Both ends of the connection."""
        return tuple(
            next((sk.icsk_rto_ns // MS, sk.srtt_us // 8000, sk.snd_cwnd, sk.snd_ssthresh)
                 for sk in net.sockets.values() if sk.sk_state == 1)
            for net in (self.lab.client, self.lab.server)
        )  # fmt: skip

    def echo(self):
        """Send back what comes."""
        listener = yield from server_socket()
        fd = yield sys("accept", listener)
        while (size := (yield sys("recv", fd, 1000))) > 0:
            yield sys("send", fd, size)

    def talk(self):
        """Send and wait for the echo."""
        fd = yield from client_socket()
        yield sleep(LATER)
        self.seen.append(self.ends())
        for _ in range(self.rounds):
            yield sys("send", fd, 100)
            yield sys("recv", fd, 1000)
            yield sleep(self.rtt + 60 * MS)
            self.seen.append(self.ends())
        yield sleep(100 * SECOND)


@pytest.mark.parametrize(
    ("rtt_ms", "measured"),
    [
        (20, [224] * 17),
        (100, [304] * 17),
        (300, [904, 904, 836, 768, 700, 652, 612, 588, 564, 548, 536, 528, 524, 516, 512]),
    ],
)
def test_the_rto_follows_the_round_trip(rtt_ms: int, measured: list[int]) -> None:
    """After the handshake and after each message; the box makes the real round trip 0.3 ms longer, one tick at most."""
    run = Conversation(rtt_ms * MS, len(measured) - 1)
    assert [client[0] for client, _ in run.seen] == pytest.approx(measured, abs=4)


@pytest.mark.parametrize(
    ("lost", "timestamps", "client", "server"),
    [
        ("SYN", 1, (224, 21, 10), (224, 20, 10)),
        ("SYN-ACK", 1, (3068, 1022, 10), (220, 20, 1)),
        ("ACK", 1, (224, 20, 10), (3096, 1031, 10)),
        ("SYN", 0, (FALLBACK, 0, 10), (224, 20, 10)),
        ("SYN-ACK", 0, (FALLBACK, 0, 10), (FALLBACK, 0, 1)),
        ("ACK", 0, (224, 20, 10), (FALLBACK, 0, 10)),
    ],
)
def test_a_lost_segment_of_the_handshake(
    lost: str, timestamps: int, client: tuple[int, int, int], server: tuple[int, int, int]
) -> None:
    """Timestamps tell the round trip even when something was sent twice; ssthresh does not remember.

    A lost SYN-ACK is sent again by the server's timer and in answer to the client's second SYN: twice, if the timer is
    first, and then cwnd begins with 1.
    """
    run = Conversation(20 * MS, 1, {"net.ipv4.tcp_timestamps": str(timestamps)}, lost)
    for found, (rto, srtt, cwnd) in zip(run.seen[0], (client, server), strict=True):
        assert found[0] == pytest.approx(rto, abs=36)
        assert found[1] == pytest.approx(srtt, abs=12)
        assert found[2:] == (cwnd, TCP_INFINITE_SSTHRESH)
