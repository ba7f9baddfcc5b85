"""The laws of time travel: where a run is says all about it, whichever way it came there.

`make laws` has each hold over a thousand cases and more.
"""

from __future__ import annotations

import os
from itertools import pairwise

from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from tests.property.stories import stories
from tests.property.test_books import KNOBS, MS
from tests.property.travels import (
    LONG_AGO,
    cells,
    difference,
    do,
    frame_of,
    known,
    moves,
    opened,
    play_forward,
    seen,
    took_turns,
)
from wireside.paint.picture import pictured
from wireside.paint.ui import Ui
from wireside.session.commands import Position
from wireside.session.origin import Beginning

CASES = int(os.environ.get("CASES", "25"))
END = 8 * MS
TURNS = [("server", name, value) for name, values in KNOBS for value in values]
instants = st.integers(0, END + MS)
travels = moves(END, TURNS)
LAW = settings(
    max_examples=CASES,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate] if CASES > 100 else list(Phase),
)


def travelled(scenario, ways):
    session = opened(scenario)
    for way in ways:
        do(session, way, END)
    return session


@LAW
@given(stories(), travels, instants)
def test_going_to_an_instant_is_playing_to_it(scenario, ways, t):
    session = travelled(scenario, ways)
    session.go(Position(t))
    other = play_forward(opened(scenario, session.machine.commands), t)
    session.pace.steps = other.pace.steps
    assert difference(seen(session), seen(other)) == []
    # What is only known of the future may differ; when both know the same, nothing does.
    for each in (session, other):
        each.go(Position(max(session.known_ns, END)))
        each.go(Position(t))
    assert difference(seen(session), seen(other)) == []
    assert known(session.machine.film) == known(other.machine.film)
    assert session.marks() == other.marks()
    session.branches = ()
    for ui in (Ui(), Ui(real_time=True)):
        assert cells(frame_of(session), ui) == cells(frame_of(other), ui)


@LAW
@given(stories(), travels, instants, st.sampled_from(TURNS), instants)
def test_a_branch_equals_its_parent_up_to_the_branching(scenario, ways, t, turn, before):
    session = travelled(scenario, ways)
    session.go(Position(t))
    if not session.known_ns > t:
        session.go(Position(END + 2 * MS))
        session.go(Position(t))
    assume(took_turns(scenario, turn))
    parent = opened(scenario, session.machine.commands)
    parent.go(Position(max(session.known_ns, END + 2 * MS)))
    known_ns = session.known_ns
    session.turn(*turn)
    branch = session.branches[-1]
    assert branch == (t, parent.machine.commands, known_ns)
    kept = session.machine.commands[:-1]
    assert kept == tuple(each for each in branch.commands if each.time_ns <= t)
    session.go(Position(END + 2 * MS))
    count = sum(time < t for time in parent.machine.film.times)
    assert session.machine.film.samples[:count] == parent.machine.film.samples[:count]
    before = min(before, t - 1)
    if before >= 0:
        for each in (session, parent):
            each.go(Position(before))
        session.pace.steps = parent.pace.steps
        assert difference(seen(session), seen(parent)) == []


@LAW
@given(stories(), travels, st.booleans(), instants)
def test_a_saved_recording_goes_on_as_the_run_did(scenario, ways, held, t):
    session = travelled(scenario, ways)
    if held:
        session.pace.paused = False
        for _ in range(100):
            if session.now >= END or session.hold_s:
                break
            session.advance(1 / 30)
    session.pace.paused = True
    text = session.recording()
    other = pictured(Beginning(scenario, scenario.seed))
    other.take_up(text)
    session.pace.steps = other.pace.steps
    session.goal = None
    session.backwards = False
    session._arrived()
    assert difference(seen(session), seen(other)) == []
    assert other.recording() == text
    for each in (session, other):
        each.go(Position(t))
    assert difference(seen(session), seen(other)) == []


RATES = st.sampled_from((1 / 11, 1 / 30, 1 / 60, 0.0071, 0.1, 1.3))


@LAW
@given(stories(), RATES, RATES, st.booleans(), st.integers(0, 4 * MS))
def test_a_picture_does_not_depend_on_the_frame_rate(scenario, dt, other_dt, late, t):
    session, other = opened(scenario), opened(scenario)
    for each, step in ((session, dt), (other, other_dt)):
        for _ in range(400):
            if each.now >= t:
                break
            each.pace.paused = False
            each.advance(step, LONG_AGO if late and each is other else None)
    for each in (session, other):
        each.go(Position(t))
    assert difference(seen(session), seen(other)) == []


@LAW
@given(stories(), travels, instants, st.integers(1, 12))
def test_steps_back_visit_what_steps_have_visited(scenario, ways, t, count):
    session = travelled(scenario, ways)
    session.go(Position(t))
    session.step()
    visited = [session.machine.position]
    for _ in range(count):
        session.step()
        visited.append(session.machine.position)
    visited = [*dict.fromkeys(visited)]
    looks = {}
    assert all(one < other for one, other in pairwise(visited))
    for position in reversed(visited):
        assert session.machine.position == position, visited
        looks[position] = seen(session)
        session.step_back()
    for position in visited[:3]:
        session.go(position)
        assert difference(seen(session), looks[position]) == []
