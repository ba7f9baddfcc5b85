"""Packets of the model as frames on a wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.catalog.inet import IPPROTO_TCP
from wireside.kernel.ip.icmp_send import IcmpSkb
from wireside.wire.frame import Frame

if TYPE_CHECKING:
    from wireside.kernel.core.skbuff import SkBuff


def frame_of(when: int, skb: SkBuff, *, lost: bool = False) -> Frame:
    """The frame that an skb is while it begins to leave at `when` ns.

    Differs: the identification of the IP header is the packet's number, not a counter of the socket.
    """
    saddr, sport, daddr, dport = skb.flow
    ident = skb.id & 0xFFFF
    if skb.protocol != IPPROTO_TCP:
        quoted = frame_of(when, skb.offender) if isinstance(skb, IcmpSkb) else None
        return Frame(
            when,
            skb.protocol,
            saddr,
            daddr,
            sport,
            dport,
            skb.len,
            quoted=quoted,
            ident=ident,
            dont_fragment=quoted is None,
            csum_bad=skb.csum_bad,
            lost=lost,
        )
    opt = skb.opt
    return Frame(
        when,
        IPPROTO_TCP,
        saddr,
        daddr,
        sport,
        dport,
        skb.len,
        skb.tcp_flags,
        skb.seq,
        skb.ack_seq,
        skb.window,
        mss=opt.mss if opt is not None else None,
        sack_ok=opt is not None and opt.sack_ok,
        tsval=skb.tsval,
        tsecr=skb.tsecr if skb.tsval is not None else 0,
        wscale=opt.wscale if opt is not None else None,
        sack=skb.sack,
        ident=ident,
        csum_bad=skb.csum_bad,
        lost=lost,
    )
