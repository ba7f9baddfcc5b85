"""Hosts and links: the sections that say what the world is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wireside.catalog.counters import NIC_QUEUES
from wireside.catalog.profiles import DEFAULT_PROFILE
from wireside.errors import ScenarioError
from wireside.outside import quoted
from wireside.scenario import nodes, words
from wireside.scenario.link_rules import read_rules
from wireside.scenario.nodes import Field, choice, list_of, section, value_of
from wireside.scenario.spec import (
    MAX_RING,
    MAX_RX_USECS_NS,
    MIN_RING,
    HostSpec,
    LinkSpec,
    NicSpec,
    TbfSpec,
)
from wireside.scenario.units import Kind, UnitError, advice, cpus_text, is_address

if TYPE_CHECKING:
    from collections.abc import Mapping

    import yaml

    from wireside.scenario.document import Document

MAX_CPUS = 64
MIN_MTU, MAX_MTU = 68, 65_535

MAX_HOSTS = 64
"""Hosts and wire peers together."""

_count = value_of(Kind.COUNT, 1, MAX_RING)
_cpu = value_of(Kind.COUNT, 0, MAX_CPUS - 1)
_flag = value_of(Kind.BOOL)

TBF_FIELDS = {
    "rate": Field(value_of(Kind.BIT_RATE, 1, 1_000_000_000_000), required=True),
    "burst": Field(value_of(Kind.SIZE, 1, 1 << 30), required=True),
    "limit": Field(value_of(Kind.SIZE, 1, 1 << 30), required=True),
}


def _read_tbf(doc: Document, node: yaml.Node) -> TbfSpec:
    values = section(doc, node, "tbf", TBF_FIELDS)
    return TbfSpec(values["rate"], values["burst"], values["limit"])


NIC_FIELDS = {
    "kind": Field(choice("nic", "veth", "tun"), "nic"),
    "rx_ring": Field(value_of(Kind.COUNT, MIN_RING, MAX_RING), 256),
    "tx_ring": Field(value_of(Kind.COUNT, MIN_RING, MAX_RING), 256),
    "rx_refill_batch": Field(_count, 16),
    "rx_usecs": Field(value_of(Kind.TIME, 0, MAX_RX_USECS_NS), 50_000),
    "rx_frames": Field(_count, 1),
    "queues": Field(value_of(Kind.COUNT, 1, NIC_QUEUES), 1),
    "gro": Field(_flag, default=True),
    "tso": Field(_flag, default=True),
    "gso": Field(_flag, default=True),
    "rps_cpus": Field(list_of(_cpu, "rps_cpus"), ()),
    "qdisc": Field(choice("pfifo_fast", "noqueue"), "pfifo_fast"),
    "tbf": Field(_read_tbf, None),
    "txqueuelen": Field(value_of(Kind.COUNT, 0, 1_000_000), 1000),
    "copybreak": Field(value_of(Kind.SIZE, 0, 2048), 256),
}


def name_of(doc: Document, node: yaml.Node) -> str:
    """A name that conditions and knobs can spell: letters, digits, underscores."""
    name = nodes.text(doc, node)
    if not name.isidentifier() or not name.isascii():
        raise doc.wrong(
            node, f"{quoted(name)} is no name", "Use letters, digits and _, and begin with a letter."
        )
    return name


def address_of(doc: Document, node: yaml.Node) -> str:
    """An IPv4 address."""
    address = nodes.text(doc, node)
    if not is_address(address):
        raise doc.wrong(node, f"{quoted(address)} is no IPv4 address", "Write four numbers such as 10.0.0.1.")
    return address


def _read_nic(doc: Document, node: yaml.Node) -> NicSpec:
    values = section(doc, node, "nic", NIC_FIELDS)
    values["rx_usecs_ns"] = values.pop("rx_usecs")
    if values["kind"] == "veth" and "qdisc" not in nodes.given(node):
        values["qdisc"] = "noqueue"
    return NicSpec(**values)


def _read_addresses(doc: Document, node: yaml.Node) -> tuple[str, ...]:
    return nodes.each(doc, node, "secondary", address_of)


def _sysctls_of(kernel: str) -> nodes.Reader:
    def read(doc: Document, node: yaml.Node) -> dict[str, str]:
        settings = {}
        for name, key_node, value_node in nodes.entries(doc, node, "sysctl"):
            try:
                settings[name] = words.check_sysctl(name, nodes.text(doc, value_node), kernel)
            except words.UnknownWordError as error:
                doc.complain(key_node, error.what, error.next_step)
            except UnitError as error:
                doc.complain(value_node, error.what, error.next_step)
            except ScenarioError as error:
                doc.note(error)
        return settings

    return read


def _read_costs(doc: Document, node: yaml.Node) -> dict[str, int]:
    costs = {}
    cost = value_of(Kind.TIME, 0, 1_000_000_000)
    for name, key_node, value_node in nodes.entries(doc, node, "costs"):
        if name not in words.STAGE_NAMES:
            doc.complain(key_node, f"unknown stage {quoted(name)}", advice(name, words.STAGE_NAMES))
            continue
        try:
            costs[name] = cost(doc, value_node)
        except ScenarioError as error:
            doc.note(error)
    return costs


HOST_FIELDS = {
    "address": Field(address_of, required=True),
    "secondary": Field(_read_addresses, ()),
    "cpus": Field(value_of(Kind.COUNT, 1, MAX_CPUS), 1),
    "nic": Field(_read_nic, NicSpec()),
    "sysctl": Field(_sysctls_of(DEFAULT_PROFILE), {}),
    "costs": Field(_read_costs, {}),
}


def read_hosts(doc: Document, node: yaml.Node, kernel: str) -> tuple[HostSpec, ...]:
    """The `hosts:` mapping of names to hosts that run this kernel."""
    fields = {**HOST_FIELDS, "sysctl": Field(_sysctls_of(kernel), {})}
    hosts = []
    taken: dict[str, str] = {}
    for _name, key_node, value_node in nodes.entries(doc, node, "hosts"):
        try:
            name = name_of(doc, key_node)
            values = section(doc, value_node, f"host {name}", fields)
        except ScenarioError as error:
            doc.note(error)
            continue
        host = HostSpec(name=name, position=doc.at(key_node), **values)
        _check_host(doc, value_node, host)
        for address in filter(None, (host.address, *host.secondary)):
            if address in taken:
                doc.complain(
                    value_node,
                    f"{address} is the address of {taken[address]} already",
                    "Give each host its own.",
                )
            taken[address] = name
        hosts.append(host)
    if not hosts and not doc.problems:
        doc.complain(node, "a scenario needs a host", "Add `server: {address: 10.0.0.1}`.")
    return tuple(hosts)


def _check_host(doc: Document, node: yaml.Node, host: HostSpec) -> None:
    if not isinstance(host.cpus, int) or not host.nic:
        return
    for cpu in host.nic.rps_cpus:
        if cpu >= host.cpus:
            doc.complain(
                node,
                f"rps_cpus names CPU {cpu}, but {host.name} has {host.cpus}",
                cpus_text(host.cpus),
            )


def read_links(doc: Document, node: yaml.Node) -> tuple[LinkSpec, ...]:
    """The `links:` list."""
    return nodes.each(doc, node, "links", _read_link)


def _read_link(doc: Document, node: yaml.Node) -> LinkSpec:
    values = section(doc, node, "a link", LINK_FIELDS)
    ends = values.pop("between")
    if ends is not None and len(ends) != 2:
        doc.complain(node, "a link has two ends", "Write `between: [client, server]`.")
    a, b = ends if ends and len(ends) == 2 else ("", "")
    rules = values["rules"]
    return LinkSpec(
        a=a,
        b=b,
        rate_bps=values["rate"],
        delay_ns=values["delay"],
        loss=values["loss"],
        mtu=values["mtu"],
        queue_limit=values["queue_limit"],
        rules=read_rules(doc, rules, (a, b)) if rules is not None else (),
        position=doc.at(node),
    )


LINK_FIELDS = {
    "between": Field(list_of(nodes.text, "between"), required=True),
    "rate": Field(value_of(Kind.BIT_RATE, 1_000, 1_000_000_000_000), 1_000_000_000),
    "delay": Field(value_of(Kind.TIME, 0, 60_000_000_000), 50_000),
    "loss": Field(value_of(Kind.SHARE), 0.0),
    "mtu": Field(value_of(Kind.COUNT, MIN_MTU, MAX_MTU), 1500),
    "queue_limit": Field(value_of(Kind.COUNT, 1, 1_000_000), 10_000),
    "rules": Field(lambda doc, node: node),
}


def check_links(
    doc: Document, node: yaml.Node, links: tuple[LinkSpec, ...], known: Mapping[str, Any]
) -> None:
    """Every end of a link must be a host or wire peer, each with exactly one link."""
    linked: set[str] = set()
    for link in links:
        for end in (link.a, link.b):
            if not end:
                continue
            if end not in known:
                doc.note(
                    ScenarioError(f"unknown host {end!r}", where=link.position, next_step=advice(end, known))
                )
            elif end in linked:
                what = f"{end} has two links"
                doc.note(
                    ScenarioError(
                        what, where=link.position, next_step="A host has one device, and so one link."
                    )
                )
            linked.add(end)
    for name in known:
        if name not in linked and not doc.problems:
            doc.complain(node, f"{name} has no link", f"Add a link: `- {{between: [{name}, …]}}`.")
