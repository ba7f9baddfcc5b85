import time

import pytest

from tests.paint.fake_world import MS, US, FakeWorld, scenario
from wireside.errors import CommandError
from wireside.player.history import MOST_BUCKETS, History
from wireside.player.knobs import stepped
from wireside.player.player import SCALES, Player
from wireside.scenario.spec import Beat


def player(**changes):
    return Player(scenario(**changes), FakeWorld)


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


def test_the_scale_has_steps_of_1_2_5_and_ends():
    play = player()
    play.change_scale(+1)
    assert play.scale == 200 * US
    for _ in range(50):
        play.change_scale(+1)
    assert play.scale == SCALES[-1] == 2_000_000_000
    assert SCALES[0] == 10
    play.scale = 450 * US
    play.change_scale(-1)
    assert play.scale == 200 * US


def test_at_a_pace_of_nanoseconds_time_does_not_stand_still():
    play = player(beats=(), scale=22)
    for _ in range(60):
        play.advance(1 / 30)
    assert play.now in {43, 44}


def test_a_beat_is_said_at_its_very_time_and_can_change_pace_and_pause():
    play = player()
    assert play.beat.look_at == "sockbuf"
    play.play_to(10 * MS - 1)
    assert play.beats_said == 1
    play.change_scale(+9)
    play.advance(1 / 30)
    assert play.now == 10 * MS
    assert play.beat.say == "Half way."
    assert (play.scale, play.paused) == (1 * MS, True)


def test_beats_whose_conditions_hold_at_once_are_said_one_after_the_other():
    beats = [Beat(say=name, when="server.nic.rx_ring_used >= 3") for name in ("one", "two")]
    play = player(beats=(Beat(say="zero", at_ns=0), *beats))
    heard = []
    for _ in range(30 * 8):
        play.advance(1 / 30)
        heard.append(play.beat.say)
    assert [heard.count(name) for name in ("zero", "one")] == pytest.approx([90, 90], abs=3)
    assert heard[-1] == "two"


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
    assert [(turned.name, turned.value) for turned in play.log] == [("nic.rx_ring", "1024")]


def test_a_refused_value_leaves_everything_as_it_was():
    play = player()
    with pytest.raises(CommandError, match="whole number"):
        play.turn("server", "net.core.netdev_budget", "many")
    assert play.log == []
    assert play.knobs()[2].value == "300"


def test_restart_begins_with_a_new_world_and_the_first_beat():
    play = player()
    play.play_to(12 * MS)
    play.turn("server", "nic.rx_ring", "64")
    play.restart()
    assert play.now == 0
    assert play.beats_said == 1
    assert play.knobs()[1].value == "256"


def test_history_counts_losses_once_and_keeps_its_size():
    world = FakeWorld(missed_every=10)
    history = History(1 * MS)
    for t in range(0, 100 * MS, 50 * US):
        world.now = t
        history.sample(world.snapshot().host("server"))
    assert len(history.series["pps"]) <= MOST_BUCKETS
    missed = world.snapshot().host("server").wire_drops["rx_missed_errors"]
    assert sum(history.series["drops"]) == missed + 1
    assert history.losses[-1].unseen


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
