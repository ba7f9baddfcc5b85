"""A program that writes more than may be sent: its buffer, its marks, its cwnd. As measured on Linux 6.18.44 with a TUN peer."""

from __future__ import annotations

import pytest

from tests.groundtruth.raw_peer import MS, RawLab
from wireside.catalog.inet import PSH
from wireside.kernel.tcp.sock.tcp_stream import sk_stream_wait_memory, tcp_check_space

SEGMENTS_AT_WILL = {"net.ipv4.tcp_min_tso_segs": "255", "net.ipv4.tcp_early_retrans": "0"}
"""So that packets do not depend on the round trip that was measured."""


class Writer:
    """A connection to a peer with this MSS and window; `acked` and `sent` count from 1, as sequence numbers here do."""

    def __init__(self, mss: int, window: int = 65535, wscale: int | None = 7, *, gso: bool = True) -> None:
        self.lab = RawLab(SEGMENTS_AT_WILL, gso=gso)
        listener = self.lab.listen()
        self.lab.peer.send(40000, 8080, "S", win=window, mss=mss, wscale=wscale)
        self.lab.wait(10 * MS)
        self.lab.peer.send(40000, 8080, ".", seq=1, ack=1, win=window)
        self.lab.wait(10 * MS)
        self.fd = self.lab.sys("accept", listener)
        self.lab.task.files[self.fd].nonblock = True
        self.lab.arrivals()
        self.tp = self.lab.task.files[self.fd].private_data
        self.sent = 1

    def send(self, size: int, flags: str = "") -> int:
        """A non-blocking send(): the bytes taken."""
        taken = self.lab.sys("send", self.fd, size, flags)
        self.lab.wait(10 * MS)
        return taken

    def ack(self, ack: int, window: int = 65535) -> None:
        """The peer acknowledges."""
        self.lab.peer.send(40000, 8080, ".", seq=1, ack=ack, win=window)
        self.lab.wait(10 * MS)

    def out(self) -> list[tuple[int, int, bool]]:
        """(sequence number, length, PSH) of what the peer has received since the last call."""
        found = []
        for _, skb in self.lab.arrivals():
            seq, _ = self.lab.peer.relative(skb)
            found.append((seq, skb.len, bool(skb.tcp_flags & PSH)))
            self.sent = max(self.sent, seq + skb.len)
        return found


def test_sndbuf_follows_cwnd_while_a_writer_waits() -> None:
    host = Writer(536)
    assert host.send(400_000) == 70_216
    assert (host.tp.sk_sndbuf, host.tp.sk_wmem_queued) == (46_080, 72_712)
    host.ack(1 + 5 * 536)
    assert (host.tp.snd_cwnd, host.tp.sk_sndbuf) == (15, 69_120)
    host.out()
    host.ack(1 + 15 * 536)
    assert (host.tp.snd_cwnd, host.tp.sk_sndbuf) == (25, 115_200)
    assert host.send(400_000) == 80_936


def test_without_a_waiting_writer_it_stays() -> None:
    host = Writer(536)
    for _ in range(3):
        assert host.send(10 * 536) == 5360
        host.out()
        host.ack(host.sent)
    assert (host.tp.snd_cwnd, host.tp.sk_sndbuf) == (20, 46_080)


@pytest.mark.parametrize(
    ("mss", "window", "size", "marked"), [(536, 12_000, 9_000, 8_577), (1000, 65_535, 40_000, 39_001)]
)
def test_a_mark_of_forced_push_stays_while_the_call_goes_on(
    mss: int, window: int, size: int, marked: int
) -> None:
    """More than half of the window waits without PSH: it is set, and data of the same call that join the segment keep it."""
    host = Writer(mss, window, wscale=None)
    assert host.send(size, "MSG_MORE") == size
    pushes = {}
    for _ in range(40):
        pushes |= {seq: push for seq, _, push in host.out()}
        host.ack(host.sent, 3 * mss if mss == 536 else mss)
    assert max(pushes) == marked
    assert pushes[marked]


def test_a_blocked_writer_does_not_sleep_for_ever() -> None:
    """Sending at the end of the call enlarges the buffer and so takes back the mark of a waiting writer: it sets it again."""
    host = Writer(536)
    host.lab.task.files[host.fd].nonblock = False
    assert host.send(5360) == 5360
    host.out()
    host.ack(host.sent)
    host.tp.sk_nospace = True
    tcp_check_space(host.lab.cpu, host.tp)
    assert not host.tp.sk_nospace
    wake_at = sk_stream_wait_memory(host.lab.cpu, host.tp)
    assert host.tp.sk_nospace
    assert 8 * MS <= wake_at - host.lab.cpu.now <= 208 * MS


def test_a_window_that_opens_after_a_pause_finds_cwnd_begun_anew() -> None:
    host = Writer(1000)
    for _ in range(6):
        host.send(30_000)
        while host.out():
            host.ack(host.sent)
    assert host.tp.snd_cwnd == 70
    host.send(1000)
    host.out()
    host.ack(host.sent, 0)
    assert host.send(100_000) == 65_000
    host.lab.wait(1500 * MS)
    assert host.tp.snd_cwnd == 70
    host.ack(host.sent)
    assert (host.tp.snd_cwnd, host.tp.packets_out) == (10, 10)


def test_what_is_acknowledged_of_a_packet_gives_whole_pages_back() -> None:
    host = Writer(1000)
    host.send(20_000)
    found = []
    for acked in (1500, 3500, 7000, 12_000, 16_500, 18_000):
        host.ack(1 + acked)
        found.append((host.tp.sk_wmem_queued, host.tp.sk_forward_alloc))
        pages = -(-(host.tp.sk_wmem_queued + host.tp.sk_forward_alloc) // 4096)
        assert host.lab.net.machine.tcp_memory_allocated == pages
    assert found == [(21_828, 2748), (20_660, 3916), (16_328, 56), (9664, 2624), (4332, 3860), (2832, 1264)]


def small_buffer(*, gso: bool) -> list[tuple[int, int, int, int]]:
    """(taken, queued, cwnd, segments sent) of three writes through a buffer of 16 KiB, all acknowledged in between."""
    host = Writer(1460, gso=gso)
    host.lab.sys("setsockopt", host.fd, "SO_SNDBUF", 16_384)
    found = []
    for _ in range(3):
        taken = host.send(200_000)
        found.append((taken, host.tp.sk_wmem_queued, host.tp.snd_cwnd, len(host.out())))
        host.ack(host.sent)
    return found


def test_without_gso_each_skb_is_one_segment() -> None:
    """Fifteen of them, with their overhead, are all that a buffer of 32,768 bytes takes."""
    assert small_buffer(gso=False) == [
        (21_900, 34_380, 10, 10),
        (14_600, 34_380, 20, 15),
        (21_900, 34_380, 35, 15),
    ]


def test_with_gso_one_large_skb_goes_over_the_limit() -> None:
    taken, _, cwnd, sent = small_buffer(gso=True)[0]
    assert (taken, cwnd, sent) == (78_840, 10, 10)


def test_without_gso_no_packet_is_cut_and_none_carries_psh_for_it() -> None:
    host = Writer(1460, gso=False)
    host.send(14_600)
    assert [push for _, _, push in host.out()] == [False] * 9 + [True]
    assert host.tp.data_segs_out == 10
