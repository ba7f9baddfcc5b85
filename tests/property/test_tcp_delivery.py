"""What a TCP connection promises, whatever the network does to its segments."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.groundtruth.pair import MS, SECOND, PairLab, client_socket, server_socket, sys
from tests.groundtruth.raw_peer import RawConnection, RawLab
from wireside.catalog.inet import MASK
from wireside.kernel.tcp.sock.tcp_sock import TcpSock

FATES = (0, 0, 0, 0, None, 300_000, 3 * MS, 40 * MS)
"""What becomes of a frame: on time, lost, or late by so many ns."""
WRITES = st.lists(st.sampled_from((1, 100, 1448, 5000, 20_000)), min_size=1, max_size=6)


def writer(sizes):
    """Write so many bytes at a time, then close."""
    fd = yield from client_socket()
    for size in sizes:
        yield sys("send", fd, size)
    yield sys("close", fd)


def reader(taken):
    """Read to the end."""
    listener = yield from server_socket()
    fd = yield sys("accept", listener)
    while (count := (yield sys("recv", fd, 3000))) > 0:
        taken.append(count)
    taken.append(count)
    yield sys("close", fd)


class Weather:
    """Every frame's fate, drawn beforehand; after these the weather is fine."""

    def __init__(self, fates: list[int | None]) -> None:
        self.fates = fates

    def __call__(self, count: int, skb: object) -> int | None:
        return self.fates[count] if count < len(self.fates) else 0


def watch(lab: PairLab) -> None:
    """What must hold of every socket at any time."""
    for net in (lab.server, lab.client):
        for tp in net.sockets.values():
            if not isinstance(tp, TcpSock):
                continue
            queued = sum(skb.truesize for skb in (*tp.sk_receive_queue, *tp.out_of_order_queue))
            assert tp.sk_rmem_alloc == queued
            assert tp.sk_wmem_queued == sum(skb.truesize for skb in (*tp.tcp_rtx_queue, *tp.tcp_write_queue))
            segments = [(skb.gso_segs, skb.sacked) for skb in tp.tcp_rtx_queue]
            assert tp.packets_out == sum(segs for segs, _ in segments)
            assert tp.lost_out == sum(segs for segs, sacked in segments if sacked & 4)
            assert tp.retrans_out == sum(segs for segs, sacked in segments if sacked & 2)
            if tp.sack_ok:
                assert tp.sacked_out == sum(segs for segs, sacked in segments if sacked & 1)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    sizes=WRITES,
    data=st.lists(st.sampled_from(FATES), max_size=40),
    acks=st.lists(st.sampled_from(FATES), max_size=40),
    sack=st.booleans(),
    timestamps=st.booleans(),
    control=st.sampled_from(("reno", "cubic")),
)
def test_all_bytes_arrive_exactly_once_under_loss_and_reordering(
    sizes: list[int],
    data: list[int | None],
    acks: list[int | None],
    sack: bool,
    timestamps: bool,
    control: str,
) -> None:
    sysctl = {
        "net.ipv4.tcp_sack": str(int(sack)),
        "net.ipv4.tcp_timestamps": str(int(timestamps)),
        "net.ipv4.tcp_congestion_control": control,
    }
    lab = PairLab("wire", sysctl, delay_ns=2 * MS)
    lab.tap("client", Weather(data))
    lab.tap("server", Weather(acks))
    taken: list[int] = []
    lab.run(lab.server, reader(taken))
    lab.run(lab.client, writer(sizes), at=1 * MS)
    for _ in range(60):
        lab.wait(5 * MS)
        watch(lab)
    lab.wait(120 * SECOND)
    assert taken[-1] == 0
    assert sum(taken) == sum(sizes)
    assert [sk for sk in lab.client.sockets.values() if isinstance(sk, TcpSock)] == []


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    segments=st.lists(st.tuples(st.integers(0, 60), st.integers(1, 8)), min_size=1, max_size=25),
    reads=st.lists(st.integers(0, 3), min_size=25, max_size=25),
    rcvbuf=st.sampled_from((2304, 8192, 65536)),
    sack=st.booleans(),
)
def test_a_receiver_takes_each_byte_once_and_never_withdraws_its_window(
    segments: list[tuple[int, int]], reads: list[int], rcvbuf: int, sack: bool
) -> None:
    lab = RawLab()
    listener = lab.listen(SO_RCVBUF=rcvbuf)
    peer = RawConnection(lab, sack_ok=sack)
    fd = peer.accept(listener)
    tp = lab.task.files[fd].private_data
    edge, taken, known = 0, 0, set()
    for (start, length), read in zip(segments, reads, strict=False):
        lab.peer.send(peer.sport, peer.port, ".", seq=1 + start * 100, ack=1, length=length * 100)
        lab.wait(1 * MS)
        if read:
            taken += max(lab.sys("recv", fd, read * 250, "MSG_DONTWAIT"), 0)
            lab.wait(1 * MS)
        for _, skb in lab.arrivals():
            right = lab.peer.relative(skb)[1] + (skb.window << peer.wscale)
            assert right >= edge
            edge = right
        known.update(range(start, start + length))
        assert tp.sk_rmem_alloc == sum(skb.truesize for skb in (*tp.sk_receive_queue, *tp.out_of_order_queue))
        in_order = (tp.rcv_nxt - tp.irs - 1) & MASK
        assert in_order % 100 == 0
        assert all(block in known for block in range(in_order // 100))
    assert taken + lab.connection().recv_q == (tp.rcv_nxt - tp.irs - 1) & MASK
