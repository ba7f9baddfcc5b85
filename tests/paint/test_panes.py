from dataclasses import replace
from pathlib import Path

import pytest

from tests.paint.fake_world import MS, US, FakeOrigin, FakeWorld, scenario
from wireside.catalog.actions import Where, footer
from wireside.paint.glyphs import ASCII, UNICODE
from wireside.paint.layout import layout
from wireside.paint.look import Look
from wireside.paint.palette import Palette
from wireside.paint.picture import Picture, pictured
from wireside.paint.screen import draw_screen
from wireside.paint.ui import Ui
from wireside.paint.words import clock, fit, question_of, rounded, short_clock, size, span, wrap
from wireside.scenario.library import library
from wireside.scenario.load import load
from wireside.scenario.spec import Beat, KnobSpec
from wireside.session.knobs import knob_row

GOLDEN = Path(__file__).parent / "golden"


def frame_of(t=6 * MS, every=30 * US, **world):
    player = pictured(FakeOrigin(scenario(), lambda: FakeWorld(every, **world)))
    player.play_to(t)
    picture = Picture(player.scenario)
    for _ in range(12):
        player.advance(1 / 30)
        frame = picture.frame(player)
    return frame


UI = Ui(keys=footer(Where.JOURNEY), fps=30)


def with_counters(frame, counters):
    """The frame with other counters on the host in focus."""
    host = replace(frame.host, counters=counters)
    hosts = tuple(host if each.name == host.name else each for each in frame.world.hosts)
    return replace(frame, world=replace(frame.world, hosts=hosts))


@pytest.mark.parametrize(
    ("w", "h", "glyphs"),
    [(80, 24, UNICODE), (120, 36, UNICODE), (200, 55, UNICODE), (120, 36, ASCII)],
    ids=["80x24", "120x36", "200x55", "ascii"],
)
def test_the_screen_is_as_it_was(w, h, glyphs):
    """To renew after a wanted change: delete the file and run twice."""
    drawn = draw_screen(w, h, Look(Palette(), glyphs), frame_of(missed_every=9), UI).text()
    golden = GOLDEN / f"{w}x{h}{'' if glyphs.unicode else '-ascii'}.txt"
    if not golden.exists():
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(drawn)
        pytest.fail(f"{golden.name} was missing and has been written: look at it and run again")
    assert drawn == golden.read_text()


def test_nstat_begins_with_the_counter_that_the_story_speaks_of():
    frame = with_counters(frame_of(), {"IpInReceives": 7, "TcpExtListenDrops": 2, "TcpExtDelayedACKs": 1})
    frame = replace(frame, beat=Beat("The timer fires, and DelayedACKs says so."))
    shown = draw_screen(80, 24, Look(Palette(), UNICODE), frame, replace(UI, tab=2)).text()
    order = [shown.index(name) for name in ("TcpExtDelayedACKs", "TcpExtListenDrops", "IpInReceives")]
    assert order == sorted(order)


def test_ascii_means_ascii():
    assert draw_screen(120, 36, Look(Palette(), ASCII), frame_of(), UI).text().isascii()


@pytest.mark.parametrize(("w", "h"), [(80, 24), (93, 29), (120, 36), (157, 41), (200, 55)])
@pytest.mark.parametrize("tab", [1, 2, 3, 4])
def test_every_size_and_tab_can_be_drawn_at_every_moment(w, h, tab):
    for t in (0, 13 * MS):
        frame = frame_of(t, 3 * US, missed_every=5)
        drawn = draw_screen(w, h, Look(Palette(), UNICODE), frame, replace(UI, tab=tab))
        assert len(drawn.text().splitlines()) == h


def test_the_story_points_with_a_heavy_frame():
    text = draw_screen(120, 36, Look(Palette(), UNICODE), frame_of(), UI).text()
    assert "┏ SOCKBUF" in text
    assert "┏ TCP" not in text


def screen_text(frame, w=80, h=24, glyphs=UNICODE):
    return draw_screen(w, h, Look(Palette(), glyphs), frame, UI).text()


def test_a_run_that_waits_for_its_reader_counts_down_in_the_status_line_and_beside_the_words():
    text = screen_text(replace(frame_of(), hold_s=3.2))
    assert "▮▮ 4 s to read" in text.splitlines()[0]
    assert "space: next (in 4 s)  1/2" in text


def test_the_status_line_tells_a_quiet_stretch_and_the_readers_own_pace():
    frame = replace(frame_of(), quiet_ns=9_400_000, factor=0.5)
    line = screen_text(frame).splitlines()[0]
    assert "▶▶ nothing for 9.4 ms" in line
    assert "1 s =" not in line
    line = screen_text(replace(frame, paused=True)).splitlines()[0]
    assert "nothing for" not in line
    assert f"1 s = 100 µs {UNICODE.times}0.5" in line


def test_drops_above_zero_come_first():
    line = next(
        row
        for row in draw_screen(80, 24, Look(Palette(), UNICODE), frame_of(13 * MS), UI).text().splitlines()
        if "drops" in row
    )
    assert line.index("TCP_ZEROWINDOW 1") < line.index("rx_missed 0")


def test_a_closing_question_stands_apart():
    assert question_of("It fills. What happens next?") == ("It fills.", "What happens next?")
    assert question_of("It fills.") == ("It fills.", "")


def test_times_and_sizes_as_people_say_them():
    assert [span(n) for n in (57, 1_500, 20_000_000, 2_000_000_000)] == ["57 ns", "1.5 µs", "20 ms", "2 s"]
    assert clock(12_480_312_456) == "12.480 312 456 s"
    assert [short_clock(n * 1000) for n in (3_800_170, 112_640_003, 1_112_640_003)] == [
        "3.800170",
        "112.64000",
        "1112.6400",
    ]
    assert [size(n) for n in (640, 12_800, 212_992)] == ["640", "12.5K", "208K"]
    assert [rounded(n) for n in ("131072", "33554432", "300")] == ["128K", "32M", "300"]
    assert wrap("one two three", 7) == ["one two", "three"]
    assert fit("the window closes now", 14) == "the window…"


def test_ports_are_numbers_and_bytes_may_be_rounded():
    offered = {
        "net.ipv4.ip_local_port_range": "32768 60999",
        "net.ipv4.tcp_max_tw_buckets": "131072",
        "net.ipv4.tcp_rmem": "4096 131072 33554432",
    }
    rows = tuple(knob_row(KnobSpec("server", name), value, value, "6.18") for name, value in offered.items())
    frame = replace(frame_of(), knob_rows=rows)
    shown = draw_screen(120, 36, Look(Palette(), UNICODE), frame, UI).text()
    for text in ("32768 60999", "131072", "4K 128K 32M"):
        assert text in shown


@pytest.mark.parametrize("path", library(), ids=lambda path: path.stem)
def test_every_caption_of_the_library_is_shown_whole_on_a_small_screen(path):
    rect = layout(80, 24).panes["narration"]
    for beat in load(path).beats:
        text, question = question_of(beat.say)
        lines = [*wrap(text, rect.w - 4), *(wrap(question, rect.w - 6) if question else ())]
        assert len(lines) <= rect.h - 2, beat.say
