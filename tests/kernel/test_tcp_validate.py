"""Old timestamps and odd flags on an established connection, as measured on Linux 6.18.44 in network namespaces."""

from __future__ import annotations

import pytest

from tests.groundtruth.raw_peer import MS, RawLab, answer_text
from tests.groundtruth.states import moved
from wireside.tools.ss import render

COUNTED = (
    "PAWSEstab", "PAWSOldAck", "TCPACKSkippedPAWS", "TCPSYNChallenge", "TCPChallengeACK", "TCPPureAcks", "TcpInErrs",
    "TcpOutSegs", "TcpRetransSegs", "TCPDelivered",
)  # fmt: skip


class Stamped:
    """A connection with timestamps; the last one that the peer sent is 1001, and 100 bytes are acknowledged."""

    def __init__(self):
        self.lab = lab = RawLab()
        listener = lab.listen()
        lab.peer.send(40000, 8080, "S", win=65535, mss=1460, wscale=7, ts=(1000, 0))
        lab.wait(MS)
        (_, synack), *_ = lab.arrivals()
        self.echo = synack.tsval
        self.say(".", 1, 1, 1001)
        self.fd = lab.sys("accept", listener)
        lab.sys("write", self.fd, 100)
        self.say(".", 1, 101, 1001)
        lab.arrivals()
        self.before = lab.world.snapshot().host("host")

    def say(self, flags, seq, ack, tsval, **fields):
        """Send a segment with timestamp `tsval`."""
        self.lab.peer.send(40000, 8080, flags, seq=seq, ack=ack, win=65535, ts=(tsval, self.echo), **fields)
        self.lab.wait(MS)

    def heard(self):
        """What the peer has received since."""
        return [answer_text(self.lab, skb) for _, skb in self.lab.arrivals()]

    def counted(self):
        """What has moved since the beginning."""
        return moved(self.lab.world.snapshot().host("host"), self.before, COUNTED)


HERE = ". seq=100 ack=0 len=0"


@pytest.mark.parametrize(
    ("segment", "answers", "counters"),
    [
        (("P.", 1, 101, 10, {"length": 10}), [HERE], {"PAWSEstab": 1, "TcpOutSegs": 1}),
        ((".", 0, 101, 10, {}), [], {"PAWSOldAck": 1}),
        ((".", 1, 101, 980, {}), [], {"TCPPureAcks": 1}),
        ((".", 1, 101, 10, {}), [HERE], {"PAWSEstab": 1, "TcpOutSegs": 1}),
        ((".", 1, 50, 999, {}), [HERE], {"PAWSEstab": 1, "TcpOutSegs": 1}),
        ((".", 1, 50, 1000, {}), [], {}),
        (("S", 0, None, 10, {"mss": 1460}), [HERE], {"TCPSYNChallenge": 1, "TCPChallengeACK": 1, "TcpInErrs": 1, "TcpOutSegs": 1}),
        (("P", 1, None, 10, {"length": 10}), [], {}),
    ],
    ids=["data", "old ACK", "late duplicate ACK", "too late", "old acknowledgement", "older by one unit only", "SYN", "no ACK flag"],
)  # fmt: skip
def test_a_segment_with_an_old_timestamp(segment, answers, counters):
    end = Stamped()
    flags, seq, ack, tsval, fields = segment
    end.say(flags, seq, ack, tsval, **fields)
    assert (end.heard(), end.counted()) == (answers, counters)


def test_a_late_duplicate_ack_does_not_turn_the_clock_back():
    end = Stamped()
    end.say(".", 1, 101, 980)
    end.lab.sys("write", end.fd, 10)
    end.lab.wait(MS)
    assert [skb.tsecr for _, skb in end.lab.arrivals()] == [1001]


def test_a_reset_is_taken_whatever_its_timestamp():
    end = Stamped()
    end.say("R", 1, None, 10)
    assert end.lab.sys("recv", end.fd, 10) == -104


def test_what_is_sent_again_is_no_segment_more():
    end = Stamped()
    end.lab.sys("write", end.fd, 10)
    end.lab.wait(900 * MS)
    assert len(end.heard()) == 3
    assert end.counted() == {"TcpOutSegs": 1, "TcpRetransSegs": 2}
    end.say(".", 1, 111, 1002)
    assert end.counted()["TCPDelivered"] == 1


def test_a_listener_counts_what_it_drops():
    lab = RawLab()
    lab.listen(backlog=4)
    for flags in ("R", "SF", ""):
        lab.peer.send(40000, 8080, flags, seq=1)
    lab.peer.send(40001, 8080, ".", seq=1, ack=1)
    lab.wait(MS)
    (line, memory) = render(lab.world.snapshot().host("host"), "-tlnimH").strip().splitlines()
    assert line.split()[:3] == ["LISTEN", "0", "4"]
    assert memory.split() == ["skmem:(r0,rb131072,t0,tb16384,f0,w0,o0,bl0,d3)", "reno", "cwnd:10"]


def test_an_echo_from_the_future_is_no_round_trip():
    end = Stamped()
    before = end.lab.connection().srtt_ns
    end.lab.sys("write", end.fd, 10)
    end.lab.wait(900 * MS)
    end.echo += 5000
    end.say(".", 1, 111, 1002)
    assert end.lab.connection().srtt_ns == before


def test_what_completes_no_handshake_does_not_age_it():
    lab = RawLab()
    lab.listen()
    lab.peer.send(40000, 8080, "S", win=65535, mss=1460, ts=(1000, 0))
    lab.wait(MS)
    lab.arrivals()
    lab.peer.send(40000, 8080, "", seq=1, win=65535, length=100, ts=(1010, 0))
    lab.peer.send(40000, 8080, "S", seq=1, win=65535, mss=1460, ts=(1009, 0))
    lab.wait(MS)
    (answer,) = (skb for _, skb in lab.arrivals())
    assert answer_text(lab, answer).startswith("R. ")
