"""The command line in bad company: streams closed or full, folders gone, names too long, odd bytes and settings."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_cli import ENVIRONMENT, ROOT

LESSON = "run first-packet --until 1ms"


def shell(line: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line of sh in which `wireside` is ours."""
    command = f'wireside() {{ {shlex.quote(sys.executable)} -m wireside "$@"; }}\n{line}'
    return subprocess.run(
        ["sh", "-c", command],
        capture_output=True,
        text=True,
        check=False,
        env={**ENVIRONMENT, **environment},
        cwd=cwd,
        timeout=120,
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
@pytest.mark.parametrize("line", ["--help", "--version", "list", LESSON, f"{LESSON} --json"])
@pytest.mark.parametrize("target", [">/dev/full", ">&-"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_that_cannot_be_written_is_status_3(line: str, target: str, unbuffered: str) -> None:
    done = shell(f"wireside {line} {target}", PYTHONUNBUFFERED=unbuffered)
    assert done.returncode == 3
    assert done.stderr.splitlines() == [done.stderr.strip()]
    assert done.stderr.startswith("wireside: cannot write: ")


def test_nothing_can_be_said_at_all() -> None:
    assert shell("wireside list >&- 2>&-").returncode == 3
    assert shell("wireside run no-such-thing 2>&-").returncode == 2
    assert shell("wireside run no-such-thing 2>/dev/full").returncode == 2


def test_no_input_is_no_matter_until_the_picture_needs_a_terminal() -> None:
    assert shell(f"wireside {LESSON} <&-").returncode == 0
    done = shell("wireside play first-packet <&- >&-")
    assert (done.returncode, "the picture needs a terminal" in done.stderr) == (2, True)


def test_a_working_directory_that_is_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    done = shell(f"rmdir {gone}; wireside {LESSON}; echo $?; wireside run ./x.yaml", cwd=gone)
    assert done.stdout.splitlines()[-1] == "0"
    assert (done.returncode, "x.yaml:1:1: there is no such file" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (f"run {'n' * 5000}.yaml", "file name too long"),
        (f"run {'n' * 5000}", "there is no scenario 'nnnn"),
        ("run scenarios", "scenarios:1:1: this is a directory"),
        ("run ./scenarios", "scenarios:1:1: this is a directory"),
        ("run /dev/stdin </dev/null", "this is no regular file"),
        ("run /dev/zero", "this is no regular file"),
        ("run x.yaml/y.yaml", "there is no such file"),
        ("run ''", "there is no scenario ''"),
        ("run \"$(printf 'a\\033[2J\\377.yaml')\"", "there is no such file"),
        ("run first-packet --until 2000min", "2000min is too long"),
        (f"run first-packet --until {'9' * 5000}s", "is not a time"),
        ("run first-packet --seed ²", "'²' is not a whole number"),
        (f"run first-packet --seed {'9' * 5000}", "has too many digits"),
        ("run first-packet --seed -5", "it must be 0 or more"),
        ("run zero-window --set nic.rx_ring=²", "'²' is not a whole number"),
        (f"run zero-window --set net.core.somaxconn={'9' * 5000}", "has too many digits"),
        (f"run zero-window --set nic.rps_cpus={'[' * 5000}", "is no value"),
        ("run zero-window --at ²s:reader.rate=0", "is not a time"),
        (f"run zero-window --at 1s:nic.rx_usecs={'9' * 5000}", "is not a time"),
        ("run zero-window --at 1s:nic.rx_ring=99999", "out of range"),
        (f"{'x' * 100_000}", "unknown command"),
        (f"run zero-window --{'x' * 100_000}", "unknown option"),
    ],
)
def test_odd_command_lines_are_refused_in_a_few_words(line: str, what: str) -> None:
    done = shell(f"wireside {line}")
    assert (done.returncode, done.stdout) == (2, "")
    assert what in done.stderr
    assert len(done.stderr) < 1000
    assert done.stderr.replace("\n", "").isprintable()


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    done = shell(f"wireside check {tmp_path}/pipe.yaml")
    assert (done.returncode, "this is no regular file" in done.stderr) == (2, True)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_an_encoding_without_our_characters(encoding: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "wireside", *LESSON.split()],
        capture_output=True,
        check=False,
        env={**ENVIRONMENT, "PYTHONIOENCODING": encoding},
        cwd=ROOT,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert "first-packet" in done.stdout.decode(encoding)


def test_json_keeps_every_character_in_ascii(tmp_path: Path) -> None:
    path = tmp_path / "name.yaml"
    path.write_text(
        "format: 1\ntitle: t\nduration: 1ms\nhosts: {s: {address: 10.0.0.1}, c: {address: 10.0.0.2}}\n"
        "links: [{between: [s, c]}]\nexpect: [{that: \"'é漢' == '漢'\"}]\n",
        encoding="utf-8",
    )
    done = shell(f"wireside run {path} --json", PYTHONIOENCODING="ascii")
    assert done.returncode == 1
    assert json.loads(done.stdout)["expectations"][0]["that"] == "'é漢' == '漢'"


@pytest.mark.parametrize("columns", ["²", "-5", "999999999", "1", "0", ""])
def test_odd_sizes_of_the_terminal(columns: str) -> None:
    assert shell(f"wireside {LESSON} && wireside list", COLUMNS=columns, LINES=columns).returncode == 0


def test_a_fault_of_ours_has_its_own_status() -> None:
    code = "import sys; from wireside.cli import main; main._run = lambda arguments: 1 // 0; sys.exit(main.main([]))"
    done = shell(f"{shlex.quote(sys.executable)} -c {shlex.quote(code)}")
    assert done.returncode == 70
    assert "ZeroDivisionError" in done.stderr
    assert done.stderr.endswith(
        "wireside: this is a fault of Wireside itself; please report the lines above.\n"
    )
