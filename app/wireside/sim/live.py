"""What a condition's paths name, read from a living world: each field by itself, without a snapshot.

A value is what a snapshot of the same instant would show; where reading a field needs more than a few steps, the row
that shows it is made.
"""

from __future__ import annotations

from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from wireside.catalog.counters import COUNTER_BY_NAME
from wireside.catalog.drop_reasons import DropReason
from wireside.catalog.sysctls import BY_NAME, format_value
from wireside.catalog.tcp_states import SS_NAME, TcpState
from wireside.kernel.drivers.nic import Nic, ethtool_stats, rx_ring_used
from wireside.kernel.tcp.sock.tcp_sock import TcpSock
from wireside.scenario.paths import NIC_FIELDS
from wireside.sim.books import queued_frames, total_dropped
from wireside.sim.devices import nic_row, rx_missed
from wireside.sim.socket_fields import fields_of
from wireside.sim.socket_rows import MINI_SHOWN, requests, shown_sockets
from wireside.sim.view import cpu_row, program_row, softnet_row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from wireside.kernel.core.net import Net
    from wireside.scenario.paths import Path
    from wireside.scenario.terms import Get
    from wireside.sim.world import World


class Live:
    """Reads the values of conditions from a world as it stands."""

    def __init__(self, world: World) -> None:
        self.world = world

    def time(self) -> Get:
        """What reads the simulated time, ns."""
        env = self.world.env
        return lambda _: env.now

    def path(self, path: Path) -> Get:
        """What reads a path; a part that has no reader here is looked up in a snapshot."""
        read = _READERS.get(path.part)
        if read is None:
            world = self.world
            return lambda _: path.evaluate(world.snapshot())
        return read(self, self.world.nets[path.host], path)

    def counter(self, net: Net, path: Path) -> Get:
        """A counter as `nstat` names it."""
        mib, key = net.mib, COUNTER_BY_NAME[path.field]
        return lambda _: mib.get(key, 0)

    def socket(self, net: Net, path: Path) -> Get:
        """A field of the first socket, listeners apart, with a port on either end."""
        port, field = int(path.arg), path.field
        return lambda _: self._field(_first(net, port), field)

    def listener(self, net: Net, path: Path) -> Get:
        """A field of the listener on a port."""
        port, field = int(path.arg), path.field
        return lambda _: self._field(_listener(net, port), field)

    def _field(self, sk: Any, field: str) -> Any:
        if sk is None:
            return 0
        return fields_of(sk).get[field](sk, self.world.now)

    def nic(self, net: Net, path: Path) -> Get:
        """A field of the device, or one of its `ethtool -S` counters."""
        world, field = self.world, path.field
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
            return lambda _: getattr(nic_row(world, net), field)
        return lambda _: nic_row(world, net).statistics.get(field, 0)

    def softnet(self, net: Net, path: Path) -> Get:
        """A CPU's line of /proc/net/softnet_stat."""
        cpu, get = net.machine.cpus[int(path.arg)], attrgetter(path.field)
        return lambda _: get(softnet_row(cpu))

    def cpu(self, net: Net, path: Path) -> Get:
        """Where a CPU's time goes."""
        world, get = self.world, attrgetter(path.field)
        runner = world.engines[net.machine.name].runners[int(path.arg)]
        return lambda _: get(cpu_row(runner, world.now))

    def program(self, net: Net, path: Path) -> Get:
        """A program."""
        field = path.field
        found = (run for run in self.world.programs if run.task.net is net and run.name == path.arg)
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
        world = self.world
        if path.field == "dropped":
            return lambda _: total_dropped(net) + rx_missed(net) + net.link_lost
        if path.field == "queued":
            return lambda _: queued_frames(world, net)
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


def _all(net: Net) -> Iterator[Any]:
    """What `sk(PORT)` looks through, in the order of the rows of `ss`."""
    yield from shown_sockets(net)
    yield from requests(net)[:MINI_SHOWN]
    yield from islice(net.timewait.values(), MINI_SHOWN)


def _first(net: Net, port: int) -> Any:
    if not port:
        return None
    for sk in _all(net):
        if port in _ports(sk) and not _listens(sk):
            return sk
    return None


def _listener(net: Net, port: int) -> Any:
    for sk in shown_sockets(net):
        if _listens(sk) and _ports(sk)[0] == port:
            return sk
    return None
