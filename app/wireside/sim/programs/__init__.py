"""The named behaviours: small programs that name their next system call, a file for each family."""

from __future__ import annotations

from wireside.catalog.together import complete
from wireside.scenario.behaviours import BEHAVIOURS
from wireside.sim.programs.server import TcpServer
from wireside.sim.programs.steps import Idle, Step, Steps
from wireside.sim.programs.tcp import TcpEcho, TcpPing, TcpSink, TcpSource
from wireside.sim.programs.udp import UdpSink, UdpSource
from wireside.sim.programs.visitors import TcpVisitors

__all__ = ["PROGRAMS", "Step"]

_CLASSES: dict[str, type[Steps]] = {
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
PROGRAMS = complete("program", BEHAVIOURS, _CLASSES)
"""The class that carries out each behaviour of scenario.behaviours."""
