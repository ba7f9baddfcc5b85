"""From a frame to its bytes, with the checksums that a receiver computes."""

from __future__ import annotations

from struct import pack

from wireside.catalog.inet import (
    ICMP_HLEN,
    IP_HLEN,
    IPPROTO_ICMP,
    IPPROTO_TCP,
    IPPROTO_UDP,
    TCP_HLEN,
    UDP_HLEN,
)
from wireside.wire.frame import Frame, options_of

ETHERTYPE_IPV4 = 0x0800
IP_DF = 0x4000
NOP, MSS, WSCALE, SACK_PERM, SACK, TIMESTAMP = 1, 2, 3, 4, 5, 8
LOCAL_MAC = 0x0200_0000_0000
"""A locally administered address; the IPv4 address stands in its last four bytes."""
LETTERS = bytes(range(0x61, 0x7B)) + bytes(range(0x41, 0x5B)) + b"0123456789\r\n"
"""What a payload reads: 64 characters over and over, at the same place of the stream always the same."""


def internet_checksum(data: bytes) -> int:
    """The ones' complement of the ones' complement sum of 16-bit words. RFC: 1071."""
    if len(data) % 2:
        data += b"\0"
    # 65536 is 1 modulo 65535, so the sum of all words is the whole number's remainder; 0 stands for 65535.
    rest = int.from_bytes(data, "big") % 0xFFFF
    return 0xFFFF ^ (rest or (0xFFFF if any(data) else 0))


def payload_of(frame: Frame) -> bytes:
    """The payload: letters that depend only on the place in the stream, so that data sent again are the same data."""
    if frame.quoted is not None:
        return encode_packet(frame.quoted)[: frame.length]
    start = frame.seq % len(LETTERS)
    rounds = (start + frame.length) // len(LETTERS) + 1
    return (LETTERS * rounds)[start : start + frame.length]


def encode_frame(frame: Frame) -> bytes:
    """The frame from its Ethernet header to the last byte of the payload; no padding and no FCS.

    Hardware addresses are made from the IPv4 addresses.
    """
    ethernet = (
        (LOCAL_MAC | frame.daddr).to_bytes(6, "big")
        + (LOCAL_MAC | frame.saddr).to_bytes(6, "big")
        + pack("!H", ETHERTYPE_IPV4)
    )
    return ethernet + encode_packet(frame)


def encode_packet(frame: Frame) -> bytes:
    """The frame from its IP header on."""
    transport = _transport(frame, payload_of(frame))
    header = pack(
        "!BBHHHBBHII",
        0x45,
        0,
        IP_HLEN + len(transport),
        frame.ident,
        IP_DF if frame.dont_fragment else 0,
        frame.ttl,
        frame.protocol,
        0,
        frame.saddr,
        frame.daddr,
    )
    return header[:10] + pack("!H", internet_checksum(header)) + header[12:] + transport


def _transport(frame: Frame, payload: bytes) -> bytes:
    if frame.protocol == IPPROTO_TCP:
        options = _options(frame)
        offset = (TCP_HLEN + len(options)) // 4 << 12
        segment = (
            pack(
                "!HHIIHHHH",
                frame.sport,
                frame.dport,
                frame.seq,
                frame.ack_seq,
                offset | frame.flags,
                frame.window,
                0,
                frame.urgent,
            )
            + options
            + payload
        )
        return _with_checksum(frame, segment, 16)
    if frame.protocol == IPPROTO_UDP:
        header = pack("!HHHH", frame.sport, frame.dport, UDP_HLEN + len(payload), 0)
        return _with_checksum(frame, header + payload, 6)
    message = pack("!BBHI", frame.sport, frame.dport, 0, 0) + payload
    assert len(message) == ICMP_HLEN + len(payload)
    return _with_checksum(frame, message, 2)


def _with_checksum(frame: Frame, segment: bytes, place: int) -> bytes:
    """Put the checksum at `place`; over the pseudo header, too, unless it is ICMP. RFC: 768, 9293 §3.1, 792."""
    pseudo = b""
    if frame.protocol != IPPROTO_ICMP:
        pseudo = pack("!IIBBH", frame.saddr, frame.daddr, 0, frame.protocol, len(segment))
    found = internet_checksum(pseudo + segment)
    if frame.protocol == IPPROTO_UDP and found == 0:
        found = 0xFFFF
    if frame.csum_bad:
        found ^= 0x0101
    return segment[:place] + pack("!H", found) + segment[place + 2 :]


def _options(frame: Frame) -> bytes:
    """Linux: net/ipv4/tcp_output.c tcp_options_write()."""
    parts: list[bytes] = []
    for name, _ in options_of(frame):
        if name == "mss":
            parts.append(pack("!BBH", MSS, 4, frame.mss))
        elif name.endswith("TS"):
            before = pack("!BB", SACK_PERM, 2) if frame.sack_ok else pack("!BB", NOP, NOP)
            parts.append(before + pack("!BBII", TIMESTAMP, 10, frame.tsval, frame.tsecr))
        elif name == "nop,nop,sackOK":
            parts.append(pack("!BBBB", NOP, NOP, SACK_PERM, 2))
        elif name == "nop,wscale":
            parts.append(pack("!BBBB", NOP, WSCALE, 3, frame.wscale))
        else:
            blocks = b"".join(pack("!II", left, right) for left, right in frame.sack)
            parts.append(pack("!BBBB", NOP, NOP, SACK, 2 + len(blocks)) + blocks)
    return b"".join(parts)
