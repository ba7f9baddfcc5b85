"""Builds a world's machines, network namespaces, devices, links, peers and programs from a scenario."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from wireside.catalog import sysctls
from wireside.catalog.counters import ALL_COUNTERS
from wireside.catalog.inet import ip_parse
from wireside.catalog.kinds import Scope
from wireside.catalog.profiles import PROFILES
from wireside.catalog.stages import Stage, default_costs
from wireside.errors import CommandError, ScenarioError
from wireside.kernel.core.net import Cpu, Machine, Net
from wireside.kernel.core.proc_sysctl import write_sysctl
from wireside.kernel.core.task import Task
from wireside.kernel.rx.dev_rx import net_dev_init
from wireside.sim.cpu import Engine
from wireside.sim.devices import connect, make_device
from wireside.sim.followed import ID_STEP
from wireside.sim.knobs import NIC_KNOBS, turn_knob
from wireside.sim.programs import PROGRAMS
from wireside.sim.run import ProgramRun
from wireside.sim.script import Script
from wireside.sim.wire_peer import WirePeer

if TYPE_CHECKING:
    from wireside.catalog.profiles import KernelProfile
    from wireside.kernel.core.skbuff import SkBuff
    from wireside.scenario.spec import HostSpec, ProgramSpec
    from wireside.sim.fleet import Fleet

FIRST_PID = 1000


def build(fleet: Fleet, settings: dict[str, str]) -> None:
    """Fill a new world, and give its knobs the values in `settings`."""
    scenario = fleet.scenario
    profile = PROFILES.get(fleet.kernel)
    if profile is None:
        raise CommandError(
            f"there is no kernel profile {fleet.kernel!r}", next_step=f"Choose {' or '.join(PROFILES)}."
        )
    for group in _machines(fleet):
        _add_machine(fleet, group, profile)
    fleet.nets = {spec.name: fleet.nets[spec.name] for spec in scenario.hosts}
    for number, peer_spec in enumerate(scenario.wire_peers):
        engine = Engine(fleet.env)
        peer = WirePeer(peer_spec.name, ip_parse(peer_spec.address), fleet.env, profile, engine, fleet.seed)
        _number(peer.net.machine, len(fleet.machines) + number, fleet)
        fleet.peers[peer_spec.name] = peer
    initial = _initial_sysctls(fleet, settings)
    for spec in scenario.hosts:
        make_device(fleet.nets[spec.name], spec.nic)
    for link in scenario.links:
        connect(fleet, link)
    for peer_spec in scenario.wire_peers:
        if fleet.peers[peer_spec.name].wire is None:
            raise ScenarioError(f"{peer_spec.name} is not linked to any host", where=peer_spec.position)
        fleet.peers[peer_spec.name].plan(peer_spec.segments)
    resolve = Names({net.name: net.address for net in (*fleet.nets.values(), *fleet.peer_nets())})
    for number, program in enumerate(scenario.programs):
        _add_program(fleet, program, FIRST_PID + number, resolve)
    for name, value in initial.items():
        _set_everywhere(fleet, name, value)


def _machines(fleet: Fleet) -> list[list[HostSpec]]:
    """The scenario's hosts, grouped by machine: hosts that a veth pair joins share one."""
    hosts = {spec.name: spec for spec in fleet.scenario.hosts}
    group = {name: [spec] for name, spec in hosts.items()}
    for link in fleet.scenario.links:
        a, b = hosts.get(link.a), hosts.get(link.b)
        if a is None or b is None or a.nic.kind != "veth" or b.nic.kind != "veth":
            continue
        first, second = group[a.name], group[b.name]
        if first is not second:
            first += second
            for spec in second:
                group[spec.name] = first
    found: list[list[HostSpec]] = []
    for members in group.values():
        if not any(members is known for known in found):
            found.append(members)
    return found


def _number(machine: Machine, index: int, fleet: Fleet) -> None:
    machine.conversations = fleet.conversations
    machine.last_skb_id = machine.last_sock_id = (index + 1) * ID_STEP
    if fleet.trace:
        packets: deque[SkBuff] = deque(maxlen=fleet.trace)
        machine.trace = packets


def _add_machine(fleet: Fleet, members: list[HostSpec], profile: KernelProfile) -> None:
    first = members[0]
    engine = Engine(fleet.env, fleet.log)
    machine = Machine(first.name, profile, fleet.env, engine, fleet.seed, ideal_timers=fleet.ideal_timers)
    _number(machine, len(fleet.machines), fleet)
    costs = default_costs()
    for name, cost in first.costs.items():
        costs[Stage[name]] = cost
    machine.cpus = [Cpu(number, machine, costs) for number in range(first.cpus)]
    net_dev_init(machine)
    fleet.machines[machine.name] = machine
    fleet.engines[machine.name] = engine
    for spec in members:
        net = Net(spec.name, machine, ip_parse(spec.address))
        net.secondary = tuple(ip_parse(address) for address in spec.secondary)
        machine.nets.append(net)
        net.mib = dict.fromkeys(ALL_COUNTERS, 0)
        net.on_drop = fleet.log.on_drop
        net.on_event = fleet.log.on_event
        fleet.nets[spec.name] = net
    for sysctl in sysctls.ALL_SYSCTLS:
        value = sysctl.default_for(profile.version)
        if sysctl.scope is Scope.HOST:
            machine.sysctl[sysctl] = value
        for net in machine.nets:
            net.sysctl[sysctl] = value
    for spec in members:
        for name, text in spec.sysctl.items():
            sysctl = sysctls.find_in(name, profile.version)
            write_sysctl(fleet.nets[spec.name], sysctl, sysctls.parse_value(sysctl, text))
    engine.attach(machine)


def _initial_sysctls(fleet: Fleet, settings: dict[str, str]) -> dict[str, str]:
    """Apply the sysctls among `settings` to every host; returns the other knobs, which need devices and programs."""
    programs = {spec.name for spec in fleet.scenario.programs}
    later = {}
    for name, text in settings.items():
        if name in NIC_KNOBS or name.removeprefix("program.").rpartition(".")[0] in programs:
            later[name] = text
            continue
        sysctl = sysctls.find_in(name, fleet.kernel)
        value = sysctls.parse_value(sysctl, text)
        for net in fleet.nets.values():
            write_sysctl(net, sysctl, value)
    return later


def _set_everywhere(fleet: Fleet, name: str, value: str) -> None:
    owner = name.removeprefix("program.").rpartition(".")[0]
    for host in fleet.nets:
        if name in NIC_KNOBS or any(
            spec.on == host and spec.name == owner for spec in fleet.scenario.programs
        ):
            turn_knob(fleet, host, name, value)


def _add_program(fleet: Fleet, spec: ProgramSpec, pid: int, resolve: Names) -> None:
    net = fleet.nets[spec.on]
    machine = net.machine
    task = Task(pid, spec.name, net, spec.cpu % len(machine.cpus))
    task.rlimit_nofile = spec.nofile
    program = PROGRAMS[spec.run](spec.params, resolve) if spec.run else Script(spec.script, resolve)
    run = ProgramRun(spec.name, task, program)
    fleet.programs.append(run)
    if spec.parent:
        parent = next(other.task for other in fleet.programs if other.name == spec.parent)
        task.private = run
        parent.unborn[spec.name] = task
        return
    fleet.engines[machine.name].start(run, spec.start_ns)


class Names:
    """Finds the address behind "host:port", where host is a name of the scenario or an IPv4 address."""

    __slots__ = ("addresses",)

    def __init__(self, addresses: dict[str, int]) -> None:
        self.addresses = addresses

    def __call__(self, text: str) -> tuple[int, int]:
        """(address, port) of "host:port"."""
        host, _, port = text.rpartition(":")
        address = self.addresses.get(host)
        return (ip_parse(host) if address is None else address), int(port)
