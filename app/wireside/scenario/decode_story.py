"""Beats, knobs and expectations: the sections that tell the story and say what must come of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from wireside.catalog import places
from wireside.catalog.sysctls import BY_NAME
from wireside.outside import quoted
from wireside.scenario import nodes, words
from wireside.scenario.behaviours import BEHAVIOURS, parse_parameter
from wireside.scenario.expect import ConditionError, compile_condition
from wireside.scenario.names import names_of
from wireside.scenario.nodes import Field, section, value_of
from wireside.scenario.segments import SegmentError
from wireside.scenario.spec import (
    MAX_RING,
    MAX_RX_USECS_NS,
    MIN_RING,
    Beat,
    Expectation,
    HostSpec,
    KnobSpec,
    ProgramSpec,
)
from wireside.scenario.transcripts import read_lines, read_wire
from wireside.scenario.units import Kind, UnitError, advice, parse, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import yaml

    from wireside.scenario.datagrams import Ways
    from wireside.scenario.document import Document
    from wireside.scenario.names import HostNames

_TIME = value_of(Kind.TIME, 0)
NIC_KNOBS = ("nic.rx_ring", "nic.rx_usecs")
"""Device settings that can be turned while the world runs."""


@dataclass(frozen=True, slots=True)
class Cast:
    """Who takes part: what beats, knobs and expectations may name."""

    hosts: Mapping[str, HostSpec]
    programs: Mapping[str, ProgramSpec]
    way: Ways
    kernel: str
    wires: frozenset[frozenset[str]] = frozenset()
    """The pairs of hosts and wire peers that a link joins, and each host for its loopback."""

    @property
    def names(self) -> dict[str, HostNames]:
        """What conditions may name."""
        ends = {name for pair in self.wires for name in pair}
        peers = sorted(ends - self.hosts.keys())
        return names_of(self.hosts.values(), self.programs.values(), self.kernel, peers)


def _condition(cast: Cast) -> nodes.Reader:
    names = cast.names

    def read(doc: Document, node: yaml.Node) -> str:
        text = nodes.text(doc, node)
        try:
            compile_condition(text, names)
        except ConditionError as error:
            raise doc.wrong(node, error.what, error.next_step, error.offset) from None
        return text

    return read


def _look_at(doc: Document, node: yaml.Node) -> str:
    name = nodes.text(doc, node)
    if not places.is_place(name):
        raise doc.wrong(node, f"nothing on the screen is called {quoted(name)}", advice(name, places.WORDS))
    return name


def read_beats(doc: Document, node: yaml.Node, cast: Cast) -> tuple[Beat, ...]:
    """The `beats:` list."""
    fields = {
        "at": Field(_TIME),
        "when": Field(_condition(cast), ""),
        "say": Field(nodes.words, required=True),
        "look_at": Field(_look_at, ""),
        "scale": Field(value_of(Kind.SCALE, 1), 0),
        "pause": Field(value_of(Kind.BOOL), default=False),
    }

    def read(doc: Document, node: yaml.Node) -> Beat:
        values = section(doc, node, "a beat", fields)
        if len(nodes.given(node).keys() & {"at", "when"}) != 1:
            doc.complain(node, "a beat needs either `at` or `when`", "Write `at: 10ms` or `when: CONDITION`.")
        return Beat(
            say=values["say"] or "",
            at_ns=values["at"],
            when=values["when"],
            look_at=values["look_at"],
            scale=values["scale"],
            pause=values["pause"],
            position=doc.at(node),
        )

    return nodes.each(doc, node, "beats", read)


def read_expectations(doc: Document, node: yaml.Node, cast: Cast) -> tuple[Expectation, ...]:
    """The `expect:` list."""
    fields = {"that": Field(_condition(cast), required=True), "at": Field(_TIME)}

    def read(doc: Document, node: yaml.Node) -> Expectation:
        if "wire" in nodes.given(node):
            return _transcript(doc, node, cast)
        values = section(doc, node, "an expectation", fields)
        return Expectation(values["that"] or "", values["at"], doc.at(node))

    return nodes.each(doc, node, "expect", read)


TRANSCRIPT_FIELDS = {
    "wire": Field(nodes.words, required=True),
    "from": Field(_TIME, 0),
    "segments": Field(lambda doc, node: node, required=True),
}


def _transcript(doc: Document, node: yaml.Node, cast: Cast) -> Expectation:
    values = section(doc, node, "a transcript", TRANSCRIPT_FIELDS)
    names = sorted({name for pair in cast.wires for name in pair})
    place = nodes.given(node)["wire"]
    wire = values["wire"] or ""
    try:
        transcript = read_wire(wire, names, cast.wires)
    except SegmentError as error:
        raise doc.wrong(place, error.what, error.next_step, error.offset) from None
    if values["segments"] is not None:
        lines = read_lines(doc, values["segments"], {transcript.a, transcript.b})
        transcript = replace(transcript, lines=lines, from_ns=values["from"])
    return Expectation(f"wire {wire}", None, doc.at(node), transcript)


KNOB_FIELDS = {
    "host": Field(nodes.text, required=True),
    "name": Field(nodes.text, required=True),
    "values": Field(lambda doc, node: nodes.items(doc, node, "values"), ()),
    "doc": Field(nodes.words, ""),
}


def read_knobs(doc: Document, node: yaml.Node, cast: Cast) -> tuple[KnobSpec, ...]:
    """The `knobs:` list; every value offered must be one the knob can take."""

    def read(doc: Document, node: yaml.Node) -> KnobSpec:
        values = section(doc, node, "a knob", KNOB_FIELDS)
        host, name = values["host"] or "", values["name"] or ""
        texts = []
        for item in values["values"]:
            try:
                texts.append(check_knob(cast, host, name, nodes.text(doc, item)))
            except UnitError as error:
                doc.complain(item, error.what, error.next_step)
        if not values["values"] and host and name:
            _check_name(doc, node, cast, values)
        return KnobSpec(host, name, tuple(texts), values["doc"], doc.at(node))

    return nodes.each(doc, node, "knobs", read)


def _check_name(doc: Document, node: yaml.Node, cast: Cast, values: dict[str, Any]) -> None:
    try:
        check_knob(cast, values["host"], values["name"], None)
    except UnitError as error:
        raise doc.wrong(node, error.what, error.next_step) from None


def check_knob(cast: Cast, host: str, name: str, value: str | None) -> str:
    """The value as the running world shows it ("" for None); UnitError when `host` has no such knob or it cannot take it."""
    if host not in cast.hosts:
        raise UnitError(f"unknown host {quoted(host)}", advice(host, cast.hosts))
    if name in NIC_KNOBS:
        return "" if value is None else _nic_text(name, value)
    program, _, parameter = name.rpartition(".")
    if program in cast.programs:
        if cast.programs[program].on != host:
            raise UnitError(f"{program} does not run on {host}", f"It runs on {cast.programs[program].on}.")
        return _parameter_text(cast, cast.programs[program], parameter, value)
    if name in words.SYSCTL_NAMES:
        words.check_release(name, BY_NAME[name].since, cast.kernel)
        return "" if value is None else words.check_sysctl(name, value, cast.kernel)
    raise UnitError(f"{host} has no knob {quoted(name)}", advice(name, knob_names(cast, host)))


def _nic_text(name: str, value: str) -> str:
    if name == "nic.rx_usecs":
        wait_ns = int(parse(Kind.TIME, with_usecs(value)))
        if wait_ns > MAX_RX_USECS_NS:
            raise UnitError(f"{value} is out of range for {name}", f"Write 0 to {MAX_RX_USECS_NS // 1000}.")
        return str(wait_ns // 1000)
    number = int(parse(Kind.COUNT, value))
    if not MIN_RING <= number <= MAX_RING:
        raise UnitError(f"{value} is out of range for {name}", f"Write {MIN_RING} to {MAX_RING}.")
    return str(number)


def with_usecs(value: str) -> str:
    """A moderation time; a bare number is µs, as for `ethtool -C rx-usecs`."""
    return f"{value}us" if value.isascii() and value.isdecimal() else value


def _parameter_text(cast: Cast, program: ProgramSpec, name: str, value: str | None) -> str:
    if not program.run:
        raise UnitError(
            f"{program.name} is a script and has no parameters", "Only named behaviours have knobs."
        )
    behaviour = BEHAVIOURS[program.run]
    parameter = behaviour.parameter(name)
    live = [each.name for each in behaviour.parameters if each.live]
    if parameter is None:
        raise UnitError(f"{program.run} has no parameter {name!r}", advice(name, live))
    if not parameter.live:
        raise UnitError(
            f"{program.name}.{name} is read only when the program starts",
            f"While it runs you can turn {', '.join(live)}." if live else "",
        )
    if value is None:
        return ""
    parsed = parse_parameter(program.run, name, value)
    cast.way.check_parameter(program, name, parsed)
    return text_of(parameter.kind, parsed)


def knob_names(cast: Cast, host: str) -> list[str]:
    """Every knob of a host."""
    names: list[str] = []
    for program in cast.programs.values():
        if program.on == host and program.run:
            names += [
                f"{program.name}.{each.name}" for each in BEHAVIOURS[program.run].parameters if each.live
            ]
    return [*names, *NIC_KNOBS, *words.sysctl_names(cast.kernel)]
