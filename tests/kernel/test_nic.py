"""The NIC: descriptors, interrupts, moderation, RSS, transmit ring and TSO."""

from __future__ import annotations

import pickle
from itertools import pairwise

from tests.kernel.lab import MS, US, Cable, Lab, host, tcp_frame, two_hosts, udp_frame
from wireside.catalog.inet import FIN, IPPROTO_TCP, PSH
from wireside.catalog.stages import Stage
from wireside.kernel.core.skbuff import SkBuff, skb_birth
from wireside.kernel.drivers.nic import ethtool_stats, rx_rate_pps, set_ring
from wireside.kernel.udp.udp import udp_bind, udp_recvmsg, udp_sendmsg, udp_socket

ACK = 0x10


def burst(nic, net, frames, when=0, gap=0):
    for number in range(frames):
        nic.frame_arrives(when + number * gap, udp_frame(net))


def test_a_ring_of_256_holds_255_frames_and_misses_the_rest():
    lab = Lab()
    net, nic = host(lab, rx_ring=256)
    burst(nic, net, 300)
    assert len(nic.queues[0].frames) == 255
    assert nic.rx_missed == 45
    stats = ethtool_stats(nic)
    assert (stats["rx_missed_errors"], stats["rx_no_buffer_count"], stats["rx_packets"]) == (45, 45, 255)
    assert not net.drops, "no sk_buff ever existed, so nothing can be dropped by reason"


def test_missed_frames_carry_their_fate():
    lab = Lab()
    net, nic = host(lab, rx_ring=2)
    burst(nic, net, 2)
    assert [skb.fate for skb in net.machine.trace] == ["", "rx_missed_errors"]


def test_with_several_queues_losses_count_per_queue():
    lab = Lab()
    net, nic = host(lab, cpus=2, queues=2, rx_ring=2)
    burst(nic, net, 5)
    stats = ethtool_stats(nic)
    assert stats["rx_missed_errors"] == 0
    assert stats["rx_fifo_errors"] == 4
    assert stats["rx_queue_0_drops"] + stats["rx_queue_1_drops"] == 4


def test_rss_keeps_a_flow_on_its_queue_and_uses_all_queues():
    lab = Lab()
    net, nic = host(lab, cpus=4, queues=4)
    for _ in range(2):
        for port in range(40):
            nic.frame_arrives(0, udp_frame(net, sport=1000 + port))
    for q in nic.queues:
        flows = [skb.flow for skb in q.frames]
        assert flows
        assert len(flows) == 2 * len(set(flows))


def test_one_interrupt_per_poll_while_masked():
    lab = Lab()
    net, nic = host(lab)
    burst(nic, net, 60)
    lab.run_until(5 * US)
    burst(nic, net, 20, when=lab.now)
    lab.drain()
    q = nic.queues[0]
    assert q.irqs == 1
    assert q.packets == 80
    assert not q.napi.scheduled


def test_the_interrupt_comes_when_the_frame_is_in_memory():
    lab = Lab()
    net, nic = host(lab)
    nic.frame_arrives(0, udp_frame(net))
    lab.drain()
    stamps = net.machine.trace[0].stamps
    path = list(zip(stamps[::2], stamps[1::2], strict=True))
    assert path[:3] == [(Stage.RX_RING, 0), (Stage.HARDIRQ, 900), (Stage.NAPI_POLL, 1900)]


def test_rx_usecs_gathers_frames_for_one_interrupt():
    lab = Lab()
    net, nic = host(lab, rx_usecs_ns=50 * US)
    for at in (0, 10 * US, 20 * US, 30 * US):
        lab.at(at, arrive_now, (lab, nic, udp_frame(net)))
    lab.run_until(9 * US)
    assert nic.queues[0].irqs == 1, "a lone frame does not wait"
    lab.run_until(49 * US)
    assert nic.queues[0].irqs == 1
    lab.run_until(60 * US)
    assert nic.queues[0].irqs == 2
    assert nic.queues[0].packets == 4


def test_rx_frames_ends_the_wait_early():
    lab = Lab()
    net, nic = host(lab, rx_usecs_ns=50 * US, rx_frames=4)
    burst(nic, net, 1)
    lab.run_until(10 * US)
    assert nic.queues[0].irqs == 1
    for at in (10 * US, 11 * US, 12 * US, 13 * US):
        lab.at(at, arrive_now, (lab, nic, udp_frame(net)))
    lab.run_until(16 * US)
    assert nic.queues[0].irqs == 2
    lab.drain()
    assert nic.queues[0].irqs == 2, "the wait that was running is cancelled"


def arrive_now(due):
    lab, nic, frame = due
    nic.frame_arrives(lab.now, frame)


def test_descriptors_go_back_in_batches():
    lab = Lab()
    net, nic = host(lab, rx_ring=64, rx_refill_batch=16)
    burst(nic, net, 24)
    lab.run_until(2 * US)
    q = nic.queues[0]
    assert (len(q.frames), q.unfilled) == (16, 8), "a slice took 8 frames, not yet a batch"
    lab.drain()
    assert (len(q.frames), q.unfilled) == (0, 0)


def test_a_larger_ring_takes_effect_at_once_and_a_smaller_one_loses_frames():
    lab = Lab()
    net, nic = host(lab, rx_ring=8)
    burst(nic, net, 20)
    assert nic.rx_missed == 13
    set_ring(nic, 32)
    burst(nic, net, 20)
    assert nic.rx_missed == 13
    set_ring(nic, 16)
    assert len(nic.queues[0].frames) == 15
    assert nic.rx_missed == 13 + 12


def test_truesize_of_received_frames():
    lab = Lab()
    net, nic = host(lab)
    sk = udp_socket(net)
    udp_bind(lab.cpu(net), sk, 0, 9)
    sizes = []
    for payload in (1, 164, 165, 214, 215, 1472):
        nic.frame_arrives(lab.now, udp_frame(net, payload))
        lab.drain(MS)
        sizes.append(sk.sk_rmem_alloc)
        assert udp_recvmsg(lab.cpu(net), sk, 2000) == payload
    assert sizes == [832, 832, 1280, 1280, 2304, 2304]


def test_arrival_rate_rises_and_falls():
    lab = Lab()
    net, nic = host(lab)
    burst(nic, net, 200, when=1000, gap=10 * US)
    assert 95_000 < rx_rate_pps(nic, nic.last_arrival) < 105_000
    assert rx_rate_pps(nic, nic.last_arrival + 1_000_000_000) == 1


def super_packet(net, segments=4, mss=1000, flags=ACK | PSH | FIN):
    flow = (net.address, 5000, net.address ^ 3, 80)
    length = segments * mss - 100
    skb = SkBuff(net.machine.skb_id(), flow, IPPROTO_TCP, length, 0xFFFFFF00, flags)
    skb.end_seq = (0xFFFFFF00 + length + 1) & 0xFFFFFFFF
    skb.hdr_len = 66
    skb.gso_segs, skb.gso_size = segments, mss
    skb.truesize = 5000
    skb_birth(net, skb)
    return skb


def test_tso_cuts_a_super_packet_into_wire_frames():
    lab = Lab()
    client, _ = two_hosts(lab)
    nic = client.dev.driver
    skb = super_packet(client)
    skb.tsval, skb.ack_seq, skb.window = 77, 5, 6
    assert client.dev.start_xmit(lab.cpu(client), client.dev, skb)
    frames = [frame for _, frame in nic.wire.sent]
    assert [frame.seq for frame in frames] == [0xFFFFFF00, 744, 1744, 2744]
    assert [frame.len for frame in frames] == [1000, 1000, 1000, 900]
    assert [frame.tcp_flags for frame in frames] == [ACK, ACK, ACK, ACK | PSH | FIN]
    assert frames[-1].end_seq == 2744 + 900 + 1
    assert {(f.tsval, f.ack_seq, f.window, f.gso_segs) for f in frames} == {(77, 5, 6, 1)}
    assert all(f.stamps[0] == Stage.TX_RING for f in frames)
    assert client.born == 4
    assert nic.tx.packets == 4


def test_frames_leave_at_link_rate_and_completion_returns_the_memory():
    lab = Lab()
    client, server = two_hosts(lab)
    udp_bind(lab.cpu(server), udp_socket(server), 0, 9)
    sk = udp_socket(client)
    for _ in range(3):
        assert udp_sendmsg(lab.cpu(client), sk, (server.address, 9), 1000) == 1000
    nic = client.dev.driver
    starts = [start for start, _ in nic.wire.sent]
    frame_ns = (1000 + 42 + 24) * 8
    assert [b - a for a, b in pairwise(starts)] == [frame_ns, frame_ns]
    assert sk.sk_wmem_alloc == 3 * 2304
    lab.drain(MS)
    assert sk.sk_wmem_alloc == 0
    assert (nic.tx.used, len(nic.tx.ring)) == (0, 0)
    assert nic.queues[0].irqs < 3, "one interrupt reports several frames"


def test_a_full_tx_ring_stops_the_queue_and_the_qdisc_keeps_the_rest():
    lab = Lab()
    client, server = two_hosts(lab, rate_bps=10_000_000, tx_ring=32, txqueuelen=1000)
    sk = udp_socket(client)
    sk.sk_sndbuf = 1 << 30
    for _ in range(100):
        udp_sendmsg(lab.cpu(client), sk, (server.address, 9), 1000)
    nic = client.dev.driver
    assert nic.tx.stopped
    assert len(nic.wire.sent) == 16, "it stops while half the ring is still free for a large packet"
    assert len(client.dev.qdisc.queue) + len(client.dev.qdisc.gso_skb) == 84
    lab.drain()
    assert len(nic.wire.sent) == 100
    assert [f.id for _, f in nic.wire.sent] == sorted(f.id for _, f in nic.wire.sent)
    assert ethtool_stats(nic)["tx_restart_queue"] > 0
    assert sk.sk_wmem_alloc == 0


def test_a_host_with_traffic_can_be_pickled():
    lab = Lab()
    client, server = two_hosts(lab)
    sk = udp_socket(client)
    udp_sendmsg(lab.cpu(client), sk, (server.address, 9), 100)
    nic = pickle.loads(pickle.dumps(client)).dev.driver
    assert nic.tx.ring[0].truesize == 832
    assert nic.queues[0].napi.poll is client.dev.driver.queues[0].napi.poll


def test_without_a_cable_packets_are_dropped_at_the_device():
    lab = Lab()
    net, nic = host(lab)
    assert nic.wire is None
    sk = udp_socket(net)
    udp_sendmsg(lab.cpu(net), sk, (net.address ^ 1, 9), 100)
    assert net.dev.tx_dropped == 1
    assert sk.sk_wmem_alloc == 0
    nic.wire = Cable(lab, None)
    udp_sendmsg(lab.cpu(net), sk, (net.address ^ 1, 9), 100)
    assert len(nic.wire.sent) == 1


def test_hardirq_and_poll_stamp_every_stage_of_a_tcp_train():
    lab = Lab()
    net, nic = host(lab)
    flow = (net.address ^ 3, 1, net.address ^ 4, 2)
    for number in range(3):
        nic.frame_arrives(0, tcp_frame(net, flow, number * 100, 100))
    lab.drain()
    head, second, third = net.machine.trace
    assert [skb.fate for skb in (second, third)] == ["merged", "merged"]
    assert head.gso_segs == 3
    assert Stage.IP_RCV in head.stamps[::2]
    assert Stage.GRO in third.stamps[::2]


def test_no_packet_is_lost_from_the_books():
    lab = Lab()
    client, server = two_hosts(lab, rate_bps=10_000_000_000, rx_ring=16, txqueuelen=20, rx_usecs_ns=30 * US)
    reader, sender = udp_socket(server), udp_socket(client)
    udp_bind(lab.cpu(server), reader, 0, 9)
    reader.sk_rcvbuf = 20 * 832
    sender.sk_sndbuf = 1 << 30
    for number in range(400):
        udp_sendmsg(lab.cpu(client), sender, (server.address, 9 if number % 5 else 99), number % 150)
    lab.drain()
    for _ in range(5):
        udp_recvmsg(lab.cpu(server), reader, 2000)
    hosts = (client, server)
    ended = sum(net.delivered + net.consumed + sum(net.drops.values()) for net in hosts)
    missed = sum(net.dev.driver.rx_missed for net in hosts)
    assert missed > 0
    assert sum(net.born for net in hosts) == ended + missed + len(reader.sk_receive_queue)
