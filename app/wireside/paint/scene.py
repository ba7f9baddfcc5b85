"""From stamps and a time to positions: where each packet is in the picture at time t."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wireside.catalog import places
from wireside.catalog.drop_reasons import NO_LOSS, DropReason
from wireside.catalog.stages import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from wireside.catalog.packet_kinds import PacketKind
    from wireside.session.film import Loss
    from wireside.snapshot import PacketTrace

INSIDE = 0.8
"""A station's box spans u = k … k + INSIDE; the rest of the unit is the way to the next box."""
PARKED = 0.36
"""Where a packet rests inside a station that stores packets."""
DWELL_S = 0.10
"""A packet is shown for at least this long (wall seconds) in each station, however fast the run is."""
SLOW_DWELL_S = 0.25
"""The same while so few packets move that each can be followed by name."""
FEW_MOVERS = 5
FALL_S = 0.55
"""How long a lost packet is seen falling, wall seconds."""
MAX_MOVERS = 60
"""More packets than this cannot be followed by eye: then one brick stands for 2, 4, 8 … packets."""


@dataclass(frozen=True, slots=True)
class Station:
    """One box of the journey."""

    key: str
    title: str
    symbol: str
    """The kernel function at its heart."""
    stages: tuple[Stage, ...]
    holds: bool
    """Whether packets wait here, rather than pass through."""


STATIONS = (
    Station("nic", "NIC", "wire", (Stage.WIRE,), holds=False),
    Station("ring", "RX RING", "DMA ring", (Stage.RX_RING, Stage.HARDIRQ), holds=True),
    Station(
        "softirq",
        "SOFTIRQ",
        "napi_poll",
        (Stage.NAPI_POLL, Stage.GRO, Stage.BACKLOG, Stage.NETIF_RECEIVE),
        holds=False,
    ),
    Station("ip", "IP", "ip_rcv", (Stage.IP_RCV,), holds=False),
    Station("tcp", "TCP", "tcp_v4_rcv", (Stage.TCP_RCV, Stage.UDP_RCV, Stage.SK_BACKLOG), holds=False),
    Station("sockbuf", "SOCKBUF", "sk_rcvbuf", (Stage.RECEIVE_QUEUE,), holds=True),
    Station("read", "read()", "recvmsg", (Stage.WAKEUP, Stage.SYS_READ), holds=True),
)
NIC, RING, SOFTIRQ, IP, TCP, SOCKBUF, READ = range(7)
N = len(STATIONS)

_STATION_OF_STAGE = {stage: k for k, station in enumerate(STATIONS) for stage in station.stages}
_RX = [_STATION_OF_STAGE.get(stage, -1) for stage in Stage]
_PLACE_OF_SENDING = {
    Stage.SYS_WRITE: 0, Stage.TCP_SENDMSG: 2, Stage.UDP_SENDMSG: 2, Stage.TCP_WRITE_XMIT: 2,
    Stage.IP_OUTPUT: 3, Stage.QDISC: 4, Stage.TX_RING: 5, Stage.WIRE: 6, Stage.RX_RING: 7,
    Stage.BACKLOG: 7, Stage.NETIF_RECEIVE: 7, Stage.IP_RCV: 7,
}  # fmt: skip
_TX = [_PLACE_OF_SENDING.get(stage, -1) for stage in Stage]
_RX_HOLDS = [s.holds for s in STATIONS]
_TX_HOLDS = [False, False, False, False, True, True, False]

_BEFORE_MEMORY = {"rx_missed_errors": RING, "link loss": NIC}
"""Losses of frames that never became an sk_buff, and so have no drop reason; and the station of each."""


def station_of_reason(reason: str) -> int:
    """The station at which what was lost for `reason` falls out of the picture; a SYN that was turned away at TCP."""
    known = _BEFORE_MEMORY.get(reason)
    if known is not None:
        return known
    stage = DropReason[reason].stage if reason in DropReason.__members__ else Stage.TCP_RCV
    return _RX[stage] if _RX[stage] >= 0 else N - 1 - _TX[stage]


@dataclass(frozen=True, slots=True)
class Mover:
    """One packet in the picture; `u` counts stations from the wire (0) to read() (7, exclusive)."""

    id: int
    kind: PacketKind
    u: float
    parked: bool
    depth: float = 0.0
    """0 while it lives; 0…1 while it falls out of its station."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that moves at one instant."""

    inbound: tuple[Mover, ...] = ()
    outbound: tuple[Mover, ...] = ()
    falling: tuple[tuple[int, float, int], ...] = ()
    """(station, depth 0…1, packets) of losses for which no brick is seen falling."""
    parked: tuple[int, ...] = (0,) * N
    """Packets that rest in each station."""
    thin: int = 1
    """One brick stands for this many packets."""


NOTHING_MOVES = Scene()


def _position(
    stamps: Sequence[tuple[int, int]],
    t: int,
    table: Sequence[int],
    holds: Sequence[bool],
    dwell: int,
    wire_ns: int,
    wire_station: int,
) -> tuple[float, bool, int]:
    """(u, parked, ns since the last known station was entered); u < 0: not in the picture."""
    at, enter = -1, 0
    for stage, ns in stamps:
        k = table[stage]
        if k <= at:
            continue
        if at < 0:
            if t < ns:
                return -1.0, False, 0
            enter = ns
        else:
            settled = enter + dwell
            if holds[at]:
                leave = max(settled, ns)
                if t < leave:
                    done = min(1.0, (t - enter) / dwell)
                    return at + PARKED * done, done >= 1.0, 0
                arrive = leave + dwell
                if t < arrive:
                    start = at + PARKED
                    return start + (k - start) * (t - leave) / dwell, False, 0
            else:
                arrive = max(settled, ns)
                if t < arrive:
                    return at + (k - at) * (t - enter) / (arrive - enter), False, 0
            enter = arrive
        at = k
    if at < 0:
        return -1.0, False, 0
    since = t - enter
    if at == wire_station:
        return at + INSIDE * min(1.0, since / max(wire_ns, dwell)), False, since
    reach = PARKED if at < len(holds) and holds[at] else INSIDE
    done = min(1.0, since / dwell)
    return at + reach * done, done >= 1.0, since


ENDS = frozenset(("delivered", "consumed", "merged")) | NO_LOSS
"""Fates with which a packet leaves the picture without a fall."""


def _mover(trace: PacketTrace, t: int, dwell: int, fall: int, wire_ns: int, *, inbound: bool) -> Mover | None:
    table, holds, wire = (_RX, _RX_HOLDS, NIC) if inbound else (_TX, _TX_HOLDS, 6)
    u, parked, since = _position(trace.stamps, t, table, holds, dwell, wire_ns, wire)
    if u < 0:
        return None
    depth = 0.0
    if since and trace.fate:
        if trace.fate in ENDS:
            if since >= dwell:
                return None
            u, parked = int(u) + INSIDE * since / dwell, False
        else:
            if since >= dwell + fall:
                return None
            depth = max(0.0, (since - dwell) / fall)
            at = station_of_reason(trace.fate) if inbound and trace.fate in _BEFORE_MEMORY else int(u)
            u = min(max(u, at), at + PARKED)
    if not inbound:
        u = N - 1 + INSIDE - u
        if u < 0:
            return None
    return Mover(trace.id, trace.kind, u, parked, depth)


def build(
    traces: Iterable[PacketTrace],
    losses: Iterable[Loss],
    t: int,
    focus: str,
    scale: int,
    wire_ns: Callable[[int], int],
    thin: int = 1,
    dwell_s: float = DWELL_S,
) -> Scene:
    """The scene of `traces` at `t` ns for host `focus` when `scale` ns are shown per wall second.

    `wire_ns` says how long a frame of some payload length is on its way, so that a packet whose arrival lies in
    the future already moves evenly.
    """
    inbound: list[Mover] = []
    outbound: list[Mover] = []
    parked = [0] * N
    dwell = max(1, int(dwell_s * scale))
    fall = max(1, int(FALL_S * scale))
    for trace in traces:
        comes = trace.destination == focus
        if not comes and trace.source != focus:
            continue
        mover = _mover(trace, t, dwell, fall, wire_ns(trace.length), inbound=comes)
        if mover is None:
            continue
        if comes:
            inbound.append(mover)
            if mover.parked:
                parked[int(mover.u)] += 1
        else:
            outbound.append(mover)
    seen_falling = {int(mover.u) for mover in inbound if mover.depth and thin == 1}
    falling = []
    for loss in losses:
        age, station = t - loss.time_ns, station_of_reason(loss.reason)
        if 0 <= age < fall and loss.unseen and station not in seen_falling:
            falling.append((station, age / fall, loss.packets))
    return Scene(tuple(inbound), tuple(outbound), tuple(falling), tuple(parked), thin)


def window_ns(scale: int, dwell_s: float = DWELL_S) -> int:
    """How far back traces are needed for the picture at `scale`."""
    return int(scale * (dwell_s * (N + 4) + FALL_S))


def latencies(traces: Sequence[PacketTrace], focus: str, most: int = 120) -> tuple[int | None, ...]:
    """Mean ns that the newest inbound packets spent in each station; None where nothing is known."""
    total, count = [0] * N, [0] * N
    for trace in traces[-most:]:
        if trace.destination != focus:
            continue
        at, entered = -1, 0
        for stage, ns in trace.stamps:
            k = _RX[stage]
            if k > at:
                if at >= 0:
                    total[at] += ns - entered
                    count[at] += 1
                at, entered = k, ns
    return tuple(total[k] // count[k] if count[k] else None for k in range(N))


def stage_within(trace: PacketTrace, station: int, t: int) -> Stage:
    """The stage at which a packet shown in `station` is, or was when it left it, at `t`."""
    found = STATIONS[station].stages[0]
    for stage, ns in trace.stamps:
        if _RX[stage] == station and ns <= t:
            found = Stage(stage)
    return found


def newest_stage(traces: Sequence[PacketTrace], t: int) -> tuple[PacketTrace, Stage] | None:
    """The packet that entered a stage last, and that stage."""
    best: tuple[int, PacketTrace, int] | None = None
    for trace in traces[-24:]:
        for stage, ns in trace.stamps:
            if ns <= t and (best is None or ns >= best[0]):
                best = (ns, trace, stage)
    return (best[1], Stage(best[2])) if best else None


_STATION_OF_WORD = {
    **{word: _RX[stage] for word, stage in places.STAGE_OF_WORD.items() if _RX[stage] >= 0},
    **{word: places.STATIONS.index(key) for word, key in places.STATION_OF_WORD.items()},
}


SENDING = (
    Stage.SYS_WRITE,
    Stage.TCP_SENDMSG,
    Stage.UDP_SENDMSG,
    Stage.TCP_WRITE_XMIT,
    Stage.IP_OUTPUT,
    Stage.QDISC,
    Stage.TX_RING,
)
"""A packet's stages before the wire."""
_SENDING_WORDS = {
    **{word: stage for word, stage in places.STAGE_OF_WORD.items() if stage in SENDING},
    places.squeezed(Stage.TX_COMPLETION.name): Stage.TX_RING,
}


def sending_stage(look_at: str, newest: tuple[PacketTrace, Stage] | None) -> Stage | None:
    """The stage of sending that the story points at, or else the one the newest packet is in."""
    named = _SENDING_WORDS.get(places.squeezed(look_at))
    if named is not None or newest is None:
        return named
    return newest[1] if newest[1] in SENDING else None


def sending_station(stage: Stage) -> int:
    """The station under which the lane back shows a stage of sending."""
    return N - 1 - _TX[stage]


def highlighted(look_at: str) -> tuple[int, str]:
    """(station or -1, pane or "") that a beat's `look_at` names."""
    word = places.squeezed(look_at)
    station = _STATION_OF_WORD.get(word, -1)
    return station, places.PANE_OF_WORD.get(word, "journey" if station >= 0 else "")
