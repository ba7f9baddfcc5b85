"""Datagrams that do not fit the MTU: refused where they stand, or told in the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wireside.errors import CommandError, ScenarioErrors
from wireside.out.headless import play
from wireside.scenario.load import load
from wireside.scenario.vary import settings, vary
from wireside.sim.world import World

if TYPE_CHECKING:
    from pathlib import Path

    from wireside.errors import ScenarioError
    from wireside.scenario.spec import Scenario

HEAD = """\
format: 1
title: Large datagrams
duration: 100ms
hosts:
  box: {address: 10.0.0.1, secondary: [10.0.0.3]}
  other: {address: 10.0.0.2}
links:
  - {between: [box, other], mtu: 1500}
programs:
"""


def loaded(tmp_path: Path, programs: str, *, mtu: int = 1500) -> Scenario:
    path = tmp_path / "large.yaml"
    path.write_text(HEAD.replace("mtu: 1500", f"mtu: {mtu}") + programs, encoding="utf-8")
    return load(path)


def refused(tmp_path: Path, programs: str, *, mtu: int = 1500) -> list[str]:
    """LINE:COLUMN of what is refused for the MTU."""
    found = problems(tmp_path, programs, mtu)
    assert all("fragments are not modelled" in each.what for each in found)
    assert all(each.next_step.startswith("Send at most ") for each in found)
    return [str(each.where).partition(":")[2] for each in found]


def problems(tmp_path: Path, programs: str, mtu: int) -> tuple[ScenarioError, ...]:
    try:
        loaded(tmp_path, programs, mtu=mtu)
    except ScenarioErrors as errors:
        return errors.errors
    return ()


def script(*statements: str) -> str:
    return "  - on: box\n    name: s\n    script:\n" + "".join(f"      - {each}\n" for each in statements)


SOURCE = "  - on: box\n    run: udp_source\n    name: s\n    to: {to}:9\n    pps: 10pps\n    size: {size}\n"


@pytest.mark.parametrize(
    ("to", "size", "mtu", "found"),
    [
        ("other", 1472, 1500, []),
        ("other", 1473, 1500, ["15:11"]),
        ("10.0.0.2", 1473, 1500, ["15:11"]),
        ("other", 1473, 9000, []),
        ("other", 8972, 9000, []),
        ("other", 8973, 9000, ["15:11"]),
        ("box", 65507, 1500, []),
        ("10.0.0.3", 65507, 1500, []),
        ("127.0.0.1", 65507, 1500, []),
    ],
)
def test_a_source_is_refused_at_its_size(
    tmp_path: Path, to: str, size: int, mtu: int, found: list[str]
) -> None:
    assert refused(tmp_path, SOURCE.format(to=to, size=size), mtu=mtu) == found


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        (("fd = socket(SOCK_DGRAM)", 'sendto(fd, 8000, "other:9000") -> 8000'), ["14:9"]),
        (("fd = socket(SOCK_DGRAM)", 'sendto(fd, 8000, "other:9000") -> EMSGSIZE'), ["14:9"]),
        (("fd = socket(SOCK_DGRAM|SOCK_NONBLOCK)", 'sendto(fd, 8KB, "10.0.0.2:9000")'), ["14:9"]),
        (("fd = socket(SOCK_DGRAM)", 'sendto(fd, 1472, "other:9000") -> 1472'), []),
        (("fd = socket(SOCK_DGRAM)", 'sendto(fd, 8000, "127.0.0.1:9000") -> 8000'), []),
        (("fd = socket(SOCK_DGRAM)", 'sendto(fd, 65508, "other:9000") -> EMSGSIZE'), []),
        (("fd = socket(SOCK_DGRAM)", 'connect(fd, "other:9")', "send(fd, 1473)"), ["15:9"]),
        (("fd = socket(SOCK_DGRAM)", 'connect(fd, "box:9")', "write(fd, 1473)"), []),
        (("fd = socket(SOCK_DGRAM)", "more = dup(fd)", 'sendto(more, 1473, "other:9")'), ["15:9"]),
        (("fd = socket(SOCK_STREAM)", 'connect(fd, "other:9")', "write(fd, 100000)"), []),
        (
            (
                "fd = socket(SOCK_DGRAM)",
                "setsockopt(fd, UDP_SEGMENT, 1000)",
                'sendto(fd, 64000, "other:9") -> 64000',
            ),
            [],
        ),
        (("fd = socket(SOCK_DGRAM)", "repeat 2: [ sendto(fd, 1473, other:9) ]"), ["14:21"]),
    ],
)
def test_a_send_is_refused_where_it_stands(
    tmp_path: Path, statements: tuple[str, ...], found: list[str]
) -> None:
    assert refused(tmp_path, script(*statements)) == found


def test_a_knob_offers_no_size_that_does_not_fit(tmp_path: Path) -> None:
    knobs = "knobs:\n  - {host: box, name: s.size, values: [100, 1472, 1473]}\n"
    assert refused(tmp_path, SOURCE.format(to="other", size=100) + knobs) == ["17:51"]


def test_a_knob_is_not_turned_so_far(tmp_path: Path) -> None:
    world = World(loaded(tmp_path, SOURCE.format(to="other", size=100)))
    world.command("box", "s.size", "1472")
    with pytest.raises(CommandError, match="does not fit the MTU of 1500"):
        world.command("box", "s.size", "1473")
    with pytest.raises(CommandError, match="at most 65507 bytes"):
        world.command("box", "s.size", "70000")
    assert world.knob_value("box", "s.size") == "1472B"


def test_a_start_value_is_refused_too(tmp_path: Path) -> None:
    scenario = loaded(tmp_path, SOURCE.format(to="other", size=100))
    with pytest.raises(CommandError, match="does not fit the MTU of 1500"):
        vary(scenario, settings(scenario, "s.size=1473"))


def test_what_only_the_run_knows_is_a_promise_not_kept(tmp_path: Path) -> None:
    """The size is a variable."""
    statements = (
        "fd = socket(SOCK_DGRAM)",
        "setsockopt(fd, SO_RCVBUF, 4000)",
        "n = getsockopt(fd, SO_RCVBUF)",
        'sendto(fd, n, "other:9")',
    )
    outcome = play(loaded(tmp_path, script(*statements)))
    (line,) = outcome.broken
    assert "large.yaml:16:9" in line
    assert "needs fragments, which are not modelled" in line
    assert not outcome.holds
