"""A world of an older kernel has nothing that came later: no sysctl, no counter, no drop reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.kernel.lab import Lab, host, udp_frame
from tests.sim.worlds import scenario
from wireside.catalog.counters import ALL_COUNTERS, GAUGES
from wireside.catalog.drop_reasons import DropReason
from wireside.catalog.profiles import PROFILES
from wireside.catalog.sysctls import ALL_SYSCTLS, format_value
from wireside.errors import CommandError, ScenarioErrors
from wireside.kernel.core.skbuff import kfree_skb_reason
from wireside.out.headless import play
from wireside.scenario import library
from wireside.scenario.load import load
from wireside.scenario.vary import settings, timed_settings, vary
from wireside.sim.env import KernelEnv
from wireside.sim.events import EventLog
from wireside.sim.world import World
from wireside.tools import nstat

FILE = """\
format: 1
title: T
kernel: "{kernel}"
duration: 1ms
hosts:
  host:
    address: 10.0.0.1
    sysctl: {{{sysctl}}}
  peer: {{address: 10.0.0.2}}
links: [{{between: [host, peer]}}]
beats:
{beats}
knobs: [{knobs}]
"""
PATHS = {
    **{f"host.{counter.name}": counter.since for counter in ALL_COUNTERS},
    **{f"host.drops.{reason.name}": reason.since for reason in DropReason},
    **{f"host.sysctl.{sysctl.name}": sysctl.since for sysctl in ALL_SYSCTLS},
}


def refused(tmp_path, kernel, *, sysctl="", paths=(), knobs="", override=None):
    """What the loader has against a scenario, and where: "line:column what"."""
    beats = "\n".join(f"  - {{when: '{path} == 1', say: x}}" for path in paths)
    file = tmp_path / "s.yaml"
    file.write_text(FILE.format(kernel=kernel, sysctl=sysctl, beats=beats or "  []", knobs=knobs))
    try:
        load(file, kernel=override)
    except ScenarioErrors as error:
        return [f"{each.where.line}:{each.where.column} {each.what}" for each in error.errors]
    return []


def words(name, since):
    return f"Linux 6.12 has no {name}: it came with {since}"


def world_on(kernel, played=None):
    return World(replace(played or scenario(), kernel=kernel))


@pytest.mark.parametrize("kernel", PROFILES)
def test_a_snapshot_lists_what_the_kernel_has(kernel):
    seen = world_on(kernel).snapshot().host("server")
    assert set(seen.sysctl) == {each.name for each in ALL_SYSCTLS if each.exists_in(kernel)}
    counters = [each for each in ALL_COUNTERS if each.exists_in(kernel)]
    assert list(seen.counters) == [each.name for each in counters]
    printed = [line.split()[0] for line in nstat.render(seen, zeros=True).splitlines()[1:]]
    assert printed == [each.name for each in counters if each not in GAUGES]


@pytest.mark.parametrize("kernel", PROFILES)
@pytest.mark.parametrize("reason", DropReason, ids=lambda reason: reason.name)
def test_a_drop_has_the_reason_that_the_kernel_has(kernel, reason):
    lab = Lab(kernel)
    net, _ = host(lab)
    log = EventLog(KernelEnv())
    net.on_drop = log.on_drop
    skb = udp_frame(net)
    kfree_skb_reason(net, skb, reason)
    known = reason.name if not reason.since or kernel == "6.18" else "NOT_SPECIFIED"
    assert {each.name: n for each, n in net.drops.items()} == {known: 1}
    assert skb.fate == known
    (told,) = log.since(0)
    assert f", {known}: {reason.doc}" in told.text


def test_conditions_name_only_what_the_kernel_has(tmp_path):
    later = {path: since for path, since in PATHS.items() if since}
    assert len(later) > 10
    assert refused(tmp_path, "6.18", paths=PATHS) == []
    told = refused(tmp_path, "6.12", paths=PATHS)
    assert [line.partition(" ")[2] for line in told] == [
        words(path.removeprefix("host.").removeprefix("drops.").removeprefix("sysctl."), since)
        for path, since in later.items()
    ]
    assert refused(tmp_path, "6.18", paths=later, override="6.12") == refused(tmp_path, "6.12", paths=later)
    assert refused(tmp_path, "6.12", paths=later, override="6.18") == []


@pytest.mark.parametrize("sysctl", [each for each in ALL_SYSCTLS if each.since], ids=lambda each: each.name)
def test_a_sysctl_that_came_later_cannot_be_set(sysctl, tmp_path):
    why = words(sysctl.name, sysctl.since)
    value = format_value(sysctl.default)
    key = f"{sysctl.name}: {value}"
    knob = f"{{host: host, name: {sysctl.name}}}"
    assert refused(tmp_path, "6.18", sysctl=key, knobs=knob) == []
    assert refused(tmp_path, "6.12", sysctl=key) == [f"8:14 {why}"]
    assert why in refused(tmp_path, "6.12", knobs=knob)[0]
    older = replace(scenario(), kernel="6.12")
    with pytest.raises(CommandError, match=why):
        vary(older, settings(older, f"{sysctl.name}={value}"))
    with pytest.raises(CommandError, match=why):
        timed_settings(older, f"1ms:{sysctl.name}={value}")
    world = World(older)
    with pytest.raises(CommandError, match=why):
        world.command("server", sysctl.name, value)
    with pytest.raises(CommandError, match=why):
        world.knob_value("server", sysctl.name)
    with pytest.raises(CommandError, match=why):
        World(older, sysctl={sysctl.name: value})


@pytest.mark.parametrize("path", library.library(), ids=lambda path: path.stem)
@pytest.mark.parametrize("kernel", PROFILES)
def test_every_lesson_can_be_played_on_every_kernel(path, kernel):
    assert load(path, kernel=kernel).kernel == kernel


@pytest.mark.parametrize(("kernel", "result"), [("6.18", "0"), ("6.12", "ENOENT")])
def test_a_script_sees_that_the_file_is_not_there(kernel, result, tmp_path):
    later = [each for each in ALL_SYSCTLS if each.since]
    lines = "".join(
        f"      - sysctl({each.name}, {format_value(each.default)}) -> {result}\n" for each in later
    )
    file = tmp_path / "s.yaml"
    head = FILE.format(kernel=kernel, sysctl="", beats="  []", knobs="")
    file.write_text(f"{head}programs:\n  - on: host\n    script:\n{lines}")
    outcome = play(load(file))
    assert (outcome.broken, outcome.kept) == ((), len(later))
