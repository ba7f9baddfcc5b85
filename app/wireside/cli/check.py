"""`wireside check`: scenarios must load, play to their end, and do what they promise."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from wireside.cli.outcome import FAILS, HOLDS, USAGE, show_error
from wireside.errors import CommandError, WiresideError
from wireside.outside import clean
from wireside.scenario import library
from wireside.scenario.load import load
from wireside.scenario.spec import Call, Loop

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable
    from pathlib import Path

    from wireside.out.headless import Outcome
    from wireside.scenario.spec import Scenario, Statement


def run_check(options: argparse.Namespace) -> int:
    """Check the files given, or all shipped scenarios and their index."""
    worst = HOLDS
    for path in [library.resolve(name) for name in options.files or library.index()]:
        started = time.monotonic()
        try:
            scenario = load(path, shown=library.shown_path(path))
            complaints = _complaints(scenario, path)
        except WiresideError as error:
            print(f"FAIL {clean(path.stem)}")
            sys.stdout.flush()
            show_error(error)
            worst = USAGE
            continue
        print(f"{'FAIL' if complaints else 'ok  '} {scenario.id}  ({time.monotonic() - started:.1f} s)")
        for complaint in complaints:
            print(f"     {complaint}")
        if complaints:
            worst = max(worst, FAILS)
    if not options.files:
        worst = max(worst, _check_folder())
    return worst


def _check_folder() -> int:
    strays = library.unlisted()
    if strays:
        raise CommandError(
            f"scenarios/index.yaml does not list {', '.join(strays)}",
            next_step="Add a line for each, where it belongs in the order of lessons.",
        )
    return HOLDS


def _complaints(scenario: Scenario, path: Path) -> list[str]:
    found = []
    if not scenario.summary:
        found.append(f"{path.name} has no summary")
    if not scenario.expect and not any(_promises(each.script) for each in scenario.programs):
        found.append(f"{path.name} expects nothing, so nothing is checked")
    moments = [(beat.at_ns, beat.position) for beat in scenario.beats]
    moments += [(each.at_ns, each.position) for each in scenario.expect]
    found += [
        f"{position}: this is to happen after the end"
        for at_ns, position in moments
        if at_ns is not None and at_ns > scenario.duration_ns
    ]
    from wireside.out.headless import play

    return found + _broken_promises(play(scenario, watch_beats=True))


def _broken_promises(outcome: Outcome) -> list[str]:
    scenario = outcome.scenario
    found = list(outcome.broken)
    if outcome.results and all(outcome.held_at_start):
        found.append("every expectation holds before anything has happened, so they say nothing")
    found += [
        f"{scenario.beats[number].position}: this beat's moment never comes: {scenario.beats[number].when}"
        for number in outcome.silent_beats
        if scenario.beats[number].when
    ]
    if not scenario.expect and not outcome.kept:
        found.append("no call returned that promises a result, so nothing was checked")
    return found


def _promises(script: Iterable[Statement]) -> bool:
    """Whether a call of the script says what it must return."""
    return any(
        bool(each.expected) if isinstance(each, Call) else isinstance(each, Loop) and _promises(each.body)
        for each in script
    )
