"""Whatever a file holds, loading gives a scenario or ScenarioErrors, never anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wireside.errors import Position, ScenarioError, ScenarioErrors
from wireside.scenario import library
from wireside.scenario.load import load

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = [path.read_text(encoding="utf-8") for path in library.library()]
PIECES = [
    "[",
    "]",
    "{",
    "}",
    ": ",
    "- ",
    "\n",
    "  ",
    "&a ",
    "*a",
    "<<: ",
    "!!int ",
    "~",
    "0",
    "-1",
    "1e9",
    "''",
    '"',
    "#",
    "|",
    "\t",
    "(",
    ")",
    " -> ",
]
SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A shipped scenario with a few pieces cut out, doubled or put in."""
    text = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(1, 4))):
        begin = draw(st.integers(0, len(text)))
        length = draw(st.integers(0, 30))
        piece = draw(st.sampled_from([*PIECES, text[begin : begin + 20]]))
        text = text[:begin] + piece + text[begin + length :]
    return text


def never_a_traceback(path: Path) -> None:
    problems: tuple[ScenarioError, ...] = ()
    try:
        load(path)
    except ScenarioErrors as error:
        problems = error.errors
    assert all(isinstance(each.where, Position) for each in problems)


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=SLOW)
@given(text=damaged())
def test_a_damaged_scenario(tmp_path: Path, text: str) -> None:
    path = tmp_path / "damaged.yaml"
    path.write_text(text, encoding="utf-8")
    never_a_traceback(path)


@settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=SLOW)
@given(raw=st.binary(max_size=200))
def test_random_bytes(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "random.yaml"
    path.write_bytes(raw)
    never_a_traceback(path)


def test_a_folder_and_a_huge_file(tmp_path: Path) -> None:
    never_a_traceback(tmp_path)
    huge = tmp_path / "huge.yaml"
    huge.write_text("a: b\n" * 400_000, encoding="utf-8")
    never_a_traceback(huge)
