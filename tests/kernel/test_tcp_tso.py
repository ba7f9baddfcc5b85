"""Super-packets: how skbs grow before they leave and what they carry, as measured on Linux 6.18.44 with a TUN peer."""

from __future__ import annotations

import pytest

from tests.groundtruth.raw_peer import LETTERS, MS, RawLab


def written(window, size, calls=1, rtt=3 * MS, **syn):
    """A peer with this window, and no window scale of its own, to whom so much is written: (host, its connection)."""
    lab = RawLab()
    listener = lab.listen()
    lab.peer.send(40000, 8080, "S", win=window, mss=1460, **syn)
    lab.wait(rtt)
    lab.peer.send(40000, 8080, ".", seq=1, ack=1, win=window)
    lab.wait(3 * MS)
    fd = lab.sys("accept", listener)
    lab.arrivals()
    lab.task.files[fd].nonblock = True
    for _ in range(calls):
        lab.sys("send", fd, size)
    lab.wait(1 * MS)
    return lab, lab.connection()


def letters(lab):
    """The flags of the segments that the peer has received."""
    return ["".join(letter for bit, letter in LETTERS if skb.tcp_flags & bit) for _, skb in lab.arrivals()]


@pytest.mark.parametrize(
    ("window", "size", "calls", "queued", "forward"),
    [
        (500, 1000, 1, 2664, 1432),
        (500, 1500, 1, 3164, 932),
        (500, 3000, 1, 4664, 3528),
        (500, 4000, 1, 7328, 864),
        (500, 8000, 1, 17984, 2496),
        (500, 100, 20, 3664, 432),
        (600, 4000, 1, 12320, 4064),
        (2000, 8000, 1, 12160, 128),
        (5000, 20000, 1, 28320, 352),
        (20000, 60000, 1, 54632, 2712),
    ],
)
def test_what_waits_behind_the_first_skb_moves_into_it(window, size, calls, queued, forward):
    _, row = written(window, size, calls)
    assert (row.sk_wmem_queued, row.sk_forward_alloc) == (queued, forward)


def test_a_super_packet_carries_psh():
    lab, _ = written(65535, 8000, wscale=7)
    assert letters(lab) == [".", ".", ".", ".", "P.", "P."]


def test_one_segment_alone_does_not():
    lab, _ = written(5000, 20000)
    assert letters(lab) == [".", "P.", "."]


def test_over_a_long_way_two_segments_go_together_and_splitting_reserves_memory():
    lab, row = written(500, 3000, rtt=40 * MS, wscale=7)
    assert letters(lab) == [".", "P.", "P."]
    assert (row.sk_wmem_queued, row.sk_forward_alloc) == (4664, 3528)
