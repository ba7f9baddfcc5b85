"""What system calls answer, and in which order they look: each file's results were measured on Linux 6.18.44."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.life.test_life import broken

FILES = sorted(Path(__file__).parent.glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_kernel_answers_so(path: Path) -> None:
    assert broken(path) == []
