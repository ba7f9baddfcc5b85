"""GRO: which segments merge, what ends a merge, and what the result weighs."""

from __future__ import annotations

import pytest

from tests.kernel.lab import Lab, tcp_frame
from wireside.catalog.inet import FIN, PSH, SYN
from wireside.kernel.core.gro import napi_gro_flush, tcp_gro_receive
from wireside.kernel.core.napi import Napi

FLOW = (1, 2, 3, 4)
ACK = 0x10


@pytest.fixture
def gro():
    return Gro()


def no_poll(_cpu, _napi, _limit):
    """There is nothing to poll."""
    return 0


def no_complete(_cpu, _napi):
    """Nor is there an interrupt to unmask."""


class Gro:
    """A NAPI without a device: `take` gives it a segment, `passed` shows what went up as (seq, length, segments)."""

    def __init__(self):
        self.net = Lab().net("host", "10.0.0.2")
        self.napi = Napi(no_poll, no_complete, None, None)

    def take(self, seq, length=1448, flags=ACK, flow=FLOW, **fields):
        skb = tcp_frame(self.net, flow, seq, length, flags, **fields)
        skb.truesize, skb.head_frag = 2304, True
        if not tcp_gro_receive(self.napi, skb):
            self.napi.rx_list.append(skb)
        return skb

    @property
    def passed(self):
        return [(skb.seq, skb.len, skb.gso_segs) for skb in self.napi.rx_list]

    def flush(self):
        napi_gro_flush(self.napi)
        return self.passed


def test_consecutive_segments_become_one(gro):
    first = gro.take(0)
    assert gro.take(1448).fate == "merged"
    gro.take(2896)
    assert gro.passed == []
    assert gro.flush() == [(0, 4344, 3)]
    assert (first.gso_size, first.end_seq, first.truesize) == (1448, 4344, 2304 + 2 * 2048)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"seq": 1449}, "a gap"),
        ({"seq": 1448, "ack": 2}, "another ACK number"),
        ({"seq": 1448, "window": 501}, "another window"),
        ({"seq": 1448, "ts": (2, 1)}, "another timestamp"),
        ({"seq": 1448, "length": 1449}, "longer than the first"),
    ],
)
def test_a_segment_that_does_not_match_ends_the_packet_and_starts_another(gro, change, why):
    gro.take(0)
    gro.take(**change)
    assert gro.passed == [(0, 1448, 1)], why
    assert gro.flush()[1][0] == change["seq"]


@pytest.mark.parametrize(("length", "flags"), [(1448, ACK | PSH), (1448, ACK | FIN), (1447, ACK), (1, ACK)])
def test_push_fin_or_a_short_segment_joins_and_ends_the_packet(gro, length, flags):
    gro.take(0)
    gro.take(1448, length, flags)
    assert gro.passed == [(0, 1448 + length, 2)]
    assert gro.napi.rx_list[0].tcp_flags == flags
    assert gro.napi.gro_held == 0


@pytest.mark.parametrize(("length", "flags"), [(0, ACK), (1448, ACK | PSH), (0, SYN)])
def test_what_cannot_be_continued_is_not_held(gro, length, flags):
    gro.take(0, length, flags)
    assert gro.passed == [(0, length, 1)]


def test_a_pure_ack_overtakes_nothing(gro):
    gro.take(0)
    gro.take(1448, 0, ack=2)
    assert gro.passed == [(0, 1448, 1), (1448, 0, 1)]


def test_sequence_numbers_wrap(gro):
    gro.take(0xFFFFFFFF - 1447)
    assert gro.take(0).fate == "merged"


def test_a_packet_stays_below_64_kib(gro):
    for number in range(46):
        gro.take(number * 1448)
    assert gro.passed == [(0, 45 * 1448, 45)]


def test_past_17_fragments_whole_packets_are_linked_in(gro):
    head = gro.take(0)
    for number in range(1, 18):
        gro.take(number * 1448)
    assert head.truesize == 2304 + 17 * 2048
    gro.take(18 * 1448)
    assert head.truesize == 2304 + 17 * 2048 + 2304
    gro.take(19 * 1448)
    assert head.truesize == 2304 + 17 * 2048 + 2304 + 2048


def test_small_heads_cannot_be_taken_over(gro):
    head = gro.take(0, 100)
    skb = tcp_frame(gro.net, FLOW, 100, 100)
    skb.truesize = 832
    tcp_gro_receive(gro.napi, skb)
    assert head.truesize == 2304 + 832


def test_flows_are_held_side_by_side_and_a_full_bucket_gives_up_its_oldest(gro):
    flows = [(1, port, 3, 4) for port in range(200)]
    for flow in flows:
        gro.take(0, flow=flow)
    assert gro.napi.gro_held == sum(len(bucket) for bucket in gro.napi.gro_hash) == 64
    assert all(len(bucket) == 8 for bucket in gro.napi.gro_hash)
    assert len(gro.passed) == 136
    assert len(gro.flush()) == 200
