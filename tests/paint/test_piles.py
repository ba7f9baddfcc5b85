import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.paint.fake_world import MS, FakeOrigin, FakeWorld, scenario
from wireside.paint.frame import peer_socket
from wireside.paint.gauges import draw_gauges, scale_of
from wireside.paint.glyphs import ASCII, UNICODE
from wireside.paint.look import Look
from wireside.paint.margins import listener_words
from wireside.paint.palette import Palette
from wireside.paint.picture import Picture, pictured
from wireside.paint.piles import limited, pointed_at, subjects
from wireside.paint.screen import draw_screen
from wireside.paint.standing import MARGIN, settled
from wireside.paint.surface import Surface
from wireside.paint.timeline import telling
from wireside.paint.ui import Ui
from wireside.scenario.spec import Beat
from wireside.session.film import Film, Past, Tail, sample
from wireside.snapshot import ListenerRow, ProgramRow

GOLDEN = Path(__file__).parent / "golden"

LISTENER = ListenerRow(port=7070, program="slowd", accept_queue=129, requests=68, acked=68, backlog=128)
LIMITS = {"net.ipv4.tcp_max_tw_buckets": "131072", "net.ipv4.tcp_max_orphans": "131072"}


class ServerWorld(FakeWorld):
    """The server's states, queues and counters are given as functions of the time in s."""

    def __init__(self, listeners=(LISTENER,), states=lambda s: {}, **facts):
        super().__init__(100_000_000)
        self.listeners, self.states, self.facts = tuple(listeners), states, facts

    def _host(self, name, address):
        host = super()._host(name, address)
        if name != "server":
            return host
        states = self.states(self.now / 1e9)
        return replace(
            host, listeners=self.listeners, states=states, sysctl={**host.sysctl, **LIMITS}, entered=states,
            sockstat={"tw": states.get("TIME-WAIT", 0), "orphan": 0, "mem": 0}, **self.facts,
        )  # fmt: skip


def seen(world, frames=40, beats=(), **facts):
    player = pictured(
        FakeOrigin(scenario(duration_ns=10_000 * MS, scale=1000 * MS, beats=beats, **facts), lambda: world)
    )
    picture = Picture(player.scenario)
    for _ in range(frames):
        player.advance(1 / 30)
        frame = picture.frame(player)
    return frame


def city():
    """A busy server: a slow acceptor, a leak, and much that comes and goes."""
    counters = {"TcpExtListenOverflows": 1468, "TcpExtListenDrops": 1468, "IpInReceives": 35_000}

    def states(s):
        return {
            "CLOSE-WAIT": 870 + int(8 * s),
            "ESTAB": 879,
            "TIME-WAIT": 2292,
            "FIN-WAIT-2": 532,
            "LISTEN": 3,
        }

    listeners = [LISTENER, replace(LISTENER, port=8080, program="web", accept_queue=0, requests=0, acked=0)]
    return ServerWorld(listeners, states, counters=counters, turned_away={"ACK": 1384, "SYN": 84}, drops={})


@pytest.mark.parametrize(("w", "h"), [(80, 24), (120, 36)])
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_piles_look_as_they_did(w, h, glyphs):
    """To renew after a wanted change: delete the file and run twice."""
    drawn = draw_screen(w, h, Look(Palette(), glyphs), seen(city(), frames=75), Ui()).text()
    golden = GOLDEN / f"piles-{w}x{h}{'' if glyphs.unicode else '-ascii'}.txt"
    if not golden.exists():
        golden.write_text(drawn)
        pytest.fail(f"{golden.name} was missing and has been written: look at it and run again")
    assert drawn == golden.read_text()


def test_the_colours_of_piles_are_those_of_their_meaning():
    """One letter a cell: what the role of the number's colour is."""
    look = Look(Palette(), UNICODE)
    surface = Surface(39, 10)
    draw_gauges(surface, look, seen(city(), frames=75), Ui())
    for word, role in (
        ("129/128+1", "bad"),
        ("68/128+1", "warn"),
        ("2 292/131 072", "warn"),
        ("879", "bright"),
    ):
        assert color_of(surface, word, look.palette) == look.palette.rgb(role), word


def pane(frame, w=39, h=10, glyphs=ASCII):
    surface = Surface(w, h)
    draw_gauges(surface, Look(Palette(), glyphs), frame, Ui())
    return surface


def color_of(surface, word, palette):
    """The role's colour in which a number is written."""
    for y in range(surface.h):
        x = "".join(surface.ch[y]).find(word)
        if x >= 0:
            return palette.styles[surface.st[y][x]].fg
    raise AssertionError(f"{word} is not there:\n{surface.text()}")


def test_a_full_accept_queue_leads_with_the_kernels_off_by_one():
    text = pane(seen(ServerWorld())).text().splitlines()
    assert text[1].startswith("|!accept q")
    assert "129/128+1" in text[1]
    assert any(line.startswith("| SYN reqs") and "68/128+1" in line for line in text)


def test_the_tcp_box_says_the_queue_that_is_fullest():
    assert (
        "129/128+1"
        in draw_screen(120, 36, Look(Palette(), ASCII), seen(ServerWorld()), Ui()).text().split("drops")[0]
    )
    empty = replace(LISTENER, accept_queue=1, requests=0)
    assert (
        "wnd "
        in draw_screen(120, 36, Look(Palette(), ASCII), seen(ServerWorld([empty])), Ui())
        .text()
        .split("drops")[0]
    )


def test_time_wait_is_never_red_by_size_and_close_wait_always_is():
    look = Look(Palette(), ASCII)
    frame = seen(ServerWorld(states=lambda s: {"TIME-WAIT": 100_000, "CLOSE-WAIT": 2}))
    surface = Surface(39, 10)
    draw_gauges(surface, look, frame, Ui())
    assert color_of(surface, "100 000/131 072", look.palette) == look.palette.rgb("warn")
    line = next(y for y in range(10) if "CLOSE-WAIT" in "".join(surface.ch[y]))
    x = "".join(surface.ch[line]).rindex("2")
    assert look.palette.styles[surface.st[line][x]].fg == look.palette.rgb("bad")


def test_close_wait_stands_against_the_descriptors_of_its_program():
    billing = ProgramRow("billing", 7, "blocked", "accept(3)", 9, 0, 0, fds=892, nofile=1024)
    facts = {"programs": (billing,), "close_wait": {"billing": 888}}
    frame = seen(ServerWorld(states=lambda s: {"CLOSE-WAIT": 888}, **facts))
    assert "CLOSE-WAIT" in pane(frame).text()
    assert "888/1024 fds" in pane(frame).text()
    assert "!CLOSE-WAIT" not in pane(frame).text()
    facts["programs"] = (replace(billing, fds=1024),)
    assert "!CLOSE-WAIT" in pane(seen(ServerWorld(states=lambda s: {"CLOSE-WAIT": 1020}, **facts))).text()


def test_time_wait_at_its_limit_is_marked():
    frame = seen(ServerWorld(states=lambda s: {"TIME-WAIT": 131_072}))
    assert "!TIME-WAIT" in pane(frame).text()


@pytest.mark.parametrize("name", ["TIME-WAIT", "CLOSE-WAIT", "FIN-WAIT-2", "ESTAB", "LAST-ACK", "SYN-SENT"])
@pytest.mark.parametrize(("w", "h"), [(80, 24), (100, 30), (120, 36)])
def test_a_pile_that_grows_is_never_hidden(name, w, h):
    """Whatever else is full."""
    states = lambda s: {"ESTAB": 400, "FIN-WAIT-1": 30, "CLOSING": 9, name: int(5 + 20 * s)}  # noqa: E731
    frame = seen(ServerWorld(states=states))
    right = [
        line[w // 2 :] for line in draw_screen(w, h, Look(Palette(), ASCII), frame, Ui()).text().splitlines()
    ]
    assert any(name in line for line in right[h // 2 :])


def test_when_there_is_no_row_left_the_frame_tells_the_rest():
    frame = seen(ServerWorld(states=lambda s: {"ESTAB": 400, "FIN-WAIT-2": 30, "CLOSE-WAIT": 9}))
    assert "TIME-WAIT" not in pane(frame, 34, 6).text()
    last = pane(frame, 34, 6).text().splitlines()[-1]
    assert any(word in last for word in ("ESTAB 400", "FIN-WAIT-2 30", "CLOSE-WAIT 9", "SYN reqs 68/128+1"))


def test_states_come_and_go_in_numbers_per_second():
    frame = seen(ServerWorld(states=lambda s: {"CLOSE-WAIT": int(100 * s)}), frames=75)
    assert re.search(r"\+(9\d|10\d) -0/s", pane(frame).text())


def test_a_row_keeps_its_place_while_sockets_only_pass_through():
    flicker = iter(range(10_000))
    world = ServerWorld(states=lambda s: {"ESTAB": 50, "FIN-WAIT-1": next(flicker) % 2})
    player = pictured(FakeOrigin(scenario(duration_ns=10_000 * MS, scale=1000 * MS, beats=()), lambda: world))
    picture = Picture(player.scenario)
    shown = []
    for _ in range(120):
        player.advance(1 / 30)
        frame = picture.frame(player)
        shown.append([line[1:12] for line in pane(frame).text().splitlines()[1:-1]])
    assert sum(before != after for before, after in pairwise(shown)) <= 3


weights = st.dictionaries(st.sampled_from("abcdefgh"), st.floats(0, 3), min_size=1)


@given(st.permutations("abcdefgh"), weights)
def test_order_is_kept_where_weights_are_about_the_same(old, weight):
    order = settled(old, weight)
    assert sorted(order) == sorted(weight)
    for above, below in pairwise(order):
        assert weight[below] <= weight[above] + MARGIN
    assert settled(order, weight) == order


@given(weights, st.lists(st.floats(-MARGIN / 2.01, MARGIN / 2.01), min_size=8, max_size=8))
def test_small_changes_move_no_row(weight, jitter):
    order = settled(settled([], weight, 0), weight)
    moved = {name: value + change for (name, value), change in zip(weight.items(), jitter, strict=False)}
    assert settled(order, moved) == order


@given(st.integers(1, 10**6), st.integers(1, 40))
def test_heaps_fit_in_their_room(most, room):
    scale = scale_of(most, room)
    assert -(-most // scale) <= room
    assert scale == 1 or str(scale).strip("0") in {"1", "2", "5"}


def test_the_drops_line_tells_acks_from_syns():
    counters = {"TcpExtListenOverflows": 1468, "TcpExtListenDrops": 1468}
    frame = seen(ServerWorld(turned_away={"ACK": 1384, "SYN": 84}, counters=counters))
    wide = "".join(text for text, _ in listener_words(frame.host, room=118))
    assert (
        wide.strip() == "ListenOverflows 1 468 = ACKs 1 384 TCP_LISTEN_OVERFLOW + SYNs 84 unseen by dropwatch"
    )
    narrow = "".join(text for text, _ in listener_words(frame.host, room=78))
    assert narrow.strip() == "ListenOverflows 1 468: ACKs 1 384, SYNs 84"
    assert "3 ghosts" not in draw_screen(120, 36, Look(Palette(), ASCII), frame, Ui()).text()
    assert "68 ghosts: ESTAB for the peer" in draw_screen(120, 36, Look(Palette(), ASCII), frame, Ui()).text()


def test_a_full_request_queue_drops_or_sends_cookies():
    dropped = {"TcpExtTCPReqQFullDrop": 7, "TcpExtListenDrops": 9}
    frame = seen(ServerWorld(turned_away={"SYN": 9, "ACK": 0}, counters=dropped))
    assert "".join(text for text, _ in listener_words(frame.host, room=118)).split("  ")[:2] == [
        "TCPReqQFullDrop 7",
        "ListenDrops, other 2",
    ]
    answered = seen(ServerWorld(counters={"TcpExtTCPReqQFullDoCookies": 5}))
    assert ("5", "warn") in listener_words(answered.host, room=118)


def test_a_buffer_over_its_limit_is_explained_where_it_stands():
    frame = seen(ServerWorld())
    row = frame.main_socket._replace(sk_rmem_alloc=136_000, sk_rcvbuf=132_096)
    peer = peer_socket(frame.world, "server", row)[1]
    piles = tuple(limited(frame.host, row, peer, frame.past.grown()))
    frame = replace(frame, piles=piles, telling=tuple(pile.name for pile in piles))
    text = pane(frame).text()
    assert "133K/129K" in text
    assert "below the limit one skb more fits" in text
    assert "+1 skb" in pane(replace(frame, telling=("rmem",)), 34, 6).text()


def test_a_run_is_about_what_its_story_waits_for():
    told = scenario(
        beats=(Beat("x", when="server.states.CLOSE-WAIT >= 5"), Beat("y", look_at="accept queue")),
        teaches=("TIME-WAIT", "receive ring"),
    )
    assert {"CLOSE-WAIT", "accept q", "TIME-WAIT", "ring", "RX ring"} <= subjects(told)
    assert pointed_at("accept queue") == "accept q"
    assert pointed_at("TIME-WAIT") == "TIME-WAIT"
    assert pointed_at("sockets") == ""


def test_the_row_that_the_story_points_at_is_always_there():
    beats = (Beat("Look.", at_ns=0, look_at="orphans"),)
    world = ServerWorld(
        states=lambda s: {"ESTAB": int(9 * s), "FIN-WAIT-1": int(9 * s), "CLOSING": int(9 * s)}
    )
    world.facts = {}
    frame = seen(world, beats=(Beat("Look.", at_ns=0, look_at="SYN requests"), *beats[1:]))
    assert frame.telling[0] == "SYN reqs"


def test_the_timeline_shows_what_the_run_is_about():
    most = {"CLOSE-WAIT": 888, "TIME-WAIT": 2292, "accept q": 1.0, "ESTAB": 879, "rmem": 0.01}
    now = sample(FakeWorld().snapshot().host("server"), {})
    past = Past(Film(), Tail(most=most), now)
    assert telling(past, frozenset(), 2) == ["accept q", "CLOSE-WAIT"]
    assert telling(past, frozenset({"TIME-WAIT"}), 2) == ["accept q", "TIME-WAIT"]


def test_no_spike_of_a_state_is_lost_between_two_columns():
    world = ServerWorld(states=lambda s: {"LAST-ACK": 40 if 1.0 <= s < 1.05 else 0})
    player = pictured(FakeOrigin(scenario(duration_ns=2_000 * MS, beats=()), lambda: world))
    player.play_to(100_000 * MS)
    past = player.machine.past(player.snapshot)
    edges = range(0, 100_000 * MS, 1_000 * MS)
    assert max(past.columns("LAST-ACK", edges, past.bounds(edges), future=False)) == 40
