"""Generic receive offload: consecutive segments of one flow become one large packet before the stack sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.fates import MERGED
from wireside.catalog.inet import FIN, MASK, PSH, RST, SYN, URG
from wireside.kernel.core.napi import GRO_HASH_BUCKETS, flow_hash
from wireside.kernel.core.skbuff import MAX_SKB_FRAGS, SK_BUFF_SIZE, skb_keep_as_sent

if TYPE_CHECKING:
    from wireside.kernel.core.napi import Napi
    from wireside.kernel.core.skbuff import SkBuff

MAX_GRO_SKBS: Final = 8
"""Flows held per bucket. Linux: net/core/gro.c."""
GRO_MAX_SIZE: Final = 65536
_FLUSH: Final = URG | PSH | RST | SYN | FIN
_MUST_MATCH: Final = ~(PSH | FIN)
_BUCKET: Final = GRO_HASH_BUCKETS - 1


def tcp_gro_receive(napi: Napi, skb: SkBuff) -> bool:
    """Merge or hold a TCP segment; False when it must go up by itself.

    A held packet ends when a segment is shorter than its first one, carries PSH or FIN, or does not follow on.
    Linux: net/ipv4/tcp_offload.c tcp_gro_receive().
    """
    flow = skb.flow
    held = napi.gro_last
    bucket: dict[tuple[int, int, int, int], SkBuff] | None = None
    if held is None or held.flow is not flow:
        bucket = napi.gro_hash[flow_hash(flow) & _BUCKET]
        held = bucket.get(flow)
    length = skb.len
    flags = skb.tcp_flags
    if held is not None:
        mss = held.gso_size or held.len
        if (
            held.seq + held.len & MASK == skb.seq
            and 0 < length <= mss
            and held.ack_seq == skb.ack_seq
            and not (flags ^ held.tcp_flags) & _MUST_MATCH
            and held.window == skb.window
            and held.tsval == skb.tsval
            and held.tsecr == skb.tsecr
            and held.sack == skb.sack
            and held.len + length + held.hdr_len < GRO_MAX_SIZE
        ):
            skb_gro_receive(held, skb, mss)
            if length < mss or flags & _FLUSH:
                _gro_complete(napi, held)
            return True
        _gro_complete(napi, held)
    if not length or flags & _FLUSH:
        return False
    _hold(napi, skb, bucket)
    return True


def skb_gro_receive(held: SkBuff, skb: SkBuff, mss: int) -> None:
    """Append the payload of `skb` to a held packet and charge its memory.

    A page-backed head is taken over without its sk_buff (2048 of 2304 bytes) until 17 fragments are full; then, and
    for heads from kmalloc, the whole packet is linked in. Linux: net/core/gro.c skb_gro_receive().
    """
    skb_keep_as_sent(held)
    held.gso_size = mss
    held.gso_segs += skb.gso_segs
    held.len += skb.len
    held.end_seq = skb.end_seq
    held.tcp_flags |= skb.tcp_flags & (PSH | FIN)
    held.tailroom = 0
    frags = held.nr_frags + 1 + skb.nr_frags
    if skb.head_frag and frags <= MAX_SKB_FRAGS:
        held.nr_frags = frags
        held.truesize += skb.truesize - SK_BUFF_SIZE
    else:
        held.nr_frags = skb.nr_frags
        held.truesize += skb.truesize
    skb.fate = MERGED


def _hold(napi: Napi, skb: SkBuff, bucket: dict[tuple[int, int, int, int], SkBuff] | None) -> None:
    """Keep a segment for its successors; a full bucket gives up its oldest flow."""
    if bucket is None:
        bucket = napi.gro_hash[flow_hash(skb.flow) & _BUCKET]
    if len(bucket) >= MAX_GRO_SKBS:
        _gro_complete(napi, next(iter(bucket.values())))
    bucket[skb.flow] = skb
    napi.gro_held += 1
    napi.gro_last = skb


def _gro_complete(napi: Napi, held: SkBuff) -> None:
    """Put a held packet on the list for the stack. Linux: net/core/gro.c gro_complete()."""
    del napi.gro_hash[flow_hash(held.flow) & _BUCKET][held.flow]
    napi.gro_held -= 1
    if napi.gro_last is held:
        napi.gro_last = None
    napi.rx_list.append(held)
    napi.rx_count += held.gso_segs


def napi_gro_flush(napi: Napi) -> None:
    """Give up all held packets, bucket by bucket, oldest first. Linux: net/core/gro.c napi_gro_flush()."""
    rx_list = napi.rx_list
    for bucket in napi.gro_hash:
        if bucket:
            for skb in bucket.values():
                rx_list.append(skb)
                napi.rx_count += skb.gso_segs
            bucket.clear()
    napi.gro_held = 0
    napi.gro_last = None
