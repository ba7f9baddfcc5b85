"""The user's reference, scenarios/README.md, says what is true."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from wireside.catalog.errno import ERRNOS
from wireside.catalog.fates import FATES
from wireside.catalog.flags import ICMP_CODES, ICMP_TYPES, ORIGINS, REVENTS
from wireside.catalog.places import WORDS, is_place, squeezed
from wireside.catalog.sockopts import SOCKOPTS
from wireside.catalog.syscalls import FAMILIES, SYSCALLS
from wireside.scenario import journeys, library, matches
from wireside.scenario.behaviours import BEHAVIOURS
from wireside.scenario.expect import compile_condition
from wireside.scenario.load import load
from wireside.scenario.names import HostNames
from wireside.sim.socket_rows import ENDS_SHOWN
from wireside.sim.watch import LOOKS, MANY

if TYPE_CHECKING:
    from pathlib import Path

README = library.scenario_dir() / "README.md"
TEXT = README.read_text(encoding="utf-8")
EXAMPLE = TEXT.split("```yaml\n")[1].split("```")[0]


def test_its_example_shows_a_bit_of_everything(tmp_path: Path) -> None:
    path = tmp_path / "example.yaml"
    path.write_text(EXAMPLE, encoding="utf-8")
    scenario = load(path)
    assert [beat.look_at for beat in scenario.beats] == ["WIRE", "RECEIVE_QUEUE"]
    assert len(scenario.wire_peers[0].segments) == 5
    assert [knob.name for knob in scenario.knobs] == ["reader.rate", "nic.rx_ring", "net.ipv4.tcp_rmem"]


@pytest.mark.parametrize("behaviour", BEHAVIOURS.values(), ids=lambda each: each.name)
def test_it_shows_every_program_and_parameter(behaviour) -> None:
    assert f"| `{behaviour.name}` | | | | {behaviour.doc} |" in TEXT
    for parameter in behaviour.parameters:
        assert f"| `{parameter.name}` | {parameter.kind.value} |" in TEXT
        assert parameter.doc in TEXT


@pytest.mark.parametrize("call", SYSCALLS.values(), ids=lambda each: each.name)
def test_it_shows_every_system_call(call) -> None:
    assert f"| `{call.usage}` | {call.gives} | {call.doc} |" in TEXT


@pytest.mark.parametrize("option", SOCKOPTS.values(), ids=lambda each: each.name)
def test_it_shows_every_socket_option(option) -> None:
    row = f"| `{option.name}` | `{option.level.name}` | {option.limits} | {option.access} | {option.doc} |"
    assert row in TEXT


@pytest.mark.parametrize(
    "family", [*FAMILIES.values(), REVENTS, ORIGINS, ICMP_TYPES, ICMP_CODES], ids=lambda each: each.what
)
def test_it_shows_every_flag(family) -> None:
    for name, flag in family.flags.items():
        assert f"| `{name}` | {flag.doc} |" in TEXT


@pytest.mark.parametrize("errno", ERRNOS.values(), ids=lambda each: each.name)
def test_it_shows_every_error(errno) -> None:
    assert f"| `{errno.name}` | {errno.doc} |" in TEXT


def test_its_paths_exist() -> None:
    names = {name: HostNames(1, ("reader",)) for name in ("server", "client")}
    conditions = TEXT.split("## Conditions")[1].split("\n## ")[0]
    found = re.findall(r"`((?:server\.|packets?\(|count\()[^`…]+)`", conditions.split("```")[0])
    assert len(found) >= 25
    for text in found:
        assert compile_condition(whole(text), names).term


def whole(text: str) -> str:
    """A path as the reference shows it, as a condition: what stands for several things is counted, or the first is asked."""
    if text.startswith("count(") or ".at(" in text or not text.endswith((")", "]")):
        return text
    if text.endswith("]"):
        return f"{text}.stage"
    return f"count({text.replace('packet(4)', 'packets()').replace('packet(', 'packets(')})"


def test_it_shows_every_field_stage_and_filter_of_packets_and_sockets() -> None:
    conditions = TEXT.split("### Several sockets")[1].split("\n## ")[0]
    words = set(re.findall(r"[\w-]+", conditions))
    assert set(journeys.FIELDS) | set(journeys.FILTERS) | set(journeys.STAGES_OF_PACKETS) <= words
    assert set(journeys.KINDS) | {name.replace(" ", "_") for name in FATES} <= words
    assert {name for names in matches.FILTERS.values() for name in names} <= words
    assert set(matches.QUEUE_FIELDS) <= set(re.findall(r"\w+", TEXT))
    assert f"at most {MANY} sockets of a host are looked through" in conditions
    assert f"Of more than {2 * ENDS_SHOWN} sockets, the oldest and the newest {ENDS_SHOWN}" in conditions
    assert LOOKS == 1000


def test_it_shows_every_word_a_beat_may_point_at() -> None:
    table = TEXT.split("## What a beat points at")[1].split("\n## ")[0]
    words = {squeezed(word) for word in re.findall(r"`([^`]+)`", table)}
    assert {squeezed(word) for word in WORDS} <= words
    assert all(is_place(word) for word in words - {"lookat", ""})
