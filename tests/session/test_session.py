import time
from functools import partial

import pytest

from tests.paint.fake_world import MS, US, FakeOrigin, FakeWorld, scenario
from wireside.errors import CommandError
from wireside.paint.picture import pictured
from wireside.scenario.spec import Beat
from wireside.session.knobs import stepped
from wireside.session.pace import FASTEST, LEAST_READING_S, SLOWEST, Pace, reading_s


def player(**changes):
    return pictured(FakeOrigin(scenario(**changes)))


def test_a_wall_second_shows_as_much_as_the_scale_says():
    play = player()
    for _ in range(30):
        play.advance(1 / 30)
    assert play.now == pytest.approx(100 * US, rel=0.01)


def test_a_late_frame_does_not_make_the_run_jump():
    play = player()
    play.advance(5.0)
    assert play.now == 10 * US


def test_paused_nothing_moves():
    play = player()
    play.toggle_pause()
    assert not play.advance(1 / 30)
    assert play.now == 0


def test_a_step_goes_to_the_next_thing_that_happens_and_stays_there():
    play = player()
    play.step()
    assert play.now == 5 * US
    assert not play.advance(1 / 30)


def test_the_readers_pace_has_steps_of_1_2_5_and_ends():
    pace = Pace(100 * US)
    scales = []
    for _ in range(4):
        pace.change(+1)
        scales.append(pace.scale // US)
    assert scales == [200, 500, 1000, 2000]
    for _ in range(50):
        pace.change(+1)
    assert pace.scale == FASTEST
    pace.change(-1)
    assert pace.scale == 1_000_000_000
    for _ in range(50):
        pace.change(-1)
    assert pace.scale == SLOWEST


def test_the_readers_pace_survives_the_storys():
    play = player(beats=(Beat(say="slow", at_ns=0), Beat(say="fast", at_ns=1 * MS, scale=10 * MS)))
    play.change_pace(-1)
    play.play_to(2 * MS)
    assert (play.scale, play.pace.factor) == (5 * MS, 0.5)
    play.restart()
    assert (play.scale, play.pace.factor) == (100 * US, 1)


def test_at_a_pace_of_nanoseconds_time_does_not_stand_still():
    play = player(beats=(), scale=22)
    for _ in range(60):
        play.advance(1 / 30)
    assert play.now in {43, 44}


def test_a_beat_is_told_at_its_very_time_and_can_change_pace_and_pause():
    play = player()
    assert play.beat.look_at == "sockbuf"
    play.play_to(10 * MS - 1)
    assert play.beats_said == 1
    play.advance(reading_s(play.beat))
    assert play.now == 10 * MS
    assert play.beat.say == "Half way."
    assert (play.scale, play.paused) == (1 * MS, True)


def until_told(play, number, fps=30):
    """Wall seconds until so many beats have been told."""
    frames = 0
    while play.beats_said < number:
        play.advance(1 / fps)
        frames += 1
        assert frames < 100 * fps
    return frames / fps


LONG = "Nineteen words take a reader a little less than six seconds, and so long it stands for everybody to read."


def test_the_run_waits_at_the_very_event_until_the_beat_before_could_be_read():
    play = player(beats=(Beat(say=LONG, at_ns=0), Beat(say="two", when="server.nic.rx_ring_used >= 3")))
    play.advance(0.1)
    assert play.now == 5 * US
    assert not play.advance(0.1)
    assert play.hold_s == pytest.approx(reading_s(play.beat) - 0.2)
    assert until_told(play, 2) == pytest.approx(20 * 60 / 200 - 0.2, abs=0.05)
    assert play.now - 5 * US < 10 * US


def test_what_is_left_of_a_frame_goes_at_the_beats_own_scale():
    play = player(beats=(Beat(say="two", at_ns=2 * US, scale=1 * US),), scale=100 * US)
    play.advance(0.05)
    assert play.now == pytest.approx(2 * US + 0.03 * US, abs=1)


def test_beats_of_one_instant_are_read_one_after_the_other_at_that_instant():
    beats = [Beat(say=name, when="server.nic.rx_ring_used >= 3") for name in ("one", "two")]
    play = player(beats=(Beat(say="zero", at_ns=0), *beats))
    assert until_told(play, 3) == pytest.approx(2 * LEAST_READING_S, abs=0.07)
    assert [told.time_ns for told in play.story.told] == [0, 5 * US, 5 * US]


def test_beats_of_the_first_instant_are_told_there_however_far_one_goes_at_once():
    play = player(beats=[Beat(say=name, at_ns=0) for name in ("one", "two")])
    play.play_to(1 * MS)
    assert [told.time_ns for told in play.story.told] == [0, 0]


def test_who_has_read_faster_ends_the_hold_and_the_run_goes_on():
    play = player(beats=(Beat(say=LONG, at_ns=0), Beat(say="two", at_ns=5 * US)))
    play.advance(0.1)
    assert play.hold_s > 0
    play.toggle_pause()
    assert (play.beat.say, play.hold_s, play.paused) == ("two", 0, False)
    assert play.advance(0.1)


def test_a_step_ends_the_hold_and_stays():
    beats = (Beat(say=LONG, at_ns=0), Beat(say="two", at_ns=5 * US), Beat(say="three", at_ns=5 * US))
    play = player(beats=beats)
    play.advance(0.1)
    heard = []
    for _ in range(3):
        play.step()
        heard.append((play.beat.say, play.now // US, play.paused))
    assert heard == [("two", 5, True), ("three", 5, True), ("three", 10, True)]


def test_a_beat_may_be_read_while_the_run_is_paused():
    play = player(beats=(Beat(say=LONG, at_ns=0), Beat(say="two", at_ns=5 * US)))
    play.advance(0.02)
    play.toggle_pause()
    play.advance(60)
    play.toggle_pause()
    play.advance(0.1)
    assert play.beat.say == "two"


def test_a_knob_that_makes_a_condition_true_has_its_beat_told():
    play = player(beats=(Beat(say="larger", when="server.nic.rx_ring_size > 256"),), scale=1000)
    play.advance(0.1)
    assert play.beat is None
    play.turn("server", "nic.rx_ring", "1024")
    play.advance(0.1)
    assert (play.beat.say, play.story.told[0].time_ns) == ("larger", 100)


def test_the_run_pauses_at_its_end_and_may_go_on():
    play = player(beats=(), scale=500 * MS)
    play.advance(1 / 30)
    play.advance(1 / 30)
    assert play.ended
    assert play.now == 20 * MS
    play.toggle_pause()
    assert play.advance(1 / 30)


def test_a_simulation_that_cannot_keep_up_lags_and_says_so():
    play = player(beats=())
    play.world.cost_s = 1.0
    play.advance(1 / 30, time.perf_counter())
    assert play.behind
    assert 0 < play.now < 100 * US // 30


def test_turning_a_knob_is_logged_and_says_when_it_takes_effect():
    play = player()
    assert "takes effect" in play.turn("server", "nic.rx_ring", "1024")
    assert [(k.name, k.value, k.changed) for k in play.knobs()][1] == ("nic.rx_ring", "1024", True)
    assert [(each.name, each.value) for each in play.machine.commands] == [("nic.rx_ring", "1024")]


def test_a_refused_value_leaves_everything_as_it_was():
    play = player()
    with pytest.raises(CommandError, match="whole number"):
        play.turn("server", "net.core.netdev_budget", "many")
    assert play.machine.commands == ()
    assert play.knobs()[2].value == "300"


def test_restart_begins_with_a_new_world_and_the_first_beat():
    play = player()
    play.play_to(12 * MS)
    play.turn("server", "nic.rx_ring", "64")
    play.restart()
    assert play.now == 0
    assert play.beats_said == 1
    assert play.knobs()[1].value == "256"


def test_losses_are_counted_once_however_often_one_looks():
    often, seldom = (
        pictured(FakeOrigin(scenario(beats=()), partial(FakeWorld, missed_every=10))) for _ in range(2)
    )
    for t in range(0, 20 * MS, 30 * US):
        often.play_to(t)
    for each in (often, seldom):
        each.play_to(20 * MS)
    missed = often.host.wire_drops["rx_missed_errors"]
    assert sum(loss.packets for loss in often.machine.past(often.snapshot).losses) == missed + 1
    assert often.machine.film.losses == seldom.machine.film.losses
    assert all(loss.unseen == (loss.reason == "rx_missed_errors") for loss in often.machine.film.losses)


@pytest.mark.parametrize(
    ("values", "current", "up", "down"),
    [
        (("64", "256", "1024"), "256", "1024", "64"),
        (("64", "256", "1024"), "300", "1024", "256"),
        (("64", "256", "1024"), "1024", None, "256"),
        (
            ("4096 131072 6291456", "4096 262144 6291456"),
            "4096\t131072\t6291456",
            "4096 262144 6291456",
            None,
        ),
        (("0", "100KB/s", "1MB/s"), "200000", "1MB/s", "100KB/s"),
        (("true", "false"), "1", "false", None),
        ((), "7", None, None),
    ],
)
def test_a_knob_steps_through_sensible_values(values, current, up, down):
    assert (stepped(values, current, +1), stepped(values, current, -1)) == (up, down)
