"""A scenario as frozen data: what `load` makes of a YAML file and what `sim` builds a world from.

Every time is ns, every rate bits (or packets) per second, every size bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from wireside.catalog.rlimits import INR_OPEN_CUR
from wireside.errors import Position

if TYPE_CHECKING:
    from collections.abc import Mapping

NO_POSITION = Position("<built in code>", 1, 1)
MIN_RING, MAX_RING = 8, 32_768
"""Descriptors a ring may have, in a file and while it runs."""
MAX_RX_USECS_NS = 1_000_000_000
"""The longest time between two interrupts, in a file and while it runs."""


@dataclass(frozen=True, slots=True)
class TbfSpec:
    """A token bucket as queueing discipline: `tc qdisc add … tbf rate … burst … limit …`, in bytes."""

    rate_bps: int
    burst: int
    limit: int


@dataclass(frozen=True, slots=True)
class NicSpec:
    """A host's network device and its driver settings; defaults are an igb-like NIC."""

    kind: str = "nic"
    """"nic" (ring, IRQ, NAPI), "veth" (netif_rx into the per-CPU backlog) or "tun" (one skb per packet, no GRO)."""
    rx_ring: int = 256
    tx_ring: int = 256
    rx_refill_batch: int = 16
    rx_usecs_ns: int = 50_000
    """Least time between two interrupts (20,000 a second); 0 moderates nothing."""
    rx_frames: int = 1
    queues: int = 1
    """RX queues; queue q interrupts CPU q modulo the number of CPUs; flows are spread by hash (RSS)."""
    gro: bool = True
    tso: bool = True
    """The device cuts super-packets itself; else software does, in front of the driver."""
    gso: bool = True
    """There are super-packets at all."""
    rps_cpus: tuple[int, ...] = ()
    qdisc: str = "pfifo_fast"
    tbf: TbfSpec | None = None
    """A token bucket in the place of `qdisc`."""
    """"pfifo_fast" or "noqueue" (veth)."""
    txqueuelen: int = 1000
    copybreak: int = 256


@dataclass(frozen=True, slots=True)
class HostSpec:
    """One host: a network namespace with its own sysctls, on a machine with CPUs."""

    name: str
    address: str
    secondary: tuple[str, ...] = ()
    """Further addresses of the device."""
    cpus: int = 1
    nic: NicSpec = NicSpec()
    sysctl: Mapping[str, str] = field(default_factory=dict)
    """Full sysctl name to its checked text."""
    costs: Mapping[str, int] = field(default_factory=dict)
    """Stage name to ns, where it differs from the catalog's cost."""
    position: Position = NO_POSITION


@dataclass(frozen=True, slots=True)
class FramePattern:
    """What a frame on a wire must look like; a name that is empty, a port 0 and a number None is not compared.

    `flags` are tcpdump's letters in any order, `options` in the words of ToldFrame.options; `lost` is always compared.
    """

    source: str = ""
    sport: int = 0
    target: str = ""
    dport: int = 0
    protocol: str = ""
    flags: str | None = None
    seq: int | None = None
    ack: int | None = None
    win: int | None = None
    options: tuple[str, ...] | None = None
    length: int | None = None
    lost: bool = False


@dataclass(frozen=True, slots=True)
class LinkRule:
    """What a link does to a frame: "drop", "hold" (send it `hold_ns` later) or "duplicate"."""

    action: str
    pattern: FramePattern
    nth: int = 1
    """Which of the frames that look like the pattern; 0: each of them."""
    hold_ns: int = 0


@dataclass(frozen=True, slots=True)
class LinkSpec:
    """A full-duplex link between two hosts."""

    a: str
    b: str
    rate_bps: int = 1_000_000_000
    delay_ns: int = 50_000
    """One-way propagation delay."""
    loss: float = 0.0
    """Probability that a frame is lost, drawn from the link's own seeded stream."""
    mtu: int = 1500
    queue_limit: int = 10_000
    """Frames the sending device's wire side may hold; only reached with a rate far below the NIC's."""
    rules: tuple[LinkRule, ...] = ()
    """The first that concerns a frame decides; all count it."""
    position: Position = NO_POSITION


@dataclass(frozen=True, slots=True)
class Place:
    """Memory that the kernel fills in a call: kept in a variable, or promised; neither: it may fill it as it likes."""

    field: str = ""
    """Which part of a message header it is, such as "ee_errno"; empty for an argument of its own."""
    keep: str = ""
    """The variable that takes it."""
    must: int | str | None = None
    """What must come: a number, an errno or flags as their number, an address as "host:port" (* stands for any), a word."""


@dataclass(frozen=True, slots=True)
class Message:
    """struct msghdr of a recvmsg(): room for so many bytes (or a variable), and what the kernel fills."""

    iov_len: int | str
    places: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Watch:
    """struct pollfd of a poll(): a descriptor (or a variable), the events asked for, and a place for those that hold."""

    fd: int | str
    events: str
    revents: Place = Place("revents")


Argument: TypeAlias = int | float | str | Place | Message | tuple[Watch, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """One system call of a script: `result = name(args…) -> expected`.

    Arguments are ints (sizes, times in ns), strings (constants such as SO_RCVBUF, "host:port" addresses, and
    names of variables that earlier results were bound to), floats, or memory for the kernel to fill. `expected` is the text
    after `->`: a number, an errno name, or "" when anything will do.
    """

    name: str
    args: tuple[Argument, ...] = ()
    bind: str = ""
    expected: str = ""
    position: Position = NO_POSITION


@dataclass(frozen=True, slots=True)
class Break:
    """Leave the innermost loop: always, or when the value of `variable` compares so with `limit`.

    `limit` is a number or the name of an errno, whose negative is meant.
    """

    variable: str = ""
    comparison: str = "=="
    limit: str = "0"
    position: Position = NO_POSITION


@dataclass(frozen=True, slots=True)
class Loop:
    """Repeat `body` `times` times; `times` None means until a break or the end of the run."""

    body: tuple[Statement, ...]
    times: int | None = None
    position: Position = NO_POSITION


Statement: TypeAlias = Call | Break | Loop
"""What a script is made of."""


@dataclass(frozen=True, slots=True)
class ProgramSpec:
    """A program on a host: a named behaviour with parameters, or a script of system calls."""

    on: str
    name: str
    run: str = ""
    """A named behaviour (see sim.programs.BEHAVIOURS); empty for a script."""
    params: Mapping[str, int | float | str] = field(default_factory=dict)
    script: tuple[Statement, ...] = ()
    start_ns: int = 0
    cpu: int = 0
    parent: str = ""
    """The program whose fork() lets it begin; empty: it begins at `start_ns`."""
    nofile: int = INR_OPEN_CUR
    """RLIMIT_NOFILE."""
    position: Position = NO_POSITION


ECHO = -1
"""A TSecr that stands for the last timestamp of the other side."""


@dataclass(frozen=True, slots=True)
class WireSegment:
    """One hand-written TCP segment, UDP datagram or ICMP error, sent at `at_ns` by a wire peer.

    `flags` uses tcpdump letters ("S", "S.", ".", "P.", "F.", "R"). seq and ack are relative to the initial sequence numbers (as
    tcpdump prints them after the SYN). Options: mss, wscale, sackOK, ts (tsval, tsecr or ECHO), sack blocks.
    """

    at_ns: int
    protocol: str
    sport: int
    dport: int
    length: int = 0
    flags: str = ""
    seq: int = 0
    ack: int | None = None
    win: int = 65535
    mss: int | None = None
    wscale: int | None = None
    sack_ok: bool = False
    ts: tuple[int, int] | None = None
    sack: tuple[tuple[int, int], ...] = ()
    csum_bad: bool = False
    """The transport checksum is wrong."""
    daddr: str = ""
    """Destination address; empty: the host at the other end."""
    saddr: str = ""
    """Source address; empty: the peer's own. A network (198.18.0.0/15): another of its addresses each time."""
    unreachable: str = ""
    """Of an ICMP message: what cannot be reached (net, host, protocol, port, or "filtered"). It quotes the last
    segment that came from `dport` to `sport`."""
    repeat: int = 1
    every_ns: int = 0
    after: FramePattern | None = None
    """Sent `at_ns` after a frame like this came in; a `dport` 0 is then the port that frame came from."""
    nth: int = 1
    """Which of those frames; 0: each of them."""
    seq_answers: bool = False
    """`seq` is what that frame acknowledges."""
    ack_answers: bool = False
    """`ack` is where that frame ends."""
    position: Position = NO_POSITION


@dataclass(frozen=True, slots=True)
class WirePeerSpec:
    """A peer with no kernel of its own: it injects hand-written segments and records what comes back."""

    name: str
    address: str
    segments: tuple[WireSegment, ...] = ()
    position: Position = NO_POSITION


@dataclass(frozen=True, slots=True)
class Beat:
    """A moment of the story: at a time or when a condition first holds, say something."""

    say: str
    at_ns: int | None = None
    when: str = ""
    look_at: str = ""
    """A pane or stage name to highlight."""
    scale: int = 0
    """Simulated ns per wall second from here on; 0 leaves the speed."""
    pause: bool = False
    position: Position = NO_POSITION


@dataclass(frozen=True, slots=True)
class KnobSpec:
    """A knob that the scenario offers: a sysctl, `nic.rx_ring`, or a program's parameter."""

    host: str
    name: str
    """Full sysctl name, "nic.rx_ring", "nic.rx_usecs" or "program.PARAM" such as "reader.rate"."""
    values: tuple[str, ...] = ()
    """Sensible values to step through; empty: the catalog's."""
    doc: str = ""
    position: Position = NO_POSITION


@dataclass(frozen=True, slots=True)
class TranscriptLine:
    """One frame that a transcript wants; without a pattern, that no further frame comes.

    `time_ns` counts from the transcript's first frame or, with `since_last`, from the frame of the line before; None: any time.
    """

    text: str
    pattern: FramePattern | None
    time_ns: int | None = None
    since_last: bool = False
    tolerance_ns: int | None = None
    """Either way; None: what kernel timers allow."""
    after_gap: bool = False
    """Any number of frames may come between the line before and this one."""
    position: Position = NO_POSITION


@dataclass(frozen=True, slots=True)
class Transcript:
    """Frames that must pass on the link between two hosts (or wire peers), in this order, from `from_ns` on.

    A port other than 0 leaves out all frames that neither come from it nor go to it.
    """

    a: str
    a_port: int
    b: str
    b_port: int
    lines: tuple[TranscriptLine, ...]
    from_ns: int = 0


@dataclass(frozen=True, slots=True)
class Expectation:
    """A condition that must hold at a time (or at the end, when at_ns is None), or a transcript of a wire."""

    that: str
    at_ns: int | None = None
    position: Position = NO_POSITION
    transcript: Transcript | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """A whole scenario, checked."""

    id: str
    title: str
    summary: str
    duration_ns: int
    seed: int
    kernel: str
    hosts: tuple[HostSpec, ...]
    links: tuple[LinkSpec, ...]
    programs: tuple[ProgramSpec, ...] = ()
    wire_peers: tuple[WirePeerSpec, ...] = ()
    beats: tuple[Beat, ...] = ()
    knobs: tuple[KnobSpec, ...] = ()
    expect: tuple[Expectation, ...] = ()
    focus: str = ""
    """The host whose receive path the journey shows; default: the first host that listens or receives."""
    scale: int = 1_000_000_000
    """Simulated ns per wall second at the start."""
    teaches: tuple[str, ...] = ()
    path: str = ""
    text: str = field(default="", repr=False)
    """The file as it was read."""
