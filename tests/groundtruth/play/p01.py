"""P01: out-of-order, duplicate and overlapping data."""

from __future__ import annotations

from tests.groundtruth.raw_peer import MS, RawConnection, RawLab, answer_text

COUNTED = (
    "TCPOFOQueue",
    "TCPOFOMerge",
    "TCPDSACKOldSent",
    "TCPDSACKOfoSent",
    "DelayedACKLost",
    "TCPChallengeACK",
)
STEPS = (
    ("1 in order [0,100)", 0, 100, "a"),
    ("2 gap, then [200,300)", 200, 300, "c"),
    ("3 second gap, [400,500)", 400, 500, "e"),
    ("4 first gap filled [100,200)", 100, 200, "b"),
    ("5 duplicate [100,200)", 100, 200, "b"),
    ("6 overlap [250,400)", 250, 400, "d"),
)


def step(lab: RawLab, peer: RawConnection, start: int, end: int) -> dict[str, object]:
    """One segment, and what it made the host do."""
    before = lab.counters()
    lab.arrivals()
    lab.peer.send(peer.sport, peer.port, "P.", seq=1 + start, ack=1, length=end - start)
    lab.wait(30 * MS)
    row = lab.connection()
    moved = {name: value - before.get(name, 0) for name, value in lab.counters().items() if name in COUNTED}
    return {
        "answers": [answer_text(lab, skb) for _, skb in lab.arrivals()],
        "state": "ESTABLISHED" if row.state == "ESTAB" else row.state,
        "recv_q": row.recv_q,
        "counters": {name: value for name, value in moved.items() if value},
    }


def play() -> dict[str, object]:
    """With and without SACK."""
    result: dict[str, object] = {}
    for sack in (True, False):
        lab = RawLab()
        listener = lab.listen()
        peer = RawConnection(lab, sack_ok=sack)
        fd = peer.accept(listener)
        for name, start, end, _ in STEPS:
            result[f"sack={sack} {name}"] = step(lab, peer, start, end)
        assert lab.sys("recv", fd, 65536) == 500
        result[f"sack={sack} data"] = "".join(letter * 100 for letter in "abcde")
    return result
