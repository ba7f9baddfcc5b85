"""Every mistake a scenario file can hold is told with its place and what to do; one file per mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from wireside.errors import ScenarioErrors
from wireside.scenario.load import load

FOLDER = Path(__file__).parent / "mistakes"
FILES = sorted(FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_mistake_is_told_with_its_place(path: Path) -> None:
    with pytest.raises(ScenarioErrors) as caught:
        load(path, shown=path.name)
    assert f"{caught.value}\n" == path.with_suffix(".txt").read_text(encoding="utf-8")


def test_every_problem_of_a_file_is_told_at_once() -> None:
    with pytest.raises(ScenarioErrors) as caught:
        load(FOLDER / "hosts-and-links.yaml")
    lines = [error.where.line for error in caught.value.errors]
    assert len(lines) > 5
    assert lines == sorted(lines)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_problem_has_a_place(path: Path) -> None:
    with pytest.raises(ScenarioErrors) as caught:
        load(path)
    for error in caught.value.errors:
        assert error.where is not None
        assert error.what
