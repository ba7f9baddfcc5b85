"""The outcome of a run as tables for a person at a terminal."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from wireside.catalog.drop_reasons import NO_LOSS
from wireside.scenario.units import time_text
from wireside.tools import nstat, softnet, ss

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import RenderableType

    from wireside.out.headless import Outcome
    from wireside.snapshot import HostSnapshot

NIC_WORDS = ("rx_packets", "tx_packets", "rx_missed_errors", "rx_no_buffer_count")
WORDS = {True: ("holds", "green"), False: ("FAILS", "bold red"), None: ("not reached", "dim")}
SOCKETS_SHOWN = 12
"""As many sockets of one state are listed."""
MIN_WIDTH = 100
"""Columns to use when the output is no terminal."""


def print_report(outcome: Outcome, console: Console | None = None) -> None:
    """Print the whole summary to standard output."""
    console = console or Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=max(console.width, MIN_WIDTH), file=console.file)
    console.print(summary(outcome), crop=False)


def summary(outcome: Outcome) -> RenderableType:
    """Expectations, then per host its sockets, programs, losses and the counters that moved."""
    title = Text.assemble(
        (outcome.scenario.title, "bold"),
        f"\n{outcome.scenario.id} · kernel {outcome.kernel} · seed {outcome.seed} · "
        f"{time_text(outcome.end.time_ns)} simulated",
    )
    parts: list[RenderableType] = [title]
    parts += [
        Text(f"{time_text(turn.at_ns or 0)} {turn.host}: {turn.name} = {turn.value}. {answer}")
        for turn, answer in outcome.answers
    ]
    if outcome.results:
        parts.append(_expectations(outcome))
    parts += [Text(line, "bold red", no_wrap=True, overflow="ignore") for line in outcome.broken]
    starts = {host.name: host for host in outcome.start.hosts}
    for host in outcome.end.hosts:
        parts += _host(host, starts[host.name])
    return Group(*parts)


def _expectations(outcome: Outcome) -> Table:
    table = _table("Expected", "at", "", "found")
    for result in outcome.results:
        word, style = WORDS[result.holds]
        found = result.value.split("\n", 1)[0]
        table.add_row(Text(result.that), time_text(result.at_ns), Text(word, style), Text(found))
    return table


def _table(first: str, *rest: str, title: str = "") -> Table:
    table = Table(
        box=SIMPLE_HEAD, title=title or None, title_justify="left", title_style="bold", pad_edge=False
    )
    table.add_column(first)
    for column in rest:
        table.add_column(column)
    return table


def _host(host: HostSnapshot, before: HostSnapshot) -> list[RenderableType]:
    parts: list[RenderableType] = [Text(f"\n{host.name} {host.address}", "bold")]
    if host.sockets:
        table = _table(*ss.SHORT_HEADERS, "timer")
        rows: Counter[str] = Counter()
        for row in host.sockets:
            rows[row.state] += 1
            if rows[row.state] <= SOCKETS_SHOWN:
                line = ss.cells(row)
                ends = line.local + line.local_port, line.peer + line.peer_port
                table.add_row(line.state, line.recv_q, line.send_q, *ends, row.timer)
        for state, count in rows.items():
            if count > SOCKETS_SHOWN:
                table.add_row(state, "", "", f"… and {count - SOCKETS_SHOWN:,} more", "", "")
        parts.append(table)
    parts += _programs(host)
    dropped = {**_moved(host.wire_drops, before.wire_drops), **_moved(host.drops, before.drops)}
    for title, color, harmless in (("Lost", "red", False), ("Dropped, nothing lost", "", True)):
        table = _table(title, "packets")
        for reason, packets in dropped.items():
            if (reason in NO_LOSS) == harmless:
                table.add_row(Text(reason, color), str(packets))
        if table.row_count:
            parts.append(table)
    parts.append(_counters(host, before))
    return parts


def _programs(host: HostSnapshot) -> list[RenderableType]:
    parts: list[RenderableType] = []
    if host.programs:
        table = _table("Program", "state", "doing", "calls", "read", "written")
        for each in host.programs:
            doing = Text(each.unmet, "bold red") if each.unmet else Text(each.doing)
            table.add_row(
                each.name, each.state, doing, *_numbers(each.calls, each.bytes_read, each.bytes_written)
            )
        parts.append(table)
    if any(each.connected or each.accepted or each.failed for each in host.programs):
        table = _table("Program", "connected", "accepted", "answered", "failed", "last error")
        for each in host.programs:
            counts = _numbers(each.connected, each.accepted, each.answered, each.failed)
            table.add_row(each.name, *counts, each.error)
        parts.append(table)
    return parts


def _counters(host: HostSnapshot, before: HostSnapshot) -> Table:
    table = _table("Counter", "")
    for name, value in nstat.counters(host, since=before.counters).items():
        table.add_row(name, str(value))
    for nic in host.nics:
        for name in NIC_WORDS:
            if nic.kind != "lo" and nic.statistics.get(name):
                table.add_row(f"{nic.name} {name}", str(nic.statistics[name]))
    for cpu in softnet.columns(host):
        if cpu["dropped"] or cpu["time_squeeze"]:
            for name in ("dropped", "time_squeeze"):
                table.add_row(f"cpu{cpu['cpu']} softnet {name}", str(cpu[name]))
    return table


def _numbers(*values: int) -> list[str]:
    return [f"{value:,}" for value in values]


def _moved(after: Mapping[str, int], before: Mapping[str, int]) -> dict[str, int]:
    return {name: value for name, value in after.items() if value != before.get(name, 0)}
