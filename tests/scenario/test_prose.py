"""Prose with colons needs no quotes where it is plain what is meant."""

from __future__ import annotations

import pytest

from wireside.errors import ScenarioErrors
from wireside.scenario.load import load

WORLD = """\
duration: 1s
hosts: {server: {address: 10.0.0.1}, client: {address: 10.0.0.2}}
links: [{between: [client, server]}]
"""


def loaded(tmp_path, text):
    path = tmp_path / "prose.yaml"
    path.write_text(f"format: 1\n{text}\n{WORLD}", encoding="utf-8")
    return load(path)


def test_colons_in_title_summary_and_captions(tmp_path):
    scenario = loaded(
        tmp_path,
        "title: Three states: open, half open, gone\n"
        'summary: A report: "it hangs": what now?\n'
        "beats:\n"
        "  - say: Look: nothing moves.\n"
        "    at: 0ms\n"
        "  - at: 1ms\n"
        "    say: Now: it does.   \n",
    )
    assert scenario.title == "Three states: open, half open, gone"
    assert scenario.summary == 'A report: "it hangs": what now?'
    assert [beat.say for beat in scenario.beats] == ["Look: nothing moves.", "Now: it does."]


@pytest.mark.parametrize(
    ("text", "place"),
    [("title: A\nkernel: 6.18: or 6.12", ":3:13"), ("title: A\nsummary: A: b\nseed: 1: 2", ":4:8")],
)
def test_anywhere_else_a_colon_is_a_mistake_with_its_place(tmp_path, text, place):
    with pytest.raises(ScenarioErrors, match=place):
        loaded(tmp_path, text)


def test_a_comment_stays_a_comment(tmp_path):
    assert loaded(tmp_path, "title: A story  # a note: with a colon").title == "A story"
