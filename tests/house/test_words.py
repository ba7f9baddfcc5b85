"""Words that must stand nowhere in the project."""

from __future__ import annotations

import re

import pytest

from tests.house.tree import ROOT

PUT_OFF = re.compile(r"\b(?:TO[D]O|FIX[M]E|X[X]X|HA[C]K)\b")
"""Work put off in a comment is work nobody finds."""
OF_A_MACHINE = re.compile(r"(?<![\w.…])/(?:work|root|home|Users|mnt)/\w+|\.\./shared\b")
"""Paths that only one machine has."""
TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".json", ".txt", ".ini", ""}
OURS = ("app", "scenarios", "tests", ".ci")
"""Folders of the repository; what else lies beside them is not ours to judge."""


def files():
    """Every text file of the repository but what was recorded, which says what it says."""
    beside = [path for path in ROOT.iterdir() if path.is_file() and path.name not in (".git", ".coverage")]
    below = [path for folder in OURS for path in (ROOT / folder).rglob("*") if path.is_file()]
    recorded = ("__pycache__", "results", "data")
    return [
        path
        for path in (*beside, *below)
        if path.suffix in TEXT and not any(part in recorded for part in path.relative_to(ROOT).parts)
    ]


def places(pattern, text):
    """Lines of a text on which a pattern is found."""
    return [number for number, line in enumerate(text.splitlines(), 1) if pattern.search(line)]


@pytest.mark.parametrize("pattern", [PUT_OFF, OF_A_MACHINE], ids=["put off", "of a machine"])
def test_a_word_that_must_not_be_there_is_nowhere(pattern):
    found = {
        path.relative_to(ROOT).as_posix(): places(pattern, path.read_text("utf-8", "replace"))
        for path in files()
    }
    assert len(found) > 300
    assert {path: lines for path, lines in found.items() if lines} == {}


def test_each_pattern_finds_what_it_is_for():
    later, home = "todo: later".upper(), "home"
    assert places(PUT_OFF, f"fine\n# {later}") == [2]
    assert places(OF_A_MACHINE, f'open("/{home}/somebody/file")') == [1]
    assert places(OF_A_MACHINE, f"see {'..'}/shared/notes.md") == [1]
    assert not places(OF_A_MACHINE, "/proc/net/softnet_stat, https://host/home/page, tests/data/work/x")
    assert not places(PUT_OFF, "a method, todos")
