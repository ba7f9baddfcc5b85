"""Story time and real time: instants and columns."""

from itertools import pairwise
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from wireside.paint.axis import Axis, real_time, story_time
from wireside.scenario.spec import Beat
from wireside.session.commands import Position
from wireside.session.film import Mark

S = 1_000_000_000
axes = st.builds(
    lambda width, lengths, unknown: Axis(
        width, (0, *(sum(lengths[: n + 1]) for n in range(len(lengths)))), unknown
    ),
    st.integers(1, 200),
    st.lists(st.integers(1, 10**12), min_size=1, max_size=12),
    st.integers(0, 5),
)


def frame(t, told=(), beats=(), known=0, duration=10 * S, scale=S):
    """A frame with only what an axis is made of; `told` are the instants of the first beats."""
    return SimpleNamespace(
        t=t,
        scenario=SimpleNamespace(duration_ns=duration, beats=beats, scale=scale),
        past=SimpleNamespace(known_ns=known),
        marks=[Mark(Position(at, n + 1, whole=False), "beat", n) for n, at in enumerate(told)],
    )


@given(axes, st.integers(0, 200))
def test_the_first_instant_of_a_column_stands_in_it(axis, column):
    t = axis.instant(column % axis.width)
    if t < axis.edges[-1]:
        assert axis.column(t) >= column % axis.width
        assert t == 0 or axis.column(t - 1) <= column % axis.width


@given(axes)
def test_time_goes_to_the_right(axis):
    instants = axis.instants()
    assert instants == sorted(instants)
    columns = [axis.column(t) for t in instants]
    assert columns == sorted(columns)
    assert all(0 <= column < axis.width for column in columns)


def test_each_beats_stretch_is_as_wide_as_the_next():
    beats = [Beat(say=str(n), when="time > 0") for n in range(4)]
    axis = story_time(frame(9 * S, told=(0, 1000, 2_000_000, 9 * S), beats=beats, known=9 * S), 80)
    assert [axis.column(t) for t in axis.edges[:-1]] == [0, 20, 40, 60]
    assert axis.edges[-1] == 10 * S


def test_beats_of_one_instant_stand_together():
    beats = [Beat(say=str(n), when="time > 0") for n in range(3)]
    assert story_time(frame(S, told=(0, S, S), beats=beats, known=S), 80).stretches == 2


def test_beats_that_are_still_to_come_have_their_room():
    beats = [Beat(say="a", at_ns=0), Beat(say="b", when="time > 3s"), Beat(say="c", when="time > 4s")]
    axes = [story_time(frame(t, told=(0,), beats=beats, known=t), 90) for t in (0, S, 2 * S, 60 * S)]
    assert {axis.stretches for axis in axes} == {3}
    columns = [axis.column(t) for axis, t in zip(axes, (0, S, 2 * S, 60 * S), strict=True)]
    assert all(before < after < 30 for before, after in pairwise(columns))


def test_without_beats_story_time_is_real_time():
    assert story_time(frame(S), 80) == real_time(frame(S), 80)
