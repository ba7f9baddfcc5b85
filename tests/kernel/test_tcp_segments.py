"""Segments that an established connection did not expect. RFC 5961, 9293 3.10.7.4."""

from __future__ import annotations

import pytest

from tests.groundtruth.raw_peer import MS, RawConnection, RawLab, answer_text

CHALLENGES = ("TCPChallengeACK", "TCPSYNChallenge", "TCPACKSkippedChallenge")
DUP_ACK = ". seq=0 ack=100 len=0"


class Established:
    """A connection with 100 bytes received, and what the host answers to one more segment."""

    def __init__(self, sysctl: dict[str, str] | None = None) -> None:
        self.lab = RawLab(sysctl)
        listener = self.lab.listen()
        self.peer = RawConnection(self.lab)
        self.fd = self.peer.accept(listener)
        self.peer.segment(100)
        self.lab.wait(100 * MS)
        self.lab.arrivals()

    def sends(self, flags: str, seq: int, ack: int | None = 0, length: int = 0, count: int = 1) -> list[str]:
        """The peer's segment, counted from the first byte of data; what comes back."""
        for _ in range(count):
            ack_field = None if ack is None else 1 + ack
            self.lab.peer.send(
                self.peer.sport, self.peer.port, flags, seq=1 + seq, ack=ack_field, length=length, win=65535
            )
            self.lab.wait(1 * MS)
        return [answer_text(self.lab, skb) for _, skb in self.lab.arrivals()]

    def counted(self) -> dict[str, int]:
        """The counters of challenge ACKs."""
        return {name: value for name, value in self.lab.counters().items() if name in CHALLENGES}

    @property
    def state(self) -> str:
        """The connection's state, or none."""
        return self.lab.task.files[self.fd].private_data.sk_state.name


def test_rst_exactly_at_rcv_nxt_resets() -> None:
    host = Established()
    assert host.sends("R", 100, None) == []
    assert host.state == "CLOSE"


def test_rst_inside_the_window_is_challenged() -> None:
    host = Established()
    assert host.sends("R", 200, None) == [DUP_ACK]
    assert host.state == "ESTABLISHED"
    assert host.counted() == {"TCPChallengeACK": 1}


@pytest.mark.parametrize("seq", [50, 10_000_000])
def test_rst_outside_the_window_is_ignored(seq: int) -> None:
    host = Established()
    assert host.sends("R", seq, None) == []
    assert host.state == "ESTABLISHED"


def test_twenty_rsts_get_one_challenge() -> None:
    host = Established()
    assert host.sends("R", 200, None, count=20) == [DUP_ACK]
    assert host.counted() == {"TCPChallengeACK": 1, "TCPACKSkippedChallenge": 19}


def test_challenges_are_half_a_second_apart() -> None:
    host = Established()
    host.sends("R", 200, None)
    host.lab.wait(499 * MS)
    assert host.sends("R", 200, None) == [DUP_ACK]


def test_challenge_ack_limit_holds_for_the_whole_host() -> None:
    host = Established({"net.ipv4.tcp_challenge_ack_limit": "1"})
    assert host.sends("R", 200, None) == [DUP_ACK]
    host.lab.wait(600 * MS)
    assert host.lab.world.now < 1000 * MS
    assert host.sends("R", 200, None) == []
    assert host.counted() == {"TCPChallengeACK": 1}


@pytest.mark.parametrize("seq", [-101, 100, 200, 10_000_000])
def test_syn_is_challenged_wherever_it_falls(seq: int) -> None:
    host = Established()
    assert host.sends("S", seq, None) == [DUP_ACK]
    assert host.counted() == {"TCPChallengeACK": 1, "TCPSYNChallenge": 1}


def test_ack_of_unsent_data_is_challenged() -> None:
    host = Established()
    assert host.sends(".", 100, 5000) == [DUP_ACK]
    assert host.counted() == {"TCPChallengeACK": 1}


def test_a_very_old_ack_is_challenged() -> None:
    host = Established()
    assert host.sends(".", 100, -10_000_000) == [DUP_ACK]
    assert host.counted() == {"TCPChallengeACK": 1}


def test_data_without_ack_is_dropped_silently() -> None:
    host = Established()
    assert host.sends("P", 100, None, length=10) == []
    assert host.lab.connection().recv_q == 100


def test_an_old_duplicate_is_acknowledged_with_dsack_only_if_sack_was_agreed() -> None:
    host = Established()
    assert host.sends(".", 0, length=100) == [DUP_ACK]


def test_data_beyond_the_window_is_acknowledged_at_most_twice_a_second() -> None:
    host = Established()
    for _ in range(3):
        host.sends(".", 10_000_000)
    assert host.lab.counters()["TCPACKSkippedSeq"] == 2
