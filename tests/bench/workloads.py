"""The worlds that the headless benchmark runs.

One flow or a thousand, the aggregate rate and the shape of a flow's traffic stay the same: every flow sends a burst
back to back, then rests until the others have had their turn. So the packets cost the same work, and what
grows with the number of flows is the simulator's own cost.
"""

from __future__ import annotations

from wireside.catalog.inet import ETH_HLEN, IP_HLEN, IPPROTO_UDP, UDP_HLEN, ip_parse
from wireside.kernel.core.skbuff import SkBuff, skb_birth
from wireside.scenario.behaviours import with_defaults
from wireside.scenario.spec import HostSpec, LinkSpec, ProgramSpec, Scenario, WirePeerSpec
from wireside.sim.world import World

MS = 1_000_000
SECOND = 1000 * MS
MSS = 1448
"""Payload of a full segment with timestamps, bytes."""
WRITE = 10 * MSS
"""Bytes per write(): the initial congestion window."""
TCP_BYTES_PER_S = 100_000_000
UDP_PER_S = 100_000
UDP_BURST = 8
UDP_SIZE = 500
UDP_GAP_NS = 4500
"""Between two datagrams of a burst: their time on a wire of 1 Gbit/s, and a little."""
UDP_REST_NS = SECOND * UDP_BURST // UDP_PER_S - (UDP_BURST - 1) * UDP_GAP_NS
"""From the last datagram of a flow's burst to the first of the next flow's."""
FAST_UDP_PER_S = 400_000
FAST_UDP_BURST = 32
CLIENT = ip_parse("10.0.0.2")
FIRST_PORT = 10_000
WARM_UP_NS = 50 * MS


def tcp(flows: int, *, paced: bool = True, rate_bps: int = 1_000_000_000) -> World:
    """`flows` TCP connections from client to server, each with its writer and reader; full trace.

    Together they write TCP_BYTES_PER_S in bursts of WRITE bytes; not paced: each as fast as it can. On a faster wire
    more frames wait when the NIC interrupts, so GRO merges more: every frame is still simulated by itself.
    """
    programs = []
    period = flows * WRITE * SECOND // TCP_BYTES_PER_S
    for i in range(flows):
        port = FIRST_PORT + i
        programs.append(_program("server", f"reader{i}", "tcp_sink", port=port))
        source = {"chunk": WRITE, "rate": TCP_BYTES_PER_S // flows} if paced else {}
        start = MS + i * period // flows
        programs.append(_program("client", f"writer{i}", "tcp_source", start, to=f"server:{port}", **source))
    hosts = (HostSpec("server", "10.0.0.1"), HostSpec("client", "10.0.0.2"))
    return World(_scenario(hosts, programs, rate_bps=rate_bps))


class Arrivals:
    """Datagrams that reach a NIC: a burst for each flow in turn, one event per datagram."""

    def __init__(self, world: World, flows: int) -> None:
        self.env, self.net, self.flows = world.env, world.nets["server"], flows
        self.nic = self.net.dev.driver
        self.sent = 0
        self.env.at(WARM_UP_NS // 2, self.next, None)

    def next(self, _: None) -> None:
        now = self.env.now
        i, k = divmod(self.sent, UDP_BURST)
        i %= self.flows
        self.sent += 1
        flow = (CLIENT, 20_000 + i, self.net.address, FIRST_PORT + i)
        skb = SkBuff(self.net.machine.skb_id(), flow, IPPROTO_UDP, UDP_SIZE, 0, 0)
        skb.hdr_len = ETH_HLEN + IP_HLEN + UDP_HLEN
        skb_birth(self.net, skb)
        self.nic.frame_arrives(now, skb)
        self.env.at(now + (UDP_GAP_NS if k < UDP_BURST - 1 else UDP_REST_NS), self.next, None)


def udp(flows: int) -> World:
    """`flows` streams of datagrams that reach a NIC, each with a socket and a reader of its own; full trace."""
    programs = [_program("server", f"reader{i}", "udp_sink", port=FIRST_PORT + i) for i in range(flows)]
    peers = (WirePeerSpec("client", "10.0.0.2"),)
    world = World(_scenario((HostSpec("server", "10.0.0.1"),), programs, peers))
    Arrivals(world, flows)
    return world


class WireBursts:
    """Bursts of datagrams on a wire of 10 Gbit/s, handed over back to back."""

    def __init__(self, world: World) -> None:
        self.env, self.net = world.env, world.nets["server"]
        self.wire = world.peers["client"].wire
        self.env.at(WARM_UP_NS // 2, self.next, None)

    def next(self, _: None) -> None:
        now, net = self.env.now, self.net
        flow = (CLIENT, 20_000, net.address, FIRST_PORT)
        for _frame in range(FAST_UDP_BURST):
            skb = SkBuff(net.machine.skb_id(), flow, IPPROTO_UDP, UDP_SIZE, 0, 0)
            skb.hdr_len = ETH_HLEN + IP_HLEN + UDP_HLEN
            skb_birth(net, skb)
            self.wire.transmit(now, skb)
        self.env.at(now + SECOND * FAST_UDP_BURST // FAST_UDP_PER_S, self.next, None)


def fast_udp(batch: int) -> World:
    """One fast stream of datagrams over a wire to one reader that takes `batch` of them a call; full trace."""
    programs = [_program("server", "reader", "udp_sink", port=FIRST_PORT, batch=batch)]
    peers = (WirePeerSpec("client", "10.0.0.2"),)
    world = World(_scenario((HostSpec("server", "10.0.0.1"),), programs, peers, rate_bps=10_000_000_000))
    WireBursts(world)
    return world


def bytes_read(world: World) -> int:
    """Payload that programs have read since the start."""
    return sum(run.bytes_read for run in world.programs)


def tcp_warm_up_ns(flows: int) -> int:
    """The time at which every writer has connected and written at least once, ns."""
    return WARM_UP_NS + flows * WRITE * SECOND // TCP_BYTES_PER_S


def _program(on, name, run, start_ns=0, **params) -> ProgramSpec:
    return ProgramSpec(on, name, run, with_defaults(run, params), start_ns=start_ns)


def _scenario(hosts, programs, peers=(), rate_bps=1_000_000_000) -> Scenario:
    links = (LinkSpec("client", "server", rate_bps=rate_bps),)
    return Scenario(
        "bench", "Bench", "", 3600 * SECOND, 1, "6.18", hosts, links, tuple(programs), tuple(peers)
    )
