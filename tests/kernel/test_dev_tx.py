"""The transmit queue: limits, refusals, software segmentation."""

from __future__ import annotations

import pytest

from tests.kernel.lab import MS, Lab, two_hosts, veth_hosts
from wireside.catalog.counters import Ip, Udp
from wireside.catalog.drop_reasons import DropReason
from wireside.catalog.inet import IPPROTO_TCP
from wireside.kernel.core.dev_tx import dev_queue_xmit, qdisc_len
from wireside.kernel.core.skbuff import SkBuff, skb_birth
from wireside.kernel.udp.udp import sock_wfree, udp_sendmsg, udp_socket


def stopped_host(lab, txqueuelen):
    """A client whose device refuses everything for now."""
    client, server = two_hosts(lab, txqueuelen=txqueuelen)
    client.dev.driver.tx.stopped = True
    return client, server


@pytest.mark.parametrize(("limit", "kept"), [(1, 1), (10, 10), (50, 50)])
def test_a_full_qdisc_drops_and_the_sender_is_not_told(limit, kept):
    lab = Lab()
    client, server = stopped_host(lab, limit)
    sk = udp_socket(client)
    results = {udp_sendmsg(lab.cpu(client), sk, (server.address, 9), 100) for _ in range(60)}
    assert results == {100}
    # One more than the limit stays: the packet that the driver refused.
    assert qdisc_len(client.dev) == kept + 1
    lost = 60 - kept - 1
    assert client.dev.qdisc.dropped == lost
    assert client.drops == {DropReason.QDISC_DROP: lost}
    assert client.mib[Udp.SndbufErrors] == client.mib[Ip.OutDiscards] == lost
    assert client.mib[Udp.OutDatagrams] == 60 - lost
    assert sk.sk_wmem_alloc == 832 * (kept + 1), "dropped packets are not charged any more"


def super_packet(net, protocol=IPPROTO_TCP):
    sk = udp_socket(net)
    flow = (net.address, 1, net.address ^ 3, 2)
    skb = SkBuff(net.machine.skb_id(), flow, protocol, 2500, 0, 0x18)
    skb.gso_segs, skb.gso_size, skb.truesize = 3, 1000, 10000
    skb.sk, skb.destructor, skb.dev = sk, sock_wfree, net.dev
    sk.sk_wmem_alloc = 10000
    skb_birth(net, skb)
    return skb, sk


def test_a_device_without_tso_gets_single_frames():
    lab = Lab()
    client, _ = two_hosts(lab, tso=False)
    skb, sk = super_packet(client)
    dev_queue_xmit(lab.cpu(client), client.dev, skb)
    nic = client.dev.driver
    assert len(nic.tx.ring) == 3
    assert [frame.len for _, frame in nic.wire.sent] == [1000, 1000, 500]
    assert sk.sk_wmem_alloc == 10000
    lab.run_until(MS)
    assert sk.sk_wmem_alloc == 0


def test_a_device_with_tso_gets_it_whole():
    lab = Lab()
    client, _ = two_hosts(lab)
    skb, sk = super_packet(client)
    dev_queue_xmit(lab.cpu(client), client.dev, skb)
    assert [buffer.truesize for buffer in client.dev.driver.tx.ring] == [10000]
    lab.run_until(MS)
    assert sk.sk_wmem_alloc == 0


def test_refused_segments_of_a_super_packet_keep_their_order():
    lab = Lab()
    client, _ = two_hosts(lab, tso=False)
    tx = client.dev.driver.tx
    tx.stopped = True
    skb, _ = super_packet(client)
    dev_queue_xmit(lab.cpu(client), client.dev, skb)
    tx.stopped = False
    other, _ = super_packet(client)
    dev_queue_xmit(lab.cpu(client), client.dev, other)
    # The queue was scheduled to go on by a completion; nothing may overtake.
    assert [frame.seq for frame in client.dev.qdisc.gso_skb] == [0, 1000, 2000]
    assert list(client.dev.qdisc.queue) == [other]


def test_only_udp_trains_are_cut_above_veth():
    lab = Lab()
    client, server = veth_hosts(lab)
    udp_sendmsg(lab.cpu(client), udp_socket(client), (server.address, 9), 500, 100)
    assert server.mib[Ip.InReceives] == 5
    assert client.mib[Ip.OutRequests] == 1
    assert client.born - server.mib[Udp.NoPorts] == 0
