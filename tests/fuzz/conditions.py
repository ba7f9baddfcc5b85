"""Conditions: each is refused in words, with its place, or has the value of a snapshot in the living world."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from tests.fuzz.hostile import condition
from wireside.scenario import library
from wireside.scenario.expect import ConditionError, compile_condition
from wireside.scenario.load import load
from wireside.scenario.names import names_of
from wireside.scenario.terms import walk
from wireside.sim.live import Live
from wireside.sim.world import World

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

    from wireside.scenario.spec import Scenario

CASES = 1000
MOMENTS = (0, 155_264, 1_268_837, 3_300_000)


@cache
def lesson() -> Scenario:
    """The scenario that conditions are about."""
    return load(library.resolve("first-packet"))


def case(rng: Random, _folder: Path) -> str:
    """Read a condition, and look at it now and then."""
    scenario = lesson()
    text = condition(rng)
    names = names_of(scenario.hosts, scenario.programs, scenario.kernel, ("raw",))
    try:
        found = compile_condition(text, names)
    except ConditionError as error:
        where = 0 <= error.offset <= len(text)
        said = error.what.isprintable() and error.next_step.isprintable() and len(error.what) < 200
        return "" if where and said else f"{text!r}: {error.what!r} at {error.offset}"
    world = World(scenario, trace=0)
    world.follow(walk(found.term))
    read = found.term.compile(Live(world))
    for moment in MOMENTS:
        world.run_until(moment)
        snapshot = world.snapshot()
        if bool(read(world)) is not found.holds(snapshot):
            return f"{text!r} at {moment}: {read(world)}, but {found.value(snapshot)} in a snapshot"
        if not found.value(snapshot).isprintable():
            return f"{text!r} is {found.value(snapshot)!r}"
    return ""
