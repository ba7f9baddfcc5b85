"""struct sk_buff: one packet and its control block, and the only ways in which it can end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from wireside.catalog.fates import CONSUMED, DELIVERED
from wireside.catalog.inet import IPPROTO_TCP, TCPOLEN_TSTAMP_ALIGNED

if TYPE_CHECKING:
    from collections.abc import Callable

    from wireside.catalog.drop_reasons import DropReason
    from wireside.kernel.core.net import Cpu, Net, NetDevice
    from wireside.kernel.core.sock import Sock
    from wireside.wire.words import Numbers

Flow = tuple[int, int, int, int]
"""(saddr, sport, daddr, dport) as the packet carries them; one object per direction of a connection."""

SK_BUFF_SIZE: Final = 256
"""sizeof(struct sk_buff) rounded to its slab, bytes. Linux: include/linux/skbuff.h."""
SKB_SHARED_INFO_SIZE: Final = 320
"""SKB_DATA_ALIGN(sizeof(struct skb_shared_info)) with MAX_SKB_FRAGS 17, bytes."""
SKB_SMALL_HEAD: Final = 576
"""Size of an object of skb_small_head_cache, bytes. Linux: net/core/skbuff.c."""
NET_SKB_PAD: Final = 64
"""Headroom a driver leaves before the frame, bytes."""
MAX_SKB_FRAGS: Final = 17
PAGE_SIZE: Final = 4096

SHARING_DEVICES: Final = ("veth", "lo")
"""Devices that pass on the sender's own sk_buff."""


class SynOptions(NamedTuple):
    """TCP options that only a SYN carries."""

    mss: int
    wscale: int | None = None
    sack_ok: bool = False


def tcp_syn_options_len(opt: SynOptions, *, stamped: bool) -> int:
    """Bytes of a SYN's options, padding included. Linux: net/ipv4/tcp_output.c tcp_syn_options(), tcp_options_write()."""
    size = 4 if opt.wscale is None else 8
    if stamped:
        return size + TCPOLEN_TSTAMP_ALIGNED
    return size + 4 if opt.sack_ok else size


class AsSent(NamedTuple):
    """The fields of a header that change when a packet is cut into frames or grows by the bytes of the next one."""

    len: int
    tcp_flags: int
    ack_seq: int
    window: int


class Charged(Protocol):
    """What a socket pays for: a packet, or what a driver keeps of one."""

    sk: Sock | None
    truesize: int


class SkBuff:
    """One packet, or a GSO/GRO super-packet of `gso_segs` wire frames.

    `len` is payload bytes; `hdr_len` Ethernet + IP + transport header bytes; `truesize` the memory charged;
    `tailroom` the bytes that still fit into its linear part; `window` the raw field of the TCP header.
    `stamps` is the flat list [stage, ns, stage, ns …] of its journey, or None when tracing is off.
    Linux: include/linux/skbuff.h struct sk_buff, include/net/tcp.h struct tcp_skb_cb.
    """

    __slots__ = (
        "ack_seq",
        "arrival",
        "as_sent",
        "csum_bad",
        "destructor",
        "dev",
        "end_seq",
        "fate",
        "flow",
        "gso_segs",
        "gso_size",
        "hdr_len",
        "head_frag",
        "head_len",
        "id",
        "len",
        "nr_frags",
        "numbers",
        "opt",
        "original",
        "probe",
        "protocol",
        "retrans",
        "sack",
        "sacked",
        "seq",
        "sk",
        "skb_mstamp_ns",
        "source",
        "stamps",
        "tailroom",
        "tcp_flags",
        "truesize",
        "tsecr",
        "tsval",
        "window",
    )

    def __init__(self, skb_id: int, flow: Flow, protocol: int, length: int, seq: int, flags: int) -> None:
        self.id = skb_id
        self.flow = flow
        self.protocol = protocol
        self.len = length
        self.seq = seq
        self.end_seq = seq
        self.tcp_flags = flags
        self.ack_seq = 0
        self.window = 0
        self.tsval: int | None = None
        self.tsecr = 0
        self.sack: tuple[tuple[int, int], ...] = ()
        self.opt: SynOptions | None = None
        self.csum_bad = False
        """Its transport checksum is wrong."""
        self.hdr_len = 54
        self.truesize = 0
        self.gso_segs = 1
        self.gso_size = 0
        self.tailroom = 0
        self.head_frag = False
        self.head_len = 0
        """Payload bytes in the linear part; the rest lies in page fragments."""
        self.nr_frags = 0
        self.original: SkBuff | None = None
        """The segment in the sender's retransmit queue that this is a clone of."""
        self.sacked = 0
        self.retrans = 0
        self.skb_mstamp_ns = 0
        self.arrival = 0
        """ns at which the receiving device took the frame (skb->tstamp)."""
        self.dev: NetDevice | None = None
        self.stamps: list[int] | None = None
        self.as_sent: AsSent | None = None
        """What it told when it left its socket, once it has been cut up or another packet's bytes have been added to it."""
        self.numbers: Numbers | None = None
        """From where its sequence numbers count for a reader; of a segment born while tracing is on."""
        self.probe = False
        """Sent to make the peer speak: a window or keepalive probe."""
        self.fate = ""
        self.source: Net | None = None
        """The namespace that sent it; None for hand-written segments."""
        self.sk: Sock | None = None
        """The sending socket that pays for it until `destructor` runs (transmit only)."""
        self.destructor: Callable[[Cpu, Charged], None] | None = None
        """Gives `truesize` back to `sk`; a TX ring calls it with a record of its own."""


def skb_alloc_truesize(linear: int) -> tuple[int, int]:
    """Truesize and usable linear bytes of alloc_skb(`linear`).

    Linux: net/core/skbuff.c __alloc_skb(), kmalloc_reserve(): a small head from its own cache, else the next
    power-of-two kmalloc bucket that also holds skb_shared_info.
    """
    if linear <= SKB_SMALL_HEAD - SKB_SHARED_INFO_SIZE:
        return SK_BUFF_SIZE + SKB_SMALL_HEAD, SKB_SMALL_HEAD - SKB_SHARED_INFO_SIZE
    bucket = 1 << (linear + SKB_SHARED_INFO_SIZE - 1).bit_length()
    return SK_BUFF_SIZE + bucket, bucket - SKB_SHARED_INFO_SIZE


def kfree_skb_reason(net: Net, skb: SkBuff, reason: DropReason) -> None:
    """Drop a packet and write down why, as far as this kernel release tells reasons apart.

    Linux: net/core/skbuff.c sk_skb_reason_drop(); the drop is what `perf trace -e skb:kfree_skb` shows.
    """
    shown = reason.shown_on(net.machine.profile.version)
    net.drops[shown] = net.drops.get(shown, 0) + skb.gso_segs
    skb.fate = shown.name
    if net.on_drop is not None:
        net.on_drop(net, skb, reason)


def consume_skb(net: Net, skb: SkBuff) -> None:
    """End a packet that has done its work (an ACK, a SYN); no drop, nothing to see in a drop tracer."""
    net.consumed += skb.gso_segs
    skb.fate = CONSUMED


def skb_cloned(skb: SkBuff) -> bool:
    """The sender on the same machine still holds the data too, so nothing may be appended. Linux: skb_cloned().

    A frame that came over a wire lies in buffers of its own.
    """
    original = skb.original
    if original is None:
        return False
    if original.fate or skb.dev is None or skb.dev.kind not in SHARING_DEVICES:
        skb.original = None
        return False
    return True


def deliver_skb(net: Net, skb: SkBuff) -> None:
    """End a packet whose bytes the program has read."""
    net.delivered += skb.gso_segs
    skb.fate = DELIVERED


def skb_birth(net: Net, skb: SkBuff) -> None:
    """Enter a new packet of `net`, complete up to `ack_seq`, into the books and, when tracing is on, into the trace."""
    net.born += skb.gso_segs
    skb.source = net
    machine = net.machine
    trace = machine.trace
    if trace is not None:
        skb.stamps = []
        trace.append(skb)
        if skb.protocol == IPPROTO_TCP:
            skb.numbers = machine.conversations.numbers(skb.flow, skb.tcp_flags, skb.seq, skb.ack_seq)
        if machine.on_birth is not None:
            machine.on_birth(skb)


def skb_keep_as_sent(skb: SkBuff) -> None:
    """Before a traced packet is cut up or grows: keep what a reader has been told of it."""
    if skb.as_sent is None and skb.stamps is not None:
        skb.as_sent = AsSent(skb.len, skb.tcp_flags, skb.ack_seq, skb.window)


def skb_orphan(cpu: Cpu, skb: SkBuff) -> None:
    """Release the packet from its sending socket, which stops paying for it. Linux: skb_orphan()."""
    if skb.destructor is not None:
        skb.destructor(cpu, skb)
        skb.destructor = None
        skb.sk = None
