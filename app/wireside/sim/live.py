"""What a condition's paths name, read from a living world: each field by itself, without a snapshot.

A value is what a snapshot of the same instant would show; where reading a field needs more than a few steps, the row
that shows it is made.
"""

from __future__ import annotations

from itertools import chain, islice
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from wireside.catalog.counters import COUNTER_BY_NAME
from wireside.catalog.drop_reasons import DropReason
from wireside.catalog.sysctls import BY_NAME, format_value
from wireside.catalog.tcp_states import SS_NAME, TcpState
from wireside.kernel.drivers.nic import Nic, ethtool_stats, rx_ring_used
from wireside.kernel.tcp.door.request_sock import RequestSock
from wireside.kernel.tcp.sock.tcp_sock import TcpSock
from wireside.kernel.udp.udp import UdpSock
from wireside.scenario.journeys import PacketCount, PacketField
from wireside.scenario.matches import QUEUE_FIELDS, SocketCount, SocketField
from wireside.scenario.paths import NIC_FIELDS, Path
from wireside.sim.books import queued_frames, total_dropped
from wireside.sim.devices import nic_row, rx_missed
from wireside.sim.socket_fields import fields_of
from wireside.sim.socket_rows import MINI_SHOWN, requests, shown_sockets
from wireside.sim.view import Views, cpu_row, program_row, softnet_row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from wireside.kernel.core.net import Net
    from wireside.scenario.matches import Sockets
    from wireside.scenario.terms import Get, Leaf, Value
    from wireside.sim.fleet import Fleet


_QUEUES: dict[str, Callable[[Any], int]] = {
    "accept_queue": lambda queue: len(queue.accept),
    "requests": attrgetter("qlen"),
    "acked": attrgetter("acked"),
    "backlog": attrgetter("sk_max_ack_backlog"),
}
"""Fields of ListenerRow."""


class Live:
    """Reads the values of conditions from a world as it stands."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.most: int | None = None
        """Sockets of a host that are looked through for a value; None: all that `ss` shows."""
        self.cut = False
        """A value may be wrong, for there were more; whoever sets `most` sets this to False before."""

    def time(self) -> Get:
        """What reads the simulated time, ns."""
        env = self.fleet.env
        return lambda _: env.now

    def read(self, leaf: Leaf) -> Get:
        """What reads a leaf; one that has no reader here is looked up in a snapshot."""
        if isinstance(leaf, PacketField | PacketCount):
            return self.packet(leaf)
        if isinstance(leaf, SocketField | SocketCount):
            return self.sockets(leaf)
        read = _READERS.get(leaf.part) if isinstance(leaf, Path) else None
        if read is None:
            fleet, views = self.fleet, Views()
            return lambda _: leaf.evaluate(views.snapshot(fleet, screen=False))
        assert isinstance(leaf, Path)
        return read(self, self.fleet.nets[leaf.host], leaf)

    def packet(self, leaf: PacketField | PacketCount) -> Get:
        """A field of a packet, or how many are born."""
        self.fleet.follow([leaf])
        followed, env, which = self.fleet.followed, self.fleet.env, leaf.which

        def count(_: Any) -> int:
            followed.settle()
            return followed.counts[which]

        if isinstance(leaf, PacketCount):
            return count
        found, key, of = followed.found, (which, leaf.index), leaf.of

        def field(_: Any) -> Value:
            followed.settle()
            packet = found.get(key)
            return None if packet is None else of(packet, env.now)

        return field

    def sockets(self, leaf: SocketField | SocketCount) -> Get:
        """A field of one of several sockets, or how many there are."""
        which = leaf.which
        net = self.fleet.nets[which.host]
        if isinstance(leaf, SocketCount):
            if which.state:
                path = Path(which.host, "states", "", which.state)
                tcp = self.states(net, path) if which.state != "UNCONN" else lambda _: 0
                return lambda _: int(tcp(_) or 0) + sum(1 for sk in _udp(net) if _state(sk) == which.state)
            return lambda _: sum(1 for _ in self._matching(net, which))
        index, name = leaf.index, leaf.field

        def field(_: Any) -> Value:
            sk = next(islice(self._matching(net, which), index, None), None)
            return None if sk is None else self._field(sk, name)

        return field

    def _looked_at(self, net: Net) -> Iterator[Any]:
        """What `sk` and `sks` look through, in the order of the rows of `ss`."""
        if self.most is None:
            yield from shown_sockets(net)
            yield from requests(net)[:MINI_SHOWN]
            yield from islice(net.timewait.values(), MINI_SHOWN)
            return
        sockets = chain(net.sockets.values(), net.requests.values(), net.timewait.values())
        yield from filter(_shown, islice(sockets, self.most))
        self.cut = self.cut or population(net) > self.most

    def _first(self, net: Net, port: int) -> Any:
        """The first socket with a port on either end."""
        if not port:
            return None
        for sk in self._looked_at(net):
            flow = sk.flow_out
            if (port in {flow[1], flow[3]} if flow is not None else port == sk.sk_num) and not _listens(sk):
                return sk
        return None

    def _matching(self, net: Net, which: Sockets) -> Iterator[Any]:
        """The sockets that are meant, in the order of the rows of `ss`."""
        listening, port, filters = which.part == "listeners", which.port, dict(which.filters)
        state, local, peer = filters.get("state"), filters.get("local"), filters.get("peer")
        program, netid = filters.get("program"), filters.get("netid")
        for sk in _listeners(net, port) if listening else self._looked_at(net):
            if not listening:
                ends = _ports(sk)
                if (
                    (port and port not in ends)
                    or _listens(sk)
                    or (local and local != ends[0])
                    or (peer and peer != ends[1])
                    or (state and state != _state(sk))
                    or (netid and (netid == "udp") is not isinstance(sk, UdpSock))
                ):
                    continue
            if program is None or program == getattr(sk, "comm", ""):
                yield sk

    def counter(self, net: Net, path: Path) -> Get:
        """A counter as `nstat` names it."""
        mib, key = net.mib, COUNTER_BY_NAME[path.field]
        return lambda _: mib.get(key, 0)

    def socket(self, net: Net, path: Path) -> Get:
        """A field of the first socket, listeners apart, with a port on either end."""
        port, field = int(path.arg), path.field
        return lambda _: self._field(self._first(net, port), field)

    def listener(self, net: Net, path: Path) -> Get:
        """A field of the listener on a port."""
        port, field = int(path.arg), path.field
        return lambda _: self._field(_listener(net, port), field)

    def _field(self, sk: Any, field: str) -> Any:
        if sk is None:
            return 0
        if field in QUEUE_FIELDS:
            return _QUEUES[field](sk.icsk_accept_queue)
        return fields_of(sk).get[field](sk, self.fleet.now)

    def nic(self, net: Net, path: Path) -> Get:
        """A field of the device, or one of its `ethtool -S` counters."""
        fleet, field = self.fleet, path.field
        driver = net.dev.driver if net.dev is not None else None
        if isinstance(driver, Nic):
            queues = driver.queues
            if field == "rx_ring_used":
                return lambda _: rx_ring_used(driver)
            if field == "polls":
                return lambda _: sum([q.napi.polls for q in queues])
            if field == "irqs":
                return lambda _: sum([q.irqs for q in queues])
            if field == "rx_missed_errors" and len(queues) == 1:
                return lambda _: driver.rx_missed
            if field not in NIC_FIELDS:
                return lambda _: ethtool_stats(driver).get(field, 0)
        if field in NIC_FIELDS:
            return lambda _: getattr(nic_row(fleet, net), field)
        return lambda _: nic_row(fleet, net).statistics.get(field, 0)

    def softnet(self, net: Net, path: Path) -> Get:
        """A CPU's line of /proc/net/softnet_stat."""
        cpu, get = net.machine.cpus[int(path.arg)], attrgetter(path.field)
        return lambda _: get(softnet_row(cpu))

    def cpu(self, net: Net, path: Path) -> Get:
        """Where a CPU's time goes."""
        fleet, get = self.fleet, attrgetter(path.field)
        runner = fleet.engines[net.machine.name].runners[int(path.arg)]
        return lambda _: get(cpu_row(runner, fleet.now))

    def program(self, net: Net, path: Path) -> Get:
        """A program."""
        field = path.field
        found = (run for run in self.fleet.programs if run.task.net is net and run.name == path.arg)
        run = next(found, None)
        if run is None:
            return lambda _: 0
        if field in {"bytes_read", "bytes_written", "calls", "state"}:
            get = attrgetter(field)
            return lambda _: get(run)
        return lambda _: getattr(program_row(run), field)

    def drops(self, net: Net, path: Path) -> Get:
        """Packets dropped for a reason."""
        drops, reason = net.drops, DropReason[path.field]
        return lambda _: drops.get(reason, 0)

    def wire_drops(self, net: Net, path: Path) -> Get:
        """Packets lost before they were an sk_buff."""
        if path.field == "rx_missed_errors":
            return lambda _: rx_missed(net)
        return lambda _: net.link_lost

    def states(self, net: Net, path: Path) -> Get:
        """TCP sockets in a state."""
        numbers = [int(state) for state in TcpState if SS_NAME[state] == path.field]
        requested = path.field == "SYN-RECV"
        minisocks = {"TIME-WAIT": 1, "FIN-WAIT-2": 2}.get(path.field, 0)

        def count(_: Any) -> int:
            found = sum([net.tcp_in_state[number] for number in numbers])
            if requested:
                found += len(net.requests)
            if minisocks and net.timewait:
                orphans = net.fin_wait2_minisocks
                found += orphans if minisocks == 2 else len(net.timewait) - orphans
            return found

        return count

    def books(self, net: Net, path: Path) -> Get:
        """The books of a host."""
        fleet = self.fleet
        if path.field == "dropped":
            return lambda _: total_dropped(net) + rx_missed(net) + net.link_lost
        if path.field == "queued":
            return lambda _: queued_frames(fleet, net)
        get = attrgetter(path.field)
        return lambda _: get(net)

    def sysctl(self, net: Net, path: Path) -> Get:
        """A sysctl: a number, or its text."""
        table, key = net.sysctl, BY_NAME[path.field]

        def read(_: Any) -> int | str:
            text = format_value(table[key])
            return int(text) if text.lstrip("-").isdigit() else text

        return read


_READERS: dict[str, Callable[[Live, Net, Path], Get]] = {
    "counter": Live.counter,
    "sk": Live.socket,
    "listener": Live.listener,
    "nic": Live.nic,
    "softnet": Live.softnet,
    "cpu": Live.cpu,
    "program": Live.program,
    "drops": Live.drops,
    "wire_drops": Live.wire_drops,
    "states": Live.states,
    "books": Live.books,
    "sysctl": Live.sysctl,
}


def _listens(sk: Any) -> bool:
    return isinstance(sk, TcpSock) and sk.sk_state == TcpState.LISTEN


def _ports(sk: Any) -> tuple[int, int]:
    flow = sk.flow_out
    return (sk.sk_num, 0) if flow is None else (flow[1], flow[3])


def population(net: Net) -> int:
    """How many sockets, requests and minisocks a host has."""
    return len(net.sockets) + len(net.requests) + len(net.timewait)


def _shown(sk: Any) -> bool:
    """Whether a socket is in a table of the kernel, where `ss` finds it; one in CLOSE is not."""
    return not isinstance(sk, TcpSock) or sk.sk_state != TcpState.CLOSE


def _udp(net: Net) -> Iterator[Any]:
    """The datagram sockets that are bound."""
    return (sk for sockets in net.udp_table.values() for sk in sockets)


def _state(sk: Any) -> str:
    """A socket's state as `ss` spells it."""
    if isinstance(sk, TcpSock):
        return SS_NAME[TcpState(sk.sk_state)]
    if isinstance(sk, UdpSock):
        return "UNCONN" if sk.flow_out is None else "ESTAB"
    return "SYN-RECV" if isinstance(sk, RequestSock) else SS_NAME[TcpState(sk.tw_substate)]


def _listeners(net: Net, port: int) -> list[Any]:
    """The listeners on a port, or (0) all, in order of creation."""
    ports = [port] if port else list(net.listening)
    return sorted((sk for each in ports for sk in net.listening.get(each, ())), key=attrgetter("id"))


def _listener(net: Net, port: int) -> Any:
    for sk in shown_sockets(net):
        if _listens(sk) and _ports(sk)[0] == port:
            return sk
    return None
