"""Conditions over a snapshot: a small grammar, compiled once and checked against the catalog, evaluated often.

    condition := disjunct {"or" disjunct}          comparison := sum {("==" | "!=" | "<" | "<=" | ">" | ">=") sum}
    disjunct  := negation {"and" negation}         sum        := product {("+" | "-") product}
    negation  := "not" negation | comparison       product    := factor {("*" | "/" | "//") factor}
    factor    := number | "text" | path | "time" | "-" factor | "(" condition ")"

A number may carry a unit of time or size (200ms, 64KiB). A socket, program or entry that is not there counts as 0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wireside.outside import MAX_DIGITS, quoted
from wireside.scenario import paths
from wireside.scenario.terms import COMPARISONS, Arithmetic, Comparison, Constant, Joined, Not, Time
from wireside.scenario.units import SIZE, TIME, UnitError, advice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wireside.scenario.paths import HostNames, Path
    from wireside.scenario.spec import Scenario
    from wireside.scenario.terms import Get, Term
    from wireside.snapshot import WorldSnapshot

MAX_TOKENS = 500
MAX_DEPTH = 20

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)(?P<unit>[A-Za-z]+)?"
    r"|(?P<text>\"[^\"]*\"|'[^']*')"
    r"|(?P<path>[A-Za-z_]\w*\.(?:states\.[A-Za-z][\w-]*|[A-Za-z_]\w*(?:\([^()]*\))?(?:\.[A-Za-z_]\w*)*))"
    r"|(?P<word>[A-Za-z_]\w*)"
    r"|(?P<sign>==|!=|<=|>=|//|[-+*/<>()]))",
    re.ASCII,
)


class ConditionError(Exception):
    """What is wrong with a condition's text, and at which character."""

    def __init__(self, what: str, next_step: str, offset: int) -> None:
        super().__init__(what)
        self.what = what
        self.next_step = next_step
        self.offset = offset


class _OfSnapshot:
    """Reads values from a snapshot."""

    def time(self) -> Get:
        return lambda snapshot: snapshot.time_ns

    def path(self, path: Path) -> Get:
        return path.evaluate


_SNAPSHOT = _OfSnapshot()


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that was understood; `text` is how it was written."""

    text: str
    term: Term

    def holds(self, snapshot: WorldSnapshot) -> bool:
        """Whether it holds in `snapshot`."""
        return bool(self.term.compile(_SNAPSHOT)(snapshot))

    def value(self, snapshot: WorldSnapshot) -> str:
        """What its left side is in `snapshot`, as text; of several comparisons, each one's."""
        return _shown(self.term, snapshot)


def _shown(term: Term, snapshot: WorldSnapshot) -> str:
    if isinstance(term, Joined):
        return ", ".join(_shown(each, snapshot) for each in term.terms)
    if isinstance(term, Not):
        return _shown(term.term, snapshot)
    left = term.terms[0] if isinstance(term, Comparison) else term
    value = left.compile(_SNAPSHOT)(snapshot)
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def compile_condition(text: str, names: Mapping[str, HostNames]) -> Condition:
    """The condition `text` means; ConditionError when it means none or names something unknown."""
    return Condition(text, _Parser(text, names).parse())


def conditions_of(scenario: Scenario, texts: list[str]) -> list[Condition]:
    """Compile conditions of a scenario that was loaded, and so checked."""
    names = paths.names_of(scenario.hosts, scenario.programs, scenario.kernel)
    return [compile_condition(text, names) for text in texts]


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    offset: int
    unit: str = ""


class _Parser:
    """Recursive descent over the tokens of one condition."""

    def __init__(self, text: str, names: Mapping[str, HostNames]) -> None:
        self.names = names
        self.tokens = _tokens(text)
        self.index = 0
        self.depth = 0

    def parse(self) -> Term:
        term = self._or()
        token = self.tokens[self.index]
        if token.kind != "end":
            raise ConditionError(
                f"{quoted(token.text)} is out of place", "Join comparisons with `and` or `or`.", token.offset
            )
        return term

    def _take(self, *texts: str) -> _Token | None:
        token = self.tokens[self.index]
        if token.kind in ("sign", "word") and token.text in texts:
            self.index += 1
            return token
        return None

    def _or(self) -> Term:
        terms = [self._and()]
        while self._take("or"):
            terms.append(self._and())
        return terms[0] if len(terms) == 1 else Joined("or", tuple(terms))

    def _and(self) -> Term:
        terms = [self._not()]
        while self._take("and"):
            terms.append(self._not())
        return terms[0] if len(terms) == 1 else Joined("and", tuple(terms))

    def _not(self) -> Term:
        return Not(self._deeper(self._not)) if self._take("not") else self._comparison()

    def _deeper(self, rule: Callable[[], Term]) -> Term:
        """Apply a rule that may nest without end, but not too deep."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ConditionError(
                "the condition is nested too deep", "Use fewer parentheses.", self.tokens[self.index].offset
            )
        term = rule()
        self.depth -= 1
        return term

    def _comparison(self) -> Term:
        terms, signs = [self._sum()], []
        while sign := self._take(*COMPARISONS):
            signs.append(sign.text)
            terms.append(self._sum())
        return terms[0] if not signs else Comparison(tuple(terms), tuple(signs))

    def _sum(self) -> Term:
        term = self._product()
        while sign := self._take("+", "-"):
            term = Arithmetic(sign.text, term, self._product())
        return term

    def _product(self) -> Term:
        term = self._factor()
        while sign := self._take("*", "/", "//"):
            term = Arithmetic(sign.text, term, self._factor())
        return term

    def _factor(self) -> Term:
        if self._take("-"):
            return Arithmetic("-", Constant(0), self._deeper(self._factor))
        if opening := self._take("("):
            term = self._deeper(self._or)
            if not self._take(")"):
                raise ConditionError("a parenthesis is not closed", "Add `)`.", opening.offset)
            return term
        token = self.tokens[self.index]
        self.index += 1
        match token.kind:
            case "number":
                return Constant(_amount(token))
            case "text":
                return Constant(token.text[1:-1])
            case "path":
                return self._path(token)
            case "word" if token.text == "time":
                return Time()
            case "word" if token.text in self.names:
                raise ConditionError(
                    f"{token.text!r} alone is no value", f"Write {token.text}.NAME.", token.offset
                )
            case "word":
                raise ConditionError(
                    f"unknown word {quoted(token.text)}",
                    advice(token.text, (*self.names, "time", "not")),
                    token.offset,
                )
        raise ConditionError(
            "a value is missing", "Write a number or a path such as server.sk(8080).recv_q.", token.offset
        )

    def _path(self, token: _Token) -> Term:
        try:
            return paths.resolve(token.text, self.names)
        except UnitError as error:
            raise ConditionError(error.what, error.next_step, token.offset) from None


def _amount(token: _Token) -> int | float:
    if len(token.text) > MAX_DIGITS:
        raise ConditionError("the number has too many digits", f"{MAX_DIGITS} are enough.", token.offset)
    number = float(token.text) if "." in token.text else int(token.text)
    if not token.unit:
        return number
    factor = {**TIME, **SIZE}.get(token.unit)
    if factor is None:
        raise ConditionError(
            f"{quoted(token.unit)} is no unit of time or size",
            advice(token.unit, (*TIME, *SIZE)),
            token.offset,
        )
    return round(number * factor)


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    index = 0
    end = len(text.rstrip())
    while index < end:
        match = _TOKEN.match(text, index)
        if match is None or len(tokens) >= MAX_TOKENS:
            rest = text[index:].lstrip()
            what = f"cannot read {rest[:20]!r}" if match is None else "the condition is too long"
            raise ConditionError(
                what, "Write comparisons such as `server.sk(8080).recv_q > 0`.", len(text) - len(rest)
            )
        kind = str(match.lastgroup if match.lastgroup != "unit" else "number")
        tokens.append(_Token(kind, match[kind], match.start(kind), match["unit"] or ""))
        index = match.end()
    return [*tokens, _Token("end", "", len(text))]
