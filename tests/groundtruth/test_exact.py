"""Where three recorded runs agree to the byte and nothing depends on the machine's speed, so must the simulator."""

from __future__ import annotations

import pytest

from tests.groundtruth.observations import observations
from tests.groundtruth.play import c02

AUTOTUNED = [
    f"veth SO_RCVBUF={rcvbuf} SO_SNDBUF={sndbuf} sizes"
    for rcvbuf, sndbuf in ((None, None), (65536, None), (None, 262144))
]


@pytest.fixture(scope="module")
def played():
    return c02.play()


@pytest.mark.parametrize("name", AUTOTUNED)
def test_bytes_in_both_queues_over_veth(name, played):
    recorded = next(each.recorded for each in observations("C02") if each.name == name)
    assert played[name] == {what: limits["median"] for what, limits in recorded.items()}
