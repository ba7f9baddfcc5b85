"""What the two READMEs show can be typed, loads, and holds."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from wireside.out.headless import play
from wireside.scenario.load import load

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ("README.md", "scenarios/README.md")
FENCE = re.compile(r"```(yaml|console)\n(.*?)```", re.DOTALL)
ENDLESS = ("make ", "wireside play", "wireside\n")
"""Commands that do not end by themselves, or that install and run all tests."""


class Example(NamedTuple):
    """A fenced block: its text, and the complete scenario before it that a part of one is laid over."""

    document: str
    line: int
    text: str
    whole: str


def examples(kind: str) -> list[Example]:
    """Every fenced block of a kind in both documents."""
    found = []
    for document in DOCUMENTS:
        text = (ROOT / document).read_text(encoding="utf-8")
        whole = ""
        for match in FENCE.finditer(text):
            if match[1] == "yaml" and match[2].startswith("format:"):
                whole = match[2]
            if match[1] == kind:
                found.append(Example(document, text.count("\n", 0, match.start()) + 1, match[2], whole))
    return found


def name(example: object) -> str:
    return f"{example.document}:{example.line}" if isinstance(example, Example) else ""


def written(folder: Path, example: Example) -> Path:
    """The example as a file; a part of a scenario takes the place of what the complete one has under its keys."""
    path = folder / "my-lesson.yaml"
    sections = {} if example.text == example.whole else sections_of(example.whole)
    sections.update(sections_of(example.text))
    path.write_text("".join(sections.values()), encoding="utf-8")
    return path


def sections_of(text: str) -> dict[str, str]:
    """The text below each top-level key."""
    return {match[1]: match[0] for match in re.finditer(r"^(\w+):.*\n(?:[ \t#].*\n|\n)*", text, re.MULTILINE)}


@pytest.mark.parametrize("example", examples("yaml"), ids=name)
def test_a_scenario_loads_and_holds(example: Example, tmp_path: Path) -> None:
    scenario = load(written(tmp_path, example))
    outcome = play(scenario, watch_beats=True)
    assert outcome.results
    assert outcome.broken == ()
    assert all(result.holds for result in outcome.results)
    assert outcome.silent_beats == ()


COMMANDS = [
    (example, line[2:].partition("#")[0].strip())
    for example in examples("console")
    for line in example.text.splitlines()
    if line.startswith("$ ")
]


@pytest.mark.parametrize(("example", "command"), COMMANDS, ids=[command for _, command in COMMANDS])
def test_a_command_works_and_fails_nothing(example: Example, command: str, tmp_path: Path) -> None:
    assert not command.startswith(ENDLESS)
    (first,) = [each for each in examples("yaml") if each.document == "README.md" and each.text == each.whole]
    written(tmp_path, first)
    command, _, after = command.partition(" | ")
    assert not after or after.startswith("jq ")
    done = subprocess.run(
        ["bash", "-c", command.replace("wireside", f"{sys.executable} -m wireside", 1)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "app"), "NO_COLOR": "1", "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAILS" not in done.stdout


@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_console_line_is_a_command_that_ends_or_known_not_to(document: str) -> None:
    for example in examples("console"):
        for line in example.text.splitlines():
            assert not line or line.startswith(("$ ", *ENDLESS)), f"{document}: {line}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_settings_in_the_text_are_in_a_command_that_is_run(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    for setting in re.findall(r"`[^`\n]*--(?:set|at) [^`\n]*`", FENCE.sub("", text)):
        assert any(setting.strip("`").partition("--")[2] in command for _, command in COMMANDS), setting
