"""How connections end: who says FIN first, who says RST, and what is left behind."""

from __future__ import annotations

import errno
from functools import partial

import pytest

from tests.groundtruth.pair import MS, SECOND
from tests.groundtruth.raw_peer import RawConnection, RawLab
from tests.groundtruth.states import moved, states
from wireside.kernel.skbuff import ACK, FIN, RST, SYN
from wireside.tools import ss


class Closing:
    """One accepted connection of the host; the raw peer says what the test says.

    `seq` counts the peer's bytes, `ack` the host's; segments sent to the peer are told as "F. 1:1 ack 1".
    """

    def __init__(self, sysctl=None, **options):
        self.lab = RawLab(sysctl)
        self.lab.wait(1 * MS)
        self.listener = self.lab.listen()
        self.connection = RawConnection(self.lab)
        self.fd = self.connection.accept(self.listener)
        self.set(**options)
        self.lab.arrivals()
        self.before = self.host

    @property
    def host(self):
        return self.lab.world.snapshot().host("host")

    @property
    def states(self):
        return states(self.host)

    @property
    def timer(self):
        return next(row.timer for row in self.host.sockets if row.state != "LISTEN")

    @property
    def resets(self):
        return sum(bool(skb.tcp_flags & RST) for _, skb in self.lab.arrivals())

    def set(self, **options):
        for option, value in options.items():
            assert self.lab.sys("setsockopt", self.fd, option, value) == 0

    def close(self):
        assert self.lab.sys("close", self.fd) == 0
        self.lab.wait(1 * MS)

    def shutdown(self, how="SHUT_WR"):
        result = self.lab.sys("shutdown", self.fd, how)
        self.lab.wait(1 * MS)
        return result

    def say(self, flags, seq=1, ack=1, length=0, **more):
        self.lab.peer.send(
            self.connection.sport,
            self.connection.port,
            flags,
            seq=seq,
            ack=ack,
            length=length,
            win=65535,
            **more,
        )
        self.lab.wait(1 * MS)

    def heard(self):
        """What the peer has received: flags with sequence and acknowledgement numbers."""
        names = ((SYN, "S"), (FIN, "F"), (RST, "R"), (ACK, "."))
        told = []
        for _, skb in self.lab.arrivals():
            seq, ack = self.lab.peer.relative(skb)
            flags = "".join(letter for bit, letter in names if skb.tcp_flags & bit)
            told.append(f"{flags} {seq}" + (f" ack {ack}" if skb.tcp_flags & ACK else ""))
        return told

    def counted(self, *names):
        return moved(self.host, self.before, names)

    def recv(self):
        return self.lab.sys("recv", self.fd, 100, "MSG_DONTWAIT")

    def until_gone(self, limit=200 * SECOND):
        began = self.lab.world.now
        while self.states and self.lab.world.now - began < limit:
            self.lab.wait(50 * MS)
        return (self.lab.world.now - began) / SECOND


class TestOrders:
    """All the ways through the states."""

    def test_we_close_first(self):
        end = Closing()
        end.close()
        assert end.states == {"FIN_WAIT1": 1}
        end.say(".", 1, 2)
        assert end.states == {"FIN_WAIT2": 1}
        end.say("F.", 1, 2)
        assert end.states == {"TIME_WAIT": 1}
        assert end.heard() == ["F. 1 ack 1", ". 2 ack 2"]

    def test_fin_with_the_ack_of_ours_leads_straight_to_time_wait(self):
        end = Closing()
        end.close()
        end.say("F.", 1, 2)
        assert end.states == {"TIME_WAIT": 1}

    def test_simultaneous_close(self):
        end = Closing()
        end.close()
        end.say("F.", 1, 1)
        assert end.states == {"CLOSING": 1}
        (row,) = [row for row in end.host.sockets if row.state == "CLOSING"]
        assert (row.recv_q, row.send_q) == (1, 1)
        end.say(".", 2, 2)
        assert end.states == {"TIME_WAIT": 1}

    def test_the_peer_closes_first(self):
        end = Closing()
        end.say("F.", 1, 1)
        assert end.states == {"CLOSE_WAIT": 1}
        assert end.recv() == 0
        end.close()
        assert end.states == {"LAST_ACK": 1}
        end.say(".", 2, 2)
        assert end.states == {}
        assert end.counted("TW") == {}

    def test_fin_behind_data_waits_for_the_window(self):
        end = Closing()
        end.say(".", 1, 1)
        end.lab.peer.send(end.connection.sport, end.connection.port, ".", seq=1, ack=1, win=0)
        end.lab.wait(1 * MS)
        end.lab.sys("send", end.fd, 100)
        end.close()
        assert end.states == {"FIN_WAIT1": 1}
        assert end.heard() == []
        assert end.timer.startswith("persist")

    def test_close_while_connecting_leaves_nothing(self):
        lab = RawLab()
        fd = lab.sys("socket", "SOCK_STREAM|SOCK_NONBLOCK")
        lab.sys("connect", fd, (lab.peer.net.address, 9000))
        lab.wait(1 * MS)
        lab.sys("close", fd)
        assert states(lab.world.snapshot().host("host")) == {}
        assert lab.net.bind_ports == {}

    def test_simultaneous_open(self):
        lab = RawLab()
        fd = lab.sys("socket", "SOCK_STREAM|SOCK_NONBLOCK")
        lab.sys("connect", fd, (lab.peer.net.address, 9000))
        lab.wait(1 * MS)
        ((_, syn),) = lab.arrivals()
        lab.peer.send(9000, syn.flow[1], "S", win=65535, mss=1460)
        lab.wait(1 * MS)
        assert states(lab.world.snapshot().host("host")) == {"SYN_RECV": 1}
        lab.peer.send(9000, syn.flow[1], ".", seq=1, ack=1, win=65535)
        lab.wait(1 * MS)
        assert states(lab.world.snapshot().host("host")) == {"ESTABLISHED": 1}


class TestReset:
    """RST instead of farewell, and what the program learns."""

    def test_unread_data(self):
        end = Closing()
        end.say("P.", 1, 1, 10)
        end.lab.arrivals()
        end.close()
        assert end.resets == 1
        assert end.states == {}
        assert end.counted("TCPAbortOnClose", "TcpEstabResets", "TcpOutRsts") == {
            "TCPAbortOnClose": 1,
            "TcpEstabResets": 1,
            "TcpOutRsts": 1,
        }

    def test_an_unread_fin_is_not_unread_data(self):
        end = Closing()
        end.say("F.", 1, 1)
        end.close()
        assert end.states == {"LAST_ACK": 1}

    def test_linger_0(self):
        end = Closing(SO_LINGER=0)
        end.close()
        assert end.resets == 1
        assert end.counted("TCPAbortOnData", "TcpEstabResets") == {"TCPAbortOnData": 1, "TcpEstabResets": 1}

    def test_reset_is_told_once(self):
        end = Closing()
        end.say("R.", 1, 1)
        assert end.recv() == -errno.ECONNRESET
        assert end.recv() == 0
        assert end.lab.sys("send", end.fd, 1) == -errno.EPIPE
        assert end.counted("TcpEstabResets") == {"TcpEstabResets": 1}

    def test_ss_does_not_show_what_is_in_no_table(self):
        end = Closing()
        end.say("R.", 1, 1)
        assert "UNCONN" not in ss.render(end.host, "-tan")

    def test_reset_after_fin_is_epipe_for_the_writer_and_the_end_for_the_reader(self):
        end = Closing()
        end.say("F.", 1, 1)
        end.say("R.", 2, 1)
        assert end.recv() == 0
        assert end.lab.sys("send", end.fd, 1) == -errno.EPIPE

    def test_data_to_an_orphan_in_fin_wait_1(self):
        end = Closing()
        end.close()
        end.say("P.", 1, 1, 10)
        assert end.resets == 1
        assert end.states == {}
        assert end.counted("TCPAbortOnData", "TcpOutRsts") == {"TCPAbortOnData": 1, "TcpOutRsts": 1}

    def test_data_to_a_fin_wait_2_minisock(self):
        end = Closing()
        end.close()
        end.say(".", 1, 2)
        end.say("P.", 1, 2, 10)
        assert end.resets == 1
        assert end.states == {}
        assert end.counted("TCPAbortOnData", "TcpOutRsts", "TW") == {"TcpOutRsts": 1, "TW": 1}

    def test_too_many_orphans(self):
        end = Closing({"net.ipv4.tcp_max_orphans": "0"})
        first = end.fd
        others = [RawConnection(end.lab, sport=40001 + n) for n in range(2)]
        fds = [other.accept(end.listener) for other in others]
        end.lab.sys("close", first)
        assert end.states == {"FIN_WAIT1": 1, "ESTABLISHED": 2}
        end.lab.wait(150 * MS)
        end.lab.arrivals()
        end.lab.sys("close", fds[0])
        end.lab.wait(1 * MS)
        assert end.counted("TCPAbortOnMemory") == {"TCPAbortOnMemory": 1}
        assert end.resets == 1


class TestFinWait2:
    """Waiting for the peer's FIN."""

    @pytest.mark.parametrize(
        ("fin_timeout", "lasts"), [(5, 5), (30, 30), (60, 60), (61, 2), (75, 30), (90, 60), (120, 120)]
    )
    def test_above_a_minute_the_rest_counts_twice(self, fin_timeout, lasts):
        end = Closing({"net.ipv4.tcp_fin_timeout": str(fin_timeout)})
        end.close()
        end.say(".", 1, 2)
        assert lasts <= end.until_gone() <= lasts * 1.06 + 0.3
        assert end.resets == 0

    def test_lowering_tcp_fin_timeout_leaves_those_who_wait_alone(self):
        end = Closing({"net.ipv4.tcp_fin_timeout": "30"})
        end.close()
        end.say(".", 1, 2)
        end.lab.world.command("host", "net.ipv4.tcp_fin_timeout", "5")
        assert end.until_gone() >= 30

    def test_half_closed_by_shutdown_stays(self):
        end = Closing({"net.ipv4.tcp_fin_timeout": "5"})
        assert end.shutdown() == 0
        end.say(".", 1, 2)
        assert end.timer == ""
        end.lab.wait(300 * SECOND)
        assert end.states == {"FIN_WAIT2": 1}
        end.say("P.", 1, 2, 7)
        assert end.recv() == 7

    def test_close_after_the_ack_makes_a_minisock_at_once(self):
        end = Closing()
        end.shutdown()
        end.say(".", 1, 2)
        end.close()
        assert end.states == {"FIN_WAIT2": 1}
        assert end.timer.startswith("timewait,")

    def test_linger2_below_zero_at_close(self):
        end = Closing(TCP_LINGER2=-1)
        end.shutdown()
        end.say(".", 1, 2)
        end.lab.arrivals()
        end.close()
        assert end.resets == 1
        assert end.counted("TCPAbortOnLinger", "TCPAbortOnData") == {"TCPAbortOnLinger": 1}

    def test_linger2_below_zero_when_the_ack_comes_later(self):
        end = Closing(TCP_LINGER2=-1)
        end.close()
        end.lab.arrivals()
        end.say(".", 1, 2)
        assert end.resets == 1
        assert end.counted("TCPAbortOnLinger", "TCPAbortOnData") == {"TCPAbortOnData": 1}


class TestTimeWait:
    """Segments that meet a TIME-WAIT entry; it has seen the peer's FIN at 1, so it expects 2."""

    def time_wait(self, sysctl=None):
        end = Closing(sysctl)
        end.close()
        end.say("F.", 1, 2)
        end.heard()
        return end

    @pytest.mark.parametrize("segment", [("P.", 2, 2, 10), ("F.", 1, 2, 0), (".", 1, 2, 0)])
    def test_old_and_odd_segments_are_acknowledged(self, segment):
        end = self.time_wait()
        end.say(*segment)
        assert end.heard() == [". 2 ack 2"]
        assert end.states == {"TIME_WAIT": 1}

    def test_a_repeated_fin_starts_the_minute_anew(self):
        end = self.time_wait()
        end.lab.wait(40 * SECOND)
        end.say("F.", 1, 2)
        assert end.until_gone() >= 60

    def test_an_expected_ack_is_not_answered(self):
        end = self.time_wait()
        end.say(".", 2, 2)
        assert end.heard() == []

    def test_answers_are_rationed(self):
        end = self.time_wait()
        for _ in range(3):
            end.say("F.", 1, 2)
        assert end.heard() == [". 2 ack 2"]
        assert end.counted("TCPACKSkippedTimeWait") == {"TCPACKSkippedTimeWait": 2}

    def test_assassination(self):
        end = self.time_wait()
        end.say("R", 2, None)
        assert end.states == {}

    def test_no_assassination_with_tcp_rfc1337(self):
        end = self.time_wait({"net.ipv4.tcp_rfc1337": "1"})
        end.say("R", 2, None)
        assert end.states == {"TIME_WAIT": 1}

    def test_a_newer_syn_takes_over(self):
        end = self.time_wait()
        end.say("S", 5000, None, mss=1460)
        assert end.states == {"SYN_RECV": 1}

    def test_an_older_syn_is_acknowledged(self):
        end = self.time_wait()
        end.say("S", 0, None, mss=1460)
        assert end.heard() == [". 2 ack 2"]
        assert end.states == {"TIME_WAIT": 1}

    def with_timestamps(self):
        """A TIME-WAIT entry whose peer's last timestamp was 1001."""
        lab = RawLab()
        lab.wait(1 * MS)
        listener = lab.listen()
        say = partial(lab.peer.send, 40000, 8080, win=65535)
        say("S", mss=1460, ts=(1000, 0))
        lab.wait(1 * MS)
        say(".", seq=1, ack=1, ts=(1000, 0))
        lab.wait(1 * MS)
        lab.sys("close", lab.sys("accept", listener))
        lab.wait(1 * MS)
        say("F.", seq=1, ack=2, ts=(1001, 0))
        lab.wait(1 * MS)
        lab.arrivals()
        assert states(lab.world.snapshot().host("host")) == {"TIME_WAIT": 1}
        return lab, say

    @pytest.mark.parametrize(
        ("tsval", "state"), [(1002, "SYN_RECV"), (1000, "TIME_WAIT"), (1001, "TIME_WAIT")]
    )
    def test_of_a_syn_with_an_old_number_the_timestamp_decides(self, tsval, state):
        lab, say = self.with_timestamps()
        before = lab.world.snapshot().host("host")
        say("S", seq=0, mss=1460, ts=(tsval, 0))
        lab.wait(1 * MS)
        host = lab.world.snapshot().host("host")
        assert states(host) == {state: 1}
        assert moved(host, before, ("PAWSTimewait",)) == ({"PAWSTimewait": 1} if tsval < 1001 else {})

    def test_a_reset_with_an_old_timestamp_is_ignored(self):
        lab, say = self.with_timestamps()
        say("R", seq=2, ts=(900, 0))
        lab.wait(1 * MS)
        assert states(lab.world.snapshot().host("host")) == {"TIME_WAIT": 1}

    def test_no_room(self):
        end = Closing({"net.ipv4.tcp_max_tw_buckets": "0"})
        end.close()
        end.say("F.", 1, 2)
        assert end.states == {}
        assert end.counted("TCPTimeWaitOverflow", "TW") == {"TCPTimeWaitOverflow": 1}

    def test_ss_counts_down(self):
        end = self.time_wait()
        end.lab.wait(100 * MS)
        assert end.timer == "timewait,59sec,0"


class TestShutdown:
    """shutdown() with all it may meet."""

    def test_reading_end_only(self):
        end = Closing()
        assert end.shutdown("SHUT_RD") == 0
        assert end.recv() == 0
        assert end.states == {"ESTABLISHED": 1}
        assert end.heard() == []

    def test_twice(self):
        end = Closing()
        assert end.shutdown() == 0
        assert end.shutdown() == 0
        assert end.heard() == ["F. 1 ack 1"]
        assert end.lab.sys("send", end.fd, 1) == -errno.EPIPE

    def test_of_a_socket_without_connection(self):
        lab = RawLab()
        fd = lab.sys("socket", "SOCK_STREAM")
        assert lab.sys("shutdown", fd, "SHUT_WR") == -errno.ENOTCONN

    def test_of_a_listener_ends_it(self):
        lab = RawLab()
        listener = lab.listen()
        RawConnection(lab)
        assert lab.sys("shutdown", listener, "SHUT_RD") == 0
        lab.wait(1 * MS)
        assert states(lab.world.snapshot().host("host")) == {}
        assert lab.sys("accept", listener) == -errno.EINVAL
