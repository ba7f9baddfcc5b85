"""SYN cookies: nothing is remembered, and what that costs."""

from __future__ import annotations

import pytest

from tests.groundtruth.handshakes import MS, PORT, SECOND, SynLab
from wireside.kernel.tcp.door.tcp_syncookies import MSSTAB, check_tcp_syn_cookie, secure_tcp_syn_cookie

COOKIES = "net.ipv4.tcp_syncookies"
A, B, C = 40000, 40001, 40002


def children(lab):
    """The connections that wait in the accept queue."""
    return list(lab.task.files[lab.fd].private_data.icsk_accept_queue.accept)


class TestCookies:
    """Nothing is remembered; everything must come back with the ACK."""

    @pytest.mark.parametrize(
        ("offered", "used"), [(400, 536), (536, 536), (1299, 536), (1300, 1300), (1440, 1440), (8960, 1460)]
    )
    def test_mss_is_rounded_down_to_one_of_four(self, offered, used):
        lab = SynLab({COOKIES: "2"})
        lab.peer.send(A, PORT, "S", mss=offered)
        lab.wait(1 * MS)
        lab.ack(A)
        (child,) = children(lab)
        assert used in MSSTAB
        assert child.mss_clamp == used

    def test_timestamp_brings_window_scale_and_sack_back(self):
        lab = SynLab({COOKIES: "2"})
        lab.wait(10 * SECOND)
        lab.syn(A, wscale=9, sack_ok=True, ts=(77, 0))
        ((_, synack),) = lab.answers(A)
        assert synack.opt.wscale is not None
        assert synack.opt.sack_ok
        lab.peer.send(A, PORT, ".", seq=1, ack=1, ts=(78, synack.tsval))
        lab.wait(1 * MS)
        (child,) = children(lab)
        assert (child.snd_wscale, child.sack_ok, child.tstamp_ok) == (9, True, True)
        assert child.rcv_wscale == synack.opt.wscale

    def test_timestamp_brings_the_round_trip(self):
        # Measured on 6.18.44: rto 204 to 264 ms, as the cookie's six bits make its timestamp up to 63 ms old.
        lab = SynLab({COOKIES: "2"})
        lab.wait(10 * SECOND)
        lab.syn(A, wscale=9, sack_ok=True, ts=(77, 0))
        ((_, synack),) = lab.answers(A)
        lab.peer.send(A, PORT, ".", seq=1, ack=1, ts=(78, synack.tsval))
        lab.wait(1 * MS)
        (child,) = children(lab)
        assert 204 * MS <= child.icsk_rto_ns <= 268 * MS

    def test_without_timestamps_there_is_no_round_trip(self):
        lab = SynLab({COOKIES: "2"})
        lab.connect(A)
        (child,) = children(lab)
        assert child.icsk_rto_ns == 3 * SECOND

    def test_timestamps_turned_off_lose_the_options(self):
        lab = SynLab({COOKIES: "2"})
        lab.wait(10 * SECOND)
        lab.syn(A, wscale=9, sack_ok=True, ts=(77, 0))
        ((_, synack),) = lab.answers(A)
        lab.set("net.ipv4.tcp_timestamps", 0)
        lab.peer.send(A, PORT, ".", seq=1, ack=1, ts=(78, synack.tsval))
        lab.wait(1 * MS)
        (child,) = children(lab)
        assert (child.wscale_ok, child.sack_ok, child.tstamp_ok) == (False, False, False)

    def test_timestamp_without_options_brings_none(self):
        lab = SynLab({COOKIES: "2"})
        lab.wait(10 * SECOND)
        lab.syn(A, ts=(77, 0))
        ((_, synack),) = lab.answers(A)
        lab.peer.send(A, PORT, ".", seq=1, ack=1, ts=(78, synack.tsval))
        lab.wait(1 * MS)
        (child,) = children(lab)
        assert (child.wscale_ok, child.sack_ok, child.tstamp_ok) == (False, False, True)

    def test_cookie_into_a_full_accept_queue_leaves_nothing_not_even_a_reset(self):
        lab = SynLab({COOKIES: "2", "net.ipv4.tcp_abort_on_overflow": "1"}, backlog=0)
        lab.syn(A, B)
        lab.mark()
        lab.ack(A, B)
        assert lab.states() == {"ESTABLISHED": 1}
        assert lab.letters(B) == ["S."]
        assert lab.counted(("ListenOverflows", "ListenDrops", "SyncookiesRecv", "TcpOutRsts")) == {
            "ListenOverflows": 1,
            "ListenDrops": 1,
            "SyncookiesRecv": 2,
            "TcpOutRsts": 0,
        }
        lab.sys("accept", lab.fd)
        lab.ack(B, length=7)
        assert lab.states() == {"ESTABLISHED": 2}

    def test_third_syn_at_once_on_backlog_one_gets_a_cookie(self):
        lab = SynLab(backlog=1)
        lab.mark()
        lab.syn(A, B, C)
        assert lab.states() == {"SYN_RECV": 2}
        assert [lab.letters(sport) for sport in (A, B, C)] == [["S."]] * 3
        assert lab.counted(("SyncookiesSent", "TCPReqQFullDoCookies")) == {
            "SyncookiesSent": 1,
            "TCPReqQFullDoCookies": 1,
        }

    def test_invented_ack_is_reset_and_counted_while_cookies_are_about(self):
        lab = SynLab({COOKIES: "2"})
        lab.syn(A)
        lab.mark()
        lab.peer.send(B, PORT, ".", seq=1, ack=4711)
        lab.wait(1 * MS)
        assert lab.letters(B) == ["R"]
        assert lab.counted(("SyncookiesFailed", "SyncookiesRecv")) == {
            "SyncookiesFailed": 1,
            "SyncookiesRecv": 0,
        }

    def test_nobody_looks_for_cookies_when_none_were_sent(self):
        lab = SynLab()
        lab.mark()
        lab.peer.send(B, PORT, ".", seq=1, ack=4711)
        lab.wait(1 * MS)
        assert lab.letters(B) == ["R"]
        assert lab.counted(("SyncookiesFailed",)) == {"SyncookiesFailed": 0}

    def test_cookie_is_good_for_two_minutes_begun(self):
        lab = SynLab({COOKIES: "2"})
        lab.wait(50 * SECOND)
        lab.syn(A, B)
        lab.wait(65 * SECOND)
        lab.ack(A)
        assert lab.states() == {"ESTABLISHED": 1}
        lab.wait(10 * SECOND)
        lab.ack(B)
        assert lab.letters(B) == ["S.", "R"]

    def test_cookie_of_another_flow_or_sequence_is_none(self):
        net = SynLab().net
        flow, other = (1, 2, 3, 4), (1, 5, 3, 4)
        cookie = secure_tcp_syn_cookie(net, flow, 1000, 0, 2)
        assert check_tcp_syn_cookie(net, flow, 1000, 0, cookie) == 2
        assert not 0 <= check_tcp_syn_cookie(net, other, 1000, 0, cookie) < len(MSSTAB)
        assert not 0 <= check_tcp_syn_cookie(net, flow, 999_000, 0, cookie) < len(MSSTAB)
