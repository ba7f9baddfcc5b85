"""Files: each loads or is refused in words, within a second of CPU, and whatever comes of it can be printed."""

from __future__ import annotations

import time
from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any

from tests.fuzz.hostile import mutated
from wireside.errors import Position, ScenarioErrors
from wireside.scenario.load import load

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from random import Random

CASES = 3000
MOST_CPU_S = 1.0
LONGEST = 40_000


def case(rng: Random, folder: Path) -> str:
    """Load a damaged file."""
    path = folder / "damaged.yaml"
    raw = mutated(rng).encode("utf-8", "surrogatepass")
    if rng.random() < 0.05:
        at = rng.randint(0, len(raw))
        raw = raw[:at] + rng.randbytes(rng.choice((1, 2, 50))) + raw[at:]
    path.write_bytes(raw)
    before = time.process_time()
    try:
        scenario = load(path)
    except ScenarioErrors as errors:
        problem = _odd_errors(errors)
    else:
        problem = next(
            (
                f"{text!r} cannot be printed"
                for text in texts(replace(scenario, text=""))
                if not text.isprintable()
            ),
            "",
        )
    took = time.process_time() - before
    return problem or (f"it took {took:.1f} s" if took > MOST_CPU_S else "")


def _odd_errors(errors: ScenarioErrors) -> str:
    shown = str(errors)
    if not shown.replace("\n", "").isprintable():
        return f"{shown!r} cannot be printed"
    if len(shown) > LONGEST:
        return f"a message of {len(shown)} characters"
    if not all(isinstance(each.where, Position) for each in errors.errors):
        return f"no place: {shown}"
    return ""


def texts(value: Any) -> Iterable[str]:
    """Every text in a scenario, at whatever depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Position):
        yield value.file
    elif is_dataclass(value):
        for each in fields(value):
            yield from texts(getattr(value, each.name))
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from texts(key)
            yield from texts(part)
    elif isinstance(value, tuple):
        for part in value:
            yield from texts(part)
