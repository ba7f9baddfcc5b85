"""Plays the recorded experiments in the simulator and says what matches.

An experiment is played by the module of its name in `play/`; `known_differences.yaml` lists what does not match and
why.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from tests.groundtruth.observations import (
    Comparison,
    Verdict,
    compare,
    documents,
    observations,
    recorded_text,
    title,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

HERE = Path(__file__).parent
WIDTH = 150
OUT_OF_SCOPE = {
    "J": "epoll", "K": "zero copy: CPU cost of this machine", "M": "trace times of this machine", "S": "samples of tools",
}  # fmt: skip
"""Groups of recordings that a simulator of the stack cannot or need not play yet."""


@dataclass(frozen=True, slots=True)
class Played:
    """A document with the comparisons of its stable observations, and the CPU seconds it took."""

    document: str
    comparisons: tuple[Comparison, ...]
    seconds: float

    @property
    def matching(self) -> int:
        """Observations that match."""
        return sum(each.verdict is Verdict.MATCH for each in self.comparisons)


def played_documents() -> list[str]:
    """The documents that have a module in `play/`."""
    return [document for document in documents() if (HERE / "play" / f"{document.lower()}.py").exists()]


def not_played() -> list[str]:
    """The documents in scope that have none."""
    known = set(played_documents())
    return [document for document in documents() if document not in known and document[0] not in OUT_OF_SCOPE]


def play(document: str) -> Played:
    """Play a document's experiment and compare every stable observation."""
    began = time.process_time()
    result = import_module(f"tests.groundtruth.play.{document.lower()}").play()
    comparisons = tuple(compare(each, result) for each in observations(document) if each.stable)
    return Played(document, comparisons, time.process_time() - began)


def known_differences() -> dict[tuple[str, str], str]:
    """(document, observation) → why it differs."""
    listed = yaml.safe_load((HERE / "known_differences.yaml").read_text(encoding="utf-8")) or []
    return {(each["document"], each["observation"]): each["reason"].strip() for each in listed}


def unlisted(played: Iterable[Played]) -> list[Comparison]:
    """What differs and is not listed, and what is listed and matches again."""
    known = known_differences()
    return [
        comparison
        for each in played
        for comparison in each.comparisons
        if (comparison.verdict is Verdict.MATCH) == ((each.document, comparison.observation.name) in known)
    ]


def table(played: Iterable[Played]) -> str:
    """Document by document: observations, matching, and every difference with both values."""
    known = known_differences()
    lines = []
    total = matching = 0
    for each in played:
        total += len(each.comparisons)
        matching += each.matching
        lines.append(
            f"{each.document}  {each.matching:3} of {len(each.comparisons):3} match  {each.seconds:5.1f} s  {title(each.document)}"
        )
        for comparison in each.comparisons:
            lines += _difference(comparison, known)
    missing = not_played()
    if missing:
        lines.append(f"not played: {' '.join(missing)}")
    share = 100 * matching / total if total else 0.0
    lines.append(f"{matching} of {total} observations match ({share:.1f} %)")
    return "\n".join(lines)


def _difference(comparison: Comparison, known: dict[tuple[str, str], str]) -> list[str]:
    observation = comparison.observation
    if comparison.verdict is Verdict.MATCH:
        return []
    reason = known.get((observation.document, observation.name))
    lines = [f"     {comparison.verdict.value}: {observation.name}"]
    if comparison.verdict is Verdict.DIFFERS:
        lines.append(_cut(f"       recorded   {recorded_text(observation)}"))
        lines.append(_cut(f"       simulated  {comparison.simulated}"))
    lines.append(
        f"       because    {reason}" if reason else "       because    NOT LISTED in known_differences.yaml"
    )
    return lines


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"
