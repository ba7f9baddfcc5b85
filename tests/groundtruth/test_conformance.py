"""The simulator against recordings of the real kernel; `pytest -s` prints the table."""

from __future__ import annotations

import pytest

from tests.groundtruth.conformance import Played, known_differences, play, played_documents, table, unlisted
from tests.groundtruth.fidelity import readme_section, section
from tests.groundtruth.observations import observations


@pytest.fixture(scope="module")
def played():
    """Documents played so far; the table is printed when all are done."""
    done: dict[str, Played] = {}
    yield done
    print("\n" + table(done.values()))


@pytest.mark.parametrize("document", played_documents())
def test_every_stable_observation_matches_or_is_a_known_difference(document, played):
    played[document] = play(document)
    wrong = [
        (each.observation.name, each.verdict.value, each.observation.recorded, each.simulated)
        for each in unlisted([played[document]])
    ]
    assert not wrong, "differs and is not listed, or is listed and matches again"


def test_the_readme_says_what_was_found(played):
    documents = [played.get(document) or play(document) for document in played_documents()]
    assert readme_section() == section(documents), "python -m tests.groundtruth --readme writes it anew"


def test_known_differences_name_observations_that_are_played():
    stable = {
        (document, each.name)
        for document in played_documents()
        for each in observations(document)
        if each.stable
    }
    assert set(known_differences()) <= stable
    assert all(known_differences().values())
