"""What lights up when a beat points at something that has no box or pane of its own on the screen."""

from dataclasses import replace

import pytest

from wireside.catalog.actions import Where, footer
from wireside.paint.glyphs import UNICODE
from wireside.paint.look import Look
from wireside.paint.palette import Palette
from wireside.paint.picture import Picture, pictured
from wireside.paint.screen import draw_screen
from wireside.paint.ui import Ui
from wireside.scenario import library
from wireside.scenario.load import load
from wireside.scenario.spec import Beat
from wireside.session.origin import Beginning

LOOK = Look(Palette(), UNICODE)


def seen_at(t_ns, look_at):
    told = load(library.resolve("first-packet"))
    player = pictured(Beginning(told, told.seed))
    player.play_to(t_ns)
    frame = replace(Picture(player.scenario).frame(player), beat=Beat("Look.", at_ns=0, look_at=look_at))
    return draw_screen(80, 24, LOOK, frame, Ui(keys=footer(Where.JOURNEY)))


def test_a_stage_of_the_servers_own_sending_lights_the_box_above_it():
    assert "┏ TCP" in seen_at(1_269_900, "TCP_WRITE_XMIT").text()


def test_a_stage_of_the_clients_sending_lights_no_box_of_the_server():
    assert "┏" not in seen_at(1_214_500, "TCP_WRITE_XMIT").text()


@pytest.mark.parametrize(("look_at", "lit"), [("knobs", True), ("TCP_RCV", False)])
def test_the_key_of_the_knobs_stands_out_while_the_story_points_at_them(look_at, lit):
    screen = seen_at(4_000_000, look_at)
    x = screen.text().splitlines()[-1].index("knobs")
    assert (screen.style_at(x, 23) == LOOK.style("accent", "bar", bold=True)) is lit
