"""Data and FINs at the right edge of a small window, as Linux 6.18.44 took them from a peer behind a TUN device."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests.groundtruth.raw_peer import MS, RawLab, answer_text
from wireside.catalog.tcp_states import TcpState

SMALL = ("SO_RCVBUF", 4000)
"""Promises 2,920 bytes."""


class Story(NamedTuple):
    """Segments (flags, first byte, bytes) that come 60 ms apart, and the kernel's last answer, state and BeyondWindow."""

    option: tuple[str, int]
    segments: tuple[tuple[str, int, int], ...]
    answer: str
    state: TcpState
    beyond: int = 0


FULL = (("P.", 0, 1000), ("P.", 1000, 2000))
STORIES = {
    "a FIN at a closed window": Story(
        SMALL, (*FULL, ("F.", 3000, 0)), ". seq=0 ack=3001 len=0", TcpState.CLOSE_WAIT
    ),
    "a FIN beyond a closed window": Story(
        SMALL, (*FULL, ("F.", 3001, 0)), ". seq=0 ack=3000 len=0", TcpState.ESTABLISHED, 1
    ),
    "a FIN with data at a closed window": Story(
        SMALL, (*FULL, ("PF.", 3000, 1)), ". seq=0 ack=3000 len=0", TcpState.ESTABLISHED, 1
    ),
    "a FIN behind data that fill the window": Story(
        SMALL, (("P.", 0, 1000), ("PF.", 1000, 2000)), ". seq=0 ack=3001 len=0", TcpState.CLOSE_WAIT
    ),
    "a FIN behind data that go beyond": Story(
        SMALL, (("P.", 0, 1000), ("PF.", 1000, 2001)), ". seq=0 ack=1000 len=0", TcpState.ESTABLISHED, 1
    ),
    "a FIN at the edge before the data": Story(
        SMALL, (("P.", 0, 1000), ("F.", 3000, 0)), ". seq=0 ack=1000 len=0", TcpState.ESTABLISHED
    ),
    "data that fill the window exactly": Story(SMALL, FULL, ". seq=0 ack=3000 len=0", TcpState.ESTABLISHED),
    "one byte too many": Story(
        SMALL, (("P.", 0, 1000), ("P.", 1000, 2001)), ". seq=0 ack=1000 len=0", TcpState.ESTABLISHED, 1
    ),
    "too much at once into an empty queue": Story(
        SMALL, (("P.", 0, 3500),), ". seq=0 ack=3500 len=0", TcpState.ESTABLISHED
    ),
}


def played(story: Story) -> tuple[str, TcpState, int]:
    """The last answer, the connection's state and BeyondWindow."""
    lab = RawLab()
    option, value = story.option
    listener = lab.listen(**{option: value})
    lab.peer.send(40000, 8080, "S", win=65535, mss=1460, wscale=None)
    lab.wait(10 * MS)
    lab.peer.send(40000, 8080, ".", seq=1, ack=1, win=65535)
    lab.wait(10 * MS)
    fd = lab.sys("accept", listener)
    for flags, first, length in story.segments:
        lab.peer.send(40000, 8080, flags, seq=1 + first, ack=1, win=65535, length=length)
        lab.wait(60 * MS)
    answers = [answer_text(lab, skb) for _, skb in lab.arrivals()]
    return answers[-1], lab.task.files[fd].private_data.sk_state, lab.counters().get("BeyondWindow", 0)


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES.keys())
def test_at_the_edge_of_the_window(story: Story) -> None:
    assert played(story) == (story.answer, story.state, story.beyond)


def test_one_byte_too_many_is_no_prediction() -> None:
    """The header is as predicted, there is memory, and a program has not read: the segment is refused all the same."""
    lab = RawLab()
    listener = lab.listen(SO_RCVBUF=2304)
    lab.peer.send(40000, 8080, "S", win=65535, mss=1460, wscale=None)
    lab.wait(10 * MS)
    lab.peer.send(40000, 8080, ".", seq=1, ack=1, win=65535)
    lab.wait(10 * MS)
    fd = lab.sys("accept", listener)
    tp = lab.task.files[fd].private_data
    for _ in range(18):
        lab.peer.send(40000, 8080, ".", seq=tp.rcv_nxt - tp.irs, ack=1, win=65535, length=50)
        lab.wait(1 * MS)
    assert lab.sys("read", fd, 100_000) == 900
    lab.wait(60 * MS)
    room = tp.rcv_wup + tp.rcv_wnd - tp.rcv_nxt
    for length in (100, room - 150):
        lab.peer.send(40000, 8080, ".", seq=tp.rcv_nxt - tp.irs, ack=1, win=65535, length=length)
        lab.wait(1 * MS)
    lab.arrivals()
    last = tp.rcv_nxt - tp.irs
    hits = lab.counters()["TCPHPHits"]
    lab.peer.send(40000, 8080, ".", seq=last, ack=1, win=65535, length=51)
    lab.wait(1 * MS)
    assert tp.pred_flags
    assert tp.sk_forward_alloc >= 832
    assert (lab.counters()["BeyondWindow"], lab.counters()["TCPHPHits"]) == (1, hits)
    assert [answer_text(lab, skb) for _, skb in lab.arrivals()] == [f". seq=0 ack={last - 1} len=0"]
