import pytest

from wireside.catalog.packet_kinds import PacketKind
from wireside.paint.glyphs import ASCII, UNICODE, glyphs_from_environment, plain
from wireside.paint.palette import (
    DARK,
    LIGHT,
    Depth,
    Palette,
    depth_from_environment,
    mix,
    roles_from_environment,
    to_256,
)


@pytest.mark.parametrize("role", ["bg", "panel", "bar", "track", "border"])
def test_dark_grounds_become_grey_not_navy_in_256_colours(role):
    assert 232 <= to_256(DARK[role]) <= 255


@pytest.mark.parametrize(
    ("rgb", "number"), [((255, 255, 255), 231), ((255, 0, 0), 196), ((95, 135, 255), 69)]
)
def test_bright_colours_go_to_the_cube(rgb, number):
    assert to_256(rgb) == number


def test_the_same_colours_have_the_same_style_whatever_they_are_called():
    palette = Palette()
    assert palette.style("UDP", "bg") == palette.style(DARK["accent"], DARK["bg"])


def test_gradients_have_few_steps():
    assert len({mix((0, 0, 0), (255, 255, 255), i / 1000) for i in range(1001)}) == 17


def test_without_colours_a_bright_ground_is_reversed_and_faint_text_dim():
    palette = Palette(Depth.MONO)
    assert palette.ink(palette.style("ink", "DATA")).reverse
    assert not palette.ink(palette.style("text", "select")).reverse
    assert palette.ink(palette.style("faint", "bg")).dim
    assert palette.ink(palette.style("text", "bg")).fg is None


@pytest.mark.parametrize("roles", [DARK, LIGHT])
def test_words_are_never_the_colour_of_their_ground_on_sixteen_colours(roles):
    palette = Palette(Depth.C16, roles)
    for fg in ("text", "dim", "accent", "good", "warn", "bad"):
        ink = palette.ink(palette.style(fg, "panel"))
        assert ink.fg != ink.bg


@pytest.mark.parametrize(
    ("environ", "depth"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, Depth.TRUE),
        ({"TERM": "xterm-256color"}, Depth.C256),
        ({"TERM": "linux"}, Depth.C16),
        ({"TERM": "dumb"}, Depth.MONO),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": "1"}, Depth.MONO),
    ],
)
def test_the_environment_tells_the_depth(environ, depth):
    assert depth_from_environment(environ) is depth


def test_a_white_ground_asks_for_the_light_palette():
    assert roles_from_environment({"COLORFGBG": "0;15"}) is LIGHT
    assert roles_from_environment({"COLORFGBG": "15;0"}) is DARK
    assert roles_from_environment({"COLORFGBG": "0;15", "WIRESIDE_THEME": "dark"}) is DARK


def test_ascii_when_asked_for_or_when_the_terminal_cannot_do_more():
    assert glyphs_from_environment({}, "UTF-8") is UNICODE
    assert glyphs_from_environment({}, "ANSI_X3.4-1968") is ASCII
    assert glyphs_from_environment({"WIRESIDE_ASCII": "1"}, "utf-8") is ASCII
    assert plain("1 µs → 2", ASCII) == "1 us -> 2"


@pytest.mark.parametrize("roles", [DARK, LIGHT])
def test_every_kind_of_packet_of_the_legend_has_a_colour(roles):
    assert set(PacketKind) - set(roles) == {PacketKind.ICMP}
