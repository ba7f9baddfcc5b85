"""connect(): what a client's SYNs meet, and when it gives up."""

from __future__ import annotations

import errno
import select

import pytest

from tests.groundtruth.handshakes import MS, SECOND, SynLab
from tests.groundtruth.raw_peer import RawConnection, RawLab
from wireside.catalog.inet import ip_parse

PEER = ip_parse("10.0.0.9")


def connect(lab, port=9000):
    """A non-blocking connect() from the host to the raw peer; the socket's descriptor."""
    fd = lab.sys("socket", "SOCK_STREAM|SOCK_NONBLOCK")
    assert lab.sys("connect", fd, (PEER, port)) == -errno.EINPROGRESS
    lab.wait(1 * MS)
    return fd


class TestClient:
    """connect() and what it meets."""

    def test_reset_of_the_syn_is_connection_refused(self):
        lab = SynLab()
        lab.mark()
        fd = connect(lab)
        ((_, syn),) = lab.answers(9000)
        lab.peer.send(9000, syn.flow[1], "R.", ack=1)
        lab.wait(1 * MS)
        assert abs(lab.sys("getsockopt", fd, "SO_ERROR")) == errno.ECONNREFUSED
        assert lab.counted(("TcpAttemptFails", "TcpActiveOpens")) == {
            "TcpAttemptFails": 1,
            "TcpActiveOpens": 1,
        }

    def test_reset_without_ack_is_ignored(self):
        lab = SynLab()
        connect(lab)
        ((_, syn),) = lab.answers(9000)
        lab.peer.send(9000, syn.flow[1], "R")
        lab.wait(1 * MS)
        assert lab.states() == {"SYN_SENT": 1}

    def test_syn_ack_for_something_else_is_reset(self):
        lab = SynLab()
        connect(lab)
        ((_, syn),) = lab.answers(9000)
        lab.peer.send(9000, syn.flow[1], "S.", ack=5, mss=1460)
        lab.wait(1 * MS)
        assert lab.letters(9000) == ["S", "R"]
        assert lab.states() == {"SYN_SENT": 1}

    def test_tcp_syncnt_replaces_tcp_syn_retries(self):
        lab = SynLab({"net.ipv4.tcp_syn_linear_timeouts": "0"})
        fd = lab.sys("socket", "SOCK_STREAM|SOCK_NONBLOCK")
        assert lab.sys("setsockopt", fd, "TCP_SYNCNT", 128) == -errno.EINVAL
        assert lab.sys("setsockopt", fd, "TCP_SYNCNT", 2) == 0
        lab.sys("connect", fd, (PEER, 9000))
        lab.wait(10 * SECOND)
        assert lab.letters(9000) == ["S", "S", "S"]
        assert abs(lab.sys("getsockopt", fd, "SO_ERROR")) == errno.ETIMEDOUT

    def test_user_timeout_bounds_the_attempt(self):
        lab = SynLab()
        fd = lab.sys("socket", "SOCK_STREAM|SOCK_NONBLOCK")
        lab.sys("setsockopt", fd, "TCP_USER_TIMEOUT", 2500)
        lab.sys("connect", fd, (PEER, 9000))
        took = lab.until(lambda: lab.sys("getsockopt", fd, "SO_ERROR") != 0)
        assert 2.5 <= took < 2.8

    def test_defer_accept_on_a_client_holds_the_third_segment_back(self):
        lab = SynLab()
        fd = lab.sys("socket", "SOCK_STREAM|SOCK_NONBLOCK")
        lab.sys("setsockopt", fd, "TCP_DEFER_ACCEPT", 1)
        lab.sys("connect", fd, (PEER, 9000))
        lab.wait(1 * MS)
        ((_, syn),) = lab.answers(9000)
        lab.peer.send(9000, syn.flow[1], "S.", ack=1, mss=1460)
        lab.wait(10 * MS)
        assert lab.states() == {"ESTABLISHED": 1}
        assert lab.letters(9000) == ["S"]
        lab.wait(180 * MS)
        assert lab.letters(9000) == ["S"]
        lab.sys("send", fd, 10)
        lab.wait(1 * MS)
        assert lab.letters(9000) == ["S", "P."]


class TestLateAnswer:
    """A handshake whose SYN or SYN-ACK had to be sent again."""

    def late(self, lost, **options):
        """A connection whose first `lost` SYNs met silence; its socket."""
        lab = SynLab()
        fd = connect(lab)
        lab.until(lambda: len(lab.answers(9000)) > lost)
        _, syn = lab.answers(9000)[0 if "ts" in options else -1]
        if "ts" in options:
            options["ts"] = (1, syn.tsval)
        lab.peer.send(9000, syn.flow[1], "S.", ack=1, mss=1460, **options)
        lab.wait(1 * MS)
        assert lab.states() == {"ESTABLISHED": 1}
        return lab.task.files[fd].private_data

    def test_in_time(self):
        sk = self.late(0)
        assert (sk.snd_cwnd, sk.icsk_rto_ns) == (10, 204 * MS)

    def test_without_a_round_trip_time_the_rto_is_three_seconds(self):
        assert self.late(1).icsk_rto_ns == 3 * SECOND

    def test_one_syn_more_is_forgiven(self):
        assert self.late(1).snd_cwnd == 10

    def test_two_syns_more_make_it_begin_with_one_segment(self):
        assert self.late(2).snd_cwnd == 1

    def test_unless_the_answer_echoes_the_first_of_them(self):
        sk = self.late(2, ts=True)
        assert sk.snd_cwnd == 10
        assert sk.srtt_us >> 3 == pytest.approx(2_000_000, rel=0.1)

    def test_request_whose_syn_ack_was_repeated(self):
        lab = SynLab()
        lab.syn(40000)
        lab.wait(4 * SECOND)
        lab.ack(40000)
        fd = lab.sys("accept", lab.fd)
        sk = lab.task.files[fd].private_data
        assert (sk.snd_cwnd, sk.icsk_rto_ns) == (1, 3 * SECOND)

    def test_connection_from_a_cookie_has_no_round_trip_time(self):
        lab = SynLab({"net.ipv4.tcp_syncookies": "2"})
        lab.connect(40000)
        sk = lab.task.files[lab.sys("accept", lab.fd)].private_data
        assert (sk.snd_cwnd, sk.icsk_rto_ns, sk.srtt_us) == (10, 3 * SECOND, 0)


class TestAgain:
    """connect() called once more on the same socket."""

    def answer(self, lab, flags, **fields):
        """The peer answers the SYN."""
        _, syn = lab.answers(9000)[-1]
        lab.peer.send(9000, syn.flow[1], flags, ack=1, **fields)
        lab.wait(1 * MS)

    def test_while_it_is_under_way_it_is_already(self):
        lab = SynLab()
        fd = connect(lab)
        assert lab.sys("connect", fd, (PEER, 9000)) == -errno.EALREADY

    def test_when_it_has_succeeded_it_says_so_once(self):
        lab = SynLab()
        fd = connect(lab)
        self.answer(lab, "S.", mss=1460)
        assert lab.sys("connect", fd, (PEER, 9000)) == 0
        assert lab.sys("connect", fd, (PEER, 9000)) == -errno.EISCONN

    def test_when_it_was_refused_it_says_so_and_can_try_again(self):
        lab = SynLab()
        fd = connect(lab)
        self.answer(lab, "R.")
        assert lab.sys("connect", fd, (PEER, 9000)) == -errno.ECONNREFUSED
        assert lab.sys("connect", fd, (PEER, 9000)) == -errno.EINPROGRESS
        lab.wait(1 * MS)
        assert lab.letters(9000) == ["S", "S"]

    def test_when_the_error_was_fetched_before_it_is_aborted(self):
        lab = SynLab()
        fd = connect(lab)
        self.answer(lab, "R.")
        lab.sys("getsockopt", fd, "SO_ERROR")
        assert lab.sys("connect", fd, (PEER, 9000)) == -errno.ECONNABORTED

    def test_listeners_and_accepted_sockets_are_connected(self):
        lab = SynLab()
        lab.connect(40000)
        for fd in (lab.fd, lab.sys("accept", lab.fd)):
            assert lab.sys("connect", fd, (PEER, 9000)) == -errno.EISCONN


class TestUnreachable:
    """ICMP errors about our segments."""

    @pytest.mark.parametrize(
        ("code", "error"),
        [(0, errno.ENETUNREACH), (1, errno.EHOSTUNREACH), (3, errno.ECONNREFUSED), (13, errno.EHOSTUNREACH)],
    )
    def test_it_ends_an_attempt_to_connect(self, code, error):
        lab = SynLab()
        lab.mark()
        fd = connect(lab)
        ((_, syn),) = lab.answers(9000)
        lab.peer.unreachable(syn, code)
        lab.wait(1 * MS)
        assert abs(lab.sys("getsockopt", fd, "SO_ERROR")) == error
        assert lab.counted(("TcpAttemptFails", "IcmpInDestUnreachs")) == {
            "TcpAttemptFails": 1,
            "IcmpInDestUnreachs": 1,
        }

    def test_an_old_sequence_number_is_ignored_and_counted(self):
        lab = SynLab()
        lab.mark()
        connect(lab)
        ((_, syn),) = lab.answers(9000)
        syn.seq -= 1
        lab.peer.unreachable(syn, 1)
        lab.wait(1 * MS)
        assert lab.states() == {"SYN_SENT": 1}
        assert lab.counted(("OutOfWindowIcmps",)) == {"OutOfWindowIcmps": 1}

    def test_a_connection_remembers_it_until_it_dies(self):
        lab = SynLab({"net.ipv4.tcp_retries2": "2"})
        lab.connect(40000)
        fd = lab.sys("accept", lab.fd)
        lab.sys("send", fd, 100)
        lab.wait(1 * MS)
        _, data = lab.answers(40000)[-1]
        lab.peer.unreachable(data, 1)
        lab.wait(1 * MS)
        assert lab.states() == {"ESTABLISHED": 1}
        errors = []
        lab.until(
            lambda: errors.append(lab.sys("recv", fd, 100, "MSG_DONTWAIT")) or errors[-1] != -errno.EAGAIN
        )
        assert errors[-1] == -errno.EHOSTUNREACH

    def test_who_asks_for_errors_is_told_once(self):
        """SO_ERROR takes away what is only remembered, too. Measured on Linux 6.18.44."""
        lab = SynLab()
        lab.connect(40000)
        fd = lab.sys("accept", lab.fd)
        lab.sys("send", fd, 100)
        lab.wait(1 * MS)
        lab.peer.unreachable(lab.answers(40000)[-1][1], 1)
        lab.wait(1 * MS)
        assert lab.sys("poll", fd, "POLLIN|POLLOUT", 0) == select.POLLOUT
        assert [lab.sys("getsockopt", fd, "SO_ERROR") for _ in range(2)] == [errno.EHOSTUNREACH, 0]

    def test_with_recverr_a_connection_hears_of_it_at_once(self):
        lab = SynLab()
        lab.sys("setsockopt", lab.fd, "IP_RECVERR", 1)
        lab.connect(40000)
        fd = lab.sys("accept", lab.fd)
        assert lab.sys("getsockopt", fd, "IP_RECVERR") == 1, "children have it from their listener"
        lab.sys("send", fd, 100)
        lab.wait(1 * MS)
        lab.peer.unreachable(lab.answers(40000)[-1][1], 1)
        lab.wait(1 * MS)
        assert lab.sys("poll", fd, "POLLIN|POLLOUT", 0) == select.POLLOUT | select.POLLERR
        assert lab.sys("recv", fd, 100, "MSG_ERRQUEUE") == -errno.EAGAIN
        assert lab.sys("recv", fd, 100) == -errno.EHOSTUNREACH
        assert lab.sys("poll", fd, "POLLIN|POLLOUT", 0) == select.POLLOUT
        assert lab.states() == {"ESTABLISHED": 1}

    def test_of_an_attempt_to_connect_it_stays_in_the_error_queue(self):
        """Nobody asked for it, yet POLLERR holds until it is taken. Measured on Linux 6.18.44."""
        lab = SynLab()
        fd = connect(lab)
        ((_, syn),) = lab.answers(9000)
        lab.peer.unreachable(syn, 1)
        lab.wait(1 * MS)
        hung_up = select.POLLIN | select.POLLOUT | select.POLLHUP | 0x2000
        assert lab.sys("getsockopt", fd, "SO_ERROR") == errno.EHOSTUNREACH
        assert lab.sys("poll", fd, "POLLIN|POLLOUT|POLLRDHUP", 0) == hung_up | select.POLLERR
        assert lab.sys("recv", fd, 100, "MSG_ERRQUEUE") > 0
        assert lab.sys("poll", fd, "POLLIN|POLLOUT|POLLRDHUP", 0) == hung_up

    def test_it_takes_one_doubling_of_the_rto_back(self):
        lab = SynLab()
        lab.connect(40000)
        fd = lab.sys("accept", lab.fd)
        lab.sys("send", fd, 100)
        lab.wait(2 * SECOND)
        sk = lab.task.files[fd].private_data
        backoff, rto = sk.icsk_backoff, sk.icsk_rto_ns
        lab.peer.unreachable(lab.answers(40000)[-1][1], 1)
        lab.wait(1 * MS)
        assert sk.icsk_backoff == backoff - 1
        assert sk.icsk_rto_ns == rto // 2

    def test_unreachable_host_ends_a_handshake(self):
        lab = SynLab()
        lab.mark()
        lab.syn(40000)
        ((_, synack),) = lab.answers(40000)
        lab.peer.unreachable(synack, 3)
        lab.wait(1 * MS)
        assert lab.states() == {"SYN_RECV": 1}
        lab.peer.unreachable(synack, 1)
        lab.wait(1 * MS)
        assert lab.states() == {}
        assert lab.counted(("ListenDrops",)) == {"ListenDrops": 1}

    def test_error_about_nothing_of_ours_is_an_input_error(self):
        lab = SynLab()
        lab.mark()
        connect(lab)
        ((_, syn),) = lab.answers(9000)
        syn.flow = (*syn.flow[:3], 9001)
        lab.peer.unreachable(syn, 1)
        lab.wait(1 * MS)
        assert lab.counted(("IcmpInErrors",)) == {"IcmpInErrors": 1}


class TestFirstNumbers:
    """What tcp_info tells before any data, as Linux 6.18.44 told it."""

    def test_while_connecting_the_peer_is_taken_for_the_smallest(self):
        lab = SynLab()
        fd = connect(lab)
        lab.wait(1 * MS)
        tp = lab.task.files[fd].private_data
        assert (tp.rcv_mss, tp.delivered) == (88, 0)
        _, syn = lab.answers(9000)[0]
        lab.peer.send(9000, syn.flow[1], "S.", ack=1, mss=1460)
        lab.wait(1 * MS)
        assert (tp.rcv_mss, tp.delivered) == (536, 1)

    def test_a_passive_open_has_delivered_its_syn_ack(self):
        lab = RawLab()
        listener = lab.listen()
        peer = RawConnection(lab)
        tp = lab.task.files[peer.accept(listener)].private_data
        assert (tp.rcv_mss, tp.delivered) == (536, 1)
        assert lab.counters().get("TCPDelivered", 0) == 0

    def test_a_crossed_open_counts_syn_and_syn_ack(self):
        lab = SynLab()
        fd = connect(lab)
        lab.wait(1 * MS)
        _, syn = lab.answers(9000)[0]
        lab.peer.send(9000, syn.flow[1], "S", mss=1460)
        lab.wait(1 * MS)
        lab.peer.send(9000, syn.flow[1], ".", seq=1, ack=1)
        lab.wait(1 * MS)
        assert lab.states() == {"ESTABLISHED": 1}
        assert lab.task.files[fd].private_data.delivered == 2
