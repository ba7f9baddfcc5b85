"""TCP's timers: how long a silent peer is borne with, in every state."""

from __future__ import annotations

import errno

import pytest

from tests.groundtruth.pair import MS, SECOND
from tests.groundtruth.silent_peer import SilentPeer
from tests.kernel.test_tcp_close import Closing

DOUBLING = (0.0, 0.2, 0.6, 1.5, 3.1, 6.5, 13.2, 26.5, 53.5)
"""When a FIN goes out again, s; nominal times with what the timer wheel adds on average."""


def near(times, wanted):
    return len(times) == len(wanted) and all(
        abs(one - other) <= 0.1 + 0.05 * other for one, other in zip(times, wanted, strict=True)
    )


class TestKeepalive:
    """SO_KEEPALIVE and its three numbers."""

    def peer(self, sysctl=None, **options):
        peer = SilentPeer(sysctl)
        for option, value in {**options, "SO_KEEPALIVE": 1}.items():
            assert peer.lab.sys("setsockopt", peer.fd, option, value) == 0
        peer.mark()
        return peer

    def test_defaults_are_the_sysctls(self):
        peer = SilentPeer({"net.ipv4.tcp_keepalive_intvl": "7"})
        ask = [peer.lab.sys("getsockopt", peer.fd, f"TCP_KEEP{what}") for what in ("IDLE", "INTVL", "CNT")]
        assert ask == [7200, 7, 9]

    @pytest.mark.parametrize(
        ("option", "value"),
        [("TCP_KEEPIDLE", 0), ("TCP_KEEPIDLE", 32768), ("TCP_KEEPINTVL", 0), ("TCP_KEEPCNT", 128)],
    )
    def test_out_of_range(self, option, value):
        peer = SilentPeer()
        assert peer.lab.sys("setsockopt", peer.fd, option, value) == -errno.EINVAL

    def test_without_the_option_nothing_is_sent(self):
        peer = SilentPeer({"net.ipv4.tcp_keepalive_time": "1"})
        peer.lab.wait(20 * SECOND)
        assert peer.lab.arrivals() == []

    def test_received_data_restart_the_idle_time(self):
        peer = self.peer(TCP_KEEPIDLE=4)
        peer.lab.wait(3 * SECOND)
        peer.lab.peer.send(9000, peer.sport, "P.", seq=1, ack=1, length=10, win=65535)
        peer.lab.wait(2 * SECOND)
        peer.lab.arrivals()
        peer.lab.wait(3 * SECOND)
        ((when, _),) = peer.lab.arrivals()
        assert 7 <= peer.seconds(when) <= 7.3

    def test_lowering_the_sysctl_does_not_hasten_a_running_timer(self):
        peer = self.peer({"net.ipv4.tcp_keepalive_time": "8"})
        peer.lab.world.command("host", "net.ipv4.tcp_keepalive_time", "2")
        peer.lab.wait(7 * SECOND)
        assert peer.lab.arrivals() == []

    def test_tcp_keepidle_restarts_a_running_timer(self):
        peer = self.peer(TCP_KEEPIDLE=100)
        peer.lab.sys("setsockopt", peer.fd, "TCP_KEEPIDLE", 2)
        peer.lab.wait(3 * SECOND)
        assert len(peer.lab.arrivals()) == 1

    def test_switched_off_again(self):
        peer = self.peer(TCP_KEEPIDLE=2)
        peer.lab.sys("setsockopt", peer.fd, "SO_KEEPALIVE", 0)
        assert peer.row.timer == ""
        peer.lab.wait(5 * SECOND)
        assert peer.lab.arrivals() == []

    @pytest.mark.parametrize(("user_timeout", "probes", "dies"), [(6000, 1, 6.1), (30000, 13, 30.3)])
    def test_tcp_user_timeout_overrides_tcp_keepcnt(self, user_timeout, probes, dies):
        peer = self.peer(TCP_KEEPIDLE=4, TCP_KEEPINTVL=2, TCP_KEEPCNT=3, TCP_USER_TIMEOUT=user_timeout)
        gone = peer.until_gone(60 * SECOND)
        assert abs(gone - dies) < 0.4
        assert peer.moved(["TCPKeepAlive", "TcpOutRsts"]) == {"TCPKeepAlive": probes, "TcpOutRsts": 1}
        assert peer.error() == "ETIMEDOUT"

    def test_an_accepted_socket_has_it_from_the_listener(self):
        end = Closing()
        for option, value in (("SO_KEEPALIVE", 1), ("TCP_KEEPIDLE", 50)):
            end.lab.sys("setsockopt", end.listener, option, value)
        end.lab.peer.send(40001, 8080, "S", win=65535, mss=1460)
        end.lab.wait(1 * MS)
        end.lab.peer.send(40001, 8080, ".", seq=1, ack=1, win=65535)
        end.lab.wait(1 * MS)
        rows = [row.timer for row in end.host.sockets if row.peer.endswith("40001")]
        assert [row[:12] for row in rows] in (["keepalive,50"], ["keepalive,49"])


class TestSilentPeer:
    """Nobody acknowledges our FIN."""

    def test_fin_wait_1(self):
        end = Closing()
        began = end.lab.world.now
        end.close()
        gone = end.until_gone()
        times = [(when - began) / SECOND for when, _ in end.lab.arrivals()]
        assert near(times, DOUBLING)
        assert 102 <= gone <= 110
        assert end.counted("TCPAbortOnTimeout", "TcpOutRsts") == {"TCPAbortOnTimeout": 1}

    def test_last_ack(self):
        end = Closing()
        end.say("F.", 1, 1)
        end.close()
        assert 102 <= end.until_gone() <= 110

    def test_tcp_orphan_retries(self):
        end = Closing({"net.ipv4.tcp_orphan_retries": "3"})
        end.close()
        assert 3 <= end.until_gone() <= 7

    def test_an_orphan_with_a_closed_window(self):
        end = Closing()
        end.lab.peer.send(end.connection.sport, end.connection.port, ".", seq=1, ack=1, win=0)
        end.lab.wait(1 * MS)
        end.lab.sys("send", end.fd, 100)
        end.close()
        assert 100 <= end.until_gone(400 * SECOND) <= 220
        assert end.counted("TCPAbortOnTimeout", "TCPWinProbe") == {"TCPAbortOnTimeout": 1, "TCPWinProbe": 8}

    def test_close_wait_has_no_timer(self):
        end = Closing()
        end.say("F.", 1, 1)
        end.lab.wait(1000 * SECOND)
        assert end.states == {"CLOSE_WAIT": 1}
        assert end.timer == ""


class TestUserTimeout:
    """TCP_USER_TIMEOUT, in ms."""

    def test_negative(self):
        peer = SilentPeer()
        assert peer.lab.sys("setsockopt", peer.fd, "TCP_USER_TIMEOUT", -1) == -errno.EINVAL

    def test_answered_window_probes_do_not_save_the_connection(self):
        peer = SilentPeer()
        peer.lab.sys("setsockopt", peer.fd, "TCP_USER_TIMEOUT", 5000)
        say = {"seq": 1, "ack": 1, "win": 0}
        peer.lab.peer.send(9000, peer.sport, ".", **say)
        peer.lab.wait(1 * MS)
        peer.lab.sys("send", peer.fd, 100)
        peer.mark()
        peer.on_segment(lambda raw, _now, _skb: raw.send(9000, peer.sport, ".", **say))
        assert 5 <= peer.until_gone(20 * SECOND) <= 5.6
        assert peer.error() == "ETIMEDOUT"

    def test_without_it_answered_probes_go_on_for_ever(self):
        peer = SilentPeer({"net.ipv4.tcp_retries2": "3"})
        say = {"seq": 1, "ack": 1, "win": 0}
        peer.lab.peer.send(9000, peer.sport, ".", **say)
        peer.lab.wait(1 * MS)
        peer.lab.sys("send", peer.fd, 100)
        peer.on_segment(lambda raw, _now, _skb: raw.send(9000, peer.sport, ".", **say))
        assert peer.until_gone(300 * SECOND) is None


class TestReads:
    """Which settings are read when."""

    def test_tcp_retries2_is_read_at_each_timeout(self):
        peer = SilentPeer()
        peer.lab.sys("send", peer.fd, 100)
        peer.mark()
        peer.lab.wait(5 * SECOND)
        peer.lab.world.command("host", "net.ipv4.tcp_retries2", "3")
        assert peer.until_gone(100 * SECOND) < 8
