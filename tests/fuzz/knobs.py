"""Knobs: whatever is turned while a lesson runs is taken or refused in words; file and knob follow one rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fuzz.hostile import NUMBERS
from wireside.catalog.sysctls import ALL_SYSCTLS, format_value
from wireside.errors import CommandError
from wireside.scenario import library
from wireside.scenario.decode_story import check_knob, knob_names
from wireside.scenario.load import load
from wireside.scenario.units import UnitError
from wireside.scenario.vary import cast_of
from wireside.sim.world import World

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

    from wireside.scenario.spec import Scenario

CASES = 40
TURNS = 25
SLICE_NS = 300_000
BEFORE_NS = (0, 20_000_000, 1_300_000_000)
VALUES = (
    *NUMBERS,
    "true",
    "false",
    "1",
    "8",
    "32768",
    "50us",
    "64KiB",
    "100KB/s",
    "1 2 3",
    "20kpps",
    "reno",
    "4096 8192 8192",
)


def case(rng: Random, folder: Path) -> str:
    """Turn knobs of a lesson now and then while it runs."""
    scenario = load(rng.choice(library.library()))
    world = World(scenario, seed=rng.randrange(1000))
    world.run_until(rng.choice(BEFORE_NS))
    cast = cast_of(scenario)
    for _ in range(TURNS):
        host = rng.choice(list(cast.hosts))
        name = rng.choice(knob_names(cast, host))
        value = _value(rng, name)
        problem = _turned(world, scenario, host, name, value)
        if problem:
            return f"{scenario.id}: {host} {name}={value[:80]!r}: {problem}"
        world.run_until(world.now + SLICE_NS)
        world.snapshot()
    return ""


def _value(rng: Random, name: str) -> str:
    sysctl = next((each for each in ALL_SYSCTLS if each.name == name), None)
    if sysctl is not None and rng.random() < 0.7:
        count = len(sysctl.default) if isinstance(sysctl.default, tuple) else 1
        edges = (
            sysctl.low,
            sysctl.high,
            sysctl.low + 1,
            rng.randint(sysctl.low, min(sysctl.high, sysctl.low + 5000)),
        )
        steps = [format_value(step) for step in sysctl.steps]
        return rng.choice((" ".join(str(rng.choice(edges)) for _ in range(count)), *steps))
    return rng.choice(VALUES)


def _turned(world: World, scenario: Scenario, host: str, name: str, value: str) -> str:
    """Turn one knob; a problem when a file would have decided otherwise, or the value does not read back."""
    try:
        check_knob(cast_of(scenario), host, name, value)
        in_a_file = True
    except UnitError:
        in_a_file = False
    try:
        world.command(host, name, value)
    except CommandError as refusal:
        if not str(refusal).replace("\n", "").isprintable():
            return "a refusal that cannot be printed"
        return (
            "a file may say this, the knob may not"
            if in_a_file and "its device is" not in refusal.what
            else ""
        )
    if not in_a_file:
        return "the knob takes this, a file does not"
    now = world.knob_value(host, name)
    world.command(host, name, now)
    return "" if world.knob_value(host, name) == now else f"{now!r} does not read back"
