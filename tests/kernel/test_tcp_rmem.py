"""Receive memory and the promised window under odd segments.

Every number was measured on Linux 6.18.44 in a network namespace, with a raw peer on a TUN device.
"""

from __future__ import annotations

import pytest

from tests.groundtruth.raw_peer import MS, RawConnection, RawLab

TCP_SHRINK_WINDOW = "net.ipv4.tcp_shrink_window"


class Receiver:
    """A host whose program accepts a connection and reads nothing; the peer sends what it likes."""

    def __init__(
        self, sysctl: dict[str, str] | None = None, *, sack_ok: bool = False, **options: int
    ) -> None:
        self.lab = RawLab({"net.ipv4.tcp_comp_sack_nr": "0"} | (sysctl or {}))
        listener = self.lab.listen(**options)
        self.peer = RawConnection(self.lab, sack_ok=sack_ok)
        self.fd = self.peer.accept(listener)
        self.before = self.lab.counters()

    def send(self, seq: int, length: int, count: int = 1, flags: str = ".") -> None:
        """`count` segments of `length` bytes from byte `seq` on, 60 µs apart."""
        for number in range(count):
            start = 1 + seq + number * length
            self.lab.peer.send(40000, 8080, flags, seq=start, ack=1, win=65535, length=length)
            self.lab.wait(60_000)

    def answers(self) -> list[tuple[int, ...]]:
        """What came back until any delayed ACK has fired: (acknowledged, window, edges of the SACK blocks …)."""
        self.lab.wait(60 * MS)
        first = self.lab.peer.isn + 1
        return [
            (
                self.lab.peer.relative(skb)[1] - 1,
                skb.window << self.peer.wscale,
                *(edge - first for block in skb.sack for edge in block),
            )
            for _, skb in self.lab.arrivals()
        ]

    def moved(self, *names: str) -> list[int]:
        """By how much counters have gone up."""
        now = self.lab.counters()
        return [now.get(name, 0) - self.before.get(name, 0) for name in names]

    @property
    def rcv_mss(self) -> int:
        """The receiver's guess of the sender's segment size."""
        return next(sk.rcv_mss for sk in self.lab.net.sockets.values() if sk.sk_state == 1)

    @property
    def memory(self) -> int:
        """sk_rmem_alloc, bytes."""
        return self.lab.connection().sk_rmem_alloc


class TestShrinkingWindow:
    def test_an_offer_bounded_by_rcv_ssthresh_is_rounded_up(self):
        end = Receiver({TCP_SHRINK_WINDOW: "1"}, SO_RCVBUF=1048576)
        end.send(0, 107)
        assert end.answers() == [(107, 1047136)]
        end.send(107, 1000)
        assert end.answers() == [(1107, 907936)]

    def test_it_is_zero_below_a_sixteenth_of_the_buffer(self):
        end = Receiver({TCP_SHRINK_WINDOW: "1"}, SO_RCVBUF=8192)
        end.send(0, 1000, 7)
        assert end.answers() == [(1000, 6300), (2000, 5300), (3000, 4300), (7000, 300)]
        end.send(7000, 100, 3)
        assert end.answers() == [(7300, 0)]
        assert end.moved("TCPWantZeroWindowAdv", "TCPToZeroWindowAdv", "TCPRcvCoalesce") == [1, 1, 3]


class TestOutOfOrder:
    def test_a_segment_ahead_teaches_its_size(self):
        end = Receiver()
        end.send(0, 100, flags="P.")
        end.send(1560, 1460)
        assert end.answers() == [(100, 64256)] * 2
        assert end.rcv_mss == 1460

    def test_the_window_grows_with_sack_only(self):
        end = Receiver(sack_ok=True)
        end.send(1460, 1460, 6)
        windows = [67200, 70144, 73088, 76032, 76032, 76032]
        assert end.answers() == [(0, window, 1460, 1460 * (n + 2)) for n, window in enumerate(windows)]
        end = Receiver()
        end.send(1460, 1460, 6)
        assert end.answers() == [(0, 64256)] * 6

    def test_what_overlaps_is_kept_what_is_covered_goes_and_both_are_told(self):
        end = Receiver(sack_ok=True)
        end.send(1000, 1000)
        end.send(1200, 500)
        assert end.answers() == [(0, 64256, 1000, 2000), (0, 64256, 1200, 1700, 1000, 2000)]
        end.send(1500, 1000)
        assert end.answers() == [(0, 64256, 1500, 2000, 1000, 2500)]
        assert end.memory == 4608
        end.send(1000, 2000)
        assert end.answers() == [(0, 64256, 1000, 2500, 1000, 3000)]
        assert end.memory == 4352
        end.send(0, 1000)
        assert end.answers() == [(3000, 61312)]
        assert end.moved("TCPOFOQueue", "TCPOFOMerge", "TCPDSACKOfoSent") == [4, 3, 3]

    def test_pieces_that_one_segment_covers_are_reported_as_one_when_they_touch(self):
        end = Receiver(sack_ok=True)
        end.send(1000, 500)
        end.send(2000, 500)
        assert end.answers() == [(0, 64256, 1000, 1500), (0, 64256, 2000, 2500, 1000, 1500)]
        end.send(950, 1600)
        assert end.answers() == [(0, 67456, 1000, 1500, 950, 2550)]
        end.send(0, 1200)
        assert end.answers() == [(2550, 70400, 950, 1200)]
        assert end.moved("TCPOFOMerge", "TCPDSACKOfoSent", "TCPDSACKOldSent") == [2, 1, 1]

    @pytest.mark.parametrize(
        ("ahead", "collapsed", "coalesced", "memory"), [(1, 19, 18, 7680), (3, 18, 20, 8512)]
    )
    def test_a_lone_small_packet_ahead_is_not_collapsed(self, ahead, collapsed, coalesced, memory):
        end = Receiver(SO_RCVBUF=8192)
        for seq in (5000, 5050, 5070)[:ahead]:
            end.send(seq, 20)
        end.send(0, 100, 40)
        assert end.answers()[-1] == (4000, 3300)
        assert end.memory == memory
        assert end.moved("PruneCalled", "TCPRcvCollapsed", "TCPRcvCoalesce") == [1, collapsed, coalesced]


@pytest.mark.parametrize(("seq", "quick"), [(1000, 16), (1900, 15)])
def test_old_data_brings_quick_acks(seq, quick):
    """What ends before the last ACK is answered as a duplicate, which no quick ACK is spent on; what ends there is not."""
    end = Receiver()
    end.send(0, 100, 20)
    assert [ack for ack, _ in end.answers()] == [*range(100, 1700, 100), 2000]
    end.send(seq, 100)
    assert end.answers() == [(2000, 63872)]
    end.send(2000, 100, 18)
    assert [ack for ack, _ in end.answers()] == [*range(2100, 2001 + 100 * quick, 100), 3800]
    assert end.moved("DelayedACKLost", "DelayedACKs") == [1, 2]


class TestBufferChangedLater:
    def test_lowered_the_right_edge_stays_until_nothing_fits(self):
        end = Receiver(SO_RCVBUF=65536)
        end.send(0, 1460, 5)
        assert end.answers()[-1] == (7300, 75654)
        end.lab.sys("setsockopt", end.fd, "SO_RCVBUF", 8192)
        end.send(7300, 1460, 4)
        assert end.answers() == [(8760, 74194), (11680, 0)]
        assert end.memory == 18432
        assert end.moved("PruneCalled", "RcvPruned", "TCPRcvQDrop") == [1, 1, 1]

    def test_raised_the_window_is_still_bound_by_the_old_clamp(self):
        end = Receiver(SO_RCVBUF=8192)
        end.send(0, 1460, 4)
        assert end.answers() == [(1460, 8760), (2920, 7300), (4380, 5840), (5840, 4380)]
        end.lab.sys("setsockopt", end.fd, "SO_RCVBUF", 65536)
        end.send(5840, 1460, 3)
        assert end.answers() == [(7300, 10220), (10220, 10220)]
        end.send(10220, 1460, 8)
        assert end.answers() == [(ack, 10220) for ack in range(13140, 21901, 2920)]

    def test_set_after_accept_the_window_grows_by_two_segments_each(self):
        end = Receiver({"net.ipv4.tcp_rmem": "4096 131072 33554432"})
        end.lab.sys("setsockopt", end.fd, "SO_RCVBUF", 1048576)
        end.send(0, 1460, 20)
        answers = end.answers()
        assert answers[:4] == [(1460, 67584), (2920, 70656), (4380, 73728), (5840, 76800)]
        assert answers[-1] == (29200, 122880)
        assert end.peer.wscale == 10


def test_a_sender_that_ignores_the_window_is_refused_and_told():
    end = Receiver(SO_RCVBUF=8192)
    end.send(0, 1460, 4)
    assert end.answers()[-1] == (5840, 4380)
    end.send(5840, 2000)
    assert end.answers() == [(7840, 2380)]
    end.send(11840, 100)
    assert end.answers() == [(7840, 2380)]
    assert end.memory == 13568
    end.send(5840, 1460, 2)
    assert end.answers() == [(7840, 2380), (8760, 1460)]
    assert end.memory == 15872
    assert end.moved("BeyondWindow", "TCPZeroWindowDrop", "TCPWantZeroWindowAdv") == [1, 0, 4]


@pytest.mark.parametrize(
    ("option", "asked", "got"),
    [
        ("SO_RCVBUF", -1, 8388608),
        ("SO_RCVBUF", 0, 2304),
        ("SO_RCVBUF", 1152, 2304),
        ("SO_RCVBUF", 1153, 2306),
        ("SO_RCVBUF", 4194305, 8388608),
        ("SO_RCVBUFFORCE", -1, 2304),
        ("SO_RCVBUFFORCE", 10000000, 20000000),
        ("SO_RCVBUFFORCE", 2147483647, 2147483646),
        ("SO_SNDBUF", -1, 8388608),
        ("SO_SNDBUF", 2304, 4608),
        ("SO_SNDBUF", 2305, 4610),
        ("SO_SNDBUFFORCE", -1, 4608),
        ("SO_SNDBUFFORCE", 1073741824, 2147483646),
    ],
)
@pytest.mark.parametrize("kind", ["SOCK_STREAM", "SOCK_DGRAM"])
def test_a_buffer_is_twice_what_is_asked_for_within_limits(kind, option, asked, got):
    lab = RawLab()
    fd = lab.sys("socket", kind)
    assert lab.sys("setsockopt", fd, option, asked) == 0
    assert lab.sys("getsockopt", fd, option.removesuffix("FORCE")) == got


def test_an_ack_held_back_leaves_before_a_third_block_pushes_another_one_out():
    host = Receiver(
        {"net.ipv4.tcp_comp_sack_nr": "44", "net.ipv4.tcp_comp_sack_slack_ns": "20000000"}, sack_ok=True
    )
    for number in range(1, 6):
        host.send(2000 * number, 1000)
    # Three duplicate ACKs leave at once; the fourth is held back until the next block comes, and answers for it, too.
    assert len(host.lab.arrivals()) == 4
    host.lab.wait(30 * MS)
    assert not host.lab.arrivals()


def test_an_ack_held_back_waits_while_the_same_block_grows():
    host = Receiver(
        {"net.ipv4.tcp_comp_sack_nr": "44", "net.ipv4.tcp_comp_sack_slack_ns": "20000000"}, sack_ok=True
    )
    for number in range(1, 8):
        host.send(1000 + 1000 * number, 1000)
    assert len(host.lab.arrivals()) == 3
    host.lab.wait(30 * MS)
    assert len(host.lab.arrivals()) == 1
