"""The mutants are what they say: one change each, and still Python."""

from __future__ import annotations

import ast

import pytest

from tests.mutants.__main__ import CONCERNED, ROOT, drawn
from tests.mutants.change import mutants_of


def mutated(text):
    """Every text that one change makes of `text`."""
    return [mutant.applied(text.encode()).decode() for mutant in mutants_of("file.py", text.encode())]


@pytest.mark.parametrize(
    ("text", "become"),
    [
        ("a < b", ["a <= b"]),
        ("a - b", ["(a + b)"]),
        ("if not a: b()", ["if (a): b()", "if not a: pass"]),
        ("a and b", ["((a) or (b))"]),
        ("x = 5", ["x = 6"]),
        ("x = False", ["x = True"]),
        ("x += 1", ["pass", "x += 2"]),
        ("ü = 'ü'; x = 1", ["ü = 'ü'; x = 2"]),
    ],
)
def test_a_change_is_one_place_turned(text, become):
    assert mutated(text) == become


@pytest.mark.parametrize(
    "text",
    [
        '"""Doc 1."""',
        "x: Final[Literal[3]]",
        "assert a < b",
        "raise E(1)",
        "if TYPE_CHECKING:\n    x = 1",
        "f'{1}'",
    ],
)
def test_types_and_prose_are_left_alone(text):
    assert mutated(text) == []


def test_the_same_seed_draws_the_same_mutants_from_every_place():
    mutants = drawn(20, 7)
    assert mutants == drawn(20, 7)
    assert mutants != drawn(20, 8)
    for place in CONCERNED:
        assert sum(mutant.path.startswith(place) for mutant in mutants) == 10
    for mutant in mutants:
        ast.parse(mutant.applied((ROOT / mutant.path).read_bytes()))
