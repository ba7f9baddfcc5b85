"""Queues and states as rows: how much is in each, where its limit is, and which of them stand on top."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wireside.catalog import places
from wireside.paint.palette import STATE_COLORS
from wireside.paint.words import count, grouped, size

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wireside.scenario.spec import Scenario
    from wireside.snapshot import HostSnapshot, ListenerRow, ProgramRow, SocketRow

NO_LIMIT = -1.0
FULL, MANY = 0.95, 100_000
ONE_MORE = "below the limit one skb more fits"
"""Why buffers may hold more than their limit: it is asked before the skb is added, not after."""
PAGE_HINT = 0.01
"""tcp_mem and orphans get a row from this share of their limit on."""


@dataclass(frozen=True, slots=True)
class Pile:
    """One row: a queue with a limit, or a state."""

    name: str
    """What it is called everywhere: row, strip, story."""
    text: str
    """How much of how much."""
    part: float
    """Share of the limit, over 1 where the kernel lets it; NO_LIMIT: a heap."""
    count: int = 0
    color: str | None = None
    """A role; None: the heat of `part`."""
    short: str = ""
    """The same for a narrow pane; "" where `text` is short enough."""
    where: str = ""
    """Which of several, for a wide pane: ":7070"."""
    over: str = ""
    """Why `part` may exceed 1, in a phrase."""
    grows: bool = False
    fault: bool = True
    """Whether it is bad to reach the limit."""
    full: bool = False
    """The limit is reached although `part` does not say so."""

    @property
    def at_limit(self) -> bool:
        """Whether the limit is reached, and that is bad."""
        return self.fault and (self.part >= 1 or self.full)


def limited(
    host: HostSnapshot, main: SocketRow | None, peer: SocketRow | None, grown: frozenset[str]
) -> list[Pile]:
    """Every queue and state of the moment that has a limit, in the order of the journey.

    `main` is the host's busiest socket, `peer` the other end of its connection; `grown` names the states that grow.
    """
    return [
        *_listener_queues(host),
        *_closing(host, grown),
        *_memory(host),
        *_receiving(host, main),
        *_sending(peer),
    ]


def heaps(host: HostSnapshot, grown: frozenset[str]) -> list[Pile]:
    """The states without a limit, largest first; `grown` names those that grow."""
    told = {"TIME-WAIT", "LISTEN", "UNCONN", "SYN-RECV"} | ({"CLOSE-WAIT"} if _leaker(host) else set())
    found = [
        Pile(
            state,
            grouped(n),
            NO_LIMIT,
            n,
            STATE_COLORS.get(state, "text"),
            grows=state in grown,
        )
        for state, n in host.states.items()
        if n and state not in told
    ]
    return sorted(found, key=lambda pile: -pile.count)


def of_limit(used: int, backlog: int) -> str:
    """So many of a listener's queue, with the kernel's off-by-one: "129/128+1"."""
    used_text, limit = (grouped(n) if n >= 10_000 else str(n) for n in (used, backlog))
    return f"{used_text}/{limit}+1"


def fullest(rows: Iterable[ListenerRow]) -> tuple[ListenerRow | None, ListenerRow | None]:
    """The listeners whose accept queue, and whose request queue, is fullest; None without a listener."""
    rows = tuple(rows)
    return (
        max(rows, key=lambda row: row.accept_queue / (row.backlog + 1), default=None),
        max(rows, key=lambda row: row.requests / (row.backlog + 1), default=None),
    )


def _listener_queues(host: HostSnapshot) -> Iterator[Pile]:
    accept, requests = fullest(host.listeners)
    for name, row, used in (
        ("accept q", accept, accept.accept_queue if accept else 0),
        ("SYN reqs", requests, requests.requests if requests else 0),
    ):
        if row is not None:
            where = f":{row.port}" if len(host.listeners) > 1 else ""
            short = f"{count(used)}/{count(row.backlog)}+1"
            text, part = of_limit(used, row.backlog), used / (row.backlog + 1)
            yield Pile(name, text, part, used, short=short, where=where)


def _closing(host: HostSnapshot, grown: frozenset[str]) -> Iterator[Pile]:
    holder = _leaker(host)
    if holder is not None:
        n = host.close_wait[holder.name]
        text = f"{n}/{holder.nofile} fds"
        # The limit is that of all its descriptors, so it is reached before CLOSE-WAIT alone fills the bar.
        full = holder.fds >= holder.nofile
        yield Pile(
            "CLOSE-WAIT", text, n / holder.nofile, n, "bad", f"{count(n)}/{count(holder.nofile)} fds",
            grows="CLOSE-WAIT" in grown, full=full,
        )  # fmt: skip
    waiting = host.states.get("TIME-WAIT", 0)
    most = _number(host, "net.ipv4.tcp_max_tw_buckets")
    if waiting and most:
        entries = host.sockstat.get("tw", waiting)
        yield Pile(
            "TIME-WAIT", f"{grouped(waiting)}/{grouped(most)}", entries / most, waiting, "warn",
            f"{grouped(waiting) if waiting < MANY else count(waiting)}/{count(most)}",
            grows="TIME-WAIT" in grown,
        )  # fmt: skip
    orphans, most = host.sockstat.get("orphan", 0), _number(host, "net.ipv4.tcp_max_orphans")
    if orphans and most:
        short = f"{count(orphans)}/{count(most)}"
        yield Pile("orphans", f"{grouped(orphans)}/{grouped(most)}", orphans / most, orphans, short=short)


def _leaker(host: HostSnapshot) -> ProgramRow | None:
    """The program that holds the most sockets in CLOSE-WAIT and has a limit of descriptors."""
    programs = (program for program in host.programs if program.nofile and host.close_wait.get(program.name))
    return max(programs, key=lambda program: host.close_wait[program.name], default=None)


def _memory(host: HostSnapshot) -> Iterator[Pile]:
    pages = host.sockstat.get("mem", 0)
    words = host.sysctl.get("net.ipv4.tcp_mem", "").split()
    most = int(words[2]) if len(words) == 3 else 0
    if most and pages / most >= PAGE_HINT:
        short = f"{count(pages)}/{count(most)}"
        yield Pile("tcp_mem", f"{grouped(pages)}/{grouped(most)} pages", pages / most, pages, short=short)


def _receiving(host: HostSnapshot, row: SocketRow | None) -> Iterator[Pile]:
    for nic in host.nics[:1]:
        if nic.rx_ring_size:
            used, most = nic.rx_ring_used, nic.rx_ring_size
            full = used + nic.rx_ring_unfilled >= most - 1
            yield Pile("RX ring", f"{used}/{most}", used / most, used, full=full)
    most = _number(host, "net.core.netdev_max_backlog") or 1000
    queued = max((cpu.input_qlen for cpu in host.softnet), default=0)
    yield Pile("backlog", of_limit(queued, most), queued / (most + 1), queued)
    if row is None or not row.sk_rcvbuf:
        return
    text = f"{size(row.sk_rmem_alloc)}/{size(row.sk_rcvbuf)}"
    yield Pile("rmem", text, row.sk_rmem_alloc / row.sk_rcvbuf, row.sk_rmem_alloc, over=ONE_MORE)
    if row.netid == "tcp" and row.rcv_ssthresh:
        share = 1 - row.rcv_wnd_left / max(1, row.rcv_wnd, row.rcv_ssthresh)
        yield Pile("rcv window", f"{size(row.rcv_wnd_left)} left", share, row.rcv_wnd_left)


def _sending(row: SocketRow | None) -> Iterator[Pile]:
    if row is None:
        return
    if row.sk_sndbuf and row.sk_wmem_queued:
        text = f"{size(row.sk_wmem_queued)}/{size(row.sk_sndbuf)}"
        part = row.sk_wmem_queued / row.sk_sndbuf
        yield Pile("peer sndbuf", text, part, row.sk_wmem_queued, over=ONE_MORE)
    if row.netid == "tcp" and row.cwnd and row.state == "ESTAB":
        text = f"{row.in_flight}/{row.cwnd} cwnd"
        yield Pile("in flight", text, row.in_flight / row.cwnd, row.in_flight, "accent", fault=False)


def _number(host: HostSnapshot, sysctl: str) -> int:
    text = host.sysctl.get(sysctl, "")
    return int(text) if text.isdigit() else 0


_WORDS = {
    "accept q": ("accept queue", "listenoverflow", "listener(", "somaxconn"),
    "SYN reqs": ("syn queue", "syn request", "syn-recv", "syncookie", "reqqfull", "half-open"),
    "orphans": ("orphan",),
    "tcp_mem": ("tcp_mem", "memory pressure"),
    "ring": ("receive ring", "rx ring", "rx_ring", "rx_missed"),
    "rcv window": ("window",),
    "rmem": ("receive buffer", "rmem", "rcvbuf"),
    "backlog": ("netdev_max_backlog", "softnet"),
}
_NAME_OF_PLACE = {
    **{places.squeezed(state): state for state in STATE_COLORS},
    "synrequests": "SYN reqs",
    "acceptqueue": "accept q",
    "orphans": "orphans",
    "tcpmem": "tcp_mem",
    "ring": "RX ring",
    "rxring": "RX ring",
    "backlog": "backlog",
    "window": "rcv window",
    "rcvbuf": "rmem",
    "socketbuffer": "rmem",
}
"""What a beat may point at → the pile that it means."""
_ROW_OF_SERIES = {"ring": "RX ring"}
_STATES = ("CLOSE-WAIT", "TIME-WAIT", "FIN-WAIT-2", "FIN-WAIT-1", "LAST-ACK", "CLOSING", "SYN-SENT")


def pointed_at(look_at: str) -> str:
    """The pile that a beat's `look_at` names; "" when it names none."""
    return _NAME_OF_PLACE.get(places.squeezed(look_at), "")


def subjects(scenario: Scenario) -> frozenset[str]:
    """The piles that a scenario speaks of in what it teaches, waits for, points at and expects; row and series names."""
    said = " ".join(
        (
            *scenario.teaches,
            *(f"{beat.when} {beat.look_at}" for beat in scenario.beats),
            *(expected.that for expected in scenario.expect),
        )
    ).lower()
    found = {name for name, words in _WORDS.items() if any(word in said for word in words)}
    found |= {state for state in _STATES if state.lower() in said or state.lower().replace("-", "_") in said}
    return frozenset(found | {_ROW_OF_SERIES[name] for name in found if name in _ROW_OF_SERIES})
