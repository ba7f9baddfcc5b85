"""The steps of a path: `server`, `sks(8080, state=ESTAB)[1]`, `recv_q`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from wireside.outside import quoted, whole
from wireside.scenario.units import UnitError, advice

if TYPE_CHECKING:
    from collections.abc import Iterable

STEP = r"[A-Za-z_]\w*(?:\([^()]*\))?(?:\[[^\[\]]*\])?"
"""One step as it is spelt."""
_STEP = re.compile(
    r"(?P<name>[A-Za-z_]\w*)(?:\((?P<arg>[^()]*)\))?(?:\[(?P<place>[^\[\]]*)\])?(?:\.|$)", re.ASCII
)


class Step(NamedTuple):
    """A step: its name, what stands in its parentheses, and in its brackets; None without these."""

    name: str
    arg: str | None
    place: str | None


class Arguments(NamedTuple):
    """What stands in the parentheses of a step: values alone, and `name=value`."""

    alone: tuple[str, ...]
    named: tuple[tuple[str, str], ...]


def steps(text: str) -> list[Step]:
    """The steps of a path; none when it has something else in it."""
    found: list[Step] = []
    index = 0
    while index < len(text):
        match = _STEP.match(text, index)
        if match is None:
            return []
        found.append(Step(match["name"], match["arg"], match["place"]))
        index = match.end()
    return found


def arguments(step: Step, known: Iterable[str]) -> Arguments:
    """The arguments of a step; UnitError for a name that is not `known`, or that stands there twice."""
    alone: list[str] = []
    named: dict[str, str] = {}
    for part in (step.arg or "").split(","):
        name, sign, value = (each.strip() for each in part.partition("="))
        value = value.removeprefix("=").strip()
        if not sign:
            alone += [name] if name else []
            continue
        if name not in known:
            raise UnitError(f"{step.name} cannot be chosen by {quoted(name)}", advice(name, known))
        if name in named:
            raise UnitError(f"{name} stands twice in {step.name}(…)", "Write it once.")
        named[name] = unquoted(value)
    return Arguments(tuple(alone), tuple(sorted(named.items())))


def unquoted(text: str) -> str:
    """A word without the quotes around it."""
    return text[1:-1] if len(text) > 1 and text[0] in "\"'" and text[-1] == text[0] else text


def index_of(step: Step, example: str) -> int:
    """The number in the brackets of a step, which counts from 0."""
    try:
        number = whole(step.place or "")
    except ValueError:
        number = -1
    if number < 0:
        raise UnitError(
            f"{quoted(step.place or '')} is not a place in a list", f"They count from 0: write {example}."
        )
    return number


def word_of(what: str, word: str, known: Iterable[str]) -> str:
    """`word`, when it is one of those that `what` can be."""
    if word not in known:
        raise UnitError(f"{what} is never {quoted(word)}", advice(word, known))
    return word
