"""What a program learns of a reset, by the order in which it asks.

Measured on Linux 6.18.44: the peer resets a connection; the calls do not wait. The error is told once, by whichever call
asks for it first; data that was there before stays readable; in CLOSE_WAIT the error is EPIPE.
"""

from __future__ import annotations

import errno

import pytest

from tests.groundtruth.pair import MS
from tests.groundtruth.silent_peer import PORT, SilentPeer

POLLED = "POLLIN|POLLOUT|POLLRDHUP"
EVENTS = (("IN", 0x1), ("OUT", 0x4), ("ERR", 0x8), ("HUP", 0x10), ("RDHUP", 0x2000))

# fmt: off
CASES = [
    ("ESTAB", "recv=ECONNRESET send=EPIPE recv=b''"),
    ("ESTAB", "send=ECONNRESET send=EPIPE recv=b''"),
    ("ESTAB", "err=ECONNRESET recv=b'' send=EPIPE"),
    ("ESTAB", "poll=IN/OUT/ERR/HUP/RDHUP recv=ECONNRESET poll=IN/OUT/HUP/RDHUP send=EPIPE"),
    ("ESTAB", "send=ECONNRESET recv=b'' err=0"),
    ("ESTAB", "shut=ENOTCONN recv=ECONNRESET send=EPIPE"),
    ("ESTAB+data", "recv=b'abc' send=ECONNRESET recv=b''"),
    ("ESTAB+data", "send=ECONNRESET send=EPIPE recv=b'abc'"),
    ("ESTAB+data", "err=ECONNRESET recv=b'abc' send=EPIPE"),
    ("ESTAB+data", "poll=IN/OUT/ERR/HUP/RDHUP recv=b'abc' poll=IN/OUT/ERR/HUP/RDHUP send=ECONNRESET"),
    ("ESTAB+data", "send=ECONNRESET recv=b'abc' err=0"),
    ("ESTAB+data", "shut=ENOTCONN recv=b'abc' send=ECONNRESET"),
    ("CLOSE_WAIT", "recv=b'' send=EPIPE recv=b''"),
    ("CLOSE_WAIT", "send=EPIPE send=EPIPE recv=b''"),
    ("CLOSE_WAIT", "err=EPIPE recv=b'' send=EPIPE"),
    ("CLOSE_WAIT", "poll=IN/OUT/ERR/HUP/RDHUP recv=b'' poll=IN/OUT/ERR/HUP/RDHUP send=EPIPE"),
    ("CLOSE_WAIT", "send=EPIPE recv=b'' err=0"),
    ("CLOSE_WAIT", "shut=ENOTCONN recv=b'' send=EPIPE"),
    ("FIN_WAIT2", "recv=ECONNRESET send=EPIPE recv=b''"),
    ("FIN_WAIT2", "send=ECONNRESET send=EPIPE recv=b''"),
    ("FIN_WAIT2", "err=ECONNRESET recv=b'' send=EPIPE"),
    ("FIN_WAIT2", "poll=IN/OUT/ERR/HUP/RDHUP recv=ECONNRESET poll=IN/OUT/HUP/RDHUP send=EPIPE"),
    ("FIN_WAIT2", "send=ECONNRESET recv=b'' err=0"),
    ("FIN_WAIT2", "shut=ENOTCONN recv=ECONNRESET send=EPIPE"),
]
# fmt: on


def prepared(state: str) -> SilentPeer:
    """A connection in this state, which the peer has then reset."""
    peer = SilentPeer()
    lab = peer.lab
    seq = 1
    if state == "ESTAB+data":
        lab.peer.send(PORT, peer.sport, "P.", seq=1, ack=1, win=65535, length=3)
        seq += 3
    elif state == "CLOSE_WAIT":
        peer.say("F.", 1, 1)
        seq += 1
    elif state == "FIN_WAIT2":
        lab.sys("shutdown", peer.fd, "SHUT_WR")
        lab.wait(1 * MS)
        peer.say(".", 1, 2)
    lab.wait(1 * MS)
    peer.mark()
    peer.say("R.", seq, 1)
    lab.wait(1 * MS)
    return peer


def asked(peer: SilentPeer, what: str) -> str:
    """The result of one call."""
    calls = {
        "recv": ("recv", peer.fd, 100),
        "send": ("send", peer.fd, 1),
        "err": ("getsockopt", peer.fd, "SO_ERROR"),
        "poll": ("poll", peer.fd, POLLED, 0),
        "shut": ("shutdown", peer.fd, "SHUT_WR"),
    }
    result = peer.lab.sys(*calls[what])
    if what == "poll":
        return "/".join(name for name, bit in EVENTS if result & bit)
    if what == "recv" and result >= 0:
        return repr(b"abc"[:result])
    if what == "err":
        return errno.errorcode.get(result, "0")
    return str(result) if result >= 0 else errno.errorcode[-result]


@pytest.mark.parametrize(("state", "answers"), CASES)
def test_the_error_is_told_once(state: str, answers: str) -> None:
    """Each call in turn; TcpEstabResets counts only what was ESTABLISHED or CLOSE_WAIT."""
    peer = prepared(state)
    order = [answer.partition("=")[0] for answer in answers.split()]
    assert " ".join(f"{what}={asked(peer, what)}" for what in order) == answers
    assert peer.moved(["TcpEstabResets"]) == ({} if state == "FIN_WAIT2" else {"TcpEstabResets": 1})
