import dataclasses

import pytest

from tests.paint.fake_world import FakeOrigin, scenario
from wireside.paint.frame import main_socket, peer_socket
from wireside.paint.glyphs import UNICODE
from wireside.paint.look import Look
from wireside.paint.palette import Palette
from wireside.paint.picture import Picture, pictured
from wireside.paint.sockets import columns, endpoint, listing, timer
from wireside.paint.stations import readings
from wireside.paint.surface import Surface
from wireside.paint.tables import draw_tools
from wireside.paint.ui import Ui
from wireside.snapshot import SocketRow

LOOK = Look(Palette(), UNICODE)


def frame_with(rows, states=None):
    """A frame of a server with these sockets, and an idle client."""
    session = pictured(FakeOrigin(scenario()))
    frame = Picture(session.scenario).frame(session)
    client, server = frame.world.hosts
    server = dataclasses.replace(server, sockets=tuple(rows), states=states or {})
    client = dataclasses.replace(client, sockets=())
    world = dataclasses.replace(frame.world, hosts=(client, server))
    main = main_socket(server)
    return dataclasses.replace(
        frame, world=world, main_socket=main, peer_socket=peer_socket(world, "server", main)
    )


def row(number, state, local="10.0.0.2:8080", **more):
    facts = {"recv_q": 0, "send_q": 0, "sk_rcvbuf": 131_072, "peer": f"10.0.0.1:{40000 + number}", **more}
    return SocketRow(id=number, netid="tcp", state=state, local=local, **facts)


def drawn(frame, w=54, h=10, ui=None):
    surface = Surface(w, h)
    draw_tools(surface, LOOK, frame, ui or Ui())
    return surface.text()


CROWD = [
    *(row(i, "TIME-WAIT", timer=f"timewait,{59 - i % 60}sec,0") for i in range(500)),
    row(500, "LISTEN", recv_q=129, send_q=128, program="slowd", fd=3),
    *(row(501 + i, "CLOSE-WAIT", recv_q=1, program="billing", fd=4 + i) for i in range(20)),
]
STATES = {"TIME-WAIT": 2292, "LISTEN": 1, "CLOSE-WAIT": 20}


def test_few_sockets_stand_in_their_own_order():
    view = frame_with([row(1, "ESTAB"), row(2, "LISTEN")])
    lines = [line for _, line in listing(view, 7).lines(0, 7)]
    assert [line.state for line in lines] == ["ESTAB", "LISTEN"]


def test_many_are_grouped_by_state_and_every_state_is_seen_with_its_number():
    text = drawn(frame_with(CROWD, STATES))
    assert "LISTEN        129    128 :8080  slowd fd 3" in text
    assert "CLOSE-WAIT 20 " in text
    assert "TIME-WAIT 2 292 " in text
    assert "2 313 sockets" in text


def test_with_the_keyboard_the_pane_scrolls_to_the_last_line():
    text = drawn(frame_with(CROWD, STATES), ui=Ui(focus_pane="tools", tool_first=10**6))
    assert "TIME-WAIT       0      0 :8080  timewait,40sec,0" in text
    assert "and 1 792 more" in text
    assert "518-524 of 524 lines" in text


def test_every_line_is_reached_once_by_scrolling():
    table = listing(frame_with(CROWD, STATES), 7)
    whole = [line for _, line in table.lines(0, table.total)]
    assert len(whole) == table.total
    for first in range(0, table.total, 7):
        assert [line for _, line in table.lines(first, 7)] == whole[first : first + 7]


def test_left_and_right_go_from_state_to_state():
    table = listing(frame_with(CROWD, STATES), 7)
    at = 0
    seen = [next(table.lines(at, 1))[0].state]
    while (further := table.neighbour(at, +1)) != at:
        at = further
        seen.append(next(table.lines(at, 1))[0].state)
    assert seen == ["LISTEN", "CLOSE-WAIT", "TIME-WAIT"]
    assert table.neighbour(at, -1) == 1


def test_a_tcp_socket_in_close_is_not_listed():
    assert listing(frame_with([row(1, "UNCONN"), row(2, "LISTEN")]), 7).sockets == 1


@pytest.mark.parametrize("w", range(46, 140, 3))
def test_at_every_width_state_queues_port_and_timer_are_whole(w):
    busy = row(
        9, "CLOSE-WAIT", "192.168.100.200:65535", recv_q=2_621_440, send_q=987_654, timer="on,4.724ms,3"
    )
    text = drawn(frame_with([busy, row(1, "ESTAB", program="reader", fd=4)]), w)
    line = next(line for line in text.splitlines() if "CLOSE-WAIT" in line)
    words = line.strip("│ ").split()
    assert words[:3] == ["CLOSE-WAIT", "2.5M", "987654"]
    assert words[3] in {":65535", "192.168.100.200:65535"}
    assert any(word in line for word in ("4.724ms", "timer:(on,4.724ms,3)"))


def test_addresses_are_whole_or_their_port_alone():
    assert endpoint("10.0.0.1:", "40000", 14) == "10.0.0.1:40000"
    assert endpoint("10.0.0.1:", "40000", 13) == ":40000"
    assert endpoint("*:", "*", 6) == "*:*"
    wide = columns(104, 14)
    assert (wide.local_width, wide.peer_width, wide.timer_width) == (14, 14, 24)
    assert wide.timer + wide.timer_width < wide.cwnd - 5
    assert columns(46, 14).peer == -1


def test_a_timer_is_shortened_from_its_end_and_never_loses_a_part_of_a_number():
    assert timer("timer:(timewait,58sec,0)", 24) == "timer:(timewait,58sec,0)"
    assert timer("timer:(timewait,58sec,0)", 20) == "timewait,58sec,0"
    assert timer("timer:(timewait,58sec,0)", 14) == "timewait,58sec"
    assert timer("timer:(timewait,58sec,0)", 11) == "58sec"
    assert timer("timer:(persist,412ms,2)", 14) == "persist,412ms"
    assert timer("timer:(persist,412ms,2)", 11) == "persist"
    assert timer("timer:(keepalive,119min,0)", 14) == "keepalive"
    assert timer("timer:(timewait,,0)", 24) == "timer:(timewait,,0)"
    assert timer("timer:(timewait,,0)", 9) == "timewait"


@pytest.mark.parametrize(("state", "short"), [("FIN-WAIT-2", "FIN-W-2"), ("SYN-RECV", "SYN-RCV")])
def test_a_state_in_the_smallest_box_is_shortened_and_not_cut(state, short):
    frame = frame_with([row(1, state, sk_rcvbuf=0)])
    server = dataclasses.replace(frame.world.hosts[1], listeners=())
    world = dataclasses.replace(frame.world, hosts=(frame.world.hosts[0], server))
    reading = readings(dataclasses.replace(frame, world=world))[4]
    assert (reading.value, reading.short) == (state, short)
