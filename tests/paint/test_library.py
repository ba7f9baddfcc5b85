from dataclasses import replace

import pytest

from tests.paint.fake_world import scenario
from wireside.paint.glyphs import ASCII, UNICODE
from wireside.paint.lessons import Lesson, lesson_of, library_of
from wireside.paint.library import draw_library
from wireside.paint.look import Look
from wireside.paint.palette import Palette
from wireside.paint.surface import Surface
from wireside.paint.ui import Ui
from wireside.scenario.library import library
from wireside.scenario.load import load

LESSONS = [
    lesson_of(scenario(path="a.yaml", teaches=("receive buffer", "flow control"))),
    Lesson("b.yaml", "Who pays", "Swap who closes first.", ("TIME-WAIT",), beats=4),
    Lesson("c.yaml", "c", "", fault="c.yaml:3:1: no such key"),
]


def drawn(view, w=80, h=24, glyphs=UNICODE):
    surface = Surface(w, h)
    draw_library(surface, Look(Palette(), glyphs), None, Ui(library=view))
    return surface.text()


def test_a_lesson_tells_its_question_its_knobs_and_what_it_teaches():
    first = LESSONS[0]
    assert first.question == "What will Recv-Q show next?"
    assert first.knobs == ("net.ipv4.tcp_rmem", "nic.rx_ring", "net.core.netdev_budget")
    text = " ".join(drawn(library_of(LESSONS), 120, 36).replace("│", " ").split())
    for words in (first.title, first.summary, first.question, "nic.rx_ring", "receive buffer, flow control"):
        assert words in text


def test_the_one_that_waits_underneath_is_chosen_and_said():
    view = library_of(LESSONS, playing="b.yaml")
    assert view.lesson is LESSONS[1]
    assert "waits here" in drawn(view)


@pytest.mark.parametrize("text", ["time-wait", "CLOSES first", "who first", "b.yaml"])
def test_a_filter_looks_at_every_text(text):
    view = library_of(LESSONS).find(text)
    assert view.found == (LESSONS[1],)
    assert "1 of 3 match" in drawn(view)


def test_a_filter_that_matches_nothing_says_how_to_go_on():
    view = library_of(LESSONS).find("quic")
    assert view.lesson is None
    assert "esc shows all" in drawn(view)


def test_a_damaged_file_says_what_is_wrong():
    view = library_of(LESSONS, playing="c.yaml")
    assert "no such key" in drawn(view)
    assert "damaged" in drawn(view)


@pytest.mark.parametrize(("w", "h"), [(80, 24), (100, 30), (120, 36), (200, 55)])
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_the_chosen_lesson_is_always_in_sight(w, h, glyphs):
    view = library_of([lesson_of(load(str(path))) for path in library()] * 3)
    for index, lesson in enumerate(view.found):
        text = drawn(replace(view, chosen=index), w, h, glyphs)
        rows = [row for row in text.splitlines() if row.startswith(f"  {glyphs.cursor}")]
        assert lesson.title[:20] in rows[0]
        assert len(text.splitlines()) == h
        assert glyphs.unicode or text.isascii()
