"""The states of a TCP socket, how `ss` spells them, and every change between them that can happen."""

from __future__ import annotations

from enum import IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class TcpState(IntEnum):
    """State numbers as /proc/net/tcp shows them.

    Linux: include/net/tcp_states.h
    """

    ESTABLISHED = 1
    SYN_SENT = 2
    SYN_RECV = 3
    FIN_WAIT1 = 4
    FIN_WAIT2 = 5
    TIME_WAIT = 6
    CLOSE = 7
    CLOSE_WAIT = 8
    LAST_ACK = 9
    LISTEN = 10
    CLOSING = 11
    NEW_SYN_RECV = 12


_S = TcpState

SS_NAME: Final[Mapping[TcpState, str]] = MappingProxyType(
    {
        _S.ESTABLISHED: "ESTAB",
        _S.SYN_SENT: "SYN-SENT",
        _S.SYN_RECV: "SYN-RECV",
        _S.FIN_WAIT1: "FIN-WAIT-1",
        _S.FIN_WAIT2: "FIN-WAIT-2",
        _S.TIME_WAIT: "TIME-WAIT",
        _S.CLOSE: "UNCONN",
        _S.CLOSE_WAIT: "CLOSE-WAIT",
        _S.LAST_ACK: "LAST-ACK",
        _S.LISTEN: "LISTEN",
        _S.CLOSING: "CLOSING",
        _S.NEW_SYN_RECV: "SYN-RECV",
    }
)
"""The spelling of `ss`; a request sock (NEW_SYN_RECV) shows as SYN-RECV like a full socket."""

STATE_DOC: Final[Mapping[TcpState, str]] = MappingProxyType(
    {
        _S.ESTABLISHED: "Both sides agree on their sequence numbers; data may flow both ways.",
        _S.SYN_SENT: "connect() has sent a SYN and waits for the answer.",
        _S.SYN_RECV: "A full socket between the final ACK (or a simultaneous SYN) and ESTABLISHED.",
        _S.FIN_WAIT1: "We closed our direction; our FIN is sent or queued, and not acknowledged yet.",
        _S.FIN_WAIT2: "Our FIN is acknowledged; the peer has not closed its direction yet.",
        _S.TIME_WAIT: "The side that closed first remembers the connection for 60 s, in a small entry.",
        _S.CLOSE: "No connection: a new socket, or one whose connection is over.",
        _S.CLOSE_WAIT: "The peer closed its direction; our program has not closed yet. Only the program can end it.",
        _S.LAST_ACK: "The peer closed first, then we did; our FIN waits for its ACK.",
        _S.LISTEN: "Waits for connections; Recv-Q counts those not accepted yet.",
        _S.CLOSING: "Both sides closed at the same time; our FIN is not acknowledged yet.",
        _S.NEW_SYN_RECV: "A request sock: the small record of a handshake that waits for its final ACK.",
    }
)

TRANSITIONS: Final[Mapping[tuple[TcpState, TcpState], str]] = MappingProxyType(
    {
        # Opening
        (_S.CLOSE, _S.LISTEN): "listen(): the program is ready to take connections.",
        (_S.CLOSE, _S.SYN_SENT): "connect(): a SYN is sent.",
        (
            _S.LISTEN,
            _S.NEW_SYN_RECV,
        ): "A SYN came: a request sock is made and a SYN-ACK sent; the listener itself stays LISTEN.",
        (_S.LISTEN, _S.SYN_RECV): "The child of a listener begins as a copy of it when the final ACK comes.",
        (_S.NEW_SYN_RECV, _S.SYN_RECV): "The valid final ACK came: the request sock becomes a full socket.",
        (
            _S.NEW_SYN_RECV,
            _S.CLOSE,
        ): "The handshake was given up: SYN-ACK retries used up, a reset, or the listener closed.",
        (_S.SYN_SENT, _S.ESTABLISHED): "The SYN-ACK came: it is acknowledged and connect() returns.",
        (_S.SYN_SENT, _S.SYN_RECV): "A SYN without ACK came: both sides connect at the same time.",
        (_S.SYN_SENT, _S.CLOSE): "connect() failed: a reset, no answer, an ICMP error, or close().",
        (_S.SYN_RECV, _S.ESTABLISHED): "The final ACK of the handshake is processed.",
        (_S.SYN_RECV, _S.FIN_WAIT1): "close() before the handshake was over: a FIN follows.",
        (_S.SYN_RECV, _S.CLOSE_WAIT): "The peer's FIN came with the end of the handshake.",
        (_S.SYN_RECV, _S.CLOSE): "A reset came, or no answer, before the handshake was over.",
        # Closing, we first
        (
            _S.ESTABLISHED,
            _S.FIN_WAIT1,
        ): "close() or shutdown(SHUT_WR): a FIN is queued behind the data still unsent.",
        (_S.FIN_WAIT1, _S.FIN_WAIT2): "Our FIN was acknowledged.",
        (
            _S.FIN_WAIT1,
            _S.CLOSING,
        ): "The peer's FIN came before the ACK of ours: both closed at the same time.",
        (_S.FIN_WAIT1, _S.TIME_WAIT): "The peer's FIN came together with the ACK of ours.",
        (_S.FIN_WAIT2, _S.TIME_WAIT): "The peer's FIN came; it is acknowledged and the 60 s begin.",
        (_S.CLOSING, _S.TIME_WAIT): "Our FIN was acknowledged; the 60 s begin.",
        (_S.TIME_WAIT, _S.CLOSE): "60 s are over, a reset came, or a new connection took the entry over.",
        # Closing, the peer first
        (_S.ESTABLISHED, _S.CLOSE_WAIT): "The peer's FIN came: read() returns 0 after the data.",
        (_S.CLOSE_WAIT, _S.LAST_ACK): "close() or shutdown(SHUT_WR): our FIN is sent.",
        (_S.LAST_ACK, _S.CLOSE): "Our FIN was acknowledged (or the peer is gone): the socket is freed.",
        # Ends without farewell
        (_S.LISTEN, _S.CLOSE): "close() of a listener: connections nobody accepted are reset.",
        (
            _S.ESTABLISHED,
            _S.CLOSE,
        ): "A reset came or was sent (unread data, SO_LINGER 0), or the peer did not answer in time.",
        (_S.FIN_WAIT1, _S.CLOSE): "A reset, data after close(), no answer, or too many orphans.",
        (
            _S.FIN_WAIT2,
            _S.CLOSE,
        ): "A reset, data after close(), tcp_fin_timeout of an orphan, or its TIME-WAIT entry took over.",
        (_S.CLOSING, _S.CLOSE): "A reset, no answer, or its TIME-WAIT entry took over.",
        (
            _S.CLOSE_WAIT,
            _S.CLOSE,
        ): "A reset came or was sent (close() with unread data), or the peer did not answer in time.",
    }
)
"""(from, to) → what brings it about. A change that is not here cannot happen.

Linux: net/ipv4/tcp.c new_state[], net/ipv4/tcp_input.c tcp_fin(), tcp_rcv_state_process()
"""
