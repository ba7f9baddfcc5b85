"""IPv4 packets with TCP segments, as bytes."""

from __future__ import annotations

import socket
import struct

HOST, PEER = "10.0.0.1", "10.0.0.9"
SOURCE, TARGET = socket.inet_aton(PEER), socket.inet_aton(HOST)
FLAGS = {"F": 1, "S": 2, "R": 4, "P": 8, ".": 16}
MSS, WSCALE, SACK_OK, SACK, TIMESTAMPS = 2, 3, 4, 5, 8
MASK = 0xFFFFFFFF
TCP = 6


def segment(ports, flags, seq, ack, window, options=b"", length=0) -> bytes:
    """A segment from the peer to the host; `options` are padded with NOPs in front, so that timestamps are aligned."""
    options = b"\1" * (-len(options) % 4) + options
    bits = sum(FLAGS[letter] for letter in flags)
    offset = (20 + len(options)) // 4 << 4
    header = struct.pack("!HHIIBBHHH", *ports, seq & MASK, ack & MASK, offset, bits, window, 0, 0)
    body = header + options + b"x" * length
    check = checksum(SOURCE + TARGET + struct.pack("!BBH", 0, TCP, len(body)) + body)
    body = body[:16] + struct.pack("!H", check) + body[18:]
    frame = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 1, 0x4000, 64, TCP, 0, SOURCE, TARGET)
    return frame[:10] + struct.pack("!H", checksum(frame)) + frame[12:] + body


def checksum(data: bytes) -> int:
    """RFC: 1071."""
    total = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def parse(packet: bytes) -> dict | None:
    """A TCP segment's fields; None for anything else."""
    start = (packet[0] & 15) * 4
    if packet[9] != TCP:
        return None
    _, _, seq, ack, offset, flags, window = struct.unpack("!HHIIBBH", packet[start : start + 16])
    end = start + (offset >> 4) * 4
    length = struct.unpack("!H", packet[2:4])[0] - end
    options = parse_options(packet[start + 20 : end])
    return {"seq": seq, "ack": ack, "flags": flags, "win": window, "len": length, "options": options}


def parse_options(data: bytes) -> dict[int, bytes]:
    """Option kind → its bytes."""
    found = {}
    at = 0
    while at < len(data) and data[at]:
        if data[at] == 1:
            at += 1
            continue
        found[data[at]] = data[at + 2 : at + data[at + 1]]
        at += data[at + 1]
    return found
