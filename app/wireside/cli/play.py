"""`wireside` and `wireside play`: the terminal screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.cli.chosen import load_scenario, settings_of
from wireside.errors import CommandError
from wireside.scenario import library
from wireside.scenario.words import SYSCTL_NAMES

if TYPE_CHECKING:
    import argparse


def run_play(options: argparse.Namespace) -> int:
    """Open a scenario, by default the first lesson; a damaged file is refused before the screen is touched."""
    if options.command is None:
        from wireside.tui.app import run

        return run(str(library.library()[0]))
    path = library.resolve(options.scenario)
    scenario = load_scenario(path, options.kernel)
    sysctl: dict[str, str] = {}
    for setting in settings_of(scenario, options.set):
        if setting.name not in SYSCTL_NAMES:
            raise CommandError(
                f"play sets sysctls only, not {setting.name}",
                next_step="Turn other knobs on the screen, or use `wireside run`.",
            )
        sysctl[setting.name] = setting.value
    from wireside.tui.app import run

    return run(str(path), seed=options.seed, kernel=options.kernel, sysctl=sysctl)
