"""The tools pane shows what the story points at."""

from __future__ import annotations

from wireside.scenario.spec import Beat
from wireside.tui.tools import ToolKeys


def test_a_beat_chooses_the_tool_and_the_viewer_may_choose_another() -> None:
    keys = ToolKeys()
    first, second = Beat("one", look_at="counters"), Beat("two", look_at="accept queue")
    keys.follow(first)
    assert keys.tab == 2
    keys.show(4)
    keys.follow(first)
    assert keys.tab == 4
    keys.follow(second)
    assert keys.tab == 4
    keys.follow(Beat("three", look_at="sockets"))
    assert keys.tab == 1
    keys.follow(None)
    assert keys.tab == 1
