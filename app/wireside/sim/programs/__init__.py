"""The named behaviours: small programs that name their next system call, a file for each family."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_type_hints

from wireside.catalog.together import DeclarationError, complete
from wireside.scenario.behaviours import BEHAVIOURS
from wireside.scenario.units import Kind
from wireside.sim.programs.server import TcpServer
from wireside.sim.programs.steps import Idle, Step, Steps
from wireside.sim.programs.tcp import TcpEcho, TcpPing, TcpSink, TcpSource
from wireside.sim.programs.udp import UdpSink, UdpSource
from wireside.sim.programs.visitors import TcpVisitors

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PROGRAMS", "Step"]

_TYPES = {Kind.ENDPOINT: str}
"""Of the kinds of parameters; all others are whole numbers."""


def with_parameters(classes: Mapping[str, type[Steps[Any]]]) -> Mapping[str, type[Steps[Any]]]:
    """The classes, once it is sure that each has a field of the right type for every parameter that is declared."""
    for name, program in classes.items():
        fields = get_type_hints(program.PARAMETERS)
        for each in BEHAVIOURS[name].parameters:
            if fields.get(each.name) is not _TYPES.get(each.kind, int):
                raise DeclarationError(
                    f"parameter {each.name!r} of program {name!r} is declared, but {program.PARAMETERS.__name__} has no such field"
                )
    return classes


_CLASSES: dict[str, type[Steps[Any]]] = {
    "tcp_sink": TcpSink,
    "tcp_source": TcpSource,
    "tcp_server": TcpServer,
    "tcp_leaker": TcpServer,
    "tcp_slow_acceptor": TcpServer,
    "tcp_visitors": TcpVisitors,
    "udp_sink": UdpSink,
    "udp_source": UdpSource,
    "tcp_echo": TcpEcho,
    "tcp_ping": TcpPing,
    "idle": Idle,
}
PROGRAMS = with_parameters(complete("program", BEHAVIOURS, _CLASSES))
"""The class that carries out each behaviour of scenario.behaviours."""
