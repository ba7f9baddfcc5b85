import pytest

from wireside.paint.picture import Picture, pictured
from wireside.paint.scene import RING, SOCKBUF
from wireside.scenario.library import index, resolve
from wireside.scenario.load import load
from wireside.session.knobs import stepped
from wireside.session.origin import Beginning

MS, S = 1_000_000, 1_000_000_000


def play(name):
    scenario = load(resolve(name))
    return pictured(Beginning(scenario, scenario.seed))


# Of time-wait-pile, eleven thousand connections, `check` plays the whole, and a test asks it for every beat.
@pytest.mark.parametrize("name", [name for name in index() if name != "time-wait-pile"])
def test_every_scenario_of_the_library_tells_its_whole_story(name):
    player = play(name)
    for t in range(0, 3 * MS, 2_000):
        player.play_to(t)
    player.play_to(player.scenario.duration_ns)
    assert player.beats_said == len(player.scenario.beats)


def test_a_reader_that_reads_again_empties_its_buffer_in_the_same_run():
    player = play("zero-window")
    player.play_to(3 * S)
    socket = max(player.host.sockets, key=lambda s: s.sk_rmem_alloc)
    assert socket.rcv_wnd_left == 0
    knob = player.knobs()[0]
    assert (knob.name, knob.value) == ("reader.read", "false")
    right = stepped(knob.values, knob.value, +1)
    assert right == "true"
    assert "effect" in player.turn("server", "reader.read", right)
    player.play_to(3 * S + 200 * MS)
    read = next(p for p in player.host.programs if p.name == "reader").bytes_read
    assert read > 1_000_000


def test_a_larger_ring_takes_the_burst_that_overflowed_the_smaller_one():
    player = play("ring-overflow")
    player.play_to(5 * MS)
    missed = player.host.wire_drops["rx_missed_errors"]
    assert missed > 100
    player.turn("server", "nic.rx_ring", "4096")
    player.play_to(15 * MS)
    assert player.host.wire_drops["rx_missed_errors"] == missed


def test_the_picture_shows_what_waits_in_ring_and_buffer():
    player = play("udp-overflow")
    picture = Picture(player.scenario)
    for _ in range(120):
        player.advance(1 / 30)
        frame = picture.frame(player)
    assert frame.scene.parked[SOCKBUF] > 3
    assert frame.scene.parked[RING] == 0
    assert frame.latency[SOCKBUF] is None or frame.latency[SOCKBUF] > MS


def test_the_same_commands_make_the_same_run():
    def run():
        player = play("zero-window")
        player.play_to(2 * S)
        player.turn("server", "reader.read", "true")
        player.play_to(2 * S + 50 * MS)
        return player.snapshot

    assert run() == run()
