"""How connections end: who says FIN first, who says RST, and what is left behind."""

from __future__ import annotations

import errno

import pytest

from tests.groundtruth.pair import MS, SECOND
from tests.groundtruth.raw_peer import RawConnection, RawLab
from tests.groundtruth.states import states
from tests.kernel.closing import Closing
from wireside.tools import ss


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
