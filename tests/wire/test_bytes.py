"""Frames to bytes and back, and the same bytes in the eyes of a packet library."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wireside.catalog.inet import ACK, IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, SYN
from wireside.wire.decode import FrameError, decode_frame, decode_packet
from wireside.wire.encode import encode_frame, encode_packet, internet_checksum, payload_of
from wireside.wire.frame import Frame

u8, u16, u32 = st.integers(0, 255), st.integers(0, 65535), st.integers(0, 0xFFFFFFFF)
heads = {
    "time_ns": st.integers(0, 10**12),
    "saddr": u32,
    "daddr": u32,
    "ttl": st.integers(1, 255),
    "ident": u16,
}


def frame_with(**fields):
    """A frame of which nothing else is said."""
    return Frame(**fields)


datagrams = st.builds(
    frame_with, protocol=st.just(IPPROTO_UDP), sport=u16, dport=u16, length=st.integers(0, 1472), csum_bad=st.booleans(),
    dont_fragment=st.booleans(), **heads,
)  # fmt: skip


@st.composite
def segments(draw):
    """Any TCP segment whose options fit into a header."""
    frame = draw(
        st.builds(
            frame_with, protocol=st.just(IPPROTO_TCP), sport=u16, dport=u16, seq=u32, ack_seq=u32, window=u16, urgent=u16,
            flags=u8, length=st.integers(0, 1400), mss=st.none() | u16, sack_ok=st.booleans(), tsval=st.none() | u32,
            wscale=st.none() | st.integers(0, 14), csum_bad=st.booleans(), **heads,
        )
    )  # fmt: skip
    room = (40 - frame.option_bytes - 4) // 8
    blocks = draw(st.lists(st.tuples(u32, u32), max_size=max(0, room)))
    return frame._replace(sack=tuple(blocks), tsecr=draw(u32) if frame.tsval is not None else 0)


@settings(deadline=None, derandomize=True)
@given(segments() | datagrams)
def test_what_was_written_is_read_again(frame):
    data = encode_frame(frame)
    assert len(data) == frame.header_bytes + frame.length
    assert decode_frame(data, frame.time_ns) == frame
    assert decode_frame(data + bytes(6), frame.time_ns) == frame, "padding of a short frame"


@settings(deadline=None, derandomize=True)
@given(segments() | datagrams, st.data())
def test_icmp_errors_quote_the_packet(frame, data):
    quoted = encode_packet(frame._replace(csum_bad=False))
    length = data.draw(st.integers(min(len(quoted), 28), min(len(quoted), 548)))
    error = Frame(
        5, IPPROTO_ICMP, 1, 2, 3, 3, length, quoted=frame._replace(csum_bad=False), dont_fragment=False
    )
    read = decode_frame(encode_frame(error), 5)
    assert (read.sport, read.dport, read.length, read.csum_bad) == (3, 3, length, False)
    assert read.quoted is not None
    ends = (read.quoted.saddr, read.quoted.sport, read.quoted.daddr, read.quoted.dport)
    assert ends == (frame.saddr, frame.sport, frame.daddr, frame.dport)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(segments() | datagrams)
def test_a_packet_library_finds_the_same_fields_and_checksums(frame):
    scapy = pytest.importorskip("scapy.layers.inet", reason="scapy is a development dependency")
    data = encode_packet(frame)
    packet = scapy.IP(data)
    layer = packet[scapy.TCP if frame.protocol == IPPROTO_TCP else scapy.UDP]
    ours = int.from_bytes(data[10:12], "big"), layer.chksum
    del packet.chksum, layer.chksum
    theirs = scapy.IP(bytes(packet))
    again = theirs[layer.__class__].chksum
    assert ours[0] == theirs.chksum
    assert (ours[1] == again) is not frame.csum_bad
    assert (layer.sport, layer.dport, len(layer.payload)) == (frame.sport, frame.dport, frame.length)
    if frame.protocol == IPPROTO_TCP:
        options = dict(layer.options)
        assert options.get("MSS") == frame.mss
        assert options.get("WScale") == frame.wscale
        assert ("SAckOK" in options) is frame.sack_ok
        assert options.get("Timestamp") == (None if frame.tsval is None else (frame.tsval, frame.tsecr))
        assert options.get("SAck", ()) == tuple(number for block in frame.sack for number in block)


def test_data_sent_again_are_the_same_data():
    whole = payload_of(Frame(0, IPPROTO_TCP, 1, 2, seq=1000, length=300))
    assert payload_of(Frame(9, IPPROTO_TCP, 1, 2, seq=1100, length=50)) == whole[100:150]


@pytest.mark.parametrize(
    ("words", "checksum"),
    [(b"\x00\x01\xf2\x03\xf4\xf5\xf6\xf7", 0x220D), (b"", 0xFFFF), (b"\xff\xff", 0), (b"\x01", 0xFEFF)],
)
def test_the_internet_checksum(words, checksum):
    """The first line is the example of RFC 1071 §3."""
    assert internet_checksum(words) == checksum


@settings(deadline=None, derandomize=True)
@given(st.binary(max_size=120))
def test_bytes_that_are_no_frame_are_refused_in_words(data):
    with suppress(FrameError):
        decode_frame(data)


@settings(deadline=None, derandomize=True, max_examples=300)
@given(segments(), st.data())
def test_a_frame_with_wrong_bytes_is_read_or_refused(frame, data):
    octets = bytearray(encode_frame(frame))
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(u8)
    cut = data.draw(st.integers(0, len(octets)))
    with suppress(FrameError):
        decode_frame(bytes(octets[:cut]))
    with suppress(FrameError):
        decode_packet(bytes(octets[14:cut]), whole=False)


def test_a_short_syn_has_the_options_where_linux_puts_them():
    syn = Frame(
        0,
        IPPROTO_TCP,
        0x0A000002,
        0x0A000001,
        34244,
        8080,
        flags=SYN,
        mss=1460,
        sack_ok=True,
        tsval=1,
        wscale=10,
    )
    assert encode_frame(syn)[54:].hex(" ", 4) == "020405b4 0402080a 00000001 00000000 0103030a"
    ack = syn._replace(flags=ACK, mss=None, sack_ok=False, wscale=None)
    assert encode_frame(ack)[54:58].hex() == "0101080a"
