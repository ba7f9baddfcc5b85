"""From bytes to a frame: strict about lengths, and about checksums it says what it found."""

from __future__ import annotations

from dataclasses import dataclass, field
from struct import pack, unpack_from

from wireside.catalog.inet import (
    ETH_HLEN,
    ICMP_HLEN,
    IP_HLEN,
    IPPROTO_ICMP,
    IPPROTO_TCP,
    IPPROTO_UDP,
    TCP_HLEN,
    UDP_HLEN,
)
from wireside.wire.encode import ETHERTYPE_IPV4, IP_DF, MSS, NOP, SACK, SACK_PERM, TIMESTAMP, WSCALE
from wireside.wire.encode import internet_checksum as checksum
from wireside.wire.frame import Frame

EOL = 0
ICMP_ERRORS = frozenset({3, 4, 5, 11, 12})
"""Types that quote a packet. RFC: 792."""
FRAGMENT = 0x3FFF
"""More fragments, or an offset."""


class FrameError(ValueError):
    """Bytes that are no frame of a kind that we know; the text says why."""


@dataclass(slots=True)
class Options:
    """The TCP options of a header."""

    mss: int | None = None
    sack_ok: bool = False
    tsval: int | None = None
    tsecr: int = 0
    wscale: int | None = None
    sack: tuple[tuple[int, int], ...] = field(default=())


def decode_frame(data: bytes, time_ns: int = 0) -> Frame:
    """The frame that `data` holds, from the Ethernet header on; trailing padding is allowed. FrameError when it is none."""
    if len(data) < ETH_HLEN:
        raise FrameError(f"{len(data)} bytes are shorter than an Ethernet header")
    (kind,) = unpack_from("!H", data, 12)
    if kind != ETHERTYPE_IPV4:
        raise FrameError(f"EtherType 0x{kind:04x} is not IPv4")
    return decode_packet(data[ETH_HLEN:], time_ns)


def decode_packet(data: bytes, time_ns: int = 0, *, whole: bool = True) -> Frame:
    """The packet that `data` holds, from the IP header on. FrameError when it is none.

    Without `whole` the packet may be cut short, as ICMP errors quote it; its transport header's first 8 bytes must be there,
    and nothing is said about its checksum.
    """
    if len(data) < IP_HLEN or data[0] >> 4 != 4:
        raise FrameError("no IPv4 header")
    header_length = (data[0] & 15) * 4
    total, ident, fragment = unpack_from("!HHH", data, 2)
    ttl, protocol = data[8], data[9]
    saddr, daddr = unpack_from("!II", data, 12)
    if header_length < IP_HLEN or total < header_length or (whole and total > len(data)):
        raise FrameError(f"an IPv4 packet of {total} bytes does not fit into {len(data)}")
    if checksum(data[:header_length]):
        raise FrameError("the checksum of the IP header is wrong")
    if fragment & FRAGMENT:
        raise FrameError("a fragment")
    body = data[header_length:total]
    frame = Frame(time_ns, protocol, saddr, daddr, ttl=ttl, ident=ident, dont_fragment=bool(fragment & IP_DF))
    return _transport(frame, body, total - header_length, whole=whole)


def _transport(frame: Frame, body: bytes, size: int, *, whole: bool) -> Frame:
    if frame.protocol not in (IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP):
        raise FrameError(f"IP protocol {frame.protocol} is neither TCP, UDP nor ICMP")
    if len(body) < 8:
        raise FrameError("no transport header")
    if frame.protocol == IPPROTO_ICMP:
        return _icmp(frame, body)
    sport, dport = unpack_from("!HH", body)
    frame = frame._replace(sport=sport, dport=dport)
    if frame.protocol == IPPROTO_UDP:
        (length,) = unpack_from("!H", body, 4)
        if length < UDP_HLEN or length > size:
            raise FrameError(f"a UDP length of {length} does not fit")
        body = body[:length]
        wrong = whole and body[6:8] != b"\0\0" and _sum(frame, body) != 0
        return frame._replace(length=length - UDP_HLEN, csum_bad=wrong)
    return _tcp(frame, body, size, whole=whole)


def _icmp(frame: Frame, body: bytes) -> Frame:
    quoted = None
    if body[0] in ICMP_ERRORS:
        quoted = decode_packet(body[ICMP_HLEN:], whole=False)
    return frame._replace(
        sport=body[0],
        dport=body[1],
        length=len(body) - ICMP_HLEN,
        quoted=quoted,
        csum_bad=checksum(body) != 0,
    )


def _tcp(frame: Frame, body: bytes, size: int, *, whole: bool) -> Frame:
    (seq,) = unpack_from("!I", body, 4)
    if len(body) < TCP_HLEN:
        if whole:
            raise FrameError("no TCP header")
        return frame._replace(seq=seq)
    ack_seq, offset, window, _, urgent = unpack_from("!IHHHH", body, 8)
    header = (offset >> 12) * 4
    if header < TCP_HLEN or header > size:
        raise FrameError(f"a TCP header of {header} bytes does not fit")
    options = Options() if len(body) < header else read_options(body[TCP_HLEN:header])
    return frame._replace(
        seq=seq,
        ack_seq=ack_seq,
        flags=offset & 0xFF,
        window=window,
        urgent=urgent,
        length=size - header,
        mss=options.mss,
        sack_ok=options.sack_ok,
        tsval=options.tsval,
        tsecr=options.tsecr,
        wscale=options.wscale,
        sack=options.sack,
        csum_bad=whole and _sum(frame, body) != 0,
    )


def _sum(frame: Frame, segment: bytes) -> int:
    """0 when the checksum over the pseudo header and the segment is right."""
    pseudo = pack("!IIBBH", frame.saddr, frame.daddr, 0, frame.protocol, len(segment))
    return checksum(pseudo + segment)


def read_options(data: bytes) -> Options:
    """The options in `data`; unknown ones are passed over. FrameError when a length is wrong."""
    found = Options()
    index = 0
    while index < len(data) and data[index] != EOL:
        kind = data[index]
        if kind == NOP:
            index += 1
            continue
        size = data[index + 1] if index + 1 < len(data) else 0
        if size < 2 or index + size > len(data):
            raise FrameError(f"TCP option {kind} has a length of {size}")
        _take(found, kind, data[index + 2 : index + size])
        index += size
    return found


def _take(found: Options, kind: int, value: bytes) -> None:
    if kind == MSS and len(value) == 2:
        found.mss = int.from_bytes(value, "big")
    elif kind == WSCALE and len(value) == 1:
        found.wscale = value[0]
    elif kind == SACK_PERM and not value:
        found.sack_ok = True
    elif kind == TIMESTAMP and len(value) == 8:
        found.tsval, found.tsecr = unpack_from("!II", value)
    elif kind == SACK and len(value) % 8 == 0:
        numbers = [int.from_bytes(value[at : at + 4], "big") for at in range(0, len(value), 4)]
        found.sack = tuple(zip(numbers[::2], numbers[1::2], strict=True))
