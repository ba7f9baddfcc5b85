"""IPv4: counting, and what is not delivered here."""

from __future__ import annotations

import errno

import pytest

from tests.kernel.lab import Lab, host, udp_frame, veth_hosts
from wireside.catalog.counters import Ip, IpExt
from wireside.catalog.drop_reasons import DropReason
from wireside.catalog.inet import ip_parse
from wireside.kernel.rx.ip_input import ip_rcv
from wireside.kernel.udp.udp import udp_bind, udp_sendmsg, udp_socket


def test_both_ends_count_ip_packets_and_their_bytes():
    lab = Lab()
    client, server = veth_hosts(lab)
    udp_bind(lab.cpu(server), udp_socket(server), 0, 9)
    udp_sendmsg(lab.cpu(client), udp_socket(client), (server.address, 9), 100)
    sent, got = client.mib, server.mib
    assert (sent[Ip.OutRequests], sent[Ip.OutTransmits], sent[IpExt.OutOctets]) == (1, 1, 128)
    assert (got[Ip.InReceives], got[Ip.InDelivers], got[IpExt.InOctets]) == (1, 1, 128)
    assert got[IpExt.InNoECTPkts] == 1


def test_a_super_packet_counts_once_but_all_its_segments_are_ecn_counted():
    lab = Lab()
    net, _ = host(lab)
    skb = udp_frame(net)
    skb.gso_segs = 5
    skb.dev = net.dev
    ip_rcv(lab.cpu(net), net, skb)
    assert (net.mib[Ip.InReceives], net.mib[IpExt.InNoECTPkts]) == (1, 5)


@pytest.mark.parametrize(
    ("kernel", "source", "destination", "reason", "address_errors"),
    [
        ("6.18", "10.0.0.1", "10.0.0.9", DropReason.IP_INADDRERRORS, 1),
        ("6.18", "10.0.0.2", "10.0.0.2", DropReason.IP_LOCAL_SOURCE, 0),
        ("6.18", "10.0.0.1", "127.0.0.1", DropReason.IP_LOCALNET, 0),
        ("6.12", "10.0.0.1", "127.0.0.1", DropReason.NOT_SPECIFIED, 0),
    ],
)
def test_packets_that_are_not_for_this_host(kernel, source, destination, reason, address_errors):
    lab = Lab(kernel)
    net, nic = host(lab)
    skb = udp_frame(net, source=source)
    skb.flow = (skb.flow[0], 1000, ip_parse(destination), 9)
    nic.frame_arrives(0, skb)
    lab.drain()
    assert net.drops == {reason: 1}
    assert net.mib[Ip.InAddrErrors] == address_errors
    assert net.mib[Ip.InDelivers] == 0


def test_an_unknown_protocol_is_dropped():
    lab = Lab()
    net, nic = host(lab)
    skb = udp_frame(net)
    skb.protocol = 132
    nic.frame_arrives(0, skb)
    lab.drain()
    assert net.drops == {DropReason.IP_NOPROTO: 1}
    assert net.mib[Ip.InUnknownProtos] == 1


@pytest.mark.parametrize("address", ["10.0.0.2", "127.0.0.1"])
def test_a_host_reaches_itself_over_loopback(address):
    lab = Lab()
    net, _ = host(lab)
    sk = udp_socket(net)
    udp_bind(lab.cpu(net), sk, 0, 9)
    udp_sendmsg(lab.cpu(net), udp_socket(net), (ip_parse(address), 9), 100)
    assert len(sk.sk_receive_queue) == 1
    assert net.lo.rx_packets == net.lo.tx_packets == 1
    assert net.dev.tx_packets == 0


def test_without_a_device_there_is_no_route():
    lab = Lab()
    net = lab.net("island", "10.0.0.2")
    sk = udp_socket(net)
    assert udp_sendmsg(lab.cpu(net), sk, (ip_parse("10.0.0.1"), 9), 100) == -errno.ENETUNREACH
    assert net.mib[Ip.OutNoRoutes] == 1
    assert net.born == 0
