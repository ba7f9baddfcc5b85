"""Everything that can hit a TIME-WAIT entry, and the entry that a closed socket in FIN-WAIT-2 is.

Measured on Linux 6.18.44, segment by segment: the host closed first, the entry is 1.3 s old, a raw peer sends. A line
says: with timestamps or not, the entry, tcp_rfc1337 | what hits it as "flags seq ack length TSval" | the answers as
"flags seq ack" | the state afterwards, "anew" when the 60 s began again | counters. The peer's FIN was its number 1 with
TSval 5003 (FIN-WAIT-2: nothing but the ACK of our FIN, 5002); ours was number 1.
"""

from __future__ import annotations

import pytest

from tests.groundtruth.pair import MS
from tests.groundtruth.raw_peer import RawLab
from tests.groundtruth.states import moved

SPORT, PORT = 40000, 8080
COUNTED = ("PAWSTimewait", "TCPACKSkippedTimeWait", "TCPACKSkippedFinWait2", "TcpOutRsts")
LETTERS = ((0x02, "S"), (0x01, "F"), (0x04, "R"), (0x08, "P"), (0x10, "."))

TABLE = """\
no TW 0 | S 1000 - 0 - | S. 0 1001 | SYN-RECV |
no TW 0 | S -1000 - 0 - | . 2 2 | TIME-WAIT |
no TW 0 | S 2 - 0 - | . 2 2 | TIME-WAIT |
no TW 0 | S 3 - 0 - | S. 0 4 | SYN-RECV |
no TW 0 | P 2 2 100 - | . 2 2 | TIME-WAIT anew |
no TW 0 | P -100 2 100 - | . 2 2 | TIME-WAIT anew |
no TW 0 | P 900000 2 100 - | . 2 2 | TIME-WAIT anew |
no TW 0 | - 2 2 0 - |  | TIME-WAIT anew |
no TW 0 | - 1 2 0 - | . 2 2 | TIME-WAIT anew |
no TW 0 | - 2 500 0 - |  | TIME-WAIT anew |
no TW 0 | F 1 2 0 - | . 2 2 | TIME-WAIT anew |
no TW 0 | F 1 2 0 -; F 1 2 0 -; F 1 2 0 - | . 2 2; . 2 2; . 2 2 | TIME-WAIT anew |
no TW 0 | F 1 2 0 - slow; F 1 2 0 - | . 2 2; . 2 2 | TIME-WAIT anew |
no TW 0 | F 2 2 0 - | . 2 2 | TIME-WAIT anew |
no TW 0 | R 2 - 0 - |  | - |
no TW 0 | R 1 - 0 - |  | TIME-WAIT |
no TW 0 | R 50 - 0 - |  | TIME-WAIT |
no TW 0 | R 2 2 0 - |  | - |
no TW 1 | R 2 - 0 - |  | TIME-WAIT |
no TW 1 | R 1 - 0 - |  | TIME-WAIT |
no TW 1 | R 50 - 0 - |  | TIME-WAIT |
no TW 1 | R 2 2 0 - |  | TIME-WAIT |
no TW 0 | S 5 2 0 - | . 2 2 | TIME-WAIT anew |
no TW 0 | - 2 - 0 - |  | TIME-WAIT anew |
no TW 0 | SF 50 - 0 - |  | - |
no FW2 0 | F 1 2 0 - | . 2 2 | TIME-WAIT anew |
no FW2 0 | P 1 2 10 - | R 2 0 | - | TcpOutRsts=1
no FW2 0 | FP 1 2 10 - | R 2 0 | - | TcpOutRsts=1
no FW2 0 | P 100 2 10 - | R 2 0 | - | TcpOutRsts=1
no FW2 0 | F 100 2 0 - | R 2 0 | - | TcpOutRsts=1
no FW2 0 | P 0 2 1 - | . 2 1 | FIN-WAIT-2 |
no FW2 0 | - 1 2 0 - |  | FIN-WAIT-2 |
no FW2 0 | R 1 - 0 - |  | - |
no FW2 0 | R 50 - 0 - |  | - |
no FW2 0 | R 0 - 0 - | . 2 1 | FIN-WAIT-2 |
no FW2 0 | S 50 - 0 - | R. - 51 | - | TcpOutRsts=1
no FW2 0 | S -50 - 0 - | . 2 1 | FIN-WAIT-2 |
no FW2 0 | P 900000 2 1 - | . 2 1 | FIN-WAIT-2 |
no FW2 0 | - 1 - 0 - |  | FIN-WAIT-2 |
ts TW 0 | S 1000 - 0 6000 | S. 0 1001 | SYN-RECV |
ts TW 0 | S -1000 - 0 4000 | . 2 2 | TIME-WAIT anew | PAWSTimewait=1
ts TW 0 | S 2 - 0 5003 | . 2 2 | TIME-WAIT |
ts TW 0 | S 3 - 0 5003 | S. 0 4 | SYN-RECV |
ts TW 0 | P 2 2 100 5100 | . 2 2 | TIME-WAIT anew |
ts TW 0 | P -100 2 100 4000 | . 2 2 | TIME-WAIT anew | PAWSTimewait=1
ts TW 0 | P 900000 2 100 5100 | . 2 2 | TIME-WAIT anew |
ts TW 0 | - 2 2 0 5100 |  | TIME-WAIT anew |
ts TW 0 | - 1 2 0 5100 | . 2 2 | TIME-WAIT anew |
ts TW 0 | - 2 500 0 5100 |  | TIME-WAIT anew |
ts TW 0 | F 1 2 0 5100 | . 2 2 | TIME-WAIT anew |
ts TW 0 | F 1 2 0 4000 | . 2 2 | TIME-WAIT anew | PAWSTimewait=1
ts TW 0 | F 1 2 0 5100; F 1 2 0 5101; F 1 2 0 5102 | . 2 2; . 2 2; . 2 2 | TIME-WAIT anew |
ts TW 0 | F 1 2 0 5100 slow; F 1 2 0 5101 | . 2 2; . 2 2 | TIME-WAIT anew |
ts TW 0 | F 2 2 0 5100 | . 2 2 | TIME-WAIT anew |
ts TW 0 | R 2 - 0 5100 |  | - |
ts TW 0 | R 1 - 0 5100 |  | TIME-WAIT |
ts TW 0 | R 50 - 0 5100 |  | TIME-WAIT |
ts TW 0 | R 2 2 0 5100 |  | - |
ts TW 1 | R 2 - 0 5100 |  | TIME-WAIT |
ts TW 1 | R 1 - 0 5100 |  | TIME-WAIT |
ts TW 1 | R 50 - 0 5100 |  | TIME-WAIT |
ts TW 1 | R 2 2 0 5100 |  | TIME-WAIT |
ts TW 0 | R 2 - 0 4000 |  | TIME-WAIT | PAWSTimewait=1
ts TW 0 | S 5 2 0 5100 | . 2 2 | TIME-WAIT anew |
ts TW 0 | - 2 - 0 5100 |  | TIME-WAIT anew |
ts TW 0 | SF 50 - 0 5100 |  | - |
ts FW2 0 | F 1 2 0 5100 | . 2 2 | TIME-WAIT anew |
ts FW2 0 | P 1 2 10 5100 | R 2 0 | - | TcpOutRsts=1
ts FW2 0 | FP 1 2 10 5100 | R 2 0 | - | TcpOutRsts=1
ts FW2 0 | P 100 2 10 5100 | R 2 0 | - | TcpOutRsts=1
ts FW2 0 | F 100 2 0 5100 | R 2 0 | - | TcpOutRsts=1
ts FW2 0 | P 0 2 1 5100 | . 2 1 | FIN-WAIT-2 |
ts FW2 0 | - 1 2 0 5100 |  | FIN-WAIT-2 |
ts FW2 0 | R 1 - 0 5100 |  | - |
ts FW2 0 | R 50 - 0 5100 |  | - |
ts FW2 0 | R 0 - 0 5100 | . 2 1 | FIN-WAIT-2 |
ts FW2 0 | S 50 - 0 5100 | R. - 51 | - | TcpOutRsts=1
ts FW2 0 | S -50 - 0 5100 | . 2 1 | FIN-WAIT-2 |
ts FW2 0 | P 900000 2 1 5100 | . 2 1 | FIN-WAIT-2 |
ts FW2 0 | - 1 - 0 5100 |  | FIN-WAIT-2 |
ts TW 0 | S 1000 - 0 4000 | . 2 2 | TIME-WAIT anew | PAWSTimewait=1
ts TW 0 | S -1000 - 0 6000 | S. 0 -999 | SYN-RECV |
ts TW 0 | S 1000 - 0 - | S. 0 1001 | SYN-RECV |
ts TW 0 | S -1000 - 0 - | . 2 2 | TIME-WAIT |
ts TW 0 | S 1000 - 0 5003 | S. 0 1001 | SYN-RECV |
ts TW 0 | S -1000 - 0 5003 | . 2 2 | TIME-WAIT |
no TW 0 | S 1000 - 0 5 | S. 0 1001 | SYN-RECV |
no TW 0 | - 1 2 0 -; - 1 2 0 -; - 1 2 0 - | . 2 2; ;  | TIME-WAIT anew | TCPACKSkippedTimeWait=2
no TW 0 | S -1000 - 0 -; S -1000 - 0 -; S -1000 - 0 - | . 2 2; ;  | TIME-WAIT | TCPACKSkippedTimeWait=2
no TW 0 | P 2 2 10 -; P 2 2 10 -; P 2 2 10 - | . 2 2; . 2 2; . 2 2 | TIME-WAIT anew |
no FW2 0 | - 0 2 0 -; - 0 2 0 -; - 0 2 0 - | . 2 1; ;  | FIN-WAIT-2 | TCPACKSkippedFinWait2=2
"""


class Entry:
    """A connection that the host closed first, up to FIN-WAIT-2 or TIME-WAIT."""

    def __init__(self, *, timestamps: bool, fin: bool, rfc1337: str) -> None:
        self.lab = lab = RawLab({"net.ipv4.tcp_rfc1337": rfc1337})
        self.timestamps = timestamps
        lab.wait(1234 * MS)
        listener = lab.listen(PORT)
        self.put("S", 0, None, ts=5000, mss=1460)
        self.put("", 1, 1, ts=5001)
        lab.sys("close", lab.sys("accept", listener))
        lab.wait(20 * MS)
        self.put("", 1, 2, ts=5002)
        if fin:
            self.put("F", 1, 2, ts=5003)
        lab.wait(1300 * MS)
        lab.arrivals()

    def put(self, flags: str, seq: int, ack: int | None, *, ts: int | None, **fields: int) -> None:
        """Send a segment and wait 20 ms; TSval only if the connection has timestamps or this segment is told to."""
        lab = self.lab
        if ts is not None and (self.timestamps or ts < 1000):
            echoed = next((skb.tsval for _, skb in reversed(lab.peer.received) if skb.tsval is not None), 0)
            fields["ts"] = (ts, echoed)  # type: ignore[assignment]
        lab.peer.send(SPORT, PORT, flags, seq=seq, ack=ack, win=65535, **fields)
        lab.wait(20 * MS)

    def hit(self, text: str) -> str:
        """One segment of the table, and the answer to it."""
        flags, seq, ack, length, tsval, *slow = text.split()
        self.put(
            flags.strip("-"),
            int(seq),
            None if ack == "-" else int(ack),
            ts=None if tsval == "-" else int(tsval),
            length=int(length),
            **({"mss": 1460} if "S" in flags else {}),
        )
        answers = [self.text(skb) for _, skb in self.lab.arrivals()]
        self.lab.wait(650 * MS if slow else 30 * MS)
        return " ".join(answers)

    def text(self, skb) -> str:
        """An answer as the table has it; a RST to a SYN has no number of ours."""
        seq, ack = self.lab.peer.relative(skb)
        flags = "".join(letter for bit, letter in LETTERS if skb.tcp_flags & bit)
        if not skb.tcp_flags & 0x10:
            return f"{flags} {seq} 0"
        return f"{flags} {seq if flags != 'R.' else '-'} {ack if ack < 1 << 31 else ack - (1 << 32)}"


@pytest.mark.parametrize("line", TABLE.splitlines())
def test_what_a_segment_does_to_the_entry(line: str) -> None:
    """Answers, state, whether the timer began anew, and counters."""
    setting, hits, answers, expected, counters = (part.strip() for part in line.split("|"))
    timestamps, kind, rfc1337 = setting.split()
    entry = Entry(timestamps=timestamps == "ts", fin=kind == "TW", rfc1337=rfc1337)
    lab = entry.lab
    before = lab.world.snapshot().host("host")
    assert "; ".join(entry.hit(text) for text in hits.split("; ")).strip() == answers
    lab.wait(100 * MS)
    host = lab.world.snapshot().host("host")
    rows = [row for row in host.sockets if row.state != "LISTEN"]
    state, _, anew = expected.partition(" ")
    assert [row.state for row in rows] == ([] if state == "-" else [state])
    if rows and rows[0].timer.startswith("timewait"):
        assert rows[0].timer.startswith("timewait,59") == bool(anew)
    assert " ".join(f"{name}={value}" for name, value in moved(host, before, COUNTED).items()) == counters
