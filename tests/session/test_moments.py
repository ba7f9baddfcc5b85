"""Moments that share an instant: beats that are due, beats told, knobs turned."""

from __future__ import annotations

import pytest

from tests.paint.fake_world import US, FakeOrigin, scenario
from wireside.errors import CommandError
from wireside.paint.picture import pictured
from wireside.scenario.library import resolve
from wireside.scenario.load import load
from wireside.scenario.spec import Beat
from wireside.session.commands import Position
from wireside.session.origin import Beginning

RING = "server.nic.rx_ring_used >= 3"


def player(*beats):
    return pictured(FakeOrigin(scenario(beats=beats)))


def opened_again(session):
    other = pictured(session.origin)
    other.take_up(session.recording())
    return other


def test_a_run_that_waits_for_its_reader_opens_again_where_it_waited():
    session = player(Beat(say="one", at_ns=0), Beat(say="two", when=RING), Beat(say="three", when=RING))
    session.advance(0.1)
    assert session.machine.position == Position(5 * US, 1, whole=False, due=2)
    other = opened_again(session)
    assert other.machine.position == session.machine.position
    other.toggle_pause()
    other.toggle_pause()
    assert (other.beat.say, opened_again(other).beat.say) == ("two", "two")


def test_going_to_a_knob_ends_though_a_later_one_of_its_instant_waits_for_a_beat():
    session = player(Beat(say="one", at_ns=0), Beat(say="two", at_ns=5 * US))
    session.advance(0.1)
    session.turn("server", "nic.rx_ring", "64")
    session.toggle_pause()
    session.toggle_pause()
    session.turn("server", "nic.rx_ring", "1024")
    assert [(each.time_ns, each.told) for each in session.machine.commands] == [(5 * US, 1), (5 * US, 2)]
    session.go_home()
    heard = []
    for _ in range(2):
        session.go_to_mark(+1)
        heard.append((session.now, session.beat.say, session.knobs()[1].value))
    assert heard == [(5 * US, "one", "64"), (5 * US, "two", "1024")]


def test_a_beat_that_only_the_left_run_told_leaves_no_mark():
    session = player(Beat(say="one", at_ns=0), Beat(say="two", when="server.nic.rx_ring_size > 256"))
    session.go(Position(7 * US))
    session.turn("server", "nic.rx_ring", "1024")
    session.go(Position(9 * US))
    assert [mark.kind for mark in session.marks()].count("beat") == 2
    session.go(Position(6 * US))
    session.turn("server", "nic.rx_ring", "64")
    assert [mark.kind for mark in session.marks()].count("beat") == 1


def test_marks_lead_back_from_the_one_that_is_stood_on():
    session = player(Beat(say="one", at_ns=0), Beat(say="two", at_ns=5 * US))
    session.go(Position(9 * US))
    found = []
    for _ in range(2):
        session.go_to_mark(-1, kinds=("beat",))
        found.append((session.now, session.beat.say))
    assert found == [(5 * US, "two"), (0, "one")]


def test_what_a_knob_sets_off_has_happened_before_the_next_one_is_turned():
    lesson = load(resolve("zero-window"))
    session = pictured(Beginning(lesson, 1))
    session.go(Position(3_000_000_000))
    for value in ("true", "false"):
        session.turn("server", "reader.read", value)
        session.step()
        session.step_back()
    assert session.world.upcoming() > session.now
    other = opened_again(session)
    assert other.snapshot == session.snapshot


def test_a_refused_knob_leaves_a_moment_as_it_was():
    session = player(Beat(say="one", at_ns=0), Beat(say="two", when=RING))
    session.advance(0.1)
    before = session.machine.position
    with pytest.raises(CommandError, match="whole number"):
        session.turn("server", "net.core.netdev_budget", "many")
    assert session.machine.position == before
