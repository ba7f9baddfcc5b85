"""The scenario a command line chose, with its options applied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.scenario import library
from wireside.scenario.load import load
from wireside.scenario.vary import Setting, settings, timed_settings, vary, vary_kernel

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from wireside.scenario.spec import Scenario


def load_scenario(path: Path, kernel: str | None) -> Scenario:
    """The scenario in a file, on another kernel if one is given."""
    scenario = load(path, shown=library.shown_path(path))
    return vary_kernel(scenario, kernel) if kernel else scenario


def settings_of(scenario: Scenario, texts: Sequence[str]) -> tuple[Setting, ...]:
    """All that --set asks for."""
    found = tuple(setting for text in texts for setting in settings(scenario, text))
    vary(scenario, found)
    return found


def turns_of(scenario: Scenario, texts: Sequence[str]) -> tuple[Setting, ...]:
    """All that --at asks for."""
    return tuple(setting for text in texts for setting in timed_settings(scenario, text))
