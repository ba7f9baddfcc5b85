"""A number of the kernel or of a protocol is declared in one place."""

from __future__ import annotations

import ast
from collections import defaultdict

from tests.house.tree import FILES, constants, parsed, short

ROOMS = ("catalog/", "kernel/", "wire/")
OUR_UNITS = {"MS", "NS", "SECOND"}
"""How many ns: as clear where they are used as anywhere else."""


def test_a_number_is_declared_once():
    found = defaultdict(list)
    for path in FILES:
        for name, value in constants(parsed(path)):
            found[name.lstrip("_"), value].append(short(path))
    twice = {
        name: places
        for (name, _), places in found.items()
        if len(places) > 1 and name not in OUR_UNITS and any(place.startswith(ROOMS) for place in places)
    }
    assert twice == {}


def test_a_number_is_found_in_every_form_of_a_declaration():
    text = "A = 1\nB: Final = 2\nC, D = 3, (4)\n_E = -5\nF = G = 6\nH = 'seven'\nI = A\nJ = True"
    assert constants(ast.parse(text)) == [
        ("A", 1),
        ("B", 2),
        ("C", 3),
        ("D", 4),
        ("_E", -5),
        ("F", 6),
        ("G", 6),
    ]
