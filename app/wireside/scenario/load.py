"""Reading a scenario file: the whole of it, checked, or every reason why not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from wireside.catalog.profiles import DEFAULT_PROFILE, PROFILES
from wireside.errors import ScenarioError
from wireside.outside import clean, quoted
from wireside.scenario import nodes
from wireside.scenario.datagrams import ways
from wireside.scenario.decode_hosts import MAX_HOSTS, check_links, read_hosts, read_links
from wireside.scenario.decode_programs import read_programs, read_wire_peers
from wireside.scenario.decode_story import Cast, read_beats, read_expectations, read_knobs
from wireside.scenario.document import Document, open_document, read_text
from wireside.scenario.nodes import Field, choice, list_of, section, value_of
from wireside.scenario.spec import Scenario
from wireside.scenario.units import Kind, advice

if TYPE_CHECKING:
    from collections.abc import Callable

    import yaml

FORMAT = "1"
MAX_DURATION_NS = 3_600_000_000_000


def _node(doc: Document, node: yaml.Node) -> yaml.Node:
    return node


FIELDS = {
    "format": Field(nodes.text, required=True),
    "title": Field(nodes.words, "", required=True),
    "summary": Field(nodes.words, ""),
    "teaches": Field(list_of(nodes.words, "teaches"), ()),
    "kernel": Field(choice(*PROFILES), DEFAULT_PROFILE),
    "seed": Field(value_of(Kind.COUNT, 0), 1),
    "duration": Field(value_of(Kind.TIME, 1, MAX_DURATION_NS), 1, required=True),
    "scale": Field(value_of(Kind.SCALE, 1), 1_000_000_000),
    "focus": Field(nodes.text, ""),
    "hosts": Field(_node, required=True),
    "links": Field(_node),
    "programs": Field(_node),
    "wire": Field(_node),
    "beats": Field(_node),
    "knobs": Field(_node),
    "expect": Field(_node),
}


def load(path: Path | str, *, shown: str | None = None, kernel: str | None = None) -> Scenario:
    """The scenario in a file; ScenarioErrors carries every problem with its place (`shown` names the file there).

    `kernel` is the profile to play it on, in place of the one that the file names.
    """
    path = Path(path)
    return _load(*open_document(path, shown if shown is not None else str(path)), path, kernel)


def load_text(text: str, name: str, *, shown: str, kernel: str | None = None) -> Scenario:
    """The scenario in a text that did not come from a file of its own; `name` is its id, the rest as in load()."""
    return _load(*read_text(text, clean(shown)), Path(name), kernel)


def _load(doc: Document, root: yaml.Node, path: Path, kernel: str | None) -> Scenario:
    try:
        scenario = _decode(doc, root, path, kernel)
    except ScenarioError as error:
        doc.note(error)
    doc.raise_problems()
    return scenario


def _decode(doc: Document, root: yaml.Node, path: Path, kernel: str | None) -> Scenario:
    top = section(doc, root, "the scenario", FIELDS)
    _check_format(doc, root, top["format"])
    kernel = kernel or top["kernel"] or DEFAULT_PROFILE
    hosts = _part(doc, top["hosts"], lambda doc, node: read_hosts(doc, node, kernel))
    host_by_name = {host.name: host for host in hosts}
    peers = _part(doc, top["wire"], lambda doc, node: read_wire_peers(doc, node, host_by_name))
    if len(hosts) + len(peers) > MAX_HOSTS:
        raise doc.wrong(root, f"{len(hosts) + len(peers)} hosts are too many", f"Write at most {MAX_HOSTS}.")
    known = {**host_by_name, **{peer.name: peer for peer in peers}}
    links = _part(doc, top["links"], read_links)
    check_links(doc, top["links"] or root, links, known)
    way = ways(hosts, peers, links)
    programs = _part(
        doc, top["programs"], lambda doc, node: read_programs(doc, node, host_by_name, known, way)
    )
    wires = frozenset(
        {frozenset((link.a, link.b)) for link in links} | {frozenset((host.name,)) for host in hosts}
    )
    cast = Cast(host_by_name, {program.name: program for program in programs}, way, kernel, wires)
    if top["focus"] and top["focus"] not in host_by_name:
        place = nodes.given(root)["focus"]
        doc.complain(place, f"unknown host {quoted(top['focus'])}", advice(top["focus"], host_by_name))
    return Scenario(
        id=clean(path.stem),
        title=top["title"],
        summary=top["summary"],
        duration_ns=top["duration"],
        seed=top["seed"],
        kernel=kernel,
        hosts=hosts,
        links=links,
        programs=programs,
        wire_peers=peers,
        beats=_part(doc, top["beats"], lambda doc, node: read_beats(doc, node, cast)),
        knobs=_part(doc, top["knobs"], lambda doc, node: read_knobs(doc, node, cast)),
        expect=_part(doc, top["expect"], lambda doc, node: read_expectations(doc, node, cast)),
        focus=top["focus"],
        scale=top["scale"],
        teaches=top["teaches"],
        path=str(path),
        text=doc.text,
    )


def _check_format(doc: Document, root: yaml.Node, version: str | None) -> None:
    if version is not None and version != FORMAT:
        place = nodes.given(root)["format"]
        doc.complain(
            place, f"format {quoted(version)} is not known", f"This version reads `format: {FORMAT}`."
        )


def _part(
    doc: Document, node: yaml.Node | None, read: Callable[[Document, yaml.Node], tuple[Any, ...]]
) -> tuple[Any, ...]:
    """A section's items; a section that is no list or mapping at all is noted and counts as empty."""
    if node is None:
        return ()
    try:
        return read(doc, node)
    except ScenarioError as error:
        doc.note(error)
        return ()
