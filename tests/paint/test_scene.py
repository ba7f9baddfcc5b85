from itertools import pairwise

import pytest

from wireside.catalog import places
from wireside.catalog.stages import Stage
from wireside.paint.scene import (
    INSIDE,
    PARKED,
    READ,
    RING,
    SOCKBUF,
    SOFTIRQ,
    STATIONS,
    TCP,
    build,
    highlighted,
    latencies,
    sending_stage,
    station_of_reason,
)
from wireside.paint.screen import SPECS
from wireside.session.film import Loss
from wireside.session.rolls import is_shown
from wireside.snapshot import PacketTrace

SLOW = 1_000
"""1 µs per second: every stage is longer on the screen than the least dwell."""


def trace(*stamps, fate="", kind="DATA", source="client", destination="server", number=1):
    return PacketTrace(
        number, kind, source, destination, "", 1448, tuple((int(s), ns) for s, ns in stamps), fate
    )


def at(t, *traces, scale=SLOW, losses=(), thin=1):
    return build(traces, losses, t, "server", scale, lambda length: 1_000, thin)


def test_on_the_wire_a_packet_moves_evenly_though_its_arrival_is_not_known_yet():
    packet = trace((Stage.WIRE, 0))
    assert [round(at(t, packet).inbound[0].u, 2) for t in (0, 250, 500, 1000)] == [0.0, 0.2, 0.4, 0.8]


def test_between_two_stamps_the_position_is_interpolated():
    packet = trace((Stage.IP_RCV, 1000), (Stage.TCP_RCV, 2000))
    assert at(1500, packet).inbound[0].u == pytest.approx(3.5)


def test_in_the_ring_a_packet_waits_until_the_driver_polls():
    packet = trace((Stage.RX_RING, 0))
    mover = at(5_000, packet).inbound[0]
    assert mover.parked
    assert mover.u == RING + PARKED


def test_it_leaves_the_ring_from_where_it_waited():
    packet = trace((Stage.RX_RING, 0), (Stage.NAPI_POLL, 5_000))
    assert at(5_000, packet).inbound[0].u == pytest.approx(RING + PARKED)
    assert at(5_100, packet).inbound[0].u == pytest.approx(SOFTIRQ)


def test_motion_never_jumps_and_never_goes_back():
    packet = trace(
        (Stage.WIRE, 0), (Stage.RX_RING, 1000), (Stage.NAPI_POLL, 1400), (Stage.IP_RCV, 1450), (Stage.TCP_RCV, 1900),
        (Stage.RECEIVE_QUEUE, 2000), (Stage.SYS_READ, 4000), fate="delivered",
    )  # fmt: skip
    path = [at(t, packet).inbound[0].u for t in range(0, 4090, 10)]
    steps = [b - a for a, b in pairwise(path)]
    assert min(steps) >= 0
    assert max(steps) < 0.25


def test_however_fast_the_run_each_station_is_seen_for_a_tenth_of_a_second():
    packet = trace((Stage.WIRE, 0), (Stage.RX_RING, 10), (Stage.NAPI_POLL, 20), (Stage.IP_RCV, 30))
    scale = 1_000_000_000
    assert at(50_000_000, packet, scale=scale).inbound[0].u < 1
    assert int(at(150_000_000, packet, scale=scale).inbound[0].u) == RING


def test_a_delivered_packet_leaves_the_picture_after_read():
    packet = trace((Stage.RECEIVE_QUEUE, 0), (Stage.SYS_READ, 1000), fate="delivered")
    assert int(at(1150, packet).inbound[0].u) == READ
    assert at(1400, packet).inbound == ()


def test_a_dropped_packet_falls_out_of_its_station():
    packet = trace((Stage.TCP_RCV, 0), fate="TCP_ZEROWINDOW")
    depths = [at(t, packet).inbound[0].depth for t in (50, 200, 400, 600)]
    assert depths[0] == 0
    assert depths == sorted(depths)
    assert int(at(400, packet).inbound[0].u) == TCP
    assert at(2000, packet).inbound == ()


def test_what_the_nic_lost_falls_out_of_the_ring_though_it_never_was_a_packet():
    scene = at(100, losses=[Loss(0, "rx_missed_errors", 17, unseen=True)])
    assert scene.falling == ((RING, pytest.approx(100 / 550), 17),)


def test_a_syn_that_a_listener_turned_away_falls_out_of_tcp():
    """Its packet is consumed, so nothing else would tell of it."""
    packet = trace((Stage.TCP_RCV, 0), fate="consumed", kind="SYN")
    assert at(300, packet, losses=[Loss(200, "SYN", 1, unseen=True)]).falling == (
        (TCP, pytest.approx(100 / 550), 1),
    )


@pytest.mark.parametrize("reason", ["TCP_OLD_SEQUENCE", "TCP_OLD_DATA", "TCP_RESET"])
def test_what_is_no_loss_does_not_fall(reason):
    packet = trace((Stage.TCP_RCV, 0), fate=reason)
    seen = [mover.depth for t in range(0, 600, 50) for mover in at(t, packet).inbound]
    assert seen
    assert not any(seen)
    assert at(600, packet).inbound == ()


def test_what_the_host_sends_goes_back_from_right_to_left():
    ack = trace(
        (Stage.TCP_WRITE_XMIT, 0), (Stage.IP_OUTPUT, 400), (Stage.QDISC, 600), (Stage.TX_RING, 900), (Stage.WIRE, 1200),
        kind="ACK", source="server", destination="client",
    )  # fmt: skip
    path = [at(t, ack).outbound[0].u for t in range(0, 2200, 50)]
    assert path == sorted(path, reverse=True)
    assert int(path[0]) == TCP
    assert path[-1] < INSIDE


def test_packets_between_other_hosts_are_not_shown():
    assert at(10, trace((Stage.WIRE, 0), source="a", destination="b")).inbound == ()


@pytest.mark.parametrize("numbers", [range(400), range(1, 801, 2), range(1 << 41, (1 << 41) + 400)])
def test_thinning_is_fair_to_any_numbering(numbers):
    assert 35 <= sum(is_shown(n, 8) for n in numbers) <= 65
    assert all(is_shown(n, 4) for n in numbers if is_shown(n, 8))


@pytest.mark.parametrize(
    ("reason", "station"),
    [
        ("rx_missed_errors", RING),
        ("CPU_BACKLOG", SOFTIRQ),
        ("SOCKET_RCVBUFF", SOCKBUF),
        ("NO_SOCKET", TCP),
        ("IP_CSUM", 3),
    ],
)
def test_each_loss_has_its_place(reason, station):
    assert station_of_reason(reason) == station


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("RX_RING", (RING, "journey")),
        ("SOCKBUF", (SOCKBUF, "journey")),
        ("read()", (READ, "journey")),
        ("sockets", (-1, "tools")),
        ("sysctl", (-1, "knobs")),
        ("accept queue", (-1, "gauges")),
        ("", (-1, "")),
    ],
)
def test_what_a_beat_may_point_at(words, found):
    assert highlighted(words) == found


def test_the_boxes_stand_in_the_order_of_the_catalog():
    assert tuple(station.key for station in STATIONS) == places.STATIONS


@pytest.mark.parametrize("word", places.WORDS)
def test_each_word_of_the_catalog_is_somewhere_on_the_screen(word):
    station, pane = highlighted(word)
    assert pane in SPECS or sending_stage(word, None) is not None
    assert station < len(STATIONS)


def test_latency_is_the_mean_time_in_each_station():
    packets = [trace((Stage.RX_RING, 0), (Stage.NAPI_POLL, n), (Stage.IP_RCV, n + 10)) for n in (100, 300)]
    found = latencies(packets, "server")
    assert found[RING] == 200
    assert found[SOFTIRQ] == 10
    assert found[TCP] is None
