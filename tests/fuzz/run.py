"""Runs: whatever loads can be run, judged and reported."""

from __future__ import annotations

import io
import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console

from tests.fuzz.hostile import mutated
from wireside.errors import ScenarioErrors, WiresideError
from wireside.out.headless import play
from wireside.out.json_report import json_text
from wireside.out.report import print_report
from wireside.scenario.load import load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from random import Random

    from wireside.scenario.spec import Scenario

CASES = 80
TRIES = 40
"""Damaged files until one loads."""
ENOUGH_S = 0.4
"""A run that takes its time has shown that it moves."""
STUCK_S = 20


class EnoughSeen(Exception):  # noqa: N818
    """The run moves, and goes on for longer than one case may."""


class StuckError(Exception):
    """Nothing was reported for so long that the simulated clock must stand."""


def case(rng: Random, folder: Path) -> str:
    """Load damaged files until one is a scenario, and run it for a while."""
    scenario = next(filter(None, (_loaded(rng, folder) for _ in range(TRIES))), None)
    if scenario is None:
        return ""
    began = time.monotonic()

    def enough(now_ns: int) -> None:
        if time.monotonic() - began > ENOUGH_S:
            raise EnoughSeen

    until_ns = min(scenario.duration_ns, rng.choice((1_000_000, 50_000_000, 2_000_000_000)))
    try:
        with watched():
            outcome = play(scenario, until_ns=until_ns, progress=enough, watch_beats=rng.random() < 0.3)
    except (EnoughSeen, WiresideError):
        return ""
    except StuckError:
        return "stuck:\n" + (folder / "damaged.yaml").read_text(encoding="utf-8")
    out = io.StringIO()
    print_report(outcome, Console(file=out, highlight=False, width=100))
    for text in (out.getvalue(), json_text(outcome)):
        if not text.replace("\n", "").isprintable():
            return f"{text!r} cannot be printed"
    return ""


def _loaded(rng: Random, folder: Path) -> Scenario | None:
    path = folder / "damaged.yaml"
    path.write_text(mutated(rng, 3), encoding="utf-8", errors="surrogatepass")
    try:
        return load(path)
    except ScenarioErrors:
        return None


@contextmanager
def watched() -> Iterator[None]:
    """Raise StuckError when the CPU works for STUCK_S on one case."""

    def stuck(*_: object) -> None:
        raise StuckError

    before = signal.signal(signal.SIGVTALRM, stuck)
    signal.setitimer(signal.ITIMER_VIRTUAL, STUCK_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
