"""Captures of a real host, read and told again: line for line what `tcpdump -n` printed of them."""

from __future__ import annotations

import re
from pathlib import Path
from struct import unpack_from

import pytest

from wireside.wire.decode import FrameError, decode_frame
from wireside.wire.encode import encode_packet
from wireside.wire.words import Conversations

DATA = Path(__file__).parent / "data"
PAYLOAD_WORDS = re.compile(r"(length \d+): .*")
"""What tcpdump adds when it knows the payload's protocol."""


def records(name):
    """(ns within the capture, bytes) of the packets of a pcap file."""
    data = (DATA / f"{name}.pcap").read_bytes()
    at = 24
    while at < len(data):
        seconds, micros, captured, _ = unpack_from("<IIII", data, at)
        yield seconds * 10**9 + micros * 1000, data[at + 16 : at + 16 + captured]
        at += 16 + captured


def printed(name):
    """tcpdump's lines without the time."""
    lines = (DATA / f"{name}-n.txt").read_text().splitlines()[2:]
    return [PAYLOAD_WORDS.sub(r"\1", line.split(" ", 1)[1]) for line in lines]


@pytest.mark.parametrize("name", ["connection", "zero-window", "refused-and-reset"])
def test_a_capture_reads_as_tcpdump_prints_it(name):
    told = Conversations()
    ours = [told.line(decode_frame(data, when)) for when, data in records(name)]
    assert ours == printed(name)


def test_udp_and_unreachable_ports_read_as_tcpdump_prints_them():
    told = Conversations()
    compared = 0
    for (when, data), theirs in zip(records("other"), printed("other"), strict=True):
        try:
            line = told.line(decode_frame(data, when))
        except FrameError:
            assert theirs.startswith("ARP") or "ip-proto-17" in theirs or "length 4000" in theirs
            continue
        if "echo" not in theirs and "www.example.com" not in theirs:
            assert line == theirs
            compared += 1
    assert compared == 4


@pytest.mark.parametrize("name", ["connection", "zero-window", "refused-and-reset"])
def test_headers_of_real_segments_come_out_byte_for_byte(name):
    """Of segments without payload everything is known, so that the checksums are compared with the kernel's, too."""
    compared = 0
    for when, data in records(name):
        frame = decode_frame(data, when)
        assert not frame.csum_bad
        if not frame.length:
            assert encode_packet(frame) == data[14 : 14 + frame.header_bytes - 14]
            compared += 1
    assert compared >= 10
