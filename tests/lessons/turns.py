"""What each lesson's knobs do to its outcome: which turn changes it, and which, against all belief, does not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Turn:
    """One knob turned, from the start or (`2s:NAME=VALUE`) on the way, and what is asked at `at`."""

    lesson: str
    turn: str
    at: str
    that: str
    """True of the lesson as it stands."""
    then: str = ""
    """True when the knob is turned, and not before; empty: the knob changes nothing, and `that` stays true."""


def flips(lesson: str, turn: str, at: str, that: str, then: str) -> Turn:
    """A turn that changes the outcome."""
    return Turn(lesson, turn, at, that, then)


def stays(lesson: str, turn: str, at: str, that: str) -> Turn:
    """A turn that does not."""
    return Turn(lesson, turn, at, that)


KNOCKING = "client.states.ESTAB == 6 and client.states.SYN-SENT == 5 and server.TcpOutRsts == 0"
HONEST = "server.program(web).answered == 1"
SLOW = "9 <= client.program(caller).answered <= 11"
FAST = "client.program(caller).answered == 20"
LEAK = "server.states.CLOSE-WAIT == 80"
WAITS = "client.states.ESTAB == 1 and client.program(app).failed == 0"
GONE = 'client.states.ESTAB == 0 and client.program(app).error == "ETIMEDOUT"'
NO_PORT = 'client.program(shop).connected == 20 and client.program(shop).error == "EADDRNOTAVAIL"'
PILE = "990 <= client.states.TIME-WAIT <= 1005 and client.program(visitors).failed == 0"

TURNS: tuple[Turn, ...] = (
    flips("first-packet", "server:nic.rx_usecs=2000us", "1300us", "server.program(reader).bytes_read == 100",
          "server.program(reader).bytes_read == 0 < server.nic.rx_ring_used"),
    flips("zero-window", "3s:reader.read=true", "5s", "server.program(reader).bytes_read == 10000",
          "server.program(reader).bytes_read == 16MiB"),
    flips("zero-window", "reader.rate=100KB/s", "14s", "server.program(reader).bytes_read == 16MiB",
          "server.program(reader).bytes_read < 1MiB"),
    stays("zero-window", "3s:server:tcp_rmem=4096 524288 134217728", "9s",
          "server.sk(8080).rcv_wnd_left == 0 and server.program(reader).bytes_read == 10000"),
    stays("zero-window", "3s:server:tcp_moderate_rcvbuf=0", "9s", "server.sk(8080).rcv_wnd_left == 0"),
    flips("udp-overflow", "reader.rate=2000pps", "2s", "server.UdpRcvbufErrors > 2000", "server.UdpRcvbufErrors == 0"),
    flips("udp-overflow", "sender.pps=500pps", "2s", "server.UdpRcvbufErrors > 2000", "server.UdpRcvbufErrors == 0"),
    flips("udp-overflow", "500ms:reader.rate=0", "2s", "server.UdpRcvbufErrors > 2000", "0 < server.UdpRcvbufErrors < 1000"),
    flips("udp-overflow", "reader.read=false", "2s", "server.program(reader).bytes_read > 900000", "server.program(reader).bytes_read == 0"),
    stays("udp-overflow", "100ms:server:rmem_default=851968", "2s", "server.UdpRcvbufErrors > 2900"),
    flips("ring-overflow", "server:nic.rx_ring=1024", "20ms", "server.nic.rx_missed_errors > 0", "server.nic.rx_missed_errors == 0"),
    stays("ring-overflow", "server:nic.rx_ring=512", "20ms", "server.nic.rx_missed_errors > 0"),
    flips("ring-overflow", "sender.burst=100", "20ms", "server.nic.rx_missed_errors > 0", "server.nic.rx_missed_errors == 0"),
    stays("ring-overflow", "sender.pps=20kpps", "20ms", "server.nic.rx_missed_errors > 0"),

    flips("slow-accept", "web.pause=10ms", "900ms", KNOCKING, "server.TcpExtListenDrops == 0 and client.program(visitors).answered == 11"),
    flips("slow-accept", "500ms:web.pause=10ms", "1500ms", KNOCKING, "client.states.SYN-SENT == 0 and client.program(visitors).answered == 11"),
    flips("slow-accept", "server:somaxconn=2", "900ms", KNOCKING, "client.states.ESTAB == 3 and client.states.SYN-SENT == 8"),
    stays("slow-accept", "server:somaxconn=65535", "900ms", KNOCKING),
    stays("slow-accept", "50ms:server:somaxconn=65535", "900ms", KNOCKING),
    stays("slow-accept", "server:tcp_max_syn_backlog=65536", "900ms", KNOCKING),
    stays("slow-accept", "server:tcp_abort_on_overflow=1", "900ms", KNOCKING),

    flips("syn-flood", "server:tcp_syncookies=0", "600ms", HONEST,
          "server.program(web).accepted == 0 and server.states.SYN-RECV == 5 and server.TcpExtTCPReqQFullDrop == 56"),
    flips("syn-flood", "200ms:server:tcp_syncookies=0", "600ms", HONEST, "server.program(web).accepted == 0 and server.TcpExtListenDrops == 1"),
    flips("syn-flood", "server:tcp_syncookies=2", "250ms", "server.states.SYN-RECV == 5",
          "server.states.SYN-RECV == 0 and server.TcpExtSyncookiesSent == 60"),
    stays("syn-flood", "server:tcp_syncookies=2", "600ms", HONEST),
    stays("syn-flood", "server:tcp_max_syn_backlog=65536", "600ms", "server.TcpExtSyncookiesSent == 56"),
    stays("syn-flood", "server:tcp_max_syn_backlog=16", "600ms", "server.TcpExtSyncookiesSent == 56"),
    flips("syn-flood", "server:tcp_synack_retries=1", "20s", "server.states.SYN-RECV == 4", "server.states.SYN-RECV == 0"),

    flips("nagle-meets-delayed-ack", "caller.nodelay=true", "400ms", SLOW, FAST + " and server.TcpExtDelayedACKs == 0"),
    flips("nagle-meets-delayed-ack", "100ms:caller.nodelay=true", "400ms", SLOW, FAST),
    flips("nagle-meets-delayed-ack", "caller.head=0B", "400ms", SLOW, FAST + " and client.TcpExtTCPOrigDataSent == 21"),
    stays("nagle-meets-delayed-ack", "service.nodelay=true", "400ms", SLOW),
    stays("nagle-meets-delayed-ack", "100ms:service.nodelay=true", "400ms", SLOW),
    stays("nagle-meets-delayed-ack", "client:tcp_autocorking=0", "400ms", SLOW),


    flips("time-wait-pile", "web.closes_first=true", "6s", PILE, "client.states.TIME-WAIT == 0 and server.states.TIME-WAIT > 990"),
    flips("time-wait-pile", "client:ip_local_port_range=40000 40499", "6s", PILE,
          'client.states.TIME-WAIT == 500 and client.program(visitors).error == "EADDRNOTAVAIL"'),
    flips("time-wait-pile", "client:tcp_max_tw_buckets=500", "6s", PILE,
          "client.states.TIME-WAIT == 500 and client.TcpExtTCPTimeWaitOverflow > 490 and client.program(visitors).failed == 0"),
    flips("time-wait-pile", "visitors.rate=1000/min", "6s", PILE, "99 <= client.states.TIME-WAIT <= 102"),
    stays("time-wait-pile", "client:tcp_fin_timeout=5", "6s", PILE),
    stays("time-wait-pile", "client:tcp_tw_reuse=1", "6s", PILE),

    flips("fin-timeout-myth", "client:tcp_fin_timeout=60", "50s", "client.states.FIN-WAIT-2 == 0", "client.states.FIN-WAIT-2 == 10"),
    flips("fin-timeout-myth", "client:tcp_fin_timeout=90", "50s", "client.states.FIN-WAIT-2 == 0", "client.states.FIN-WAIT-2 == 10"),
    flips("fin-timeout-myth", "forgetful.closes=true", "2s", "client.states.FIN-WAIT-2 == 10",
          "client.states.FIN-WAIT-2 == 0 and client.states.TIME-WAIT == 20"),
    stays("fin-timeout-myth", "client:tcp_fin_timeout=60", "58s", "client.states.TIME-WAIT == 10"),
    stays("fin-timeout-myth", "client:tcp_fin_timeout=90", "65s", "client.states.TIME-WAIT == 0"),
    stays("fin-timeout-myth", "client:tcp_tw_reuse=1", "58s", "client.states.TIME-WAIT == 10"),

    flips("ports-exhausted", "client:ip_local_port_range=40000 40999", "9s", NO_PORT, "client.program(shop).failed == 0"),
    stays("ports-exhausted", "client:tcp_tw_reuse=1", "9s", NO_PORT),
    flips("ports-exhausted", "client:tcp_tw_reuse=1", "30s", NO_PORT, "client.program(shop).connected > 20 < client.TcpExtTWRecycled"),
    stays("ports-exhausted", "client:tcp_fin_timeout=5", "60s", NO_PORT),
    stays("ports-exhausted", "shop.hold=0s", "60s", NO_PORT),

    flips("close-wait-leak", "billing.closes=true", "79500ms", LEAK, "server.states.CLOSE-WAIT == 0 and client.states.TIME-WAIT >= 59"),
    flips("close-wait-leak", "70s:billing.closes=true", "79500ms", LEAK, "server.states.CLOSE-WAIT == 0"),
    stays("close-wait-leak", "tcp_fin_timeout=5", "79500ms", LEAK),
    stays("close-wait-leak", "server:tcp_keepalive_time=1", "79500ms", LEAK),
    stays("close-wait-leak", "server:tcp_tw_reuse=1", "79500ms", LEAK),
    stays("close-wait-leak", "server:tcp_max_orphans=0", "79500ms", LEAK),

    flips("idle-dead-peer", "app.keepalive=true", "150s", WAITS, GONE),
    flips("idle-dead-peer", "20s:app.keepalive=true", "150s", WAITS, GONE),
    stays("idle-dead-peer", "client:tcp_keepalive_time=5", "150s", WAITS),
    stays("idle-dead-peer", "client:tcp_keepalive_probes=1", "150s", WAITS),
    stays("idle-dead-peer", "client:tcp_retries2=3", "150s", WAITS),
)  # fmt: skip
