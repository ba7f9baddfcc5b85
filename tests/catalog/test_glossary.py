from __future__ import annotations

import pytest

from wireside.catalog.glossary import GLOSSARY


def test_the_words_a_learner_meets_first_are_explained():
    assert {
        "NAPI", "softirq", "ring", "descriptor", "truesize", "skb", "GRO", "RPS", "rmem", "window", "zero window",
        "SWS", "persist timer", "TIME-WAIT", "accept queue", "qdisc",
    } <= set(GLOSSARY)  # fmt: skip


def test_terms_are_in_alphabetical_order():
    assert list(GLOSSARY) == sorted(GLOSSARY, key=str.casefold)


@pytest.mark.parametrize("term", GLOSSARY)
def test_an_explanation_is_a_few_sentences(term):
    assert GLOSSARY[term].endswith(".")
    assert 20 < len(GLOSSARY[term]) < 300
