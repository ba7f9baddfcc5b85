"""`wireside list`."""

from __future__ import annotations

import shutil
import textwrap
from typing import TYPE_CHECKING

from wireside.errors import ScenarioErrors
from wireside.scenario import library
from wireside.scenario.load import load

if TYPE_CHECKING:
    import argparse


def run_list(options: argparse.Namespace) -> int:
    """Print id, title and summary of every shipped scenario, in the order to learn them."""
    ids = library.index()
    indent = max(map(len, ids), default=0) + 2
    width = min(shutil.get_terminal_size((100, 24)).columns, 110)
    for name in ids:
        path = library.resolve(name)
        try:
            scenario = load(path, shown=library.shown_path(path))
        except ScenarioErrors as error:
            print(f"{name:<{indent}}(damaged: {error.what}; `wireside check` tells)")
            continue
        print(f"{name:<{indent}}{scenario.title}")
        blank = " " * indent
        print(textwrap.fill(scenario.summary, width, initial_indent=blank, subsequent_indent=blank))
    return 0
