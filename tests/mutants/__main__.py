"""`make mutants`: changes the model in small ways, one at a time, and counts how many of them the tests notice.

The mutants are drawn by a seed from the catalog and from TCP, each folder in its share. The fast tests that concern the
folder run on a copy of the tree; one that takes too long counts as noticed. The survivors are printed: one in a
declaration means that nothing goes by what it declares, one in a rule that no test knows the rule.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from tests.mutants.change import mutants_of

ROOT = Path(__file__).parents[2]
CARRIED = ("app", "tests", "scenarios", "pyproject.toml", "README.md")
CONCERNED = {
    "app/wireside/catalog": ("tests/catalog", "tests/tools", "tests/kernel"),
    "app/wireside/kernel/tcp": ("tests/kernel", "tests/life", "tests/calls"),
}
"""Where mutants are made, and the tests that should notice them, the quickest first."""


def drawn(count, seed):
    """`count` mutants, the same for the same seed and the same text; half of them in each place."""
    rng = random.Random(seed)
    chosen = []
    for place in CONCERNED:
        every = [
            mutant
            for path in sorted((ROOT / place).rglob("*.py"))
            for mutant in mutants_of(path.relative_to(ROOT).as_posix(), path.read_bytes())
        ]
        chosen += rng.sample(every, min(count // len(CONCERNED), len(every)))
    return chosen


def noticed(mutant, tree, limit):
    """Whether some test fails, or hangs, with this change in the copy `tree`; the copy is left as it was."""
    path = tree / mutant.path
    source = path.read_bytes()
    path.write_bytes(mutant.applied(source))
    tests = next(tests for place, tests in CONCERNED.items() if mutant.path.startswith(place))
    try:
        return failing(tests, tree, limit)
    finally:
        path.write_bytes(source)


def failing(tests, tree, limit):
    """Whether some of `tests` fails in the copy `tree`, or takes longer than `limit` seconds."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n0", "-p", "no:cacheprovider", *tests]
    environment = _environment(tree)
    try:
        ran = subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, timeout=limit, check=False
        )
    except subprocess.TimeoutExpired:
        return True
    return ran.returncode != 0


def _environment(tree):
    return {**os.environ, "PYTHONPATH": str(tree / "app"), "PYTHONDONTWRITEBYTECODE": "1"}


def copied(folder):
    """A copy of the tree in `folder`, without what was compiled."""
    for name in CARRIED:
        source, target = ROOT / name, folder / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    return folder


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=60, help="how many mutants")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--limit", type=float, default=300, help="seconds for the tests of one mutant")
    asked = parser.parse_args()
    mutants = drawn(asked.count, asked.seed)
    survivors = []
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(asked.jobs) as pool:
        trees = SimpleQueue()
        for job in range(asked.jobs):
            trees.put(copied(Path(folder, str(job))))

        for tests in CONCERNED.values():
            if failing(tests, Path(folder, "0"), asked.limit):
                sys.exit(f"{' '.join(tests)} fail as they are: nothing can be learnt from mutants")

        def tried(mutant):
            tree = trees.get()
            try:
                return mutant, noticed(mutant, tree, asked.limit)
            finally:
                trees.put(tree)

        for mutant, found in pool.map(tried, mutants):
            if not found:
                survivors.append(mutant)
            print("noticed " if found else "SURVIVED", mutant, flush=True)
    for place in CONCERNED:
        mine = [each for each in mutants if each.path.startswith(place)]
        left = [each for each in survivors if each.path.startswith(place)]
        print(f"{place}: {len(mine) - len(left)} of {len(mine)} noticed")


if __name__ == "__main__":
    main()
