"""`python -m tests.bench [--quick] [--only headless|screen]`: measure, and print one table."""

from __future__ import annotations

import argparse
import gc
import platform

from rich.console import Console
from rich.table import Table

from tests.bench import headless, screen
from tests.bench.measure import Row, median, yardstick

RUNS, QUICK_RUNS = 5, 1
VERDICT = {None: "", True: "[green]met[/]", False: "[red]missed[/]"}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one run of each instead of a median of five")
    parser.add_argument("--only", choices=("headless", "screen"), help="measure only a part")
    chosen = parser.parse_args()
    runs = QUICK_RUNS if chosen.quick else RUNS
    gc.freeze()
    steps = median(yardstick, runs)
    rows = [Row("plain Python loop (yardstick)", f"{steps / 1e6:.2f} million steps/s")]
    if chosen.only != "screen":
        rows += headless.rows(runs)
    if chosen.only != "headless":
        rows += screen.rows(runs)
    rows.append(Row("plain Python loop, once more", f"{median(yardstick, runs) / 1e6:.2f} million steps/s"))
    Console(width=120).print(_table(rows))


def _table(rows: list[Row]) -> Table:
    title = f"Wireside, Python {platform.python_version()}, {platform.machine()}; rates are per CPU second"
    table = Table("what", "measured", "goal", "verdict", title=title)
    for row in rows:
        table.add_row(row.what, row.value, row.goal, VERDICT[row.met])
    return table


if __name__ == "__main__":
    main()
