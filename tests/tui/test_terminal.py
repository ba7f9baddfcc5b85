import pytest

from tests.tui.terminal import H, Terminal, W


@pytest.fixture(params=["fast", "safe"])
def renderer(request):
    return request.param


def test_a_session_from_the_first_frame_to_the_restored_terminal(renderer):
    terminal = Terminal(renderer)
    assert terminal.shows("quit")
    rows = terminal.screen.display
    assert "wireside" in rows[0]
    assert "PACKET JOURNEY" in rows[1]
    assert any("QUEUES & STATES" in row for row in rows)
    terminal.press(b" ")
    assert terminal.shows("paused")
    terminal.press(b"]")
    assert terminal.shows("1 s = 200 ")
    terminal.press(b"?")
    assert terminal.shows("any key closes")
    terminal.press(b"x")
    assert terminal.hides("any key closes")
    terminal.press(b"q")
    assert terminal.wait() == 0
    assert b"\x1b[?1049l" in terminal.sent
    assert b"\x1b[?25h" in terminal.sent


def test_both_ways_to_draw_show_the_same_cells():
    screens, sent = [], []
    for way in ("fast", "safe"):
        terminal = Terminal(way, "paused")
        assert terminal.shows("quit")
        for key in (*[b"."] * 25, b"\t", b"2", b".", b".", b"1", b"]", b"."):
            terminal.press(key)
            terminal.settle(quiet=0.12)  # a frame for each key, for some of the picture goes by frames
        terminal.settle()
        cells = [[terminal.screen.buffer[y][x] for x in range(W)] for y in range(H)]
        screens.append([[(cell.data, cell.fg, cell.bg, cell.bold) for cell in row] for row in cells])
        terminal.press(b"q")
        assert terminal.wait() == 0
        sent.append(len(terminal.sent))
    for fast, safe in zip(*screens, strict=True):
        assert fast == safe
    assert sent[0] < sent[1]


def test_no_color_means_no_colour():
    terminal = Terminal("auto", NO_COLOR="1")
    assert terminal.shows("quit")
    terminal.press(b" ")
    assert terminal.shows("paused")
    colours = {cell.fg for row in terminal.screen.buffer.values() for cell in row.values()}
    assert colours == {"default"}
    terminal.press(b"q")
    assert terminal.wait() == 0


def test_ascii_when_asked_for():
    terminal = Terminal("auto", WIRESIDE_ASCII="1")
    assert terminal.shows("quit")
    assert terminal.display.isascii()
    terminal.press(b"q")
    assert terminal.wait() == 0
