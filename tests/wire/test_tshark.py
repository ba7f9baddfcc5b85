"""The frames of whole runs in the eyes of tshark: nothing malformed, every checksum right, and the numbers that we have."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from struct import pack

import pytest

from wireside.catalog.inet import IPPROTO_TCP, IPPROTO_UDP
from wireside.scenario.load import load
from wireside.sim.attach import attach
from wireside.sim.world import World
from wireside.wire.encode import encode_frame

TSHARK = shutil.which("tshark")
pytestmark = pytest.mark.skipif(
    TSHARK is None,
    reason="tshark is not installed; on Debian and Ubuntu: apt-get install --no-install-recommends tshark",
)
LIFE = Path(__file__).parents[1] / "life"
RUNS = [
    LIFE / f"{name}.yaml"
    for name in (
        "one-loss-in-a-flight", "rto-ladder", "persist-probes", "closed-port", "syncookie", "out-of-order", "keepalive",
        "simultaneous-open", "reset-in-the-middle", "timeouts-and-marks",
    )
]  # fmt: skip
RUNS += [Path(__file__).parents[2] / "scenarios" / f"{name}.yaml" for name in ("zero-window", "udp-overflow")]
MOST = 3000
CHECKS = ("ip.check_checksum", "tcp.check_checksum", "udp.check_checksum")
FIELDS = (
    "frame.number", "ip.proto", "ip.src", "ip.dst", "tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport",
    "tcp.seq_raw", "tcp.ack_raw", "tcp.flags", "tcp.window_size_value", "tcp.len", "udp.length",
)  # fmt: skip
GOOD = "1"
"""What tshark says of a checksum that it has computed itself and found right."""


def write_pcap(path, frames):
    """A capture file of the classic format with times in ns, of Ethernet frames."""
    with path.open("wb") as file:
        file.write(pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262_144, 1))
        for frame in frames:
            data = encode_frame(frame)
            seconds, ns = divmod(frame.time_ns, 10**9)
            file.write(pack("<IIII", seconds, ns, len(data), len(data)) + data)


def tshark(path, *options):
    """Lines that tshark prints of a capture, its checks of checksums turned on."""
    command = [
        TSHARK,
        "-n",
        "-r",
        str(path),
        *(word for check in CHECKS for word in ("-o", f"{check}:TRUE")),
        *options,
    ]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()


def fields(path, *names):
    """Of each frame of a capture, what tshark reads in the outermost header that has these fields."""
    options = [word for name in names for word in ("-e", name)]
    return [line.split("\t") for line in tshark(path, "-T", "fields", "-E", "occurrence=f", *options)]


def frames_of(path):
    """What the links of a scenario carry, the loopback devices apart."""
    scenario = load(str(path))
    world = World(scenario)
    taps = [attach(world, link.a, link.b) for link in scenario.links]
    world.run_until(min(scenario.duration_ns, 3_000_000_000))
    return sorted((frame for each in taps for frame in each.seen), key=lambda frame: frame.time_ns)[:MOST]


def ours(number, frame):
    """A frame's fields as tshark writes them."""
    tcp, udp = frame.protocol == IPPROTO_TCP, frame.protocol == IPPROTO_UDP

    def of(wanted, value, form="{}"):
        return form.format(value) if wanted else ""

    def address(value):
        return ".".join(str(byte) for byte in value.to_bytes(4, "big"))

    return [
        str(number), str(frame.protocol), address(frame.saddr), address(frame.daddr),
        of(tcp, frame.sport), of(tcp, frame.dport), of(udp, frame.sport), of(udp, frame.dport),
        of(tcp, frame.seq), of(tcp, frame.ack_seq), of(tcp, frame.flags, "0x{:04x}"), of(tcp, frame.window),
        of(tcp, frame.length), of(udp, frame.length + 8),
    ]  # fmt: skip


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.stem)
def test_tshark_reads_what_we_wrote(path, tmp_path):
    frames = frames_of(path)
    capture = tmp_path / "run.pcap"
    write_pcap(capture, frames)
    assert tshark(capture, "-Y", "_ws.malformed") == []
    assert frames
    for frame, (ip, tcp, udp) in zip(
        frames,
        fields(capture, "ip.checksum.status", "tcp.checksum.status", "udp.checksum.status"),
        strict=True,
    ):
        assert ip == GOOD
        if frame.protocol in (IPPROTO_TCP, IPPROTO_UDP):
            assert (tcp or udp) == ("0" if frame.csum_bad else GOOD)
    told = [ours(number, frame) for number, frame in enumerate(frames, start=1)]
    tcp_or_udp = [
        line for line, frame in zip(told, frames, strict=True) if frame.protocol in (IPPROTO_TCP, IPPROTO_UDP)
    ]
    read = [line for line in fields(capture, *FIELDS) if line[1] in (str(IPPROTO_TCP), str(IPPROTO_UDP))]
    assert read == tcp_or_udp


def test_tshark_finds_a_wrong_checksum(tmp_path):
    """Else the test above could not fail."""
    frames = [frame for frame in frames_of(RUNS[0]) if frame.protocol == IPPROTO_TCP][:6]
    write_pcap(tmp_path / "bad.pcap", [frame._replace(csum_bad=True) for frame in frames])
    assert fields(tmp_path / "bad.pcap", "tcp.checksum.status") == [["0"]] * 6
