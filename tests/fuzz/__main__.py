"""`python -m tests.fuzz [KIND …] [--seconds N] [--seed N] [--jobs N]`: hostile input for as long as it is wanted."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.fuzz.kinds import KINDS, play


def hunt(name: str, seed: int, seconds: float) -> list[str]:
    """The problems that one kind finds in so many seconds."""
    found: list[str] = []
    end = time.monotonic() + seconds
    number = seed
    with tempfile.TemporaryDirectory() as folder:
        while time.monotonic() < end:
            problem = play(name, number, Path(folder))
            if problem:
                found.append(f"{name} {number}: {problem}")
                sys.stdout.write(f"{found[-1]}\n")
                sys.stdout.flush()
            number += 1
    sys.stdout.write(f"{name}: {number - seed:,} cases from {seed} on, {len(found)} problems\n")
    sys.stdout.flush()
    return found


def main() -> int:
    """Hunt with every kind that was named; the exit status is 1 when one found something."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("--seconds", type=float, default=60.0, help="for each kind")
    parser.add_argument("--seed", type=int, default=0, help="number of the first case")
    parser.add_argument("--only", action="store_true", help="play that one case")
    parser.add_argument("--jobs", type=int, default=2, help="kinds at the same time")
    chosen = parser.parse_args()
    names = chosen.kinds or list(KINDS)
    if unknown := set(names) - set(KINDS):
        parser.error(f"there is no kind {', '.join(sorted(unknown))}")
    if chosen.only:
        with tempfile.TemporaryDirectory() as folder:
            problems = [play(name, chosen.seed, Path(folder)) for name in names]
        sys.stdout.write("".join(f"{problem or 'all is well'}\n" for problem in problems))
        return int(any(problems))
    with ProcessPoolExecutor(chosen.jobs) as pool:
        found = list(pool.map(hunt, names, [chosen.seed] * len(names), [chosen.seconds] * len(names)))
    return int(any(found))


if __name__ == "__main__":
    sys.exit(main())
