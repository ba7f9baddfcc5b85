"""Knobs that turn while a world runs: sysctls, NIC settings, parameters of programs."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from wireside.catalog import sysctls
from wireside.errors import CommandError
from wireside.kernel.core.proc_sysctl import write_sysctl
from wireside.scenario.behaviours import BEHAVIOURS, parse_parameter
from wireside.scenario.datagrams import ways_of
from wireside.scenario.decode_story import with_usecs
from wireside.scenario.units import Kind, UnitError, parse, text_of
from wireside.sim.devices import nic_knob, turn_nic_knob
from wireside.sim.run import BLOCKED, RUNNING, SLEEPING

if TYPE_CHECKING:
    from wireside.kernel.core.net import Net
    from wireside.scenario.spec import ProgramSpec
    from wireside.sim.cpu import Engine
    from wireside.sim.fleet import Fleet
    from wireside.sim.run import ProgramRun

NIC_KNOBS = ("nic.rx_ring", "nic.rx_usecs")


def turn_knob(fleet: Fleet, host: str, name: str, value: str) -> str:
    """Set knob `name` of `host` to `value` and tell what happens; CommandError when it cannot be."""
    net = _net(fleet, host)
    if name in NIC_KNOBS:
        sentence = turn_nic_knob(net, name, _number(name, value))
    else:
        found = _program(fleet, host, name)
        sentence = _turn_program(fleet, *found, value) if found else _turn_sysctl(net, name, value)
    fleet.log.add(fleet.now, host, "sysctl", sentence, 1)
    return sentence


def knob_value(fleet: Fleet, host: str, name: str) -> str:
    """The text of a knob's present value."""
    net = _net(fleet, host)
    if name in NIC_KNOBS:
        return str(nic_knob(net, name))
    found = _program(fleet, host, name)
    if found:
        run, spec, param = found
        value = getattr(run.program.params, param)  # type: ignore[union-attr]
        declared = BEHAVIOURS[spec.run].parameter(param)
        return text_of(declared.kind, value) if declared is not None else str(value)
    return sysctls.format_value(net.sysctl[sysctls.find_in(name, fleet.kernel)])


def _turn_sysctl(net: Net, name: str, value: str) -> str:
    sysctl = sysctls.find_in(name, net.machine.profile.version)
    parsed = sysctls.parse_value(sysctl, value)
    write_sysctl(net, sysctl, parsed)
    effect = (
        f"takes effect {sysctl.when}" if sysctl.modelled else "has no effect: what it governs is not modelled"
    )
    return f"{sysctl.name} is now {sysctls.format_value(parsed)}; it {effect}."


def nudge(engine: Engine, run: ProgramRun) -> None:
    """A parameter of a program changed: if it sleeps or waits in poll(), let it think again now, as a signal does."""
    if run.state == SLEEPING and run.ready_at >= 0:
        engine.make_runnable(run, engine.env.now)
    elif run.state == BLOCKED and run.call is not None and run.call.name == "poll":
        run.interrupt()
        engine.make_runnable(run, engine.env.now)
    elif run.state == RUNNING and run.sleep is not None:
        run.woken = True


def _turn_program(fleet: Fleet, run: ProgramRun, spec: ProgramSpec, param: str, value: str) -> str:
    declared = BEHAVIOURS[spec.run].parameter(param)
    try:
        parsed = parse_parameter(spec.run, param, value)
        ways_of(fleet.scenario).check_parameter(spec, param, parsed)
    except UnitError as error:
        raise CommandError(error.what, next_step=error.next_step) from None
    if declared is not None and not declared.live:
        raise CommandError(
            f"{spec.name}.{param} is read only once, when the program starts",
            next_step="Change it in the scenario file and start again.",
        )
    program: Any = run.program
    setattr(program.params, param, parsed)
    nudge(fleet.engines[run.task.net.machine.name], run)
    return f"{spec.name}.{param} is now {value}; it takes effect at the program's next system call."


def _program(fleet: Fleet, host: str, name: str) -> tuple[ProgramRun, ProgramSpec, str] | None:
    """The program, and its parameter, that "PROGRAM.param" names on a host; None when it names no program."""
    program, dot, param = name.rpartition(".")
    program = program.removeprefix("program.")
    if not dot:
        return None
    for run, spec in zip(fleet.programs, fleet.scenario.programs, strict=True):
        if spec.on == host and spec.name == program:
            if not spec.run:
                raise CommandError(f"{program} is a script; it has no parameters")
            if BEHAVIOURS[spec.run].parameter(param) is None:
                known = ", ".join(each.name for each in BEHAVIOURS[spec.run].parameters)
                raise CommandError(f"{spec.run} has no parameter {param!r}", next_step=f"It has {known}.")
            return run, spec, param
    return None


def _net(fleet: Fleet, host: str) -> Net:
    net = fleet.nets.get(host)
    if net is not None:
        return net
    near = get_close_matches(host, fleet.nets, n=1)
    raise CommandError(
        f"there is no host {host!r}",
        next_step=f"Did you mean {near[0]!r}?" if near else f"Hosts: {', '.join(fleet.nets)}.",
    )


def _number(name: str, value: str) -> int:
    try:
        if name == "nic.rx_usecs":
            return int(parse(Kind.TIME, with_usecs(value.strip())))
        return int(parse(Kind.COUNT, value))
    except UnitError as error:
        raise CommandError(f"{name}: {error.what}", next_step=error.next_step) from None
