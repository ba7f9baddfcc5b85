"""A file comes from a stranger: reading it is bounded, its texts are safe to print, its numbers are what they say."""

from __future__ import annotations

import os
import time
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from tests.scenario.heavy_files import HEAVY
from wireside.errors import ScenarioErrors
from wireside.scenario.document import MAX_PROBLEMS
from wireside.scenario.load import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wireside.scenario.spec import Scenario

    Load = Callable[[str], Scenario]

MOST_CPU_S, MOST_BYTES = 1.0, 100_000_000
PROGRAM = "programs:\n  - on: client\n    name: w\n    script:\n      - fd = socket(SOCK_STREAM)\n"


def outcome(path: Path) -> str:
    try:
        load(path)
    except ScenarioErrors as errors:
        return str(errors)
    return ""


@pytest.mark.parametrize("name", HEAVY)
def test_no_file_takes_more_than_a_second_or_100_mb(tmp_path: Path, name: str) -> None:
    path = tmp_path / "heavy.yaml"
    path.write_text(HEAVY[name](), encoding="utf-8")
    before = time.process_time()
    outcome(path)
    took = time.process_time() - before
    tracemalloc.start()
    outcome(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert took <= MOST_CPU_S
    assert peak <= MOST_BYTES


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("more than fits", "the file is larger than 128 KiB"),
        ("aliases of a condition", "with its aliases written out the file is larger than 128 KiB"),
        ("aliases of a script", "the file has more than 20,000 values"),
        ("aliases that double", "the file has more than 20,000 values"),
        ("aliases in a chain", "nested more than 32 levels deep"),
        ("an endless alias", "an anchor contains itself"),
        ("one long text", "a text of 131,062 characters is too long"),
        ("hosts", "3500 hosts are too many"),
        ("a flow body", "the script has more than 10000 statements"),
    ],
)
def test_what_is_too_large_is_said(tmp_path: Path, name: str, what: str) -> None:
    path = tmp_path / "heavy.yaml"
    path.write_text(HEAVY[name](), encoding="utf-8")
    assert what in outcome(path)


def test_reading_stops_after_some_problems(load_text: Load) -> None:
    with pytest.raises(ScenarioErrors) as caught:
        load_text("".join(f"key{number}: 1\n" for number in range(100)))
    assert len(caught.value.errors) == MAX_PROBLEMS + 1
    assert str(caught.value.errors[-1]).endswith(
        "reading stopped after 20 problems\n  Mend those above first."
    )


def test_a_mistake_does_not_repeat_the_file(tmp_path: Path) -> None:
    path = tmp_path / "text.yaml"
    path.write_text("word " * 700, encoding="utf-8")
    assert "'word word" in outcome(path)
    assert len(outcome(path)) < 400


def test_a_directory_is_called_one(tmp_path: Path) -> None:
    assert "this is a directory" in outcome(tmp_path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    assert "this is no regular file" in outcome(tmp_path / "pipe.yaml")


def test_texts_are_safe_to_print(load_text: Load) -> None:
    scenario = load_text(
        'teaches: ["a\\u202eb"]\n'
        'beats: [{at: 0s, say: "\\e[2J\\e]52;c;x\\a \\u009b31m \\0 caf\\u00e9 \\u6f22\\u5b57"}]\n'
        'knobs: [{host: server, name: nic.rx_ring, doc: "d\\e[5m"}]\nexpect: [{that: "\'\\e]0;x\\a\' == 1"}]\n'
    )
    assert scenario.beats[0].say == "\ufffd[2J\ufffd]52;c;x\ufffd \ufffd31m \ufffd café 漢字"
    assert scenario.teaches == ("a\ufffdb",)
    assert scenario.knobs[0].doc == "d\ufffd[5m"
    assert scenario.expect[0].that == "'\ufffd]0;x\ufffd' == 1"


def test_mistakes_are_safe_to_print(load_text: Load) -> None:
    with pytest.raises(ScenarioErrors) as caught:
        load_text(
            '"\\e[2Jkey": 1\nfocus: "\\e]0;x\\a"\nprograms: [{on: client, name: w, script: [ "f\\e[2J" ]}]\n'
        )
    assert len(caught.value.errors) == 3
    assert str(caught.value).replace("\n", "").isprintable()


MANY = "9" * 3000


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ("seed: ²\n", "'²' is not a whole number"),
        ("seed: \N{FULLWIDTH DIGIT ONE}\n", "is not a whole number"),
        (f"seed: {MANY}\n", "has too many digits"),
        ("seed: 99999999999999999999\n", "is too large"),
        ('expect: [{that: "²+1 == 1"}]\n', "cannot read '²+1 == 1'"),
        (f'expect: [{{that: "{MANY} == 1"}}]\n', "the number has too many digits"),
        (f'expect: [{{that: "{MANY}.5 == 1"}}]\n', "the number has too many digits"),
        (f'expect: [{{that: "server.sk({MANY}).cwnd == 1"}}]\n', "has too many digits"),
        ('expect: [{that: "server.sk(70000).cwnd == 1"}]\n', "port 70000 is out of range"),
        (f"{PROGRAM}      - close(fd) -> {MANY}\n", "has too many digits"),
        (f"{PROGRAM}      - close({MANY})\n", "has too many digits"),
        (f"{PROGRAM}      - close(²)\n", "'²' is not a file descriptor"),
        (f"{PROGRAM}      - read(fd, 1e400)\n", "'e400' is not a unit of size"),
    ],
)
def test_odd_numbers_are_refused_in_words(load_text: Load, more: str, what: str) -> None:
    with pytest.raises(ScenarioErrors) as caught:
        load_text(more)
    assert what in str(caught.value)


@pytest.mark.parametrize(
    ("parts", "what"),
    [
        ("Flags [.], seq 999999999999999, ack 1", "seq 999999999999999 is out of range"),
        (f"Flags [.], seq 1:{MANY}", "seq: '9999"),
        ("Flags [.], seq 1, ack 4294967296", "ack 4294967296 is out of range"),
        ("Flags [.], ack 1, win 65536", "win 65536 is out of range"),
        ("Flags [.], ack 1, length 65496", "length 65496 is out of range"),
        ("Flags [.], ack 1 x999999999999999", "x 999999999999999 is out of range"),
        ("Flags [.], ack 1 x0", "x0 is out of range"),
        ("Flags [S], options [mss 99999999999]", "mss 99999999999 is out of range"),
        ("Flags [S], options [wscale 15]", "wscale 15 is out of range"),
        ("Flags [S], options [TS val 99999999999999999999 ecr 1]", "TS val 99999999999999999999 is out"),
        ("Flags [.], ack 1, options [sack 1 {1:4294967296}]", "a SACK edge 4294967296 is out of range"),
        ("Flags [.], ack 1, options [sack 5 {1:2}{3:4}{5:6}{7:8}{9:10}]", "5 SACK blocks are too many"),
        (f"Flags [S], from 1.2.3.4/{MANY}", "a prefix length: '9999"),
        ("Flags [S], from 1.2.3.4/33", "a prefix length 33 is out of range"),
    ],
)
def test_a_field_that_cannot_hold_its_number_is_refused(load_text: Load, parts: str, what: str) -> None:
    with pytest.raises(ScenarioErrors) as caught:
        load_text(
            f"wire:\n  - name: raw\n    address: 10.0.0.9\n    segments:\n      - 0ms TCP 1 > 2 {parts}\n"
        )
    assert what in str(caught.value)


@pytest.mark.parametrize(
    ("peers", "what"),
    [
        (
            "[{name: raw, address: 10.0.0.7, segments: []}, {name: raw, address: 10.0.0.8, segments: []}]",
            "'raw' is the name",
        ),
        ("[{name: server, address: 10.0.0.7, segments: []}]", "'server' is the name"),
        ("[{name: raw, address: 10.0.0.1, segments: []}]", "10.0.0.1 is the address of server"),
    ],
)
def test_names_and_addresses_belong_to_one(load_text: Load, peers: str, what: str) -> None:
    with pytest.raises(ScenarioErrors) as caught:
        load_text(f"wire: {peers}\n")
    assert what in str(caught.value)
