"""The parts of a condition, and how they become functions: once over a snapshot, once over a living world.

A value is None when what it is about is not there: a packet that is not born yet, the third of two sockets. What is compared
or computed with it is None again, and so is `not` of it; `and` and `or` are None when the other terms do not decide.
A condition that is None does not hold.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wireside.snapshot import WorldSnapshot

Value = int | float | str | bool | None
Get = Callable[[Any], Value]
"""Reads a value from whatever the source that made it is about: a snapshot, or a world."""


class Source(Protocol):
    """Where the values of a condition come from."""

    def time(self) -> Get:
        """What reads the simulated time, ns."""

    def read(self, leaf: Leaf) -> Get:
        """What reads a leaf."""


class Term(Protocol):
    """A part of a condition."""

    def compile(self, source: Source) -> Get:
        """The function that reads its value."""

    def parts(self) -> Iterator[Term]:
        """The terms it is made of."""


class Leaf:
    """What a condition names in a run: a path of a host, a packet, how many there are of something."""

    __slots__ = ()

    def words(self, names: Mapping[str, Any]) -> Mapping[str, str]:
        """The words that its value can be in a scenario, and what they stand for; empty for a number or any text."""
        return {}

    def evaluate(self, snapshot: WorldSnapshot) -> Value:
        """Its value in a snapshot; None when it is not there."""
        raise NotImplementedError

    def absence(self, snapshot: WorldSnapshot) -> str:
        """Why its value in a snapshot is None."""
        return "it is not there"

    def compile(self, source: Source) -> Get:
        """See Term."""
        return source.read(self)

    def parts(self) -> Iterator[Term]:
        """See Term."""
        return iter(())


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

        def reckon(s: Any) -> Value:
            a, b = left(s), right(s)
            if a is None or b is None:
                return None
            return max(-LARGEST, min(work(_number(a), _number(b)), LARGEST))

        return reckon

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


def _number(value: float | str) -> Number:
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

        def chain(s: Any) -> bool | None:
            left, holds = first(s), True
            unknown = left is None
            for compare, other in pairs:
                right = other(s)
                if left is None or right is None:
                    unknown = True
                else:
                    holds = holds and compare(left, right)
                left = right
            return None if holds and unknown else holds

        return chain

    def parts(self) -> Iterator[Term]:
        """See Term."""
        return iter(self.terms)


Known = int | float | str | bool


def _same(left: Known, right: Known) -> bool:
    if isinstance(left, str) or isinstance(right, str):
        return str(left) == str(right)
    return left == right


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Known, Known], bool]:
    """An order of numbers; text is neither above nor below anything."""

    def holds(left: Known, right: Known) -> bool:
        if isinstance(left, str) or isinstance(right, str):
            return False
        return compare(left, right)

    return holds


_COMPARE: dict[str, Callable[[Known, Known], bool]] = {
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
    if not isinstance(term, Constant) or not isinstance(term.value, int | float):

        def pair(s: Any) -> bool | None:
            a, b = left(s), right(s)
            return None if a is None or b is None else compare(a, b)

        return pair
    of_numbers, number = _OF_NUMBERS[sign], term.value

    def holds(s: Any) -> bool | None:
        value = left(s)
        if value.__class__ is int:
            return of_numbers(value, number)
        return None if value is None else compare(value, number)

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

        def joined(s: Any) -> bool | None:
            holds: bool | None = wanted
            for term in terms:
                value = term(s)
                if value is None:
                    holds = None
                elif bool(value) is not wanted:
                    return not wanted
            return holds

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
        return lambda s: None if (value := term(s)) is None else not value

    def parts(self) -> Iterator[Term]:
        """See Term."""
        return iter((self.term,))


def walk(term: Term) -> Iterator[Term]:
    """A term and everything it is made of."""
    yield term
    for part in term.parts():
        yield from walk(part)
