"""The recordings of the real kernel, and how a simulated value is held against one.

A *fact* must be equal; of a dictionary, every key that is given. A *timing* must lie within tolerance +
relative_tolerance * value, element by element. A *rough* number must lie between half the smallest and one and a half
times the largest value recorded. A rough list is compared element by element when it is as long as all recorded ones;
if not, its first and last elements against theirs, the others against the range of all elements, and its length
against their lengths.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import yaml

RESULTS = Path(__file__).parent / "results"
NOTES = frozenset({"kind", "stable", "about"})
HALF = 0.5


class Verdict(Enum):
    """What came of comparing one observation."""

    MATCH = "match"
    DIFFERS = "differs"
    NOT_PLAYED = "not played"


@dataclass(frozen=True, slots=True)
class Observation:
    """One named observation of a document; `recorded` holds the values as they are in the file."""

    document: str
    name: str
    kind: str
    stable: bool
    recorded: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Comparison:
    """An observation beside what the simulator did."""

    observation: Observation
    verdict: Verdict
    simulated: Any = None


def documents() -> list[str]:
    """The ids of all documents, in order."""
    return sorted(path.stem for path in RESULTS.glob("*.yaml"))


def title(document: str) -> str:
    """A document's title."""
    return str(_load(document)["title"])


def observations(document: str) -> list[Observation]:
    """The observations of a document, unstable ones included."""
    found = _load(document)["observations"]
    return [
        Observation(
            document,
            name,
            fields["kind"],
            fields["stable"],
            {k: v for k, v in fields.items() if k not in NOTES},
        )
        for name, fields in found.items()
    ]


def _load(document: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((RESULTS / f"{document}.yaml").read_text(encoding="utf-8"))
    return loaded


def compare(observation: Observation, played: dict[str, object]) -> Comparison:
    """Hold what was played against an observation."""
    if observation.name not in played:
        return Comparison(observation, Verdict.NOT_PLAYED)
    simulated = _plain(played[observation.name])
    same = {"fact": _fact, "timing": _timing, "rough": _rough}[observation.kind]
    verdict = Verdict.MATCH if same(observation.recorded, simulated) else Verdict.DIFFERS
    return Comparison(observation, verdict, simulated)


def _plain(value: Any) -> Any:
    """Tuples as lists, as YAML has them."""
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return value


def _fact(recorded: dict[str, Any], simulated: Any) -> bool:
    return _equal(recorded["value"], simulated)


def _equal(recorded: Any, simulated: Any) -> bool:
    if isinstance(recorded, dict):
        return isinstance(simulated, dict) and all(
            key in simulated and _equal(value, simulated[key]) for key, value in recorded.items()
        )
    if isinstance(recorded, list):
        return (
            isinstance(simulated, list)
            and len(recorded) == len(simulated)
            and all(_equal(one, other) for one, other in zip(recorded, simulated, strict=True))
        )
    return bool(recorded == simulated)


def _timing(recorded: dict[str, Any], simulated: Any) -> bool:
    tolerance, relative = recorded.get("tolerance", 0.0), recorded.get("relative_tolerance", 0.0)
    return _near(recorded["value"], simulated, tolerance, relative)


def _near(recorded: Any, simulated: Any, tolerance: float, relative: float) -> bool:
    if isinstance(recorded, list):
        return (
            isinstance(simulated, list)
            and len(recorded) == len(simulated)
            and all(
                _near(one, other, tolerance, relative) for one, other in zip(recorded, simulated, strict=True)
            )
        )
    if recorded is None or simulated is None:
        return recorded is simulated
    return bool(abs(recorded - simulated) <= tolerance + relative * abs(recorded))


def _rough(recorded: dict[str, Any], simulated: Any) -> bool:
    if "value" in recorded:
        return _like([recorded["value"]], simulated)
    if "values" in recorded:
        return _like(recorded["values"], simulated)
    if "min" in recorded:
        return _like([recorded["min"], recorded["max"]], simulated)
    return isinstance(simulated, dict) and all(
        key in simulated and _like([limits["min"], limits["max"]], simulated[key])
        for key, limits in recorded.items()
    )


def _like(runs: list[Any], simulated: Any) -> bool:
    """Whether a value could be one more of these runs."""
    first = runs[0]
    if isinstance(first, dict):
        return isinstance(simulated, dict) and all(
            key in simulated and _like([run[key] for run in runs if key in run], simulated[key])
            for key in first
        )
    if isinstance(first, list):
        return isinstance(simulated, list) and _list_like(runs, simulated)
    numbers = [run for run in runs if isinstance(run, (int, float)) and not isinstance(run, bool)]
    if len(numbers) < len(runs) and simulated in [run for run in runs if run not in numbers]:
        return True
    if not numbers or isinstance(simulated, (str, bool)) or simulated is None:
        return simulated in runs
    low, high = min(numbers), max(numbers)
    return bool(low - HALF * abs(low) <= simulated <= high + HALF * abs(high))


def _list_like(runs: list[list[Any]], simulated: list[Any]) -> bool:
    if all(len(run) == len(simulated) for run in runs):
        return all(_like([run[index] for run in runs], value) for index, value in enumerate(simulated))
    if not simulated or not all(runs):
        return simulated in runs
    anywhere = [value for run in runs for value in run]
    return (
        _like([len(run) for run in runs], len(simulated))
        and _like([run[0] for run in runs], simulated[0])
        and _like([run[-1] for run in runs], simulated[-1])
        and all(_like(anywhere, value) for value in simulated[1:-1])
    )


def recorded_text(observation: Observation) -> str:
    """What was recorded, in one line."""
    recorded = observation.recorded
    if "value" in recorded:
        return str(recorded["value"])
    if "values" in recorded:
        return " or ".join(str(value) for value in recorded["values"])
    if "min" in recorded:
        return f"{recorded['min']} to {recorded['max']}"
    return str({key: f"{limits['min']} to {limits['max']}" for key, limits in recorded.items()})
