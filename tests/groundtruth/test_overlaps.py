"""Segments that come twice, overlap, or leave holes: the ACK and SACK blocks after each, and what is counted.

Measured on Linux 6.18.44 with a raw peer. A line says: name | options (sack, plain, or sack with tcp_dsack=0) | steps as
"first byte+length flags: what is acknowledged, then SACK blocks, a D-SACK first" | counters. "-" is no answer.
"""

from __future__ import annotations

import pytest

from tests.groundtruth.pair import MS
from tests.groundtruth.raw_peer import RawConnection, RawLab

COUNTED = ("TCPOFOQueue", "TCPOFOMerge", "TCPDSACKOfoSent", "TCPDSACKOldSent", "TCPRcvCoalesce")

TABLE = """\
dup | sack | 101+100P: 1 sack 101:201 / 101+100P: 1 sack 101:201 sack 101:201 / 1+100P: 201 | TCPOFOQueue=2 TCPOFOMerge=1 TCPDSACKOfoSent=1
dup | plain | 101+100P: 1 / 101+100P: 1 / 1+100P: 201 | TCPOFOQueue=2 TCPOFOMerge=1
left overlap | sack | 101+100P: 1 sack 101:201 / 51+100P: 1 sack 101:151 sack 51:201 / 1+100P: 201 sack 51:101 | TCPOFOQueue=2 TCPDSACKOfoSent=1 TCPDSACKOldSent=1
left overlap | plain | 101+100P: 1 / 51+100P: 1 / 1+100P: 201 | TCPOFOQueue=2
right overlap | sack | 101+100P: 1 sack 101:201 / 151+100P: 1 sack 151:201 sack 101:251 / 1+100P: 251 | TCPOFOQueue=2 TCPDSACKOfoSent=1
cover | sack | 101+100P: 1 sack 101:201 / 51+200P: 1 sack 101:201 sack 51:251 / 1+100P: 251 sack 51:101 | TCPOFOQueue=2 TCPOFOMerge=1 TCPDSACKOfoSent=1 TCPDSACKOldSent=1
cover two | sack | 101+50P: 1 sack 101:151 / 201+50P: 1 sack 201:251 sack 101:151 / 51+300P: 1 sack 101:151 sack 51:351 / 1+100P: 351 sack 51:101 | TCPOFOQueue=3 TCPOFOMerge=2 TCPDSACKOfoSent=1 TCPDSACKOldSent=1
cover two | plain | 101+50P: 1 / 201+50P: 1 / 51+300P: 1 / 1+100P: 351 | TCPOFOQueue=3 TCPOFOMerge=2
inside | sack | 101+200P: 1 sack 101:301 / 151+50P: 1 sack 151:201 sack 101:301 / 1+200P: 301 sack 101:201 | TCPOFOQueue=2 TCPOFOMerge=1 TCPDSACKOfoSent=1 TCPDSACKOldSent=1
fill partial | sack | 101+100P: 1 sack 101:201 / 1+150P: 201 sack 101:151 | TCPOFOQueue=1 TCPDSACKOldSent=1
fill all | sack | 101+100P: 1 sack 101:201 / 1+300P: 301 sack 101:201 | TCPOFOQueue=1 TCPDSACKOldSent=1
fin ofo | sack | 101+50FP: 1 sack 101:152 / 1+100P: 152 | TCPOFOQueue=1 TCPRcvCoalesce=1
three holes | sack | 101+50P: 1 sack 101:151 / 201+50P: 1 sack 201:251 sack 101:151 / 301+50P: 1 sack 301:351 sack 201:251 sack 101:151 / 401+50P: 1 sack 401:451 sack 301:351 sack 201:251 sack 101:151 / 501+50P: 1 sack 501:551 sack 401:451 sack 301:351 sack 201:251 / 1+100P: 151 sack 501:551 sack 401:451 sack 301:351 sack 201:251 / 151+50P: 251 sack 501:551 sack 401:451 sack 301:351 | TCPOFOQueue=5 TCPRcvCoalesce=2
fin ofo | plain | 101+50FP: 1 / 1+100P: 152 | TCPOFOQueue=1 TCPRcvCoalesce=1
fin ofo dup | sack | 101+50FP: 1 sack 101:152 / 101+50FP: 1 sack 101:152 sack 101:152 / 1+100P: 152 | TCPOFOQueue=2 TCPOFOMerge=1 TCPDSACKOfoSent=1 TCPRcvCoalesce=1
same start longer | sack | 101+50P: 1 sack 101:151 / 101+150P: 1 sack 101:151 sack 101:251 / 1+100P: 251 | TCPOFOQueue=2 TCPOFOMerge=1 TCPDSACKOfoSent=1
same start longer | plain | 101+50P: 1 / 101+150P: 1 / 1+100P: 251 | TCPOFOQueue=2 TCPOFOMerge=1
same start shorter | sack | 101+150P: 1 sack 101:251 / 101+50P: 1 sack 101:151 sack 101:251 / 1+100P: 251 | TCPOFOQueue=2 TCPOFOMerge=1 TCPDSACKOfoSent=1
old dup | sack | 1+100P: 101 / 1+100P: 101 sack 1:101 | TCPDSACKOldSent=1
old partial | sack | 1+100P: 101 / 51+100P: 151 sack 51:101 | TCPDSACKOldSent=1
old partial | plain | 1+100P: 101 / 51+100P: 151 |
beyond window | sack | 900000+10P: 1 |
bridge | sack | 101+100P: 1 sack 101:201 / 301+100P: 1 sack 301:401 sack 101:201 / 151+200P: 1 sack 151:201 sack 101:401 / 1+100P: 401 | TCPOFOQueue=3 TCPDSACKOfoSent=1
bridge | plain | 101+100P: 1 / 301+100P: 1 / 151+200P: 1 / 1+100P: 401 | TCPOFOQueue=3
descending | sack | 401+100P: 1 sack 401:501 / 301+100P: 1 sack 301:501 / 201+100P: 1 sack 201:501 / 101+100P: 1 sack 101:501 / 1+100P: 501 | TCPOFOQueue=4
ofo 1 byte | sack | 3+1P: 1 sack 3:4 / 5+1P: 1 sack 5:6 sack 3:4 / 7+1P: 1 sack 7:8 sack 5:6 sack 3:4 / 9+1P: 1 sack 9:10 sack 7:8 sack 5:6 sack 3:4 / 11+1P: 1 sack 11:12 sack 9:10 sack 7:8 sack 5:6 / 1+2P: 4 sack 11:12 sack 9:10 sack 7:8 sack 5:6 | TCPOFOQueue=5 TCPRcvCoalesce=1
many old | sack | 1+100P: 101 / 1+50P: 101 sack 1:51 / 51+50P: 101 sack 51:101 / 1+100P: 101 sack 1:101 | TCPDSACKOldSent=3
dup | no-dsack | 101+100P: 1 sack 101:201 / 101+100P: 1 sack 101:201 / 1+100P: 201 | TCPOFOQueue=2 TCPOFOMerge=1
old dup | no-dsack | 1+100P: 101 / 1+100P: 101 |
"""


def answer(lab: RawLab) -> str:
    """What the host has sent since the last call, relative to the peer's numbers."""
    texts = []
    for _, skb in lab.arrivals():
        _, ack = lab.peer.relative(skb)
        blocks = (f" sack {start - lab.peer.isn}:{end - lab.peer.isn}" for start, end in skb.sack or ())
        texts.append(f"{ack}{''.join(blocks)}")
    return ", ".join(texts) or "-"


@pytest.mark.parametrize("line", TABLE.splitlines())
def test_what_overlaps_are_answered_with(line: str) -> None:
    """Each answer, 60 ms after its segment at the latest."""
    _, options, steps, counters = (part.strip() for part in line.split("|"))
    lab = RawLab({"net.ipv4.tcp_dsack": "0" if options == "no-dsack" else "1"})
    listener = lab.listen()
    connection = RawConnection(lab, wscale=None, sack_ok=options != "plain")
    connection.accept(listener)
    lab.arrivals()
    for step in steps.split(" / "):
        segment, _, expected = step.partition(": ")
        first, _, rest = segment.partition("+")
        length = rest.rstrip("PF")
        flags = rest[len(length) :] + "."
        lab.peer.send(
            connection.sport, connection.port, flags, seq=int(first), ack=1, win=65535, length=int(length)
        )
        lab.wait(60 * MS)
        assert (step, answer(lab)) == (step, expected)
    found = lab.counters()
    assert " ".join(f"{name}={found[name]}" for name in COUNTED if name in found) == counters
