"""Sockets as ss shows them."""

from __future__ import annotations

from tests.sim.worlds import MS, program, scenario, tcp_transfer
from wireside.scenario.spec import Call, ProgramSpec, WireSegment
from wireside.sim.world import World
from wireside.tools import ss


def rows(world, host):
    return {row.state: row for row in world.snapshot().host(host).sockets}


HELD = {
    "rcv_ssthresh": 101, "rcvq_space": 102, "snd_wnd": 103, "snd_cwnd": 104, "snd_ssthresh": 105, "mss_cache": 106,
    "packets_out": 107, "lost_out": 8, "sacked_out": 9, "retrans_out": 10, "total_retrans": 111, "icsk_backoff": 12,
    "icsk_rto_ns": 113_000_000, "srtt_us": 114 << 3, "mdev_us": 115 << 2, "snd_wscale": 1, "rcv_wscale": 2, "wscale_ok": True,
    "bytes_acked": 118, "bytes_received": 119, "segs_out": 120, "segs_in": 121, "rcv_mss": 122, "delivered": 123,
    "dsack_dups": 124, "reordering": 125, "reord_seen": 126, "sk_rmem_alloc": 127, "sk_rcvbuf": 128, "sk_wmem_alloc": 129,
    "sk_sndbuf": 130, "sk_forward_alloc": 131, "sk_wmem_queued": 132, "sk_backlog_len": 133, "sk_drops": 134,
    "write_seq": 1135, "snd_una": 1000, "rcv_nxt": 2136, "copied_seq": 2000,
}  # fmt: skip
"""What a socket holds: of no two things the same number."""
TOLD = """\
tcp ESTAB 136    135    10.0.0.2:{port} 10.0.0.1:8080 users:(("source",pid=1001,fd=3))
\t skmem:(r127,rb128,t129,tb130,f131,w132,o0,bl133,d134) cubic wscale:1,2 rto:113 backoff:12 rtt:0.114/0.115 mss:106 rcvmss:122\
 cwnd:104 ssthresh:105 bytes_acked:118 bytes_received:119 segs_out:120 segs_in:121 send 773614035bps delivered:123\
 unacked:107 retrans:10/111 lost:8 sacked:9 dsack_dups:124 reordering:125 reord_seen:126 rcv_space:102 rcv_ssthresh:101 snd_wnd:103
"""


def test_every_field_is_read_from_where_the_kernel_keeps_it():
    world = World(tcp_transfer(sink={"read": 0}))
    world.run_until(100 * MS)
    net = world.nets["client"]
    (tp,) = net.sockets.values()
    for name, value in HELD.items():
        assert hasattr(tp, name)
        setattr(tp, name, value)
    found = ss.render(world.snapshot().host("client"), "-tunmipH")
    assert found == TOLD.format(port=tp.sk_num)


def test_a_listener_shows_its_accept_queue_and_a_stalled_reader_its_unread_bytes():
    world = World(tcp_transfer(sink={"read": 0}, source={"total": 5000}))
    world.run_until(100 * MS)
    server, client = rows(world, "server"), rows(world, "client")
    listener, reader = server["LISTEN"], server["CLOSE-WAIT"]
    assert (listener.recv_q, listener.send_q) == (0, 128)
    assert (listener.local, listener.peer) == ("0.0.0.0:8080", "0.0.0.0:*")
    assert reader.recv_q == 5001  # the FIN counts one
    assert reader.receive_queue_bytes == 5000
    assert reader.local == "10.0.0.1:8080"
    assert reader.peer == client["FIN-WAIT-2"].local
    assert (client["FIN-WAIT-2"].recv_q, client["FIN-WAIT-2"].send_q) == (0, 0)


def test_unanswered_data_waits_for_the_retransmission_timer():
    world = World(
        scenario(
            program("server", "echo", "tcp_echo", port=7),
            segments=[
                WireSegment(1 * MS, "tcp", 4000, 7, flags="S", mss=1460),
                WireSegment(2 * MS, "tcp", 4000, 7, flags=".", seq=1, ack=1),
                WireSegment(3 * MS, "tcp", 4000, 7, flags="P.", seq=1, ack=1, length=100),
            ],
        )
    )
    world.run_until(10 * MS)
    row = rows(world, "server")["ESTAB"]
    assert row.send_q == 100
    assert row.timer.startswith("on,")
    assert row.timer.endswith(",0")
    assert row.packets_out == row.in_flight == 1


def test_a_handshake_under_way_is_syn_recv_with_its_timer():
    world = World(
        scenario(
            program("server", "sink", "tcp_sink", port=8080),
            segments=[WireSegment(1 * MS, "tcp", 4000, 8080, flags="S", mss=1460)],
        )
    )
    world.run_until(10 * MS)
    snapshot = world.snapshot().host("server")
    assert snapshot.states == {"LISTEN": 1, "SYN-RECV": 1}
    row = rows(world, "server")["SYN-RECV"]
    assert (row.local, row.peer) == ("10.0.0.1:8080", "10.0.0.2:4000")
    assert row.timer.startswith("on,")


def test_time_wait_counts_down_from_a_minute():
    world = World(tcp_transfer(source={"total": 5000}))
    world.run_until(1000 * MS)
    row = rows(world, "client")["TIME-WAIT"]
    assert row.timer.startswith("timewait,59sec") or row.timer.startswith("timewait,58sec")


def test_a_tcp_socket_in_close_has_no_row_while_its_descriptor_is_open():
    script = (
        Call("socket", ("SOCK_STREAM",), "fd"),
        Call("connect", ("fd", "server:80"), "", "ECONNREFUSED"),
        Call("sleep", (10_000 * MS,)),
    )
    world = World(scenario(ProgramSpec("client", "refused", script=script)))
    world.run_until(100 * MS)
    client = world.snapshot().host("client")
    assert client.sockets == ()
    assert client.states == {"UNCONN": 1}
    assert world.programs[0].state == "sleeping"


def test_a_udp_socket_shows_memory_not_payload():
    world = World(
        scenario(
            program("server", "sink", "udp_sink", port=53, read=0),
            segments=[WireSegment(MS, "udp", 4000, 53, length=30, repeat=3, every_ns=10_000)],
        )
    )
    world.run_until(5 * MS)
    row = rows(world, "server")["UNCONN"]
    assert row.recv_q == row.sk_rmem_alloc == 3 * 832
    assert (row.receive_queue_skbs, row.receive_queue_bytes) == (3, 90)
