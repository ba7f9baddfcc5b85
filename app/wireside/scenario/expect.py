"""Conditions over a snapshot: a small grammar, compiled once and checked against the catalog, evaluated often.

    condition := disjunct {"or" disjunct}          comparison := sum {("==" | "!=" | "<" | "<=" | ">" | ">=") sum}
    disjunct  := negation {"and" negation}         sum        := product {("+" | "-") product}
    negation  := "not" negation | comparison       product    := factor {("*" | "/" | "//") factor}
    factor    := number | "text" | word | path | "time" | "count" "(" path ")" | "-" factor | "(" condition ")"

A number may carry a unit of time or size (200ms, 64KiB). A word stands for a text where the other side says which there are
(`packet(1).stage == TCP_RCV`). A socket, program or entry that is not there counts as 0; what is not there of several, and
a packet before its birth, has no value, and what is compared with it does not hold.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from wireside.catalog.packet_kinds import PacketKind
from wireside.catalog.profiles import DEFAULT_PROFILE
from wireside.catalog.stages import Stage
from wireside.outside import MAX_DIGITS, quoted
from wireside.scenario import journeys, leaves, paths
from wireside.scenario.journeys import PROGRESS, PacketField
from wireside.scenario.names import names_of
from wireside.scenario.steps import STEP, word_of
from wireside.scenario.terms import (
    COMPARISONS,
    Arithmetic,
    Comparison,
    Constant,
    Joined,
    Leaf,
    Not,
    Time,
    walk,
)
from wireside.scenario.units import SIZE, TIME, UnitError, advice
from wireside.scenario.words import STATE_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from wireside.scenario.names import HostNames
    from wireside.scenario.spec import Scenario
    from wireside.scenario.terms import Get, Source, Term
    from wireside.snapshot import WorldSnapshot

MAX_TOKENS = 500
MAX_DEPTH = 20

_HYPHENED = "|".join(sorted((w for w in (*STATE_NAMES, *PacketKind) if "-" in w), key=len, reverse=True))
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)(?P<unit>[A-Za-z]+)?"
    r"|(?P<text>\"[^\"]*\"|'[^']*')"
    rf"|(?P<path>packets?\([^()]*\)(?:\[[^\[\]]*\])?(?:\.{STEP})*"
    rf"|[A-Za-z_]\w*\.(?:states\.[A-Za-z][\w-]*|{STEP}(?:\.{STEP})*))"
    rf"|(?P<word>(?:{_HYPHENED})(?![\w-])|[A-Za-z_]\w*)"
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

    def read(self, leaf: Leaf) -> Get:
        return leaf.evaluate


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
    if isinstance(left, PacketField) and left.field == PROGRESS:
        left = replace(left, field="stage")
    value = left.compile(_SNAPSHOT)(snapshot)
    if value is None:
        missing = (each for each in walk(left) if isinstance(each, Leaf) and each.evaluate(snapshot) is None)
        return f"missing ({next(missing).absence(snapshot)})"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def compile_condition(text: str, names: Mapping[str, HostNames]) -> Condition:
    """The condition `text` means; ConditionError when it means none or names something unknown."""
    return Condition(text, _Parser(text, names).parse())


def conditions_of(scenario: Scenario, texts: list[str]) -> list[Condition]:
    """Compile conditions of a scenario that was loaded, and so checked."""
    peers = [peer.name for peer in scenario.wire_peers]
    names = names_of(scenario.hosts, scenario.programs, scenario.kernel, peers)
    return [compile_condition(text, names) for text in texts]


def texts_of(scenario: Scenario) -> Iterator[str]:
    """Every condition that stands in a scenario."""
    yield from (beat.when for beat in scenario.beats if beat.when)
    yield from (each.that for each in scenario.expect if not each.transcript)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    offset: int
    unit: str = ""


@dataclass(frozen=True, slots=True)
class _Word:
    """A word whose meaning depends on what it is compared with."""

    text: str
    offset: int

    def compile(self, source: Source) -> Get:
        raise NotImplementedError

    def parts(self) -> Iterator[Term]:
        return iter(())


class _Parser:
    """Recursive descent over the tokens of one condition."""

    def __init__(self, text: str, names: Mapping[str, HostNames]) -> None:
        self.names = names
        self.kernel = next((each.kernel for each in names.values()), DEFAULT_PROFILE)
        self.tokens = _tokens(text)
        self.index = 0
        self.depth = 0

    def parse(self) -> Term:
        term = self._or()
        for part in walk(term):
            if isinstance(part, _Word):
                raise self._unknown(part)
        token = self.tokens[self.index]
        if token.kind != "end":
            raise ConditionError(
                f"{quoted(token.text)} is out of place", "Join comparisons with `and` or `or`.", token.offset
            )
        return term

    def _unknown(self, word: _Word) -> ConditionError:
        if word.text in self.names:
            return ConditionError(f"{word.text!r} alone is no value", f"Write {word.text}.NAME.", word.offset)
        known = (*self.names, "time", "not", "count", "packet")
        return ConditionError(f"unknown word {quoted(word.text)}", advice(word.text, known), word.offset)

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
        begin = self.tokens[self.index].offset
        terms, signs = [self._sum()], []
        offsets = [begin]
        while sign := self._take(*COMPARISONS):
            signs.append(sign.text)
            offsets.append(self.tokens[self.index].offset)
            terms.append(self._sum())
        if not signs:
            return terms[0]
        worded = next((each for each in terms if isinstance(each, Leaf) and each.words(self.names)), None)
        if worded is None:
            return Comparison(tuple(terms), tuple(signs))
        return self._of_words(worded, terms, signs, offsets)

    def _of_words(self, worded: Leaf, terms: list[Term], signs: list[str], offsets: list[int]) -> Term:
        """A comparison of something whose value is one of some words."""
        terms = [self._meant(worded, term, offset) for term, offset in zip(terms, offsets, strict=True)]
        if not isinstance(worded, PacketField) or worded.field != "stage":
            return Comparison(tuple(terms), tuple(signs))
        pairs = [
            Comparison((_ranked(a), _ranked(b)) if sign[0] in "<>" else (a, b), (sign,))
            for (a, b), sign in zip(pairwise(terms), signs, strict=True)
        ]
        return pairs[0] if len(pairs) == 1 else Joined("and", tuple(pairs))

    def _meant(self, worded: Leaf, term: Term, offset: int) -> Term:
        """A word or text beside `worded` as what it stands for."""
        known = worded.words(self.names)
        if isinstance(term, _Word):
            text = term.text
        elif isinstance(term, Constant) and not isinstance(worded, paths.Path):
            text = str(term.value)
        elif isinstance(worded, paths.Path) or (isinstance(term, Leaf) and term.words(self.names)):
            return term
        else:
            raise ConditionError("a word is missing here", advice("", known), offset)
        try:
            if isinstance(worded, PacketField) and worded.field == "stage":
                text = journeys.stage_of(text)
            what = worded.field if isinstance(worded, PacketField) else "state"
            meant = known[word_of(f"this {what}", text, known)]
            if isinstance(worded, PacketField) and worded.field == "fate":
                journeys.check_release(meant, self.kernel)
        except UnitError as error:
            raise ConditionError(error.what, error.next_step, offset) from None
        return Constant(meant)

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
            case "word" if token.text == "count" and self._take("("):
                return self._count()
            case "word":
                return _Word(token.text, token.offset)
        raise ConditionError(
            "a value is missing", "Write a number or a path such as server.sk(8080).recv_q.", token.offset
        )

    def _count(self) -> Term:
        token = self.tokens[self.index]
        self.index += token.kind != "end"
        if token.kind != "path":
            raise ConditionError("count(…) needs something to count", leaves.COUNTABLE, token.offset)
        term = self._path(token, leaves.counted)
        if not self._take(")"):
            raise ConditionError("a parenthesis is not closed", "Add `)`.", token.offset)
        return term

    def _path(
        self, token: _Token, resolve: Callable[[str, Mapping[str, HostNames]], Leaf] = leaves.resolve
    ) -> Term:
        try:
            return resolve(token.text, self.names)
        except UnitError as error:
            raise ConditionError(error.what, error.next_step, token.offset) from None


def _ranked(term: Term) -> Term:
    """A stage as a number that grows along the way."""
    if isinstance(term, Constant):
        return Constant(int(Stage[str(term.value)]))
    return replace(term, field=PROGRESS) if isinstance(term, PacketField) else term


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
