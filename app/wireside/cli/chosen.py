"""The scenario a command line chose, with its options applied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.catalog.profiles import PROFILES
from wireside.errors import CommandError
from wireside.scenario import library
from wireside.scenario.load import load
from wireside.scenario.units import advice
from wireside.scenario.vary import Setting, settings, timed_settings, vary

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from wireside.scenario.spec import Scenario


def load_scenario(path: Path, kernel: str | None) -> Scenario:
    """The scenario in a file, on another kernel if one is given."""
    if kernel is not None and kernel not in PROFILES:
        raise CommandError(f"there is no kernel profile {kernel!r}", next_step=advice(kernel, PROFILES))
    return load(path, shown=library.shown_path(path), kernel=kernel)


def settings_of(scenario: Scenario, texts: Sequence[str]) -> tuple[Setting, ...]:
    """All that --set asks for."""
    found = tuple(setting for text in texts for setting in settings(scenario, text))
    vary(scenario, found)
    return found


def turns_of(scenario: Scenario, texts: Sequence[str]) -> tuple[Setting, ...]:
    """All that --at asks for."""
    return tuple(setting for text in texts for setting in timed_settings(scenario, text))
