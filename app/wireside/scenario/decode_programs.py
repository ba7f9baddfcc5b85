"""Programs and wire peers: the sections that say who does what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wireside.catalog.rlimits import INR_OPEN_CUR, NR_OPEN, STDIO
from wireside.errors import ScenarioError
from wireside.outside import quoted
from wireside.scenario import nodes
from wireside.scenario.arguments import check_host
from wireside.scenario.behaviours import BEHAVIOURS, Behaviour, Value, with_defaults
from wireside.scenario.datagrams import check_script
from wireside.scenario.decode_hosts import MAX_CPUS, address_of, name_of
from wireside.scenario.nodes import Field, section, value_of
from wireside.scenario.parents import Family
from wireside.scenario.script import read_script
from wireside.scenario.segments import SegmentError
from wireside.scenario.spec import HostSpec, ProgramSpec, Statement, WirePeerSpec, WireSegment
from wireside.scenario.triggers import read_planned
from wireside.scenario.units import Kind, UnitError, advice, cpus_text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import yaml

    from wireside.scenario.datagrams import Ways
    from wireside.scenario.document import Document

_START = value_of(Kind.TIME, 0, 3_600_000_000_000)
COMMON = ("on", "name", "run", "script", "parent", "start", "cpu", "nofile")


def _node(doc: Document, node: yaml.Node) -> yaml.Node:
    return node


def read_programs(
    doc: Document, node: yaml.Node, hosts: Mapping[str, HostSpec], known: Collection[str], way: Ways
) -> tuple[ProgramSpec, ...]:
    """The `programs:` list; `known` names everything an endpoint may name, `way` knows how far large datagrams get."""
    programs: list[ProgramSpec] = []
    names: set[str] = set()
    family = Family(known)
    for item in nodes.items(doc, node, "programs"):
        try:
            program = _read_program(doc, item, hosts, family, len(programs))
            _check_datagrams(doc, item, program, way)
        except ScenarioError as error:
            doc.note(error)
            continue
        if program.name in names:
            doc.complain(item, f"two programs are called {program.name!r}", "Give each its own name.")
        names.add(program.name)
        programs.append(program)
    family.check_forks(doc, programs)
    return tuple(programs)


def _read_program(
    doc: Document, node: yaml.Node, hosts: Mapping[str, HostSpec], family: Family, index: int
) -> ProgramSpec:
    run = _behaviour(doc, node)
    fields = _fields(run, family.known)
    if run is None and "run" in nodes.given(node):
        fields |= {key: Field(_node) for key in nodes.given(node) if key not in fields}
    values = section(doc, node, f"program {run.name}" if run else "a program", fields)
    name = values["name"] or f"{run.name if run else 'script'}{index or ''}"
    _check_place(doc, node, values, hosts)
    parent = family.parent_of(doc, node, values)
    script: tuple[Statement, ...] = ()
    params: dict[str, Value] = {}
    if values["script"] is not None:
        if run is not None:
            doc.complain(node, "a program has either `run` or `script`, not both", "Keep one of them.")
        script = read_script(doc, values["script"], family.names_of(name, values["parent"]))
    elif run is not None:
        params = with_defaults(
            run.name, {key: value for key, value in values.items() if key not in COMMON and value is not None}
        )
    elif "run" not in nodes.given(node):
        doc.complain(
            node,
            "a program needs `run` or `script`",
            f"Add `run:` with one of {', '.join(BEHAVIOURS)}, or a script.",
        )
    nofile = values["nofile"]
    program = ProgramSpec(
        on=values["on"] or "",
        name=name,
        run=run.name if run else "",
        params=params,
        script=script,
        start_ns=values["start"],
        cpu=values["cpu"],
        parent=parent.name if parent is not None else "",
        nofile=nofile if nofile is not None else parent.nofile if parent is not None else INR_OPEN_CUR,
        position=doc.at(node),
    )
    family.programs[name] = program
    return program


def _check_datagrams(doc: Document, node: yaml.Node, program: ProgramSpec, way: Ways) -> None:
    """No program may send what would have to be fragmented."""
    check_script(doc, program.script, program.on, way)
    size = program.params.get("size")
    if size is not None and "to" in program.params:
        try:
            way.check_parameter(program, "size", size)
        except UnitError as error:
            raise doc.wrong(nodes.given(node).get("size", node), error.what, error.next_step) from None


def _behaviour(doc: Document, node: yaml.Node) -> Behaviour | None:
    place = nodes.given(node).get("run")
    if place is None:
        return None
    name = nodes.text(doc, place)
    if name not in BEHAVIOURS:
        doc.complain(place, f"unknown program {quoted(name)}", advice(name, BEHAVIOURS))
    return BEHAVIOURS.get(name)


def _fields(run: Behaviour | None, known: Collection[str]) -> dict[str, Field]:
    fields = {
        "on": Field(nodes.text, required=True),
        "name": Field(name_of, ""),
        "run": Field(nodes.text, ""),
        "script": Field(_node),
        "start": Field(_START, 0),
        "cpu": Field(value_of(Kind.COUNT, 0, MAX_CPUS - 1), 0),
        "parent": Field(nodes.text),
        "nofile": Field(value_of(Kind.COUNT, STDIO, NR_OPEN)),
    }
    for parameter in run.parameters if run else ():
        read = _endpoint(known) if parameter.kind is Kind.ENDPOINT else value_of(parameter.kind, 0)
        fields[parameter.name] = Field(read, required=parameter.default is None)
    return fields


def _endpoint(known: Collection[str]) -> nodes.Reader:
    read_text = value_of(Kind.ENDPOINT)

    def read(doc: Document, node: yaml.Node) -> str:
        endpoint: str = read_text(doc, node)
        try:
            check_host(endpoint, known)
        except UnitError as error:
            raise doc.wrong(node, error.what, error.next_step) from None
        return endpoint

    return read


def _check_place(
    doc: Document, node: yaml.Node, values: dict[str, Any], hosts: Mapping[str, HostSpec]
) -> None:
    host = values["on"]
    if host is None:
        return
    if host not in hosts:
        place = nodes.given(node)["on"]
        doc.complain(place, f"unknown host {quoted(host)}", advice(host, hosts))
        return
    cpus = hosts[host].cpus
    if isinstance(cpus, int) and values["cpu"] >= cpus:
        doc.complain(node, f"{host} has no CPU {values['cpu']}", cpus_text(cpus))


WIRE_FIELDS = {
    "name": Field(name_of, required=True),
    "address": Field(address_of, required=True),
    "segments": Field(_node, required=True),
}


def read_wire_peers(
    doc: Document, node: yaml.Node, hosts: Mapping[str, HostSpec]
) -> tuple[WirePeerSpec, ...]:
    """The `wire:` list of peers that inject hand-written segments."""
    taken = {host.name: host for host in hosts.values()}
    peers: dict[str, WirePeerSpec] = {}
    owner = {each: host.name for host in hosts.values() for each in (host.address, *host.secondary)}
    for item in nodes.items(doc, node, "wire"):
        try:
            peer = _read_peer(doc, item)
        except ScenarioError as error:
            doc.note(error)
            continue
        _check_own(doc, item, peer, {*taken, *peers}, owner)
        owner[peer.address] = peer.name
        peers[peer.name] = peer
    return tuple(peers.values())


def _check_own(
    doc: Document, node: yaml.Node, peer: WirePeerSpec, names: Collection[str], owner: Mapping[str, str]
) -> None:
    """A peer's name and address are its own, among hosts and peers alike."""
    if peer.name and peer.name in names:
        doc.complain(node, f"{peer.name!r} is the name of a host or peer already", "Give each its own name.")
    if peer.address and peer.address in owner:
        doc.complain(
            node, f"{peer.address} is the address of {owner[peer.address]} already", "Give each its own."
        )


def _read_peer(doc: Document, node: yaml.Node) -> WirePeerSpec:
    values = section(doc, node, "a wire peer", WIRE_FIELDS)
    segments: tuple[WireSegment, ...] = ()
    if values["segments"] is not None:
        segments = _read_segments(doc, values["segments"])
    return WirePeerSpec(values["name"] or "", values["address"] or "", segments, doc.at(node))


def _read_segments(doc: Document, node: yaml.Node) -> tuple[WireSegment, ...]:
    segments = []
    for line in nodes.lines(doc, node, "segments"):
        try:
            segments.append(read_planned(line.text, line.where))
        except SegmentError as error:
            doc.note(ScenarioError(error.what, where=line.at(error.offset), next_step=error.next_step))
    return tuple(segments)
