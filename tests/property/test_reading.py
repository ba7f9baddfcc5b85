"""The law of captions: whatever the frames, the same beats at the same instants, and each can be read."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import cycle, pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.property.stories import stories
from wireside.paint.picture import pictured
from wireside.scenario.library import index, resolve
from wireside.scenario.load import load
from wireside.session.origin import Beginning
from wireside.session.pace import reading_s
from wireside.session.telling import Telling
from wireside.sim.world import World

LONG_PAST = 0.0
"""A wall deadline that a run misses as soon as it looks at the clock."""
PATIENCE_S = 3600
frames = st.builds(
    lambda fps, jitter: [1 / fps + late for late in jitter],
    st.integers(5, 120),
    st.lists(st.sampled_from((0.0, 0.0, 0.0, 0.004, 0.05, 0.3)), min_size=1, max_size=20),
)
"""Lengths of frames: a rate, and how much later than that each one comes."""
lateness = st.lists(st.booleans(), min_size=1, max_size=7)
"""In which frames the simulation is stopped because it takes too long."""


def told_alone(scenario):
    """What is told, and when, by a run that nobody watches."""
    telling, there = Telling(scenario, World(scenario)), False
    while not there:
        there = telling.run(scenario.duration_ns) and not telling.story.due
        while telling.story.due:
            telling.tell()
    return telling.story.told


def watched(scenario, lengths, late, faster=0):
    """Play to the end by a fake clock, so many steps faster; (what was told, how long each beat stood)."""
    player = pictured(Beginning(scenario, scenario.seed))
    for _ in range(faster):
        player.change_pace(+1)
    clock, appeared = 0.0, [0.0] * player.beats_said
    for length, is_late in zip(cycle(lengths), cycle(late), strict=False):
        if player.ended:
            break
        if player.paused:
            player.toggle_pause()
        clock += length
        player.advance(length, LONG_PAST if is_late else None)
        appeared += [clock] * (player.beats_said - len(appeared))
        assert clock < PATIENCE_S
    stood = [after - before for before, after in pairwise(appeared)]
    return player.story.told, stood


def check(scenario, alone, lengths, late, faster=0):
    told, stood = watched(scenario, lengths, late, faster)
    assert told == alone
    for (number, _), seconds in zip(told, stood, strict=False):
        assert seconds >= reading_s(scenario.beats[number]) - 1e-6


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(stories(), st.lists(st.tuples(frames, lateness), min_size=2, max_size=2))
def test_any_story_is_told_alike_in_any_frames(scenario, manners):
    alone = told_alone(scenario)
    for lengths, late in manners:
        check(scenario, alone, lengths, [*late, False])


BUSY = {"time-wait-pile": 8_000_000_000}
"""Lessons with thousands of connections: so much of them, ns, holds a few beats and takes a few seconds to play."""


@cache
def lesson(name):
    scenario = load(resolve(name))
    scenario = replace(scenario, duration_ns=BUSY.get(name, scenario.duration_ns))
    return scenario, told_alone(scenario)


@pytest.mark.parametrize("name", index())
@settings(max_examples=2, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(frames, lateness, st.integers(5, 8))
def test_every_lesson_is_told_alike_in_any_frames(name, lengths, late, faster):
    check(*lesson(name), lengths, [*late, False, False], faster)


@pytest.mark.parametrize("name", index())
def test_every_lesson_is_told_alike_at_its_own_pace(name):
    check(*lesson(name), [1 / 7], [False])
