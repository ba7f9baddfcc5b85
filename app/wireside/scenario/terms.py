"""The parts of a condition, and how they become functions: once over a snapshot, once over a living world."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wireside.scenario.paths import Path

Value = int | float | str | bool
Get = Callable[[Any], Value]
"""Reads a value from whatever the source that made it is about: a snapshot, or a world."""


class Source(Protocol):
    """Where the values of a condition come from."""

    def time(self) -> Get:
        """What reads the simulated time, ns."""

    def path(self, path: Path) -> Get:
        """What reads a path; 0 for a socket, program or entry that is not there."""


class Term(Protocol):
    """A part of a condition."""

    def compile(self, source: Source) -> Get:
        """The function that reads its value."""

    def parts(self) -> Iterator[Term]:
        """The terms it is made of."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A number or a text."""

    value: Value

    def compile(self, source: Source) -> Get:
        """See Term."""
        value = self.value
        return lambda _: value

    def parts(self) -> Iterator[Term]:
        """See Term."""
        return iter(())


@dataclass(frozen=True, slots=True)
class Time:
    """The simulated time, ns."""

    def compile(self, source: Source) -> Get:
        """See Term."""
        return source.time()

    def parts(self) -> Iterator[Term]:
        """See Term."""
        return iter(())


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`left sign right`; text counts as 0, and so does a division by 0."""

    sign: str
    left: Term
    right: Term

    def compile(self, source: Source) -> Get:
        """See Term."""
        left, right = self.left.compile(source), self.right.compile(source)
        work = _ARITHMETIC[self.sign]
        return lambda s: max(-LARGEST, min(work(_number(left(s)), _number(right(s))), LARGEST))

    def parts(self) -> Iterator[Term]:
        """See Term."""
        return iter((self.left, self.right))


Number = int | float
LARGEST = 10**30
"""Results of arithmetic end here, far above anything that is counted."""
_ARITHMETIC: dict[str, Callable[[Number, Number], Number]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "//": lambda a, b: a // b if b else 0,
    "/": lambda a, b: a / b if b else 0,
}


def _number(value: Value) -> Number:
    return 0 if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class Comparison:
    """`a < b <= c`: every neighbouring pair must hold."""

    terms: tuple[Term, ...]
    signs: tuple[str, ...]

    def compile(self, source: Source) -> Get:
        """See Term."""
        first, *others = [term.compile(source) for term in self.terms]
        pairs = [(_COMPARE[sign], other) for sign, other in zip(self.signs, others, strict=True)]
        if len(pairs) == 1:
            return _pair(self.signs[0], first, self.terms[1], others[0])

        def chain(s: Any) -> bool:
            left, holds = first(s), True
            for compare, other in pairs:
                right = other(s)
                holds = holds and compare(left, right)
                left = right
            return holds

        return chain

    def parts(self) -> Iterator[Term]:
        """See Term."""
        return iter(self.terms)


def _same(left: Value, right: Value) -> bool:
    if isinstance(left, str) or isinstance(right, str):
        return str(left) == str(right)
    return left == right


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Value, Value], bool]:
    """An order of numbers; text is neither above nor below anything."""

    def holds(left: Value, right: Value) -> bool:
        if isinstance(left, str) or isinstance(right, str):
            return False
        return compare(left, right)

    return holds


_COMPARE: dict[str, Callable[[Value, Value], bool]] = {
    "==": _same,
    "!=": lambda left, right: not _same(left, right),
    "<": _ordered(lambda left, right: left < right),
    "<=": _ordered(lambda left, right: left <= right),
    ">": _ordered(lambda left, right: left > right),
    ">=": _ordered(lambda left, right: left >= right),
}
COMPARISONS = tuple(_COMPARE)
_OF_NUMBERS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _pair(sign: str, left: Get, term: Term, right: Get) -> Get:
    """One comparison; with a constant number, the usual case, it is done in as few calls as there can be."""
    compare = _COMPARE[sign]
    if not isinstance(term, Constant) or isinstance(term.value, str):
        return lambda s: compare(left(s), right(s))
    of_numbers, number = _OF_NUMBERS[sign], term.value

    def holds(s: Any) -> bool:
        value = left(s)
        return of_numbers(value, number) if value.__class__ is int else compare(value, number)

    return holds


@dataclass(frozen=True, slots=True)
class Joined:
    """All ("and") or any ("or") of several terms."""

    word: str
    terms: tuple[Term, ...]

    def compile(self, source: Source) -> Get:
        """See Term."""
        terms = [term.compile(source) for term in self.terms]
        wanted = self.word == "and"

        def joined(s: Any) -> bool:
            for term in terms:
                if bool(term(s)) is not wanted:
                    return not wanted
            return wanted

        return joined

    def parts(self) -> Iterator[Term]:
        """See Term."""
        return iter(self.terms)


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a term."""

    term: Term

    def compile(self, source: Source) -> Get:
        """See Term."""
        term = self.term.compile(source)
        return lambda s: not term(s)

    def parts(self) -> Iterator[Term]:
        """See Term."""
        return iter((self.term,))


def walk(term: Term) -> Iterator[Term]:
    """A term and everything it is made of."""
    yield term
    for part in term.parts():
        yield from walk(part)
