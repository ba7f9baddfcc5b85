"""The named behaviours a scenario's programs may have, each declared once with its parameters; sim carries them out."""

from __future__ import annotations

from dataclasses import dataclass

from wireside.scenario.units import Kind, UnitError, advice, parse

Value = int | float | str


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: what kind of value, its default (None: must be given), and whether it is a knob while the program runs."""

    name: str
    kind: Kind
    default: Value | None
    doc: str
    live: bool = False


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A program that sim knows how to run."""

    name: str
    doc: str
    parameters: tuple[Parameter, ...] = ()

    def parameter(self, name: str) -> Parameter | None:
        """The parameter called `name`, if there is one."""
        return next((each for each in self.parameters if each.name == name), None)


_PORT = Parameter("port", Kind.PORT, None, "Port to listen on.")
_TO = Parameter("to", Kind.ENDPOINT, None, "HOST:PORT to send to.")
_READ = Parameter(
    "read",
    Kind.BOOL,
    1,
    "Whether it reads at all; false: the program sleeps and its buffer fills.",
    live=True,
)
_RCVBUF = Parameter(
    "rcvbuf", Kind.SIZE, 0, "SO_RCVBUF to set before listen() or bind(); 0 leaves the default."
)

_BACKLOG = Parameter("backlog", Kind.COUNT, 128, "Argument of listen().")
_REQUEST = Parameter("request", Kind.SIZE, 100, "Bytes of each request.")
_ANSWER = Parameter("answer", Kind.SIZE, 1200, "Bytes of each answer.", live=True)
_BACKS_OFF = Parameter(
    "backs_off",
    Kind.BOOL,
    1,
    "Leaves its listener alone for 100 ms when accept() finds no descriptor; false: asks again at once, and spins.",
    live=True,
)
_NODELAY = Parameter("nodelay", Kind.BOOL, 0, "Sets TCP_NODELAY.", live=True)

BEHAVIOURS: dict[str, Behaviour] = {
    behaviour.name: behaviour
    for behaviour in (
        Behaviour(
            "tcp_sink",
            "Accepts one connection after the other and reads until the peer closes.",
            (
                _PORT,
                _BACKLOG,
                _RCVBUF,
                Parameter(
                    "rate", Kind.BYTE_RATE, 0, "Bytes per second it reads; 0: as fast as it can.", live=True
                ),
                Parameter("chunk", Kind.SIZE, 65536, "Size of each read().", live=True),
                Parameter("stop_after", Kind.SIZE, 0, "Stops reading after this many bytes; 0: never."),
                Parameter(
                    "resume_after",
                    Kind.TIME,
                    0,
                    "Starts reading again this long after it stopped; 0: never on its own.",
                ),
                _READ,
            ),
        ),
        Behaviour(
            "tcp_source",
            "Connects and writes.",
            (
                _TO,
                Parameter("total", Kind.SIZE, 0, "Bytes to write before close(); 0: without end."),
                Parameter("chunk", Kind.SIZE, 65536, "Size of each write().", live=True),
                Parameter(
                    "rate", Kind.BYTE_RATE, 0, "Bytes per second; 0: as fast as write() lets it.", live=True
                ),
                Parameter("sndbuf", Kind.SIZE, 0, "SO_SNDBUF to set before connect(); 0 leaves the default."),
                Parameter("nodelay", Kind.BOOL, 0, "Sets TCP_NODELAY before connect()."),
            ),
        ),
        Behaviour(
            "udp_sink",
            "Binds a datagram socket and reads datagrams.",
            (
                _PORT,
                _RCVBUF,
                Parameter(
                    "rate",
                    Kind.PACKET_RATE,
                    0,
                    "Datagrams per second it reads; 0: as fast as it can.",
                    live=True,
                ),
                Parameter(
                    "batch",
                    Kind.COUNT,
                    1,
                    "Datagrams it takes with one recvmmsg(); 1: recvfrom().",
                    live=True,
                ),
                _READ,
            ),
        ),
        Behaviour(
            "udp_source",
            "Sends datagrams at a steady rate.",
            (
                _TO,
                Parameter("size", Kind.SIZE, 100, "Payload of each datagram.", live=True),
                Parameter("pps", Kind.PACKET_RATE, None, "Datagrams per second, over all bursts.", live=True),
                Parameter("total", Kind.COUNT, 0, "Datagrams to send; 0: without end."),
                Parameter("burst", Kind.COUNT, 1, "Datagrams sent back to back each time.", live=True),
            ),
        ),
        Behaviour(
            "tcp_server",
            "One process, many connections: accepts, reads requests, answers them, closes when the client has closed.",
            (
                _PORT,
                _BACKLOG,
                _REQUEST,
                _ANSWER,
                Parameter(
                    "work",
                    Kind.TIME,
                    0,
                    "Time it works on each request; nobody else is served meanwhile.",
                    live=True,
                ),
                Parameter(
                    "closes_first",
                    Kind.BOOL,
                    0,
                    "Closes as soon as it has answered, not when the client has closed.",
                    live=True,
                ),
                _NODELAY,
                _BACKS_OFF,
            ),
        ),
        Behaviour(
            "tcp_leaker",
            "A server with a bug: it answers, and forgets to close.",
            (
                _PORT,
                _BACKLOG,
                _REQUEST,
                _ANSWER,
                Parameter(
                    "closes",
                    Kind.BOOL,
                    0,
                    "The bug fixed: it closes, and catches up on those it had forgotten.",
                    live=True,
                ),
                _BACKS_OFF,
            ),
        ),
        Behaviour(
            "tcp_slow_acceptor",
            "A server that does something else for a while, then accepts and answers all who wait, and so on.",
            (
                _PORT,
                _BACKLOG,
                _REQUEST,
                _ANSWER,
                Parameter("pause", Kind.TIME, None, "How long it does something else each time.", live=True),
            ),
        ),
        Behaviour(
            "tcp_visitors",
            "A population of clients: each visit connects, sends a request, reads the answer and closes.",
            (
                _TO,
                Parameter("rate", Kind.RATE, None, "Visits begun per second or minute; 0: none.", live=True),
                Parameter("total", Kind.COUNT, 0, "Visits to make; 0: without end."),
                _REQUEST,
                _ANSWER,
                Parameter(
                    "closes_first",
                    Kind.BOOL,
                    1,
                    "Closes when it has its answer; false: when the server has closed.",
                    live=True,
                ),
                Parameter(
                    "hold",
                    Kind.TIME,
                    0,
                    "How long it keeps the connection after the answer before it closes.",
                    live=True,
                ),
                Parameter("keepalive", Kind.BOOL, 0, "Sets SO_KEEPALIVE.", live=True),
            ),
        ),
        Behaviour("tcp_echo", "Accepts connections and writes back what it reads.", (_PORT,)),
        Behaviour(
            "tcp_ping",
            "Connects, writes a message, reads the answer, waits, and does it again.",
            (
                _TO,
                Parameter("size", Kind.SIZE, 100, "Bytes of each message.", live=True),
                Parameter(
                    "head",
                    Kind.SIZE,
                    0,
                    "Bytes of it that a write() of their own sends first; 0: one write() for all.",
                    live=True,
                ),
                Parameter("answer", Kind.SIZE, 0, "Bytes of each answer; 0: as long as the message."),
                _NODELAY,
                Parameter("every", Kind.TIME, 1_000_000, "Time from one message to the next.", live=True),
                Parameter("count", Kind.COUNT, 0, "Messages to send before close(); 0: without end."),
            ),
        ),
        Behaviour("idle", "Does nothing: a host that only its kernel answers for."),
    )
}


def with_defaults(run: str, params: dict[str, Value]) -> dict[str, Value]:
    """`params` of behaviour `run` with the default of every parameter that is not given."""
    declared = {each.name: each.default for each in BEHAVIOURS[run].parameters if each.default is not None}
    return {**declared, **params}


def parse_parameter(run: str, name: str, text: str) -> Value:
    """The value of a parameter given as text; UnitError when behaviour `run` has no such parameter or `text` does not fit."""
    behaviour = BEHAVIOURS[run]
    parameter = behaviour.parameter(name)
    if parameter is None:
        raise UnitError(
            f"{run} has no parameter {name!r}", advice(name, [each.name for each in behaviour.parameters])
        )
    value = parse(parameter.kind, text)
    if isinstance(value, int) and value < 0:
        raise UnitError(f"{text} is out of range", f"Write {parameter.kind.value} of 0 or more.")
    return value
