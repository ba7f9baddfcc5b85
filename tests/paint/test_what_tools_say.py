"""What the panes and the report show of a host is what its tools print of the same instant, word for word."""

from __future__ import annotations

import dataclasses
import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from tests.paint.fake_world import FakeOrigin, scenario
from tests.property.stories import stories
from wireside.catalog.counters import COUNTER_BY_NAME
from wireside.out.headless import Outcome
from wireside.out.report import summary
from wireside.paint.frame import main_socket, peer_socket
from wireside.paint.glyphs import UNICODE
from wireside.paint.look import Look
from wireside.paint.palette import Palette
from wireside.paint.picture import Picture, pictured
from wireside.paint.surface import Surface
from wireside.paint.tables import COUNTERS, SOCKETS, draw_tools
from wireside.paint.ui import Ui
from wireside.paint.words import size
from wireside.sim.world import World
from wireside.tools import nstat, ss

LOOK = Look(Palette(), UNICODE)
FRAME = Picture(scenario()).frame(pictured(FakeOrigin()))
LAW = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
instants = st.integers(0, 8_000_000)


def frame_of(world, focus):
    """A frame that looks at one host of a world."""
    main = main_socket(world.host(focus))
    return dataclasses.replace(
        FRAME,
        world=world,
        focus=focus,
        beat=None,
        main_socket=main,
        peer_socket=peer_socket(world, focus, main),
    )


def lines(frame, tab, w, first=0):
    """What the tools pane shows, line by line, without its border and its header."""
    surface = Surface(w, 40)
    draw_tools(surface, LOOK, frame, Ui(tab=tab, focus_pane="tools", tool_first=first))
    inside = surface.text().splitlines()[1:-1]
    return [line.strip("│ ") for line in inside[tab == SOCKETS :] if line.strip("│ ")]


def printed(host):
    """Every socket of a host as ss prints it with all its options, in one line each; with numbers that panes shorten."""
    text = ss.render(host, "-tuanopimH").replace("\n\t", " ")
    numbers = {size(int(number)) for number in re.findall(r"\d+", text)}
    return text.splitlines(), numbers


def said(word, line, numbers):
    """Whether ss says a word of a pane in this line: as it stands, as ":port" alone, or a large number in short."""
    return word in line or word in numbers


@LAW
@given(stories(), instants, st.sampled_from(("server", "client")), st.integers(46, 150))
def test_each_line_of_the_socket_pane_is_a_line_of_ss(story, instant, focus, w):
    world = World(story)
    world.run_until(instant)
    frame = frame_of(world.snapshot(), focus)
    real, numbers = [], set()
    for host in frame.world.hosts:
        found, some = printed(host)
        real, numbers = real + found, numbers | some
        numbers |= {size(row.rcv_wnd_left) for row in host.sockets}
    shown = lines(frame, SOCKETS, w)
    assert len(shown) == len(real)
    for line in shown:
        words = [word for word in line.split() if word not in ("fd", "drops")]
        assert any(all(said(word, other, numbers) for word in words) for other in real), (line, real)


@LAW
@given(stories(), instants, st.sampled_from(("server", "client")))
def test_the_counter_pane_and_the_report_list_what_nstat_lists(story, instant, focus):
    world = World(story)
    start = world.snapshot()
    world.run_until(instant)
    snapshot = world.snapshot()
    host = snapshot.host(focus)
    real = {tuple(line.split()[:2]) for line in nstat.render(host).splitlines()[1:]}
    pane = lines(frame_of(snapshot, focus), COUNTERS, 60)
    if real:
        assert {tuple(line.split()) for line in pane} <= real
        assert len(pane) == min(len(real), 38)
    outcome = Outcome(story, 1, story.kernel, start, snapshot, (), (), (), ())
    report = Console(width=200, color_system=None)
    with report.capture() as capture:
        report.print(summary(outcome))
    told = capture.get().partition(f"\n{focus} ")[2].partition("Counter")[2].partition("\n\n")[0]
    counted = {tuple(line.split()) for line in told.splitlines() if len(line.split()) == 2}
    assert real == {pair for pair in counted if pair[0] in COUNTER_BY_NAME}
