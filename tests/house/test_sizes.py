"""How long things may be, and where a type may be left open."""

from __future__ import annotations

import ast

import pytest

from tests.house.tree import APP, FILES, long_functions, parsed, short, uses_of_any

FUNCTION, FILE, TABLE = 50, 400, 500
"""Lines."""
TABLES = {
    "catalog/counters.py",
    "catalog/counters_tcp.py",
    "catalog/drop_reasons.py",
    "catalog/glossary.py",
    "catalog/sysctls.py",
    "catalog/sysctls_tcp.py",
    "scenario/behaviours.py",
}
"""Files that declare and do little else."""
MOST_ANY_IN_KERNEL = 15
LONG_FUNCTION = "def f():\n" + "    pass\n" * FUNCTION


@pytest.mark.parametrize("path", FILES, ids=short)
def test_a_function_fits_on_a_screen(path):
    assert long_functions(parsed(path), FUNCTION) == []


@pytest.mark.parametrize("path", FILES, ids=short)
def test_a_file_can_be_read_at_a_sitting(path):
    lines = len(path.read_text("utf-8").splitlines())
    assert lines <= (TABLE if short(path) in TABLES else FILE)


def test_the_tables_named_here_exist():
    assert {short(path) for path in FILES} >= TABLES


def test_the_kernel_says_what_its_fields_hold():
    found = {short(path): len(uses_of_any(parsed(path))) for path in (APP / "kernel").rglob("*.py")}
    assert sum(found.values()) <= MOST_ANY_IN_KERNEL, {path: n for path, n in found.items() if n}


def test_a_function_of_one_line_too_many_is_found():
    assert long_functions(ast.parse(LONG_FUNCTION), FUNCTION) == [("f", FUNCTION + 1)]
    assert long_functions(
        ast.parse(f"class A:\n    async {LONG_FUNCTION}".replace("\n    pass", "\n        pass")), FUNCTION
    )
    assert not long_functions(ast.parse(LONG_FUNCTION.replace("    pass\n", "", 1)), FUNCTION)


def test_an_open_type_is_found_wherever_it_stands():
    text = "from typing import Any\nx: dict[int, Any]\ndef f(a: Any) -> Any: ..."
    assert sorted(uses_of_any(ast.parse(text))) == [2, 3, 3]
    assert not uses_of_any(ast.parse("from typing import Any\nany([])"))
