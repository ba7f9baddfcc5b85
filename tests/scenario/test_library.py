"""The scenarios that come with it, and settings that vary them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wireside.errors import CommandError, ScenarioErrors
from wireside.scenario import library
from wireside.scenario.load import load
from wireside.scenario.vary import Setting, settings, timed_settings, vary

if TYPE_CHECKING:
    from pathlib import Path


def scenario(name: str):
    return load(library.resolve(name))


@pytest.mark.parametrize("name", library.index())
def test_a_shipped_scenario_tells_a_story(name: str) -> None:
    shipped = scenario(name)
    assert shipped.summary
    assert shipped.teaches
    assert shipped.beats
    assert shipped.knobs
    assert shipped.expect


def test_every_scenario_file_is_listed() -> None:
    assert library.unlisted() == ()


def test_an_id_that_is_not_there_names_the_nearest() -> None:
    with pytest.raises(CommandError, match="zero-windo") as caught:
        library.resolve("zero-windo")
    assert caught.value.next_step == "Did you mean 'zero-window'?"


def test_an_index_that_names_a_missing_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "index.yaml").write_text("- gone\n- gone\n", encoding="utf-8")
    with pytest.raises(ScenarioErrors) as caught:
        library.index(tmp_path)
    assert [(error.what, error.where.line) for error in caught.value.errors] == [
        ("there is no gone.yaml beside the index", 1),
        ("'gone' is listed twice", 2),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("server:net.core.somaxconn=8", (Setting("server", "net.core.somaxconn", "8"),)),
        (
            "somaxconn=8",
            (Setting("server", "net.core.somaxconn", "8"), Setting("client", "net.core.somaxconn", "8")),
        ),
        ("reader.rate=1MB/s", (Setting("server", "reader.rate", "1MB/s"),)),
        ("server:nic.rx_ring=1024", (Setting("server", "nic.rx_ring", "1024"),)),
    ],
)
def test_a_setting_names_its_hosts(text: str, expected: tuple[Setting, ...]) -> None:
    assert settings(scenario("zero-window"), text) == expected


def test_settings_change_the_scenario_from_its_start() -> None:
    shipped = scenario("zero-window")
    texts = [
        "server:nic.rx_ring=1024",
        "nic.rx_usecs=20us",
        "reader.rate=1MB/s",
        "server:tcp_rmem=4096 65536 65536",
    ]
    changed = vary(shipped, tuple(each for text in texts for each in settings(shipped, text)))
    server, client = changed.hosts
    assert (server.nic.rx_ring, client.nic.rx_ring) == (1024, 256)
    assert (server.nic.rx_usecs_ns, client.nic.rx_usecs_ns) == (20_000, 20_000)
    assert server.sysctl["net.ipv4.tcp_rmem"] == "4096 65536 65536"
    assert changed.programs[0].params["rate"] == 1_000_000
    assert changed.programs[0].params["port"] == shipped.programs[0].params["port"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("reader.rate", "sets nothing"),
        ("sever:nic.rx_ring=1", "unknown host 'sever'"),
        ("somaxcon=1", "there is no knob 'somaxcon'"),
        ("nic.rx_rng=1", "nic has no 'rx_rng'"),
        ("nic.rx_ring=1", "1 is out of range"),
        ("reader.prot=1", "tcp_sink has no parameter 'prot'"),
        ("somaxconn=many", "is not a whole number"),
        ("nic.rps_cpus=[", "is no value"),
        ("nic.rps_cpus=[0, 7]", "names CPU 7"),
    ],
)
def test_a_wrong_setting_is_refused(text: str, what: str) -> None:
    shipped = scenario("zero-window")
    with pytest.raises(CommandError, match=what.replace("[", r"\[")):
        vary(shipped, settings(shipped, text))


def test_a_timed_setting_turns_only_live_knobs() -> None:
    shipped = scenario("zero-window")
    assert timed_settings(shipped, "2s:reader.read=true") == (
        Setting("server", "reader.read", "true", 2_000_000_000),
    )
    with pytest.raises(CommandError, match="read only when the program starts"):
        timed_settings(shipped, "2s:reader.stop_after=1KB")
    with pytest.raises(CommandError, match="needs a unit"):
        timed_settings(shipped, "2:reader.read=true")
