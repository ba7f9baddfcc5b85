"""`wireside run`."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Self

from wireside.cli.chosen import load_scenario, settings_of, turns_of
from wireside.cli.outcome import FAILS, HOLDS
from wireside.cli.streams import speaks_unicode
from wireside.errors import CommandError
from wireside.scenario import library
from wireside.scenario.load import MAX_DURATION_NS
from wireside.scenario.units import Kind, UnitError, parse, time_text
from wireside.scenario.vary import vary

if TYPE_CHECKING:
    import argparse

PATIENCE_S = 1.0
"""A run that takes longer shows a progress bar."""


def run_run(options: argparse.Namespace) -> int:
    """Play a scenario headless and print what came of it."""
    scenario = load_scenario(library.resolve(options.scenario), options.kernel)
    scenario = vary(scenario, settings_of(scenario, options.set))
    turns = turns_of(scenario, options.at)
    until_ns = _time(options.until) if options.until is not None else None
    end_ns = until_ns or scenario.duration_ns
    for turn in turns:
        if (turn.at_ns or 0) > end_ns:
            raise CommandError(
                f"{time_text(turn.at_ns or 0)} is after the end",
                where=f"--at …:{turn.name}={turn.value}",
                next_step=f"The run ends at {time_text(end_ns)}.",
            )
    from wireside.out.headless import play

    with _Progress(end_ns) as progress:
        outcome = play(scenario, until_ns=until_ns, seed=options.seed, turns=turns, progress=progress.tell)
    if options.json:
        from wireside.out.json_report import json_text

        print(json_text(outcome, ascii_only=not speaks_unicode(sys.stdout)))
    else:
        from wireside.out.report import print_report

        print_report(outcome)
    return HOLDS if outcome.holds else FAILS


def _time(text: str) -> int:
    try:
        until_ns = int(parse(Kind.TIME, text))
    except UnitError as error:
        raise CommandError(error.what, where="--until", next_step=error.next_step) from None
    if until_ns > MAX_DURATION_NS:
        raise CommandError(
            f"{text} is too long",
            where="--until",
            next_step=f"A run has at most {time_text(MAX_DURATION_NS)}.",
        )
    if until_ns <= 0:
        raise CommandError(
            "the run would be over at once", where="--until", next_step="Write a time like 250ms."
        )
    return until_ns


class _Progress:
    """A bar on standard error, shown only on a terminal and only when the run takes its time."""

    def __init__(self, total_ns: int) -> None:
        self.total_ns = total_ns
        self.started = time.monotonic()
        self.bar: Any = None
        self.task: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self.bar is not None:
            self.bar.stop()

    def tell(self, now_ns: int) -> None:
        """Note that the run has come to `now_ns`."""
        if self.bar is None:
            if time.monotonic() - self.started < PATIENCE_S or not sys.stderr.isatty():
                return
            from rich.console import Console
            from rich.progress import Progress

            self.bar = Progress(console=Console(stderr=True), transient=True)
            self.task = self.bar.add_task("simulating", total=self.total_ns)
            self.bar.start()
        self.bar.update(self.task, completed=now_ns)
