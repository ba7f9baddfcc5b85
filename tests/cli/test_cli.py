"""The command line from outside: what it prints, what it returns, what it imports."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "app"), "COLUMNS": "100", "NO_COLOR": "1"}


SITE = {
    "imported package",
    "_distutils_hack",
    "_virtualenv",
    "sitecustomize",
    "usercustomize",
    "__editable___wireside_finder",
}
"""What Python itself may import before any program."""


def wireside(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wireside", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT,
        cwd=ROOT,
        timeout=120,
    )


def imported(*arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "wireside", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT,
        cwd=ROOT,
        timeout=60,
    )
    names = [
        line.rpartition("|")[2].strip()
        for line in done.stderr.splitlines()
        if line.startswith("import time:")
    ]
    return {name.partition(".")[0] for name in names}


def test_help_imports_nothing_outside_the_standard_library() -> None:
    names = imported("--help")
    assert "argparse" in names
    assert names - set(sys.stdlib_module_names) - SITE <= {"wireside"}


@pytest.mark.parametrize(
    "arguments", [("list",), ("run", "nothing-like-it"), ("check", "tests/cli/wrong.yaml")]
)
def test_commands_without_a_screen_need_no_textual(arguments: tuple[str, ...]) -> None:
    assert not imported(*arguments) & {"textual", "rich"}


def test_version() -> None:
    done = wireside("--version")
    assert done.stdout.startswith("wireside ")
    assert done.returncode == 0


def test_list_shows_every_scenario_with_its_title() -> None:
    done = wireside("list")
    assert done.returncode == 0
    for name in ("first-packet", "zero-window", "udp-overflow", "ring-overflow"):
        assert f"\n{name} " in "\n" + done.stdout


@pytest.mark.parametrize(
    ("arguments", "message", "advice"),
    [
        (["pley", "zero-window"], "unknown command 'pley'", "Did you mean `wireside play`?"),
        (["zero-window"], "unknown command 'zero-window'", "Did you mean `wireside play zero-window`?"),
        (["run", "zero-windw"], "there is no scenario 'zero-windw'", "Did you mean 'zero-window'?"),
        (["run", "zero-window", "--jsn"], "unknown option --jsn", "Did you mean --json?"),
        (["run", "zero-window", "more"], "'more' is one argument too many", "`wireside run --help`"),
        (["run"], "required: SCENARIO", "`wireside run --help`"),
        (["run", "zero-window", "--seed", "x"], "--seed", "`wireside run --help`"),
        (["run", "zero-window", "--until", "5"], "'5' needs a unit", "Write a time like"),
        (["run", "zero-window", "--until", "0"], "over at once", "Write a time"),
        (["run", "zero-window", "--kernel", "6.1"], "no kernel profile '6.1'", "Did you mean '6.18'?"),
        (["run", "zero-window", "--set", "nic.rx_rng=5"], "nic has no 'rx_rng'", "Did you mean 'rx_ring'?"),
        (["run", "zero-window", "--at", "5s:somaxcon=5"], "no knob 'somaxcon'", ""),
        (["run", "nowhere/file.yaml"], "nowhere/file.yaml:1:1: there is no such file", "`wireside list`"),
        (["play", "zero-window", "--set", "server:nic.rx_ring=512"], "on every host", "Leave out the host"),
    ],
)
def test_a_wrong_command_line_is_told_shortly(arguments: list[str], message: str, advice: str) -> None:
    done = wireside(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert message in done.stderr
    assert advice in done.stderr
    assert len(done.stderr.splitlines()) <= 2


def test_a_damaged_file_is_told_with_its_place() -> None:
    done = wireside("run", "tests/scenario/mistakes/wrong-unit.yaml")
    assert done.returncode == 2
    assert (
        done.stderr
        == "tests/scenario/mistakes/wrong-unit.yaml:9:8: 'mss/s' is not a unit of time scale\n  Did you mean 'ms/s'?\n"
    )
