"""`wireside` and `wireside play`: the terminal screen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wireside.cli.chosen import load_scenario, settings_of
from wireside.errors import CommandError
from wireside.scenario import library
from wireside.sim import heap

if TYPE_CHECKING:
    import argparse


def run_play(options: argparse.Namespace) -> int:
    """Open a scenario, by default the first lesson; a damaged file is refused before the screen is touched."""
    heap.begin()
    from wireside.session.recording import SUFFIX

    if options.command is None:
        from wireside.tui.app import run

        return run(str(library.library()[0]))
    if Path(options.scenario).suffix == SUFFIX:
        return _play_recording(options)
    path = library.resolve(options.scenario)
    scenario = load_scenario(path, options.kernel)
    for text in options.set:
        if ":" in text.partition("=")[0]:
            raise CommandError(
                f"play sets a knob on every host that has it, not {text!r}",
                next_step="Leave out the host, or turn the knob on the screen.",
            )
    knobs = {setting.name: setting.value for setting in settings_of(scenario, options.set)}
    from wireside.tui.app import run

    return run(str(path), seed=options.seed, kernel=options.kernel, sysctl=knobs)


def _play_recording(options: argparse.Namespace) -> int:
    """Open a recording at the moment at which it was saved."""
    if options.seed is not None or options.kernel is not None or options.set:
        raise CommandError(
            "a recording has its own seed, kernel and knobs",
            next_step="Leave out --seed, --kernel and --set.",
        )
    from wireside.session.recording import open_recording

    path = Path(options.scenario)
    recording = open_recording(path, library.shown_path(path))
    from wireside.tui.app import run

    return run(recording)
