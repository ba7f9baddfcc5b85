"""The first cases of every kind of hostile input; `make fuzz` plays on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fuzz.kinds import KINDS, module, play

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", [name for name in KINDS if hasattr(module(name), "CASES")])
def test_hostile_input(name: str, tmp_path: Path) -> None:
    found = [
        f"{number}: {problem}"
        for number in range(module(name).CASES)
        if (problem := play(name, number, tmp_path))
    ]
    assert found == []
