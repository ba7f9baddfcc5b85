"""`wireside run` and `wireside check`, played for real."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from tests.cli.test_cli import ENVIRONMENT, HERE, ROOT, wireside
from wireside.cli.check import run_check
from wireside.scenario import library

if TYPE_CHECKING:
    from pathlib import Path

KEYS = ["scenario", "seed", "kernel", "time_ns", "expectations", "hosts"]
HOST_KEYS = ["sysctl", "counters", "softnet", "nic", "drops", "states", "sockets", "programs"]


def test_json_holds_everything_and_is_the_same_every_time() -> None:
    first = wireside("run", "udp-overflow", "--json")
    again = wireside("run", "udp-overflow", "--json")
    assert first.returncode == 0, first.stderr
    assert first.stdout == again.stdout
    document = json.loads(first.stdout)
    assert list(document) == KEYS
    assert all(list(each) == ["that", "at_ns", "holds", "value"] for each in document["expectations"])
    assert all(list(host) == HOST_KEYS for host in document["hosts"].values())
    assert document["hosts"]["server"]["counters"]["UdpRcvbufErrors"] > 0
    assert document["hosts"]["server"]["sockets"][0]["state"] == "UNCONN"


def test_the_report_names_what_was_lost() -> None:
    done = wireside("run", "udp-overflow")
    assert done.returncode == 0
    for word in ("UdpRcvbufErrors", "SOCKET_RCVBUFF", "holds", "0.0.0.0:9000"):
        assert word in done.stdout


def test_a_knob_changes_the_outcome() -> None:
    done = wireside("run", "udp-overflow", "--set", "reader.rate=0", "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 1
    assert document["hosts"]["server"]["counters"]["UdpRcvbufErrors"] == 0


def test_a_knob_turned_on_the_way_changes_the_rest() -> None:
    whole = json.loads(wireside("run", "udp-overflow", "--json").stdout)
    turned = json.loads(wireside("run", "udp-overflow", "--at", "500ms:reader.rate=0", "--json").stdout)
    errors = [document["hosts"]["server"]["counters"]["UdpRcvbufErrors"] for document in (whole, turned)]
    assert errors[0] > 2 * errors[1] > 0


def test_a_short_run_does_not_judge_what_comes_later() -> None:
    done = wireside("run", "udp-overflow", "--until", "10ms", "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 0
    assert document["time_ns"] == 10_000_000
    assert {each["holds"] for each in document["expectations"]} == {None}


def test_check_plays_the_scenarios_it_is_given() -> None:
    names = library.index()[:3]
    done = wireside("check", *names)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("ok ") == len(names)


def test_check_of_nothing_means_all_that_are_shipped(monkeypatch, capsys) -> None:
    monkeypatch.setattr(library, "index", lambda *_: ("first-packet", "idle-dead-peer"))
    monkeypatch.setattr(library, "unlisted", lambda *_: ())
    assert run_check(argparse.Namespace(files=[])) == 0
    assert capsys.readouterr().out.count("ok ") == 2


def test_check_fails_a_wrong_scenario() -> None:
    done = wireside("check", str(HERE / "wrong.yaml"))
    assert done.returncode == 1
    assert "`server.UdpRcvbufErrors > 5` does not hold, it is 0" in done.stdout
    assert "this beat's moment never comes: server.TcpInSegs > 0" in done.stdout
    assert "wrong.yaml:21:5: this is to happen after the end" in done.stdout
    assert "gave 100, not 101" in done.stdout


PROMISES = HERE / "promises.yaml"


def test_results_of_calls_are_promise_enough() -> None:
    done = wireside("check", str(PROMISES))
    assert done.returncode == 0, done.stdout + done.stderr
    assert wireside("run", str(PROMISES)).returncode == 0


def test_a_broken_promise_is_told_with_its_time_and_place(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    text = PROMISES.read_text(encoding="utf-8")
    broken.write_text(text.replace("write(fd, 100) -> 100", "write(fd, 100) -> 99"), encoding="utf-8")
    run, check = wireside("run", str(broken)), wireside("check", str(broken))
    assert (run.returncode, check.returncode) == (1, 1)
    for said in (run.stdout, check.stdout):
        assert "broken.yaml:18:9" in said
        assert "1.01" in said
        assert "write(fd, 100) gave 100, not 99" in said


def test_promises_that_never_came_to_anything_are_no_promises(tmp_path: Path) -> None:
    late = tmp_path / "late.yaml"
    text = PROMISES.read_text(encoding="utf-8").replace('"server:8080") -> 0', '"server:8080")')
    late.write_text(text.replace("sleep(1s)", "sleep(5s)"), encoding="utf-8")
    done = wireside("check", str(late))
    assert done.returncode == 1
    assert "no call returned that promises a result" in done.stdout


def test_a_failed_expectation_is_told_with_its_time_and_place(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    text = PROMISES.read_text(encoding="utf-8") + "expect:\n  - {at: 1500ms, that: client.TcpOutSegs == 77}\n"
    wrong.write_text(text, encoding="utf-8")
    run, check = wireside("run", str(wrong)), wireside("check", str(wrong))
    assert (run.returncode, check.returncode) == (1, 1)
    for said in (run.stdout, check.stdout):
        assert "wrong.yaml:20:5" in said
        assert "1.5s" in said


def test_check_goes_on_after_a_damaged_file() -> None:
    mistake = ROOT / "tests/scenario/mistakes/wrong-unit.yaml"
    done = wireside("check", str(mistake), "udp-overflow")
    assert done.returncode == 2
    assert "FAIL wrong-unit" in done.stdout
    assert "ok   udp-overflow" in done.stdout
    assert "wrong-unit.yaml:9:8" in done.stderr


def test_a_closed_pipe_is_quiet() -> None:
    command = f"{sys.executable} -m wireside run udp-overflow --json | head -c 10"
    done = subprocess.run(
        ["bash", "-c", command],
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT,
        cwd=ROOT,
        timeout=60,
    )
    assert done.stderr == ""


def test_an_interrupt_is_quiet() -> None:
    run = subprocess.Popen(
        [sys.executable, "-m", "wireside", "run", "zero-window", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
        cwd=ROOT,
    )
    time.sleep(0.6)
    os.kill(run.pid, signal.SIGINT)
    _, stderr = run.communicate(timeout=30)
    assert stderr == b""
