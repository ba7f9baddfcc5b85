"""What the tests of scenarios share: a way to load a scenario that stands in the test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wireside.scenario.load import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wireside.scenario.spec import Scenario

HEAD = """\
format: 1
title: A test
duration: 1s
hosts:
  server: {address: 10.0.0.1}
  client: {address: 10.0.0.2}
links:
  - {between: [client, server]}
"""


@pytest.fixture
def load_text(tmp_path: Path) -> Callable[[str], Scenario]:
    """Load the two-host scenario with more sections appended."""

    def load_it(more: str) -> Scenario:
        path = tmp_path / "test.yaml"
        path.write_text(HEAD + more, encoding="utf-8")
        return load(path)

    return load_it
