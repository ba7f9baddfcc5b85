"""Hand-written segments, as tcpdump would print them."""

from __future__ import annotations

from wireside.errors import Position
from wireside.scenario.segments import read_segment
from wireside.scenario.spec import WireSegment

HERE = Position("test.yaml", 1, 1)


def test_a_syn_with_options() -> None:
    text = "0ms TCP 40000 > 8080 Flags [S], seq 0, win 64240, options [mss 1460,sackOK,TS val 7 ecr 0,nop,wscale 7], length 0"
    assert read_segment(text, HERE) == WireSegment(
        at_ns=0,
        protocol="tcp",
        sport=40000,
        dport=8080,
        flags="S",
        seq=0,
        win=64240,
        mss=1460,
        wscale=7,
        sack_ok=True,
        ts=(7, 0),
        position=HERE,
    )


def test_data_gets_its_length_from_the_sequence_numbers() -> None:
    segment = read_segment("5ms TCP 40000 > 8080: Flags [P.], seq 1:101, ack 1, win 502", HERE)
    assert (segment.seq, segment.length, segment.ack, segment.flags) == (1, 100, 1, "P.")


def test_a_sack_block() -> None:
    segment = read_segment(
        "5ms TCP 1 > 2 Flags [.], ack 1, options [nop,nop,sack 2 {101:201}{301:401}], length 0", HERE
    )
    assert segment.sack == ((101, 201), (301, 401))


def test_a_flood_of_datagrams() -> None:
    segment = read_segment("5ms UDP 4000 > 53 length 100 x1000 every 1us", HERE)
    assert (segment.at_ns, segment.length, segment.repeat, segment.every_ns) == (5_000_000, 100, 1000, 1000)


def test_a_segment_for_somebody_else_with_a_wrong_checksum() -> None:
    segment = read_segment("1ms TCP 1 > 2 Flags [P.], seq 1:101, ack 1, cksum incorrect, to 10.0.0.77", HERE)
    assert segment.csum_bad
    assert segment.daddr == "10.0.0.77"
