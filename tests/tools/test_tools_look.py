"""Our rows, rendered, must be what the real tools printed for the same state."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from wireside.catalog.counters import COUNTER_BY_NAME
from wireside.snapshot import HostSnapshot, NicRow, ProgramRow, SocketRow, SoftnetRow
from wireside.tools import ethtool, ip_link, nstat, softnet, ss

DATA = Path(__file__).parent / "data"
SAMPLES = ("all-states", "zero-window-receiver")
HOST = HostSnapshot(
    name="server", time_ns=0, address="10.0.0.2", sysctl={}, counters={}, drops={}, wire_drops={}, states={},
    softnet=(), cpus=(), nics=(), sockets=(), programs=(), books={},
)  # fmt: skip
NIC = NicRow(
    name="eth0", kind="nic", mtu=1500, rate_bps=10**9, rx_ring_size=256, rx_ring_used=0, rx_ring_unfilled=0,
    tx_ring_size=256, tx_ring_used=0, qdisc="pfifo_fast", qdisc_len=0, qdisc_limit=1000, irq_masked=False, irqs=0,
    polls=0, last_poll_work=0, budget_left=300, rx_rate_pps=0,
)  # fmt: skip


def recorded(sample: str, name: str) -> str:
    """What the tool printed, without the line that shows the command."""
    return (DATA / sample / name).read_text().partition("\n")[2]


def recorded_sockets(sample: str, name: str, netid: str) -> tuple[SocketRow, ...]:
    """The rows of an `ss -tan`-like listing, and of the skmem and timer fields in it."""
    timers = dict(re.findall(r"(\S+:\d+) +timer:\((.*?)\)", recorded(sample, "ss-tanoi.txt")))
    rows = []
    line = re.compile(
        r"^(\S+) +(\d+) +(\d+) +(\S+:\S+) +(\S+:[\d*]+) *(?:\n\t +skmem:\((.*?)\))?", re.MULTILINE
    )
    for number, found in enumerate(line.finditer(recorded(sample, name))):
        state, recv_q, send_q, local, peer, skmem = found.groups()
        row = SocketRow(
            number, netid, state, int(recv_q), int(send_q), local, peer, timer=timers.get(peer, "")
        )
        if skmem:
            r, rb, t, tb, f, w, _, bl, d = (int(re.sub(r"\D", "", field)) for field in skmem.split(","))
            row = row._replace(
                sk_rmem_alloc=r, sk_rcvbuf=rb, sk_wmem_alloc=t, sk_sndbuf=tb, sk_forward_alloc=f,
                sk_wmem_queued=w, sk_backlog_len=bl, sk_drops=d,
            )  # fmt: skip
        rows.append(row)
    assert rows or name == "ss-uan.txt"
    return tuple(rows)


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("options", ["-tan", "-tanm"])
def test_ss_lists_tcp_sockets_as_the_real_one_did(sample, options):
    host = replace(HOST, sockets=recorded_sockets(sample, f"ss{options}.txt", "tcp"))
    assert ss.render(host, options) == recorded(sample, f"ss{options}.txt")


@pytest.mark.parametrize("sample", SAMPLES)
def test_ss_lists_listeners_and_udp_sockets_as_the_real_one_did(sample):
    tcp = recorded_sockets(sample, "ss-tan.txt", "tcp")
    udp = recorded_sockets(sample, "ss-uan.txt", "udp")
    host = replace(HOST, sockets=tcp + udp)
    assert ss.render(host, "-ltn") == recorded(sample, "ss-ltn.txt")
    assert ss.render(host, "-uanm") == recorded(sample, "ss-uan.txt")


LOOPBACK = tuple(
    SocketRow(
        number, netid, state, 0, send_q, local, peer, program="python3", fd=fd, sk_rcvbuf=rb, sk_sndbuf=tb
    )
    for number, netid, state, send_q, local, peer, fd, rb, tb in (
        (1, "udp", "UNCONN", 0, "127.0.0.1:53", "0.0.0.0:*", 6, 212_992, 212_992),
        (2, "tcp", "LISTEN", 5, "127.0.0.1:8080", "0.0.0.0:*", 3, 131_072, 16_384),
        (3, "tcp", "ESTAB", 0, "127.0.0.1:8080", "127.0.0.1:37068", 5, 131_072, 3_939_840),
        (4, "tcp", "ESTAB", 0, "127.0.0.1:37068", "127.0.0.1:8080", 4, 131_072, 3_939_840),
    )
)


@pytest.mark.parametrize("path", sorted((DATA / "loopback").iterdir()), ids=lambda path: path.stem)
def test_ss_looks_as_the_real_one_with_every_kind_of_option(path):
    program = ProgramRow("python3", 29560, "blocked", "", 1, 0, 0)
    host = replace(HOST, sockets=LOOPBACK, programs=(program,))
    assert ss.render(host, path.stem.removeprefix("ss")) == recorded("loopback", path.name)


def test_ss_without_a_header_says_nothing_of_a_host_without_sockets():
    assert ss.render(HOST, "-tanH") == ""
    assert ss.render(HOST, "-tan") == "State Recv-Q Send-Q Local Address:Port Peer Address:PortProcess\n"


def test_ss_does_not_find_a_tcp_socket_in_close():
    closed = SocketRow(1, "tcp", "UNCONN", 0, 0, "0.0.0.0:0", "0.0.0.0:*")
    assert ss.render(replace(HOST, sockets=(closed,)), "-tuanH") == ""


def test_ss_shows_timers_where_the_real_one_did():
    host = replace(HOST, sockets=recorded_sockets("all-states", "ss-tan.txt", "tcp"))
    with_timer = r"^\S+ +\d+ +\d+ +\S+ +(\S+ +timer:\(.*?\))"
    real = re.findall(with_timer, recorded("all-states", "ss-tanoi.txt"), re.MULTILINE)
    assert len(real) == 9
    assert re.findall(with_timer, ss.render(host, "-tano"), re.MULTILINE) == real


def test_ss_without_a_leaves_out_listeners_and_small_records():
    host = replace(HOST, sockets=recorded_sockets("all-states", "ss-tan.txt", "tcp"))
    shown = {line.split()[0] for line in ss.render(host, "-tnH").splitlines()}
    assert shown == {"CLOSING", "SYN-SENT", "ESTAB", "CLOSE-WAIT", "FIN-WAIT-2", "FIN-WAIT-1", "LAST-ACK"}


def test_ss_names_the_program_and_both_families():
    rows = (
        SocketRow(1, "udp", "UNCONN", 0, 0, "0.0.0.0:53", "0.0.0.0:*", program="dns", fd=3),
        SocketRow(2, "tcp", "ESTAB", 0, 0, "10.0.0.2:80", "10.0.0.1:50000"),
    )
    programs = (ProgramRow("dns", 12, "blocked", "recvfrom(3", 1, 0, 0),)
    lines = ss.render(replace(HOST, sockets=rows, programs=programs), "-anp").splitlines()
    assert lines[0].split()[:2] == ["Netid", "State"]
    assert lines[1].endswith(' users:(("dns",pid=12,fd=3))')
    assert lines[2].startswith("tcp   ESTAB  0")


def test_ss_i_shows_what_the_sender_knows_and_hides_zeros():
    row = SocketRow(
        1, "tcp", "ESTAB", 0, 36864, "10.0.0.1:8080", "10.9.0.1:50003", congestion_control="reno", snd_wscale=7,
        rcv_wscale=10, rto_ns=408_000_000, backoff=1, srtt_ns=3_135_000, rttvar_ns=1_567_000, mss=1448, cwnd=1,
        ssthresh=5, packets_out=11, in_flight=1, lost=11, retrans_total=1, segs_out=12, segs_in=2,
    )  # fmt: skip
    assert ss.information(row) == (
        " reno wscale:7,10 rto:408 backoff:1 rtt:3.135/1.567 mss:1448 cwnd:1 ssthresh:5 segs_out:12 segs_in:2"
        " send 3695056bps unacked:11 retrans:1/1 lost:11"
    )


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, ""),
        (-3, ""),
        (12, "012ms"),
        (980, "980ms"),
        (1000, "1sec"),
        (4724, "4.724ms"),
        (59_900, "59sec"),
        (119_000, "1min59sec"),
        (125_500, "2min5sec"),
        (7_200_000, "120min"),
    ],
)
def test_ss_writes_times_with_its_own_quirks(ms, text):
    assert ss.timer_time(ms) == text


@pytest.mark.parametrize("sample", SAMPLES)
def test_nstat_prints_every_counter_as_the_real_one_did(sample):
    real = [line for line in recorded(sample, "nstat.txt").splitlines(keepends=True) if line[0] != "#"]
    known = [line for line in real if line.split()[0] in COUNTER_BY_NAME]
    counters = {line.split()[0]: int(line.split()[1]) for line in known}
    assert nstat.render(replace(HOST, counters=counters), zeros=True) == "#kernel\n" + "".join(known)


def test_nstat_shows_what_changed_since_the_last_time():
    host = replace(HOST, counters={"TcpInSegs": 7, "TcpOutSegs": 5, "TcpCurrEstab": 1})
    assert nstat.render(host, since={"TcpInSegs": 4, "TcpOutSegs": 5}) == (
        "#kernel\nTcpInSegs                       3                  0.0\n"
    )


def test_softnet_stat_looks_as_the_kernel_writes_it():
    real = recorded("all-states", "softnet_stat.txt")
    rows = tuple(
        SoftnetRow(v[0], v[1], v[2], v[9], v[10], v[13], v[14])
        for v in ([int(word, 16) for word in line.split()] for line in real.splitlines())
    )
    assert softnet.render(replace(HOST, softnet=rows)) == real


def test_softnet_stat_adds_both_queues_up():
    columns = softnet.render(replace(HOST, softnet=(SoftnetRow(9, 0, 0, 0, 0, 16, 3),))).split()
    assert columns[11:] == ["00000013", "00000000", "00000010", "00000003"]


@pytest.mark.parametrize("sample", SAMPLES)
def test_ip_s_link_looks_as_the_real_one(sample):
    real = recorded(sample, "ip-s-link.txt")
    nics = []
    device = re.compile(
        r"^\d+: (\S+): .* mtu (\d+) qdisc (\S+) .* qlen (\d+)\n.*\n.*\n(.*)\n.*\n(.*)\n", re.MULTILINE
    )
    for name, mtu, qdisc, qlen, rx, tx in device.findall(real):
        received, sent = rx.split(), tx.split()
        counts = {
            "rx_bytes": int(received[0]), "rx_packets": int(received[1]),
            "tx_bytes": int(sent[0]), "tx_packets": int(sent[1]),
        }  # fmt: skip
        kind = {"lo": "lo", "tu": "tun", "v0": "veth"}[name[:2]]
        nics.append(
            replace(
                NIC, name=name, kind=kind, mtu=int(mtu), qdisc=qdisc, qdisc_limit=int(qlen), statistics=counts
            )
        )
    ours = ip_link.render(replace(HOST, nics=tuple(nics)))
    without_hardware = r"link/ether .*"
    assert re.sub(without_hardware, "", ours) == re.sub(without_hardware, "", real)


def test_ip_s_link_counts_frames_the_ring_missed():
    text = ip_link.render(
        replace(HOST, nics=(replace(NIC, statistics={"rx_missed_errors": 12_345_678_901}),))
    )
    assert text.startswith("2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc pfifo_fast state UP ")
    assert "link/ether 02:00:0a:00:00:02 brd" in text
    assert text.splitlines()[3].split() == ["0", "0", "0", "0", "12345678901", "0"]


def test_ethtool_shows_counters_and_rings():
    nic = replace(NIC, rx_ring_size=512, statistics={"rx_packets": 5, "rx_missed_errors": 2})
    assert ethtool.statistics(nic) == "NIC statistics:\n     rx_packets: 5\n     rx_missed_errors: 2\n"
    assert ethtool.rings(nic).splitlines() == [
        "Ring parameters for eth0:",
        "Pre-set maximums:",
        "RX:\t\t4096", "RX Mini:\tn/a", "RX Jumbo:\tn/a", "TX:\t\t4096",
        "Current hardware settings:",
        "RX:\t\t512", "RX Mini:\tn/a", "RX Jumbo:\tn/a", "TX:\t\t256",
    ]  # fmt: skip


def test_ethtool_finds_no_rings_on_a_veth():
    assert ethtool.rings(replace(NIC, kind="veth")) == "netlink error: Operation not supported\n"
    assert ethtool.statistics(NIC) == "no stats available\n"


def test_ss_i_keeps_the_real_order():
    ours = ss.information(
        SocketRow(1, "tcp", "ESTAB", 0, 0, "10.0.0.1:1", "10.0.0.2:2", **dict.fromkeys(ss_numbers(), 9))
    )
    names = re.findall(r"(\w+):", ours)
    listing = "".join(recorded(sample, "ss-tanoi.txt") for sample in SAMPLES)
    listed = [re.findall(r"(\w+):", line) for line in listing.splitlines() if "rcvmss:" in line]
    seen = [[name for name in line if name in names] for line in listed]
    assert {"rcvmss", "delivered"} <= set(names)
    assert all(line == [name for name in names if name in line] for line in seen)
    assert max(len(line) for line in seen) > 10


def ss_numbers() -> tuple[str, ...]:
    """The number fields of a row that has all of them."""
    return tuple(
        name for name, value in SocketRow._field_defaults.items() if isinstance(value, int) and name != "fd"
    )
