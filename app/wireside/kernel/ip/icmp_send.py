"""ICMP errors that this host sends, and how many it may send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from wireside.catalog.counters import Icmp
from wireside.catalog.errno import (
    ECONNREFUSED,
    EHOSTDOWN,
    EHOSTUNREACH,
    EMSGSIZE,
    ENETUNREACH,
    ENONET,
    ENOPROTOOPT,
    EOPNOTSUPP,
)
from wireside.catalog.inet import ETH_HLEN, ICMP_DEST_UNREACH, ICMP_HLEN, IP_HLEN, IPPROTO_ICMP
from wireside.catalog.sysctls import ICMP_MSGS_BURST, ICMP_MSGS_PER_SEC, ICMP_RATELIMIT, ICMP_RATEMASK
from wireside.kernel.core.skbuff import SkBuff, skb_alloc_truesize, skb_birth
from wireside.kernel.ip.ip_output import ip_send_skb

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu, Net
    from wireside.kernel.core.skbuff import Flow

ICMP_MAX_IP: Final = 576
"""An ICMP error is never larger than this, bytes of IP packet (RFC 1812)."""


class IcmpErr(NamedTuple):
    """What a code of "destination unreachable" means. Linux: include/net/icmp.h struct icmp_err."""

    errno: int
    fatal: bool
    """Told to a connected UDP socket that did not ask for errors."""


ICMP_ERR_CONVERT: Final = (
    IcmpErr(ENETUNREACH, False), IcmpErr(EHOSTUNREACH, False), IcmpErr(ENOPROTOOPT, True), IcmpErr(ECONNREFUSED, True),
    IcmpErr(EMSGSIZE, False), IcmpErr(EOPNOTSUPP, False), IcmpErr(ENETUNREACH, True), IcmpErr(EHOSTDOWN, True),
    IcmpErr(ENONET, True), IcmpErr(ENETUNREACH, True), IcmpErr(EHOSTUNREACH, True), IcmpErr(ENETUNREACH, False),
    IcmpErr(EHOSTUNREACH, False), IcmpErr(EHOSTUNREACH, True), IcmpErr(EHOSTUNREACH, True), IcmpErr(EHOSTUNREACH, True),
)  # fmt: skip
"""By code of "destination unreachable". Linux: net/ipv4/icmp.c icmp_err_convert[]."""
XRLIM_BURST_FACTOR: Final = 6
"""Errors that one peer may get in a burst. Linux: net/ipv4/route.c inet_peer_xrlim_allow()."""
NS: Final = 1_000_000_000


class IcmpSkb(SkBuff):
    """An ICMP error: its `flow` is (saddr, type, daddr, code).

    It quotes `offender`, the packet it complains about.
    """

    __slots__ = ("offender",)

    def __init__(self, skb_id: int, flow: Flow, length: int, offender: SkBuff) -> None:
        super().__init__(skb_id, flow, IPPROTO_ICMP, length, 0, 0)
        self.offender = offender


def icmp_send(cpu: Cpu, net: Net, offender: SkBuff, icmp_type: int, code: int) -> None:
    """Tell the sender of a packet why it could not be delivered, if the rate limits allow.

    Linux: net/ipv4/icmp.c __icmp_send().
    """
    peer = offender.flow[0]
    if offender.dev is not net.lo and 1 << icmp_type & net.sysctl[ICMP_RATEMASK]:
        if not icmp_global_allow(cpu, net):
            net.mib[Icmp.OutRateLimitGlobal] += 1
            return
        if not icmpv4_xrlim_allow(cpu, net, peer):
            net.mib[Icmp.OutRateLimitHost] += 1
            return
    header = ETH_HLEN + IP_HLEN + ICMP_HLEN
    quoted = min(offender.hdr_len + offender.len - ETH_HLEN, ICMP_MAX_IP - IP_HLEN - ICMP_HLEN)
    skb = IcmpSkb(net.machine.skb_id(), (offender.flow[2], icmp_type, peer, code), quoted, offender)
    skb.hdr_len = header
    skb.truesize, _ = skb_alloc_truesize(quoted + header)
    skb_birth(net, skb)
    net.mib[Icmp.OutMsgs] += 1
    if icmp_type == ICMP_DEST_UNREACH:
        net.mib[Icmp.OutDestUnreachs] += 1
    ip_send_skb(cpu, net, skb)


def icmpv4_xrlim_allow(cpu: Cpu, net: Net, peer: int) -> bool:
    """One error per icmp_ratelimit ms to a peer, with bursts of six. Linux: net/ipv4/icmp.c icmpv4_xrlim_allow()."""
    interval = net.sysctl[ICMP_RATELIMIT] * 1_000_000
    if interval == 0:
        return True
    credit, since = net.inet_peers.get(peer, (XRLIM_BURST_FACTOR * interval, cpu.now))
    credit = min(credit + cpu.now - since, XRLIM_BURST_FACTOR * interval)
    allowed = credit >= interval
    net.inet_peers[peer] = (credit - interval if allowed else credit, cpu.now)
    return allowed


def icmp_global_allow(cpu: Cpu, net: Net) -> bool:
    """icmp_msgs_per_sec for the whole host, with bursts of icmp_msgs_burst. Linux: net/ipv4/icmp.c icmp_global_allow().

    Differs: the burst limit is not dithered.
    """
    credit, since = net.icmp_global
    rate = net.sysctl[ICMP_MSGS_PER_SEC]
    if credit == since == 0:
        since = cpu.now
        credit = net.sysctl[ICMP_MSGS_BURST]
    earned = (cpu.now - since) * rate // NS
    if earned:
        credit = min(credit + earned, net.sysctl[ICMP_MSGS_BURST])
        since = cpu.now
    allowed = credit > 0
    net.icmp_global = (credit - allowed, since or 1)
    return allowed
