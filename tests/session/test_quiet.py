"""Stretches without anything to see are crossed fast; whatever waits or moves is left its time."""

from dataclasses import replace

import pytest

from tests.sim.worlds import MS, program, scenario, tcp_transfer
from wireside.paint.picture import pictured
from wireside.scenario.spec import Beat
from wireside.session.origin import Beginning
from wireside.session.quiet import CROSSING_S, LEAD_S, SETTLED_S, is_quiet

S = 1_000_000_000
LATE = scenario(
    program("server", "sink", "tcp_sink", port=8080),
    program("client", "source", "tcp_source", to="server:8080", total=1000, start_ns=9 * S),
)


def play(played, **changes):
    played = replace(played, **changes)
    return pictured(Beginning(played, played.seed))


def seconds_until(player, t_ns, fps=20):
    """Wall seconds until the run has come to `t_ns`."""
    frames = 0
    while player.now < t_ns:
        player.advance(1 / fps)
        frames += 1
        assert frames < 60 * fps
    return frames / fps


def test_nine_empty_seconds_are_crossed_in_one():
    player = play(LATE, scale=1 * MS)
    assert seconds_until(player, 9 * S) == pytest.approx(SETTLED_S + CROSSING_S + LEAD_S, abs=0.2)


def test_a_beat_in_an_empty_stretch_is_told_at_its_very_time():
    player = play(LATE, scale=1 * MS, beats=(Beat(say="Four.", at_ns=4 * S + 1),))
    seconds_until(player, 9 * S)
    assert [told.time_ns for told in player.story.told] == [4 * S + 1]


def test_the_ordinary_pace_is_back_when_something_happens():
    player = play(LATE, scale=1 * MS)
    seconds_until(player, 9 * S)
    assert player.crossing is None
    before = player.now
    player.advance(0.05)
    assert player.now - before == pytest.approx(MS // 20, rel=0.01)


def test_a_wait_that_is_short_in_the_picture_is_watched():
    player = play(LATE, scale=6 * S)
    seconds_until(player, 9 * S)
    assert player.crossing is None


def test_data_that_nobody_reads_are_not_nothing():
    player = play(tcp_transfer(sink={"stop_after": 1000}), scale=1 * MS)
    player.play_to(300 * MS)
    assert player.world.upcoming() > player.now
    assert not is_quiet(player.snapshot)
    assert is_quiet(play(LATE).snapshot)


def test_a_knob_ends_the_crossing():
    player = play(LATE, scale=1 * MS)
    player.advance(0.05)
    while player.crossing is None:
        player.advance(0.05)
    player.turn("client", "source.rate", "1MB/s")
    assert player.crossing is None
