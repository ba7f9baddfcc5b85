"""What system calls answer, and in which order they look: each file's results were measured on Linux 6.18.44."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.life.test_life import broken
from wireside.errors import ScenarioErrors
from wireside.scenario.load import load

FILES = sorted(Path(__file__).parent.glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_kernel_answers_so(path: Path) -> None:
    assert broken(path) == []


@pytest.mark.parametrize(("nofile", "fits"), [(2, False), (3, True), (1048576, True), (1048577, False)])
def test_a_limit_of_descriptors_has_limits_itself(tmp_path: Path, nofile: int, fits: bool) -> None:
    text = (FILES[0].parent / "too-many-files.yaml").read_text(encoding="utf-8")
    path = tmp_path / "limit.yaml"
    path.write_text(text.replace("nofile: 6", f"nofile: {nofile}"), encoding="utf-8")
    if fits:
        assert load(path).programs[0].nofile == nofile
    else:
        with pytest.raises(ScenarioErrors, match=r"limit.yaml:\d+:13: .* is out of range\n"):
            load(path)
