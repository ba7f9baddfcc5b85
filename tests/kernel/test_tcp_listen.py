"""What a listener does with SYNs and final ACKs, and how often it asks again."""

from __future__ import annotations

import errno

import pytest

from tests.groundtruth.handshakes import MS, PORT, SECOND, SynLab
from wireside.catalog.drop_reasons import DropReason

A, B, C = 40000, 40001, 40002


class TestRequest:
    """A handshake under way."""

    def test_repeated_syn_gets_the_same_syn_ack_again(self):
        lab = SynLab()
        lab.mark()
        lab.syn(A)
        lab.syn(A)
        one, other = (skb for _, skb in lab.answers(A))
        assert (one.seq, one.ack_seq, one.window) == (other.seq, other.ack_seq, other.window)
        assert lab.states() == {"SYN_RECV": 1}
        assert lab.counted(("TcpRetransSegs", "TCPSynRetrans")) == {"TcpRetransSegs": 1, "TCPSynRetrans": 1}

    def test_answers_to_repeated_syns_are_limited_to_two_a_second(self):
        lab = SynLab()
        lab.mark()
        for _ in range(4):
            lab.syn(A)
        assert lab.letters(A) == ["S.", "S."]
        assert lab.counted(("TCPACKSkippedSynRecv",)) == {"TCPACKSkippedSynRecv": 2}

    def test_wrong_ack_number_is_reset_and_the_request_stays(self):
        lab = SynLab()
        lab.syn(A)
        lab.peer.send(A, PORT, ".", seq=1, ack=999)
        lab.wait(1 * MS)
        assert lab.letters(A) == ["S.", "R"]
        assert lab.states() == {"SYN_RECV": 1}
        lab.ack(A)
        assert lab.states() == {"ESTABLISHED": 1}

    def test_reset_ends_it(self):
        lab = SynLab()
        lab.mark()
        lab.syn(A)
        lab.peer.send(A, PORT, "R", seq=1)
        lab.wait(1 * MS)
        assert lab.letters(A) == ["S."]
        assert lab.states() == {}
        assert lab.counted(("TcpAttemptFails", "EmbryonicRsts")) == {"TcpAttemptFails": 1, "EmbryonicRsts": 1}

    def test_another_syn_in_the_window_ends_it_with_a_reset(self):
        lab = SynLab()
        lab.mark()
        lab.syn(A)
        lab.syn(A, seq=100)
        assert lab.letters(A) == ["S.", "R."]
        assert lab.states() == {}
        assert lab.counted(("TcpAttemptFails", "EmbryonicRsts")) == {"TcpAttemptFails": 1, "EmbryonicRsts": 1}

    def test_segment_outside_the_window_is_told_where_we_are(self):
        lab = SynLab()
        lab.syn(A)
        lab.peer.send(A, PORT, ".", seq=900_000, ack=1, length=10)
        lab.wait(1 * MS)
        _, answer = lab.answers(A)[-1]
        assert lab.letters(A) == ["S.", "."]
        assert lab.peer.relative(answer) == (1, 1)
        assert lab.net.drops == {DropReason.TCP_OVERWINDOW: 1}

    def test_timestamp_that_was_never_sent_is_refused(self):
        lab = SynLab()
        lab.mark()
        lab.syn(A, ts=(5, 0))
        lab.peer.send(A, PORT, ".", seq=1, ack=1, ts=(6, 12345))
        lab.wait(1 * MS)
        assert lab.letters(A) == ["S.", "."]
        assert lab.states() == {"SYN_RECV": 1}
        assert lab.counted(("TSEcrRejected",)) == {"TSEcrRejected": 1}

    def test_timestamp_older_than_the_syns_is_refused(self):
        lab = SynLab()
        lab.mark()
        lab.syn(A, ts=(500, 0))
        (_, synack), *_ = lab.answers(A)
        lab.peer.send(A, PORT, ".", seq=1, ack=1, ts=(400, synack.tsval))
        lab.wait(1 * MS)
        assert lab.states() == {"SYN_RECV": 1}
        assert lab.counted(("PAWSEstab",)) == {"PAWSEstab": 1}

    def test_data_on_the_final_ack_is_in_the_child(self):
        lab = SynLab()
        lab.syn(A)
        lab.ack(A, length=100)
        fd = lab.sys("accept", lab.fd)
        assert lab.sys("recv", fd, 1000) == 100

    def test_fin_on_the_final_ack_makes_close_wait(self):
        lab = SynLab()
        lab.syn(A)
        lab.peer.send(A, PORT, "F.", seq=1, ack=1)
        lab.wait(1 * MS)
        assert lab.states() == {"CLOSE_WAIT": 1}

    def test_child_that_was_reset_can_still_be_accepted(self):
        lab = SynLab()
        lab.connect(A)
        lab.peer.send(A, PORT, "R", seq=1)
        lab.wait(1 * MS)
        fd = lab.sys("accept", lab.fd)
        assert lab.sys("recv", fd, 10) == -errno.ECONNRESET


class TestAcceptQueue:
    """Full, and what gets in later."""

    def full(self, **sysctl):
        """One place left, two handshakes; the second is stranded."""
        lab = SynLab({f"net.ipv4.{name}": str(value) for name, value in sysctl.items()}, backlog=1)
        lab.connect(A)
        lab.syn(B, C)
        lab.ack(B, C)
        return lab

    def test_ack_that_finds_no_room_strands_the_request(self):
        lab = self.full()
        assert lab.states() == {"ESTABLISHED": 2, "SYN_RECV": 1}
        assert lab.net.drops == {DropReason.TCP_LISTEN_OVERFLOW: 1}

    def test_dropped_syn_is_seen_by_no_drop_tracer(self):
        lab = self.full()
        lab.syn(41000)
        assert lab.letters(41000) == []
        assert lab.net.drops == {DropReason.TCP_LISTEN_OVERFLOW: 1}

    def test_talking_client_gets_in_with_its_next_segment(self):
        lab = self.full()
        lab.sys("accept", lab.fd)
        lab.ack(C, length=5)
        assert lab.states() == {"ESTABLISHED": 3}

    def test_silent_client_gets_in_when_the_syn_ack_is_repeated(self):
        lab = self.full()
        lab.sys("accept", lab.fd)
        lab.wait(1100 * MS)
        assert lab.letters(C) == ["S.", "S."]
        lab.ack(C)
        assert lab.states() == {"ESTABLISHED": 3}

    def test_abort_on_overflow_resets_and_forgets(self):
        lab = self.full(tcp_abort_on_overflow=1)
        assert lab.letters(C) == ["S.", "R"]
        assert lab.states() == {"ESTABLISHED": 2}
        assert lab.counted(("EmbryonicRsts", "ListenOverflows")) == {
            "EmbryonicRsts": 1,
            "ListenOverflows": 1,
        }

    def test_shrinking_the_backlog_keeps_who_is_in(self):
        lab = SynLab(backlog=4)
        lab.connect(A, B, C)
        lab.sys("listen", lab.fd, 0)
        assert (lab.row().recv_q, lab.row().send_q) == (3, 0)

    def test_half_open_request_of_a_closed_listener_goes_at_its_timer(self):
        lab = SynLab()
        lab.syn(A)
        lab.sys("close", lab.fd)
        lab.wait(900 * MS)
        assert lab.states() == {"SYN_RECV": 1}
        lab.wait(200 * MS)
        assert lab.states() == {}
        assert lab.letters(A) == ["S."]


def test_the_window_of_an_answer_for_a_request_fits_its_field():
    lab = SynLab(SO_RCVBUF=100_000)
    lab.peer.send(A, PORT, "S", mss=1460)
    lab.wait(1 * MS)
    lab.peer.send(A, PORT, ".", seq=200_000, ack=1)
    lab.wait(1 * MS)
    assert [skb.window for _, skb in lab.answers(A)] == [65535, 65535]


class TestSynAckTimer:
    """The SYN-ACK is sent again, less often when the queue is under pressure."""

    @pytest.mark.parametrize(
        ("backlog", "count", "retries", "full", "pruned"),
        [(64, 32, 5, (32, 6), 0), (64, 33, 5, (32, 6), 3), (64, 40, 5, (32, 6), 3), (64, 64, 5, (32, 6), 3),
         (8, 9, 5, (4, 6), 3), (4, 5, 5, (4, 6), 3), (64, 40, 3, (32, 4), 3), (64, 40, 2, (40, 3), 0)],
    )  # fmt: skip
    def test_what_crowds_a_queue_gets_fewer_syn_acks(self, backlog, count, retries, full, pruned):
        # Measured on 6.18.44. Their timers share a bucket, and the request that came last is looked at first.
        lab = SynLab({"net.ipv4.tcp_synack_retries": str(retries)}, backlog=backlog)
        lab.flood(count)
        lab.wait(70 * SECOND)
        served, answers = full
        assert [len(lab.answers(10_000 + n)) for n in range(count)] == (
            [answers] * served + [pruned] * (count - served)
        )
        assert lab.states() == {}

    def test_tcp_syncnt_of_the_listener_replaces_the_sysctl(self):
        lab = SynLab(TCP_SYNCNT=1)
        lab.syn(A)
        lab.wait(5 * SECOND)
        assert lab.letters(A) == ["S.", "S."]
        assert lab.states() == {}

    @pytest.mark.parametrize(("asked", "rounded"), [(0, 0), (1, 1), (2, 3), (5, 7), (8, 15), (300, 367)])
    def test_defer_accept_is_rounded_up_to_whole_timeouts(self, asked, rounded):
        lab = SynLab(TCP_DEFER_ACCEPT=asked)
        assert lab.sys("getsockopt", lab.fd, "TCP_DEFER_ACCEPT") == rounded

    def test_deferred_request_keeps_quiet_until_its_last_period(self):
        lab = SynLab(TCP_DEFER_ACCEPT=5)
        start = lab.world.now
        lab.connect(A)
        lab.wait(8 * SECOND)
        assert [round(when) for when in lab.synack_times(A, start)] == [0, 7]
        lab.ack(A)
        assert lab.states() == {"ESTABLISHED": 1}

    def test_request_that_was_never_acknowledged_is_not_deferred(self):
        lab = SynLab(TCP_DEFER_ACCEPT=5)
        start = lab.world.now
        lab.syn(A)
        lab.wait(8 * SECOND)
        assert [round(when) for when in lab.synack_times(A, start)] == [0, 1, 3, 7]


class TestDoor:
    """Segments that a listener does not want, and groups of listeners."""

    @pytest.mark.parametrize(
        ("flags", "answer", "reason"),
        [
            ("R", [], DropReason.TCP_RESET),
            ("SF", [], DropReason.TCP_FLAGS),
            ("F", [], DropReason.TCP_FLAGS),
            ("S.", ["R"], DropReason.TCP_FLAGS),
            (".", ["R"], DropReason.TCP_FLAGS),
            ("R.", [], DropReason.TCP_FLAGS),
        ],
    )
    def test_unwanted(self, flags, answer, reason):
        lab = SynLab()
        lab.peer.send(A, PORT, flags, seq=10, ack=20 if "." in flags else None)
        lab.wait(1 * MS)
        assert lab.letters(A) == answer
        assert lab.net.drops == {reason: 1}
        assert lab.states() == {}

    def test_listen_on_a_connected_socket_is_einval(self):
        lab = SynLab()
        lab.connect(A)
        fd = lab.sys("accept", lab.fd)
        assert lab.sys("listen", fd, 5) == -errno.EINVAL

    def test_accept_on_a_socket_that_does_not_listen_is_einval(self):
        lab = SynLab()
        fd = lab.sys("socket", "SOCK_STREAM")
        assert lab.sys("accept", fd) == -errno.EINVAL


class TestGroup:
    """Two listeners with SO_REUSEPORT on one port."""

    def group(self, migrate=0):
        """A listener, and a second one; both with room for 100."""
        lab = SynLab({"net.ipv4.tcp_migrate_req": str(migrate)}, backlog=100, SO_REUSEPORT=1)
        other = lab.sys("socket", "SOCK_STREAM")
        lab.sys("setsockopt", other, "SO_REUSEPORT", 1)
        assert lab.sys("bind", other, (0, PORT)) == 0
        assert lab.sys("listen", other, 100) == 0
        lab.mark()
        return lab, other

    def queue(self, lab, fd):
        """The listener's queues."""
        return lab.task.files[fd].private_data.icsk_accept_queue

    def test_it_shares_the_connections(self):
        lab, other = self.group()
        lab.connect(*range(40000, 40016))
        shares = [len(self.queue(lab, fd).accept) for fd in (lab.fd, other)]
        assert sum(shares) == 16
        assert min(shares) >= 3

    def test_what_a_closing_member_holds_is_lost(self):
        lab, other = self.group()
        lab.connect(*range(40000, 40016))
        kept = len(self.queue(lab, other).accept)
        lab.sys("close", lab.fd)
        lab.wait(1 * MS)
        assert lab.states() == {"ESTABLISHED": kept}
        assert lab.counted(("TCPMigrateReqFailure",)) == {"TCPMigrateReqFailure": 16 - kept}

    def test_with_tcp_migrate_req_the_others_take_it_over(self):
        lab, other = self.group(migrate=1)
        lab.connect(*range(40000, 40008))
        half_open = range(41000, 41008)
        lab.syn(*half_open)
        lab.sys("close", lab.fd)
        lab.ack(*half_open)
        assert lab.states() == {"ESTABLISHED": 16}
        assert len(self.queue(lab, other).accept) == 16
        assert self.queue(lab, other).qlen == 0
        assert lab.counted(("TCPMigrateReqFailure", "TcpOutRsts")) == {
            "TCPMigrateReqFailure": 0,
            "TcpOutRsts": 0,
        }

    def test_request_moves_when_its_timer_fires(self):
        lab, other = self.group(migrate=1)
        lab.syn(*range(41000, 41008))
        lab.sys("close", lab.fd)
        assert self.queue(lab, other).qlen < 8
        lab.wait(1500 * MS)
        assert self.queue(lab, other).qlen == 8
        assert all(lab.letters(sport) == ["S.", "S."] for sport in range(41000, 41008))
