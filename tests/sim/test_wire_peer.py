"""Wire peers: hand-written segments against a real stack, and interactive peers for tests."""

from __future__ import annotations

from tests.sim.worlds import MS, program, scenario
from wireside.catalog.inet import ACK, SYN
from wireside.scenario.spec import WireSegment
from wireside.sim.world import World
from wireside.wire.words import flag_letters


def sink_world(*segments):
    return World(scenario(program("server", "sink", "tcp_sink", port=8080), segments=segments))


def test_a_handshake_and_data_by_hand():
    world = sink_world(
        WireSegment(1 * MS, "tcp", 40000, 8080, flags="S", mss=1460, wscale=7, sack_ok=True),
        WireSegment(2 * MS, "tcp", 40000, 8080, flags=".", seq=1, ack=1, win=512),
        WireSegment(3 * MS, "tcp", 40000, 8080, flags="P.", seq=1, ack=1, win=512, length=100),
    )
    world.run_until(200 * MS)
    peer = world.peers["client"]
    syn_ack, ack = [skb for _, skb in peer.received]
    assert syn_ack.tcp_flags == SYN | ACK
    assert syn_ack.ack_seq == 1
    assert syn_ack.opt is not None
    assert peer.relative(ack) == (1, 101)
    assert world.snapshot().host("server").programs[0].bytes_read == 100
    assert world.books_balance()[0] == world.books_balance()[1] == 5


def test_datagrams_repeat():
    world = World(
        scenario(
            program("server", "sink", "udp_sink", port=53),
            segments=[WireSegment(MS, "udp", 4000, 53, length=30, repeat=20, every_ns=10_000)],
        )
    )
    world.run_until(3 * MS)
    assert world.peers["client"].sent == 20
    assert world.snapshot().host("server").programs[0].calls == 2 + 20
    first, second = [trace.stamps[0][1] for trace in world.traces(0)][:2]
    assert second - first == 10_000


class Answers:
    """A peer that opens a connection, and acknowledges the SYN-ACK as soon as it comes."""

    def __init__(self):
        self.seen = []

    def __call__(self, peer, when, skb):
        self.seen.append(flag_letters(skb.tcp_flags))
        if skb.tcp_flags & SYN:
            peer.send(40000, 8080, ".", seq=1, ack=1)
            peer.send(40000, 8080, "F.", seq=1, ack=1)


def test_an_interactive_peer_answers_at_once():
    world = sink_world()
    peer = world.peers["client"]
    peer.on_receive = Answers()
    world.run_until(MS)
    peer.send(40000, 8080, "S", mss=1460)
    world.run_until(100 * MS)
    assert peer.on_receive.seen[0] == "S."
    assert "F." in peer.on_receive.seen
    assert world.snapshot().host("server").states == {"LISTEN": 1, "LAST-ACK": 1}


def test_labels_are_tcpdumps_with_relative_numbers():
    world = sink_world(
        WireSegment(1 * MS, "tcp", 40000, 8080, flags="S", mss=1460, sack_ok=True, win=65535),
        WireSegment(2 * MS, "tcp", 40000, 8080, flags=".", seq=1, ack=1, win=512),
        WireSegment(3 * MS, "tcp", 40000, 8080, flags="P.", seq=1, ack=1, win=512, length=100),
    )
    world.run_until(200 * MS)
    traces = world.traces(0)
    assert [trace.kind for trace in traces] == ["SYN", "SYN-ACK", "ACK", "DATA", "ACK"]
    labels = [trace.label for trace in traces]
    assert labels[0] == (
        "IP 10.0.0.2.40000 > 10.0.0.1.8080: Flags [S], seq 0, win 65535, options [mss 1460,nop,nop,sackOK], length 0"
    )
    assert labels[2] == "IP 10.0.0.2.40000 > 10.0.0.1.8080: Flags [.], ack 1, win 512, length 0"
    assert labels[3] == "IP 10.0.0.2.40000 > 10.0.0.1.8080: Flags [P.], seq 1:101, ack 1, win 512, length 100"
    assert labels[4].startswith("IP 10.0.0.1.8080 > 10.0.0.2.40000: Flags [.], ack 101, win ")
    assert [trace.source for trace in traces] == ["client", "server", "client", "client", "server"]
    assert traces[3].fate == "delivered"
