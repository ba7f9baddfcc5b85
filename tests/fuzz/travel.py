"""Time travel in the lessons: whichever way an instant is reached, it is the one that playing reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.property.travels import cells, difference, do, frame_of, known, opened, play_forward, seen
from wireside.paint.picture import pictured
from wireside.paint.ui import Ui
from wireside.scenario import library
from wireside.scenario.load import load
from wireside.session.commands import Position

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

    from tests.property.travels import Move
    from wireside.scenario.spec import Scenario

CASES = 8
SPANS_NS = (2_000_000, 30_000_000, 300_000_000)
RATES = (1 / 60, 1 / 30, 1 / 11, 0.0071)


def case(rng: Random, folder: Path) -> str:
    """Go about in a lesson, and come to an instant; play to it; open a recording of it."""
    scenario = load(rng.choice(library.library()))
    end = min(rng.choice(SPANS_NS), scenario.duration_ns + 1_000_000)
    session = opened(scenario)
    for _ in range(rng.randint(1, 8)):
        do(session, _move(rng, scenario, end), end)
    at = rng.randrange(end)
    session.go(Position(at))
    other = play_forward(opened(scenario, session.machine.commands), at, rng.choice(RATES))
    session.pace.steps = other.pace.steps
    if found := difference(seen(session), seen(other)):
        return f"{scenario.id} at {at}: playing there differs in {found}"
    again = pictured(session.origin)
    again.take_up(session.recording())
    if found := difference(seen(session), seen(again)):
        return f"{scenario.id} at {at}: its recording differs in {found}"
    for each in (session, other):
        each.go(Position(max(session.known_ns, end)))
        each.go(Position(at))
    session.branches = ()
    if known(session.machine.film) != known(other.machine.film):
        return f"{scenario.id}: what is known of the run differs"
    if cells(frame_of(session), Ui()) != cells(frame_of(other), Ui()):
        return f"{scenario.id} at {at}: the picture differs"
    return ""


def _move(rng: Random, scenario: Scenario, end: int) -> Move:
    name = rng.choice(
        (
            "go",
            "part",
            "step",
            "step_back",
            "mark",
            "beat",
            "play",
            "late",
            "backwards",
            "pause",
            "home",
            "turn",
            "turn",
        )
    )
    if name == "turn":
        knob = rng.choice(scenario.knobs)
        return name, (knob.host, knob.name, rng.choice(knob.values or ("1", "0")))
    if name in {"go", "part"}:
        return name, rng.randrange(end)
    if name in {"play", "late", "backwards"}:
        return name, rng.choice(RATES), rng.randint(1, 30)
    return name, rng.choice((-1, 1)) if name in {"mark", "beat"} else rng.randint(1, 5)
