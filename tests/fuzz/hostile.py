"""What a stranger may put into a scenario, and mutations that put it there."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from wireside.scenario import library

if TYPE_CHECKING:
    from random import Random

LIFE = library.scenario_dir().parent / "tests" / "life"
NUMBERS = (
    "²", "\N{FULLWIDTH DIGIT ONE}", "٣", "9" * 21, "9" * 4301, "1e400", "-1", "0", "nan", "inf", "0x10", "1_0", "+5", "00", "1.5",
    "4294967296", "99999999999", "999999999999999", "9223372036854775808", "65536", "1e-5", ".5", "5.", "0b1", "", " ",
)  # fmt: skip
TEXTS = (
    "\\e]0;PWN\\a", "\\e[2J", "\\e]52;c;eA==\\a", "\\x9b31m", "\\0", "\\u202egnp\\u202c", "\\u200b", "e" + "\\u0301" * 40, "漢字" * 30,
    "\\U0001F600", "\\uFEFF", "\\u2028", "\\x7f", "\\b\\b", "%s%n", "[bold]x[/bold]", "{0}", "$(id)", "`id`", "\\ud800", "\\u0085",
)  # fmt: skip
PIECES = (
    "[", "]", "{", "}", ": ", "- ", "\n", "  ", "&a ", "*a", "<<: ", "!!int ", "!!python/object:os.system ", "~", "''", '"', "#", "|",
    "\t", "(", ")", " -> ", "%YAML 9.9\n", "---\n", "? ", ">\n", "\r", "\x85", "\u202e", "\ufeff", "[" * 50, "*" * 5, " " * 2000,
    "x" * 5000, "&a [*a]", "not " * 30, "(" * 60, "1+" * 600 + "1",
)  # fmt: skip


@cache
def bases() -> tuple[str, ...]:
    """Every scenario of the repository, to begin with."""
    paths = [*library.library(), *sorted(LIFE.glob("*.yaml"))]
    return tuple(path.read_text(encoding="utf-8") for path in paths)


def mutated(rng: Random, most: int = 5) -> str:
    """A scenario with up to `most` things done to it."""
    text = rng.choice(bases())
    kinds = rng.choice((WILD, MILD, MILD))
    for _ in range(rng.randint(1, most)):
        text = rng.choice(kinds)(rng, text)
    return text


def _at(rng: Random, text: str) -> int:
    return rng.randint(0, len(text))


def _cut(rng: Random, text: str) -> str:
    begin = _at(rng, text)
    return text[:begin] + text[begin + rng.choice((1, 3, 10, 40, 200)) :]


def _put(rng: Random, text: str) -> str:
    begin = _at(rng, text)
    return text[:begin] + rng.choice(PIECES) + text[begin:]


def _number(rng: Random, text: str) -> str:
    places = list(re.finditer(r"\d+", text))
    if not places:
        return text
    place = rng.choice(places)
    return text[: place.start()] + rng.choice(NUMBERS) + text[place.end() :]


def _word(rng: Random, text: str) -> str:
    """A word becomes another word of some scenario."""
    places = list(re.finditer(r"[A-Za-z_]\w+", text))
    words = re.findall(r"[A-Za-z_]\w+", rng.choice(bases()))
    if not places or not words:
        return text
    place = rng.choice(places)
    return text[: place.start()] + rng.choice(words) + text[place.end() :]


def _text(rng: Random, text: str) -> str:
    """A value becomes a quoted text with something hostile in it."""
    places = list(re.finditer(r": ([^\n{\[]+)\n", text))
    if not places:
        return text
    place = rng.choice(places)
    hostile = "".join(rng.choices(TEXTS, k=rng.randint(1, 3)))
    return f'{text[: place.start(1)]}"{hostile}"{text[place.end(1) :]}'


def _inside(rng: Random, text: str) -> str:
    """Something happens in the middle of a statement, a segment or a condition."""
    places = list(re.finditer(r"(?<=[ (\[,])[^\s()\[\],]+(?=[ )\],])", text))
    if not places:
        return text
    place, other = rng.choice(places), rng.choice(places)
    return (
        text[: place.start()]
        + rng.choice((other[0], "*", "", ">", "->", "(", "x9", "漢", "="))
        + text[place.end() :]
    )


def _line(rng: Random, text: str) -> str:
    """A line stands there many times, or somewhere else."""
    lines = text.splitlines(keepends=True)
    if not lines:
        return text
    line = rng.choice(lines)
    at = rng.randrange(len(lines) + 1)
    lines[at:at] = [line] * rng.choice((1, 1, 2, 50, 2000))
    return "".join(lines)


def _splice(rng: Random, text: str) -> str:
    other = rng.choice(bases())
    begin, length = _at(rng, other), rng.choice((10, 100, 1000))
    at = _at(rng, text)
    return text[:at] + other[begin : begin + length] + text[at:]


MILD = (_number, _number, _number, _word, _word, _inside, _inside, _text)
"""These mostly leave YAML, so that what stands in it is read."""
WILD = (*MILD, _cut, _put, _line, _splice)
