"""Wide and combining characters take the cells they take, and nothing breaks a row."""

from __future__ import annotations

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.paint.fake_world import MS, FakeOrigin, FakeWorld, scenario
from wireside.outside import clean
from wireside.paint.cells import clip, in_cells, plain_width, tail, width
from wireside.paint.glyphs import UNICODE
from wireside.paint.look import Look
from wireside.paint.palette import Palette
from wireside.paint.picture import Picture, pictured
from wireside.paint.screen import draw_screen
from wireside.paint.surface import Rect, Surface
from wireside.paint.ui import Ui
from wireside.paint.words import fit, wrap
from wireside.scenario.spec import Beat
from wireside.tui.fast import FastWriter

TEXTS = st.text(alphabet="ab →漢字한😀é\u0301\u0308\uff57").map(clean)


def whole(surface: Surface) -> bool:
    """Every row takes exactly its cells, each empty one behind a wide character."""
    return all(width("".join(row)) == surface.w and in_cells("".join(row)) == row for row in surface.ch)


@pytest.mark.parametrize(
    ("text", "cells"),
    [("漢a", ["漢", "", "a"]), ("e\u0301x", ["e\u0301", "x"]), ("字\u0301", ["字\u0301", ""]), ("→µ", ["→", "µ"])],
)  # fmt: skip
def test_cell_by_cell(text: str, cells: list[str]) -> None:
    assert in_cells(text) == cells
    assert width(text) == len(cells)


def test_what_is_taken_for_one_cell_wide_is() -> None:
    narrow = [chr(code) for code in range(0x10000) if plain_width(chr(code)) and code != 0x7F and code >= 32]
    assert len(narrow) > 1000
    assert [char for char in narrow if len(in_cells(char)) != 1] == []


@given(TEXTS, st.integers(0, 12))
def test_cutting_never_takes_more_cells_than_it_may(text: str, most: int) -> None:
    assert width(clip(text, most)) <= most
    assert text.startswith(clip(text, most))
    assert width(fit(text, most)) <= most
    assert width(tail(text, most)) <= most
    assert all(width(line) <= max(most, 2) for line in wrap(text, most))
    assert "".join(wrap(text, most)).replace(" ", "") == text.replace(" ", "")


@given(
    st.lists(st.tuples(st.integers(-3, 11), st.integers(-1, 2), TEXTS, st.booleans()), max_size=8),
    st.integers(0, 9),
)
def test_whatever_is_drawn_over_what_a_row_stays_whole(
    puts: list[tuple[int, int, str, bool]], x: int
) -> None:
    surface, large = Surface(10, 2), Surface(12, 3)
    for column, row, text, right in puts:
        if right:
            surface.put_right(column, row, text, 1)
        else:
            assert surface.put(column, row, text, 1) == column + width(text)
        assert whole(surface)
    surface.cell(x, 0, "|", 2)
    large.put(0, 1, "漢漢漢漢漢漢", 1)
    large.blit(surface, x - 4, 1)
    large.box(Rect(1, 0, 5, 3), "+-+|++", 3)
    assert whole(surface)
    assert whole(large)


def drawn(size: tuple[int, int], **changes: object) -> Surface:
    player = pictured(FakeOrigin(scenario(**changes), lambda: FakeWorld(30_000)))
    player.play_to(6 * MS)
    return draw_screen(*size, Look(Palette(), UNICODE), Picture(player.scenario).frame(player), Ui())


def borders(surface: Surface) -> list[list[int]]:
    return [[x for x, char in enumerate(row) if char in tuple("│╭╮╰╯")] for row in surface.ch]


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
def test_a_title_in_wide_characters_leaves_every_border_in_its_place(size: tuple[int, int]) -> None:
    beat = Beat(say="題名 한국어😀 " * 60, at_ns=0, look_at="sockbuf")
    wide = drawn(size, title="漢字😀e\u0301" * 40, beats=(beat,))
    assert "漢字" in wide.text()
    assert "題名" in wide.text()
    assert whole(wide)
    assert borders(wide) == borders(drawn(size))


UNMARKED = st.text(alphabet="ab →漢字한😀é")
"""pyte loses the row when a mark follows a wide character in the last column."""


@given(
    st.lists(st.tuples(st.integers(0, 9), UNMARKED), max_size=4),
    st.lists(st.tuples(st.integers(0, 9), UNMARKED), max_size=4),
)
def test_the_direct_way_shows_what_the_surface_holds(
    before: list[tuple[int, str]], after: list[tuple[int, str]]
) -> None:
    old, new = Surface(12, 1), Surface(12, 1)
    for surface, puts in ((old, before), (new, after)):
        for x, text in puts:
            surface.put(x, 0, text, 0)
    screen = pyte.Screen(12, 1)
    stream = pyte.Stream(screen)
    writer = FastWriter(None, Palette())  # type: ignore[arg-type]
    for target, source in ((old, Surface(12, 1)), (new, old)):
        writer.diff(target, source, [0], 0, 0)
        stream.feed("".join(writer._out))
        writer._out.clear()
    shown = "".join(screen.buffer[0][x].data for x in range(12))
    assert shown.rstrip() == new.text().rstrip()
