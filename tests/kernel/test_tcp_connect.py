"""connect(): what a client's SYNs meet, and when it gives up."""

from __future__ import annotations

import errno

from tests.groundtruth.handshakes import MS, SECOND, SynLab
from wireside.kernel.net import ip_parse

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
        lab.sys("send", fd, 10)
        lab.wait(1 * MS)
        assert lab.letters(9000) == ["S", "P."]
