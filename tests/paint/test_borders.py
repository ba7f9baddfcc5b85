"""No text stands on a frame, whatever names a scenario brings and however small the terminal is."""

from dataclasses import replace

import pytest

from tests.paint.fake_world import MS, FakeOrigin, FakeWorld, scenario
from wireside.catalog.actions import Where, footer
from wireside.paint.glyphs import ASCII, UNICODE
from wireside.paint.journey import plan
from wireside.paint.layout import layout
from wireside.paint.look import Look
from wireside.paint.palette import Palette
from wireside.paint.picture import Picture, pictured
from wireside.paint.scene import Mover
from wireside.paint.screen import SPECS
from wireside.paint.surface import Surface
from wireside.paint.ui import Ui
from wireside.scenario.spec import Beat, HostSpec, KnobSpec, LinkSpec
from wireside.snapshot import Event, ListenerRow, ProgramRow, WorldSnapshot

LONG = "a-name-that-is-much-longer-than-anybody-would-expect-in-a-pane-of-this-size"
SIZES = [(80, 24), (100, 30), (120, 36), (200, 55)]


class LongWorld(FakeWorld):
    """Every name and number is as long as it can be."""

    def events(self, since):
        topics = ("nic", "softirq", "tcp", "drop", "program")
        texts = (f"{LONG} {LONG} {i}" for i in range(40))
        return tuple(Event(i * MS, LONG, topics[i % 5], text, i % 3) for i, text in enumerate(texts))[since:]

    def knob_value(self, host, name):
        return self.values.get(name, LONG)

    def snapshot(self, *, screen=False):
        return WorldSnapshot(self.now, (self._host(LONG, "10.0.0.1"), self._host("server", "10.0.0.2")))

    def _host(self, name, address):
        host = super()._host(name, address)
        sockets = tuple(
            row._replace(program=LONG, local=f"255.255.255.255:{50000 + i}", peer=f"255.255.255.254:{40000 + i}",
                    send_q=10**9, recv_q=10**9 if row.state != "LISTEN" else 70_000, id=row.id + 10 * i,
                    timer="keepalive,119min59.123ms,15")
            for i in range(9) for row in host.sockets
        )  # fmt: skip
        states = (
            "ESTAB",
            "CLOSE-WAIT",
            "TIME-WAIT",
            "FIN-WAIT-1",
            "FIN-WAIT-2",
            "LAST-ACK",
            "CLOSING",
            "SYN-SENT",
        )
        return replace(
            host, sockets=sockets, states=dict.fromkeys(states, 123_456), entered=dict.fromkeys(states, 10**7 + self.now // MS),
            programs=(ProgramRow(LONG, 1, "running", f"recvmsg({LONG})", 10**9, 10**12, 10**12),) * 9,
            listeners=(ListenerRow(65_000, LONG, 65_536, 65_536, 65_000, 65_535), ListenerRow(1, LONG, 1, 1, 1, 1)),
            counters={**host.counters, **{f"TcpExt{LONG}{i}": 10**12 for i in range(30)}, "TcpExtListenOverflows": 10**9,
                      "TcpExtListenDrops": 10**9 + 7, "TcpExtTCPReqQFullDrop": 10**8, "TcpExtTCPReqQFullDoCookies": 10**9},
            turned_away={"SYN": 10**8, "ACK": 10**9 - 10**8}, sysctl={**host.sysctl, "net.ipv4.tcp_max_tw_buckets": "2147483647"},
            drops={f"TCP_{LONG.upper()}": 10**7, "PROTO_MEM": 10**6}, wire_drops={"rx_missed_errors": 10**9, "link loss": 10**8},
            nics=tuple(replace(nic, rx_ring_size=4096, rx_ring_used=4095, rx_rate_pps=10**8) for nic in host.nics),
        )  # fmt: skip


def long_frame(*, knobs=True, few=False):
    told = scenario(
        title=f"{LONG} {LONG}",
        duration_ns=30_000 * MS,
        scale=1000 * MS,
        hosts=(HostSpec(LONG, "10.0.0.1"), HostSpec("server", "10.0.0.2")),
        links=(LinkSpec(LONG, "server"),),
        beats=(Beat(f"{LONG} {LONG} is what {LONG} said. And what does {LONG} say?", at_ns=0, look_at="TCP"),),
        knobs=(KnobSpec("server", f"{LONG}.rate"), KnobSpec("server", "net.ipv4.tcp_rmem"), KnobSpec("server", "nic.rx_ring"))
        if knobs
        else (),
    )  # fmt: skip
    player = pictured(FakeOrigin(told, lambda: LongWorld(500 * MS if few else 2 * MS)))
    picture = Picture(player.scenario)
    for _ in range(40):
        player.advance(1 / 30)
        frame = picture.frame(player)
    return frame


UI = Ui(keys=footer(Where.JOURNEY), fps=30)


def check_frame(surface, glyphs, name):
    tl, _, tr, side, bl, br = glyphs.borders
    corners = [surface.ch[y][x] for y, x in ((0, 0), (0, -1), (-1, 0), (-1, -1))]
    assert corners == [tl, tr, bl, br], name
    for y in range(1, surface.h - 1):
        assert (surface.ch[y][0], surface.ch[y][-1]) == (side, side), f"{name} row {y}:\n{surface.text()}"


@pytest.mark.parametrize(("w", "h"), SIZES)
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
@pytest.mark.parametrize("focus", ["", "knobs"])
@pytest.mark.parametrize("knobs", [True, False], ids=["knobs", "none"])
def test_every_pane_leaves_its_frame_alone(w, h, glyphs, focus, knobs):
    frame = long_frame(knobs=knobs)
    for tab in (1, 2, 3, 4):
        ui = replace(UI, focus_pane=focus, tab=tab)
        for name, rect in layout(w, h, focus).panes.items():
            surface = Surface(rect.w, rect.h)
            SPECS[name].draw(surface, Look(Palette(), glyphs), frame, ui)
            if rect.h > 1:
                check_frame(surface, glyphs, f"{name} {tab}")


@pytest.mark.parametrize(("w", "h"), SIZES)
@pytest.mark.parametrize("few", [True, False], ids=["few", "many"])
def test_no_word_or_number_of_a_box_stands_on_its_frame(w, h, few):
    frame = long_frame(few=few)
    rect = layout(w, h).panes["journey"]
    surface = Surface(rect.w, rect.h)
    SPECS["journey"].draw(surface, Look(Palette(), UNICODE), frame, UI)
    where = plan(rect.w, rect.h)
    for row in (where.symbol_row, where.value_row, where.gauge_row, where.latency_row):
        for box in where.boxes if row else ():
            for x in (box.x, box.right - 1):
                assert surface.ch[row][x] in {"│", "┃"}, surface.text()


@pytest.mark.parametrize(("w", "h"), SIZES)
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_a_lost_packet_falls_past_the_bottom_of_its_box_and_no_further_than_the_lane(w, h, glyphs):
    frame = long_frame()
    rect = layout(w, h).panes["journey"]
    where = plan(rect.w, rect.h)
    seen = set()
    for tenth in range(11):
        depth = max(0.01, tenth / 10)
        for movers, losses in (
            ((Mover(1, "DATA", 4.4, parked=False, depth=depth),), ()),
            ((), ((4, depth, 64),)),
        ):
            parked = (0,) * len(where.boxes)
            scene = replace(frame.scene, inbound=movers, falling=losses, parked=parked)
            surface = Surface(rect.w, rect.h)
            now = replace(frame, beat=None, scene=scene)
            SPECS["journey"].draw(surface, Look(Palette(), glyphs), now, UI)
            box = where.boxes[4]
            seen |= {y for y in range(surface.h) if glyphs.lost in surface.ch[y][box.x : box.right]}
    assert where.ack_row in seen
    assert where.boxes[4].bottom - 1 not in seen
    assert max(seen) == where.ack_row
