"""Random worlds, the same ones in every run; `python -m tests.fuzz.worlds` plays more of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fuzz.worlds import edges, one
from wireside.catalog.sysctls import ALL_SYSCTLS, parse_value
from wireside.errors import CommandError

if TYPE_CHECKING:
    from pathlib import Path

BATCH, BATCHES = 5, 10


@pytest.mark.parametrize("batch", range(BATCHES))
def test_nothing_but_words_comes_out_of_any_world(batch: int, tmp_path: Path) -> None:
    outcomes = [one(seed, tmp_path) for seed in range(batch * BATCH, (batch + 1) * BATCH)]
    assert outcomes == ["played"] * BATCH


def test_the_edges_of_a_sysctl_are_values_of_it() -> None:
    refused = {}
    for sysctl in ALL_SYSCTLS:
        for text in edges(sysctl):
            try:
                parse_value(sysctl, text)
            except CommandError as error:
                refused[sysctl.name, text] = str(error)
    assert len(refused) < 20, refused
