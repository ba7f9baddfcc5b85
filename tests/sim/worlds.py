"""Small scenarios for the tests of the world."""

from __future__ import annotations

from wireside.scenario.behaviours import with_defaults
from wireside.scenario.spec import (
    HostSpec,
    LinkSpec,
    NicSpec,
    ProgramSpec,
    Scenario,
    WirePeerSpec,
)

MS = 1_000_000
SERVER, CLIENT = "10.0.0.1", "10.0.0.2"


def program(on, name, run, /, start_ns=0, cpu=0, **params):
    """A program with a named behaviour."""
    return ProgramSpec(on, name, run, with_defaults(run, params), start_ns=start_ns, cpu=cpu)


def scenario(*programs, nic=None, server=None, client=None, link=None, segments=None, seed=1):
    """A server and a client (or, with `segments`, a wire peer called client), joined by a link."""
    nic = nic or NicSpec()
    hosts = [HostSpec("server", SERVER, **{"nic": nic, **(server or {})})]
    peers = ()
    if segments is None:
        hosts.append(HostSpec("client", CLIENT, **{"nic": nic, **(client or {})}))
    else:
        peers = (WirePeerSpec("client", CLIENT, tuple(segments)),)
    return Scenario(
        "test",
        "Test",
        "",
        10**10,
        seed,
        "6.18",
        tuple(hosts),
        (LinkSpec("client", "server", **(link or {})),),
        tuple(programs),
        peers,
    )


def udp_flood(pps=50_000, **more):
    """A client that sends datagrams of 500 bytes to a server that reads them all."""
    return scenario(
        program("server", "sink", "udp_sink", port=9000),
        program("client", "source", "udp_source", to="server:9000", pps=pps, size=500),
        **more,
    )


def tcp_transfer(**more):
    """A client that writes as fast as it can to a server that reads as fast as it can."""
    sink = more.pop("sink", {})
    source = more.pop("source", {})
    return scenario(
        program("server", "sink", "tcp_sink", port=8080, **sink),
        program("client", "source", "tcp_source", to="server:8080", start_ns=MS, **source),
        **more,
    )
