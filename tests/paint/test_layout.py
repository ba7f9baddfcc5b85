import pytest

from wireside.paint.layout import layout

SIZES = [(80, 24), (100, 30), (119, 35), (120, 36), (160, 45), (200, 55), (240, 67), (300, 90)]


@pytest.mark.parametrize(("w", "h"), SIZES)
@pytest.mark.parametrize("focus", ["", "knobs"])
def test_panes_tile_the_terminal(w, h, focus):
    seen = [[0] * w for _ in range(h)]
    for rect in layout(w, h, focus).panes.values():
        for y in range(rect.y, rect.bottom):
            for x in range(rect.x, rect.right):
                seen[y][x] += 1
    assert all(n == 1 for row in seen for n in row)


@pytest.mark.parametrize(("w", "h"), SIZES)
def test_every_pane_has_room_for_something(w, h):
    for name, rect in layout(w, h).panes.items():
        if name in {"status", "footer"} or (name == "timeline" and h < 32):
            assert rect.h == 1
        else:
            assert rect.h >= 5


def test_knobs_and_gauges_share_a_place_on_a_narrow_terminal():
    assert "knobs" not in layout(80, 24).panes
    assert "gauges" not in layout(80, 24, "knobs").panes
    assert {"knobs", "gauges"} <= set(layout(120, 36).panes)


@pytest.mark.parametrize(("w", "h"), [(79, 24), (80, 23), (10, 3), (1, 1)])
def test_a_small_terminal_gets_no_panes(w, h):
    assert layout(w, h).too_small
