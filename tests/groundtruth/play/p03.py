"""P03: segments to ports without a connection."""

from __future__ import annotations

from tests.groundtruth.raw_peer import LETTERS, MS, RawLab

SEGMENTS: tuple[tuple[str, str, int | None, int], ...] = (
    ("ACK", ".", 777, 0),
    ("data", "P.", 777, 5),
    ("FIN", "F.", 777, 0),
    ("RST", "R", None, 0),
    ("SYN-ACK", "S.", 777, 0),
    ("SYN+FIN", "SF", None, 0),
    ("no flags", "", None, 0),
    ("SYN with data", "S", None, 5),
)


def one(port: int, flags: str, ack: int | None, length: int) -> dict[str, object]:
    """Send one segment out of nowhere; its answer, what it left, what was counted."""
    lab = RawLab()
    lab.listen(8080)
    lab.peer.send(40000, port, flags, seq=1000, ack=ack, length=length)
    lab.wait(20 * MS)
    answers = []
    for _, skb in lab.arrivals():
        text = "".join(letter for bit, letter in LETTERS if skb.tcp_flags & bit)
        answers.append(f"{text} seq={'isn' if skb.tcp_flags & 2 else skb.seq} ack={skb.ack_seq}")
    snapshot = lab.world.snapshot().host("host")
    states: dict[str, int] = {}
    for row in snapshot.sockets:
        if row.state != "LISTEN":
            name = row.state.replace("-", "_")
            states[name] = states.get(name, 0) + 1
    resets = snapshot.counters["TcpOutRsts"]
    return {"answer": answers, "states": states, "counters": {"TcpOutRsts": resets} if resets else {}}


def play() -> dict[str, object]:
    """Every segment to a listener and to a closed port."""
    result: dict[str, object] = {}
    for where, port in (("LISTEN", 8080), ("closed port", 8081)):
        for name, flags, ack, length in SEGMENTS:
            result[f"{where}: {name}"] = one(port, flags, ack, length)
    return result
