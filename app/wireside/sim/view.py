"""Takes snapshots of a world; what has not changed since the last one is the same object again."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar, cast

from wireside.catalog import sysctls
from wireside.catalog.counters import counters_of
from wireside.catalog.inet import ip_text
from wireside.catalog.tcp_states import SS_NAME, TcpState
from wireside.kernel.core.proc_sysctl import sysctl_table
from wireside.sim.books import queued_frames, total_dropped, world_books
from wireside.sim.devices import nic_row, rx_missed
from wireside.sim.run import EXITED, SLEEPING, Tally
from wireside.sim.socket_rows import (
    MINI_SHOWN,
    SCREEN_SHOWN,
    SocketRows,
    screen_sockets,
    shown_sockets,
    socket_rows,
)
from wireside.sim.strace import call_text
from wireside.snapshot import CpuRow, HostSnapshot, ListenerRow, ProgramRow, SoftnetRow, WorldSnapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wireside.kernel.core.file import File
    from wireside.kernel.core.net import Cpu, Net
    from wireside.kernel.core.proc_sysctl import SysctlTable
    from wireside.kernel.tcp.sock.tcp_sock import TcpSock
    from wireside.sim.fleet import Fleet
    from wireside.sim.run import ProgramRun
    from wireside.sim.runner import Runner
    from wireside.snapshot import SocketRow

T = TypeVar("T")

_DONE: Callable[[ProgramRun], tuple[Any, ...]] = attrgetter(
    "state",
    "calls",
    "call",
    "sleep",
    "spinning",
    "bytes_read",
    "bytes_written",
    "task.rlimit_nofile",
)
"""What is another when a program has run: it has made or ended a call, fallen asleep, or spun."""
_FILES: Callable[[ProgramRun], dict[int, File]] = attrgetter("task.files")


class HostView:
    """What was last shown of one host."""

    __slots__ = ("counters", "mib", "shared", "socket_rows", "states", "sysctl", "table")

    def __init__(self) -> None:
        self.table: SysctlTable = sysctl_table()
        self.sysctl: Mapping[str, str] = {}
        self.mib: dict[Any, int] = {}
        self.counters: Mapping[str, int] = {}
        self.socket_rows = SocketRows()
        self.states: dict[str, list[Any]] = {}
        """Part → what its rows were made from."""
        self.shared: dict[str, Any] = {}
        """Part → its last value, handed out again while the new one is equal."""

    def same(self, part: str, value: Any) -> Any:
        """The last value of a part, when the new one is equal to it."""
        last = self.shared.get(part)
        if last == value:
            return last
        self.shared[part] = value
        return value

    def made(self, part: str, states: list[T], make: Callable[[int, T], Any]) -> tuple[Any, ...]:
        """A part's rows, each made anew from its number and its state when that is another than the last time."""
        last = self.states.get(part)
        if last == states:
            return self.shared[part]  # type: ignore[no-any-return]
        self.states[part] = states
        if last is None or len(last) != len(states):
            rows = tuple([make(number, state) for number, state in enumerate(states)])
        else:
            known = enumerate(zip(states, last, self.shared[part], strict=True))
            rows = tuple(
                [old if state == was else make(number, state) for number, (state, was, old) in known]
            )
        self.shared[part] = rows
        return rows

    def same_rows(self, part: str, rows: tuple[Any, ...]) -> tuple[Any, ...]:
        """Like `same`, row by row."""
        last: tuple[Any, ...] = self.shared.get(part, ())
        if last == rows:
            return last
        if len(last) == len(rows):
            rows = tuple(
                [old if old is new or old == new else new for old, new in zip(last, rows, strict=True)]
            )
        self.shared[part] = rows
        return rows


class Views:
    """The snapshots of a world."""

    __slots__ = ("hosts", "last")

    def __init__(self) -> None:
        self.hosts: dict[str, HostView] = {}
        self.last: WorldSnapshot | None = None

    def snapshot(self, fleet: Fleet, *, screen: bool) -> WorldSnapshot:
        """Freeze the present instant of a run."""
        hosts = []
        nets = {net.address: net for net in fleet.nets.values()}
        for net in fleet.nets.values():
            view = self.hosts.get(net.name)
            if view is None:
                view = self.hosts[net.name] = HostView()
            sockets, most = shown_sockets(net), MINI_SHOWN
            if screen:
                sockets, most = screen_sockets(net, nets), SCREEN_SHOWN
            hosts.append(
                _host(fleet, net, view, socket_rows(net, view.socket_rows, fleet.now, sockets, most))
            )
        self.last = WorldSnapshot(fleet.now, tuple(hosts), *fleet.followed.rows())
        return self.last

    def books(self, fleet: Fleet) -> tuple[int, int]:
        """(born, accounted for), over all hosts, links and wire peers."""
        return world_books(fleet)


def _host(
    fleet: Fleet, net: Net, view: HostView, found: tuple[tuple[SocketRow, ...], dict[str, int]]
) -> HostSnapshot:
    rows, states = found
    runs = [run for run in fleet.programs if run.task.net is net]
    now = fleet.now
    engine, kernel = fleet.engines[net.machine.name], net.machine.profile.version
    if view.table != net.sysctl:
        view.table = net.sysctl.copy()
        view.sysctl = {
            key.name: sysctls.format_value(value)
            for key, value in net.sysctl.items()
            if key.exists_in(kernel)
        }
    if view.mib != net.mib:
        view.mib = dict(net.mib)
        view.counters = {key.name: net.mib[key] for key in counters_of(kernel)}
    drops = {reason.name: count for reason, count in net.drops.items() if count}
    missed, lost = rx_missed(net), net.link_lost
    wire_drops = {name: count for name, count in (("rx_missed_errors", missed), ("link loss", lost)) if count}
    books = {
        "born": net.born,
        "delivered": net.delivered,
        "consumed": net.consumed,
        "dropped": total_dropped(net) + missed + lost,
        "queued": queued_frames(fleet, net),
    }
    return HostSnapshot(
        net.name,
        now,
        ip_text(net.address),
        view.sysctl,
        view.counters,
        view.same("drops", drops),
        view.same("wire_drops", wire_drops),
        view.same("states", states),
        view.same_rows("softnet", tuple([softnet_row(cpu) for cpu in net.machine.cpus])),
        view.same_rows("cpus", tuple([cpu_row(runner, now) for runner in engine.runners])),
        view.same_rows("nics", (nic_row(fleet, net),)),
        view.same_rows("sockets", rows),
        view.made("programs", _done(runs), lambda number, _: program_row(runs[number])),
        view.same("books", books),
        view.made("listeners", _listeners(net), lambda _, state: ListenerRow(*state)),
        view.same("sockstat", _sockstat(net)),
        view.same("entered", {SS_NAME[state]: n for state in TcpState if (n := net.tcp_entered[state])}),
        view.same("close_wait", {comm: n for comm, n in net.close_wait_of.items() if n}),
        view.same("turned_away", dict(net.turned_away)),
        kernel,
    )


def _listeners(net: Net) -> list[tuple[int, str, int, int, int, int, int]]:
    """The values of the rows of all listeners, in their order."""
    found = []
    for port, listeners in net.listening.items():
        for listener in cast("list[TcpSock]", listeners):
            queue = listener.icsk_accept_queue
            accept, acked, most = len(queue.accept), queue.acked, queue.sk_max_ack_backlog
            found.append((port, listener.comm, accept, queue.qlen, acked, most, listener.id))
    return found


def _done(runs: list[ProgramRun]) -> list[tuple[tuple[Any, ...], int]]:
    """What the programs have done, and how many descriptors each has: another program may hand it one."""
    return list(zip(map(_DONE, runs), map(len, map(_FILES, runs)), strict=True))


def _sockstat(net: Net) -> dict[str, int]:
    machine = net.machine
    return {
        "orphan": machine.tcp_orphan_count,
        "tw": len(net.timewait),
        "mem": machine.tcp_memory_allocated,
    }


def softnet_row(cpu: Cpu) -> SoftnetRow:
    """A CPU's line of softnet_stat as it is now."""
    sd = cpu.softnet
    return SoftnetRow(
        sd.processed,
        sd.dropped,
        sd.time_squeeze,
        sd.received_rps,
        sd.flow_limit_count,
        len(sd.input_pkt_queue),
        len(sd.process_queue),
    )


def cpu_row(runner: Runner, now: int) -> CpuRow:
    """What a CPU does at `now` ns; times count whole slices, the running one from its beginning."""
    cpu = runner.cpu
    current = runner.current
    task_ns, ksoftirqd_ns = cpu.task_ns, cpu.ksoftirqd_ns
    context, running = "idle", ""
    if current is not None:
        so_far = max(0, now - runner.task_since)
        if current.program is None:
            context = "ksoftirqd"
            ksoftirqd_ns += so_far
        else:
            context, running = "task", current.name
            task_ns += so_far
    if now < runner.busy_until:
        context, running = cpu.context, ""
    busy = cpu.hardirq_ns + cpu.softirq_ns + ksoftirqd_ns + task_ns
    return CpuRow(
        context,
        running,
        cpu.hardirq_ns,
        cpu.softirq_ns,
        ksoftirqd_ns,
        task_ns,
        max(0, now - busy),
        len(runner.queue) + (current is not None),
    )


def program_row(run: ProgramRun) -> ProgramRow:
    """A program as it is now."""
    tally = run.program.tally if run.program is not None else Tally()
    doing = ""
    if run.state == EXITED:
        doing = "exited"
    elif run.state == SLEEPING:
        doing = (run.sleep.why or "sleep()") if run.sleep is not None else "not started"
    elif run.call is not None:
        doing = call_text(run.call.name, run.call.args)
    elif run.spinning:
        doing = "calls that fail at once, again and again"
    return ProgramRow(
        run.name,
        run.task.pid,
        run.state,
        doing,
        run.calls,
        run.bytes_read,
        run.bytes_written,
        run.task.open_fds,
        run.task.rlimit_nofile,
        tally.connected,
        tally.accepted,
        tally.answered,
        tally.failed,
        tally.error,
        tally.kept,
        tally.unmet,
        tally.unmet_at,
        tally.unmet_where,
        tally.slowest_ns,
    )
