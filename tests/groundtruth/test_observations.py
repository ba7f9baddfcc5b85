"""How a simulated value is held against a recording."""

from __future__ import annotations

import pytest

from tests.groundtruth.observations import Observation, Verdict, compare


def verdict(kind, recorded, simulated):
    return compare(Observation("X00", "it", kind, True, recorded), {"it": simulated}).verdict


@pytest.mark.parametrize(
    ("recorded", "simulated", "same"),
    [
        (5, 5, True),
        (5, 6, False),
        (832.0, 832, True),
        (None, None, True),
        ([1, [2]], (1, (2,)), True),
        ([1, 2], [1, 2, 3], False),
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": 1, "b": 2}, {"a": 1}, False),
        ({"a": 1}, 1, False),
    ],
)
def test_a_fact_is_equal_in_every_key_that_is_given(recorded, simulated, same):
    assert (verdict("fact", {"value": recorded}, simulated) is Verdict.MATCH) == same


@pytest.mark.parametrize(
    ("recorded", "simulated", "same"),
    [
        (10.0, 10.6, True),
        (10.0, 10.7, False),
        ([1.0, 2.0], [1.1, 2.1], True),
        ([1.0], [], False),
        (None, 1.0, False),
    ],
)
def test_a_timing_is_near(recorded, simulated, same):
    fields = {"value": recorded, "tolerance": 0.1, "relative_tolerance": 0.05, "spread": 9.9}
    assert (verdict("timing", fields, simulated) is Verdict.MATCH) == same


@pytest.mark.parametrize(
    ("recorded", "simulated", "same"),
    [
        ({"min": 10, "median": 11, "max": 20}, 5, True),
        ({"min": 10, "median": 11, "max": 20}, 30, True),
        ({"min": 10, "median": 11, "max": 20}, 31, False),
        ({"min": 0, "median": 0, "max": 0}, 1, False),
        ({"value": 100}, 149, True),
        ({"value": 100}, 151, False),
        ({"a": {"min": 1, "max": 1}, "b": {"min": 0, "max": 0}}, {"a": 1, "b": 0}, True),
        ({"a": {"min": 1, "max": 1}, "b": {"min": 0, "max": 0}}, {"a": 2, "b": 0}, False),
        ({"values": [[[0, 10], [1, 20]], [[0, 12], [1, 30]]]}, [[0, 9], [1, 44]], True),
        ({"values": [[[0, 10], [1, 20]], [[0, 12], [1, 30]]]}, [[0, 9], [1, 46]], False),
        ({"values": [[1, 4, 8], [1, 8]]}, [1, 2, 5, 8], True),
        ({"values": [[1, 4, 8], [1, 8]]}, [1, 2, 5, 13], False),
        ({"values": [[1, 4, 8], [1, 8]]}, [1, 2, 3, 4, 8], False),
        ({"value": [33, None, 18]}, [33, None, 18], True),
        ({"value": [33, None, 18]}, [33, 18, None], False),
    ],
)
def test_a_rough_value_lies_within_the_range_stretched_by_half(recorded, simulated, same):
    assert (verdict("rough", recorded, simulated) is Verdict.MATCH) == same


def test_what_was_not_played_is_told_apart():
    assert compare(Observation("X00", "it", "fact", True, {"value": 1}), {}).verdict is Verdict.NOT_PLAYED
