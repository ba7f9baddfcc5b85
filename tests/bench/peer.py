"""The peer: ns.py (PyPI, 0.4.3), the Python network simulator that has TCP, doing the nearest thing it can.

Its recording is on, as our trace is: arrival and waiting times in the sink, times per hop in the ports.
"""

from __future__ import annotations

from functools import partial

import simpy
from ns.flow.cubic import TCPCubic
from ns.flow.flow import AppType, Flow
from ns.packet.dist_generator import DistPacketGenerator
from ns.packet.sink import PacketSink
from ns.packet.tcp_generator import TCPPacketGenerator
from ns.packet.tcp_sink import TCPSink
from ns.port.port import Port
from ns.port.wire import Wire

SEGMENT = 512
"""The generator's segment size, bytes; it knows no other."""
FOR_EVER_S = 1e6


def _constant(value: float) -> float:
    return value


def tcp_segments(count: int) -> int:
    """One Cubic connection: generator → wire → port → sink, and a wire for the ACKs. Segments that reach the sink."""
    env = simpy.Environment()
    flow = Flow(
        0,
        "writer",
        "reader",
        size=count * SEGMENT,
        finish_time=1e9,
        typ=AppType.BULK_TRANSFER,
        size_dist=partial(_constant, SEGMENT),
    )
    sender = TCPPacketGenerator(env, flow, cc=TCPCubic())
    there, back = (Wire(env, partial(_constant, 50e-6), wire_id=i) for i in (1, 2))
    port = Port(env, rate=100e6, element_id=1)
    sink = TCPSink(env)
    sender.out, there.out, port.out, sink.out, back.out = there, port, sink, back, sender
    env.run(until=FOR_EVER_S)
    return int(sink.packets_received[0])


def five_ports(count: int) -> int:
    """One generator → five ports → sink. Packets that reach the sink."""
    env = simpy.Environment()
    gap = partial(_constant, 1e-5)
    source = DistPacketGenerator(env, "source", gap, partial(_constant, SEGMENT), size=count * SEGMENT)
    sink = PacketSink(env)
    ports = [Port(env, rate=1e9, element_id=i) for i in range(5)]
    source.out = ports[0]
    for port, after in zip(ports, [*ports[1:], sink], strict=True):
        port.out = after
    env.run(until=FOR_EVER_S)
    return int(sink.packets_received[0])
