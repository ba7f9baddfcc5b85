"""How thin a busy picture becomes, and how long a packet stays: of the packets of late alone."""

from itertools import pairwise

from wireside.paint.following import dwell, thinned
from wireside.paint.scene import DWELL_S, FEW_MOVERS, MAX_MOVERS, SLOW_DWELL_S, window_ns
from wireside.session.rolls import LEVELS, Late, Rolls
from wireside.snapshot import PacketTrace

S = 1_000_000_000


def packet(number, born):
    return PacketTrace(
        number, "DATA", "client", "server", "", 1448, ((0, born), (3, born + 1000)), "delivered"
    )


def every(ns, upto, *, since=0):
    return [packet(number, t) for number, t in enumerate(range(since, upto, ns), start=1)]


def late(packets, t):
    return Late(Rolls(), t, packets)


def thin(packets, t):
    return thinned(late([p for p in packets if p.stamps[0][1] <= t], t).newest, t, S)[0]


def test_a_brick_stands_for_as_many_packets_as_eyes_cannot_follow_one_by_one():
    window = window_ns(S, DWELL_S)
    few, many = every(window // MAX_MOVERS + S // 100, 20 * S), every(window // (4 * MAX_MOVERS), 20 * S)
    assert thin(few, 10 * S) == 1
    assert thin(many, 10 * S) in {4, 8}


def test_a_burst_thins_the_picture_at_once_and_for_as_long_as_it_is_seen():
    window = window_ns(S, DWELL_S)
    packets = every(S // 400, 5 * S, since=4 * S)
    seen = [thin(packets, t) for t in range(3 * S, 12 * S, S // 10)]
    assert seen[0] == 1
    assert max(seen) >= 4
    assert seen[20 + int(2.2 * window / S * 10)] == 1
    rises = sum(old < new for old, new in pairwise(seen))
    falls = [new for old, new in pairwise(seen) if new < old]
    assert rises <= LEVELS
    assert falls == sorted(falls, reverse=True)


def test_few_packets_take_their_time_and_many_hurry():
    slow, fast = every(3 * S // FEW_MOVERS, 30 * S), every(S // 20, 30 * S)
    assert dwell(slow[:40], "server", slow[39].stamps[0][1], S) == SLOW_DWELL_S
    assert dwell(fast[:100], "server", 5 * S, S) == DWELL_S


def test_no_packet_is_given_more_time_while_others_are_on_their_way():
    packets = [*every(S, 10 * S), *every(S // 30, 12 * S, since=10 * S), *every(S, 30 * S, since=12 * S)]
    times = [
        dwell([p for p in packets if p.stamps[0][1] <= t], "server", t, S) for t in range(0, 30 * S, S // 10)
    ]
    assert times == sorted(times, reverse=True)
    assert dwell(packets, "server", 40 * S, S) == SLOW_DWELL_S
