"""A scenario with other settings than its file has: what --set and --at ask for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from wireside.catalog import sysctls
from wireside.errors import CommandError, ScenarioError, ScenarioErrors
from wireside.outside import clean, quoted
from wireside.scenario import words
from wireside.scenario.behaviours import BEHAVIOURS, parse_parameter
from wireside.scenario.datagrams import ways_of
from wireside.scenario.decode_hosts import NIC_FIELDS
from wireside.scenario.decode_story import Cast, check_knob, knob_names, with_usecs
from wireside.scenario.document import read_text
from wireside.scenario.units import Kind, UnitError, advice, cpus_text, parse

if TYPE_CHECKING:
    from wireside.scenario.spec import HostSpec, ProgramSpec, Scenario


@dataclass(frozen=True, slots=True)
class Setting:
    """One knob of one host, and what to turn it to; `at_ns` is when, None from the start."""

    host: str
    name: str
    value: str
    at_ns: int | None = None


def cast_of(scenario: Scenario) -> Cast:
    """Who takes part in a scenario."""
    return Cast(
        {host.name: host for host in scenario.hosts},
        {program.name: program for program in scenario.programs},
        ways_of(scenario),
        scenario.kernel,
    )


def settings(scenario: Scenario, text: str) -> tuple[Setting, ...]:
    """What "NAME=VALUE" or "HOST:NAME=VALUE" sets: every host that has the knob, or the one named.

    NAME is a sysctl (its last word is enough), `nic.rx_ring` or another key of `nic:`, or `PROGRAM.PARAMETER`.
    """
    left, equals, value = text.partition("=")
    if not equals or not left.strip():
        raise CommandError(
            f"{quoted(text)} sets nothing", next_step="Write NAME=VALUE, such as nic.rx_ring=1024."
        )
    host, _, name = left.strip().rpartition(":")
    cast = cast_of(scenario)
    if host and host not in cast.hosts:
        raise CommandError(f"unknown host {quoted(host)}", next_step=advice(host, cast.hosts))
    hosts = [host] if host else list(cast.hosts)
    program, _, _ = name.rpartition(".")
    if program in cast.programs:
        hosts = [each for each in hosts if cast.programs[program].on == each]
    elif not name.startswith("nic."):
        name = _sysctl_name(name, cast, hosts)
    return tuple(Setting(each, name, clean(value).strip()) for each in hosts)


def timed_settings(scenario: Scenario, text: str) -> tuple[Setting, ...]:
    """What "T:NAME=VALUE" sets while the scenario runs; only knobs that can be turned live."""
    when, colon, rest = text.partition(":")
    if not colon:
        raise CommandError(
            f"{quoted(text)} has no time", next_step="Write T:NAME=VALUE, such as 2s:reader.rate=0."
        )
    try:
        at_ns = int(parse(Kind.TIME, when))
        found = settings(scenario, rest)
        for setting in found:
            check_knob(cast_of(scenario), setting.host, setting.name, setting.value)
    except UnitError as error:
        raise CommandError(error.what, where=f"--at {text}", next_step=error.next_step) from None
    return tuple(replace(setting, at_ns=at_ns) for setting in found)


def _sysctl_name(name: str, cast: Cast, hosts: list[str]) -> str:
    try:
        return sysctls.find(name).name
    except CommandError:
        known = dict.fromkeys(each for host in hosts for each in knob_names(cast, host))
        raise CommandError(f"there is no knob {quoted(name)}", next_step=advice(name, known)) from None


def vary(scenario: Scenario, changes: tuple[Setting, ...]) -> Scenario:
    """The scenario with the settings changed from its start; CommandError when one cannot take its value."""
    for change in changes:
        try:
            scenario = _with(scenario, change)
        except (UnitError, ScenarioError) as error:
            raise CommandError(
                error.what, where=f"--set {change.name}={change.value}", next_step=error.next_step
            ) from None
    return scenario


def _with(scenario: Scenario, change: Setting) -> Scenario:
    program, _, parameter = change.name.rpartition(".")
    for each in scenario.programs:
        if each.name == program:
            changed = _program(scenario, each, parameter, change.value)
            programs = tuple(changed if other is each else other for other in scenario.programs)
            return replace(scenario, programs=programs)
    hosts = tuple(
        _host(host, change, scenario.kernel) if host.name == change.host else host for host in scenario.hosts
    )
    return replace(scenario, hosts=hosts)


def _program(scenario: Scenario, program: ProgramSpec, parameter: str, value: str) -> ProgramSpec:
    if program.run not in BEHAVIOURS:
        raise UnitError(f"{program.name} is a script and has no parameters")
    params = {**program.params, parameter: parse_parameter(program.run, parameter, value)}
    changed = replace(program, params=params)
    ways_of(scenario).check_parameter(changed, "size", params.get("size", 0))
    return changed


def _host(host: HostSpec, change: Setting, kernel: str) -> HostSpec:
    if not change.name.startswith("nic."):
        value = words.check_sysctl(change.name, change.value, kernel)
        return replace(host, sysctl={**host.sysctl, change.name: value})
    key = change.name.removeprefix("nic.")
    if key not in NIC_FIELDS:
        raise UnitError(f"nic has no {quoted(key)}", advice(key, NIC_FIELDS))
    try:
        doc, node = read_text(with_usecs(change.value) if key == "rx_usecs" else change.value, "--set")
    except ScenarioErrors:
        raise UnitError(f"{quoted(change.value)} is no value") from None
    try:
        value = NIC_FIELDS[key].read(doc, node)
        doc.raise_problems()
    except ScenarioErrors as errors:
        first = errors.errors[0]
        raise UnitError(first.what, first.next_step) from None
    if key == "rps_cpus" and any(cpu >= host.cpus for cpu in value):
        raise UnitError(
            f"rps_cpus names CPU {max(value)}, but {host.name} has {host.cpus}", cpus_text(host.cpus)
        )
    return replace(host, nic=replace(host.nic, **{"rx_usecs_ns" if key == "rx_usecs" else key: value}))
