"""SYN cookies: the request is folded into our initial sequence number, and nothing is remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.counters import TcpExt
from wireside.catalog.drop_reasons import DropReason
from wireside.catalog.inet import ACK, MASK, RST, SYN
from wireside.catalog.sysctls import TCP_SACK, TCP_SYNCOOKIES, TCP_TIMESTAMPS, TCP_WINDOW_SCALING
from wireside.kernel.core.secure_seq import keyed_hash, secure_tcp_ts_off
from wireside.kernel.core.skbuff import kfree_skb_reason
from wireside.kernel.tcp.door.request_sock import RequestSock, tcp_openreq_init_rwin, tcp_v4_send_synack
from wireside.kernel.tcp.door.sock_reuseport import reuseport_group
from wireside.kernel.tcp.door.tcp_openreq import tcp_v4_syn_recv_sock

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu, Net
    from wireside.kernel.core.skbuff import Flow, SkBuff
    from wireside.kernel.tcp.sock.tcp_sock import TcpSock

MSSTAB: Final = (536, 1300, 1440, 1460)
"""The sizes that two bits of a cookie can say. Linux: net/ipv4/syncookies.c msstab."""
COOKIEBITS: Final = 24
COOKIEMASK: Final = (1 << COOKIEBITS) - 1
MAX_SYNCOOKIE_AGE: Final = 2
"""Minutes begun for which a cookie is good. Linux: include/net/tcp.h."""
TCP_SYNCOOKIE_PERIOD_NS: Final = 60_000_000_000
TCP_SYNCOOKIE_VALID_NS: Final = MAX_SYNCOOKIE_AGE * TCP_SYNCOOKIE_PERIOD_NS
SECOND: Final = 1_000_000_000
MS: Final = 1_000_000
TSBITS: Final = 6
"""Low bits of TSval that carry options."""
TS_OPT_WSCALE_MASK: Final = 0xF
TS_OPT_SACK: Final = 0x10
_FIRST: Final = 0
_SECOND: Final = 1


def cookie_hash(net: Net, flow: Flow, count: int, which: int) -> int:
    """32 bits of a 4-tuple, a minute and a secret. Linux: net/ipv4/syncookies.c cookie_hash()."""
    saddr, sport, daddr, dport = flow
    return keyed_hash(net, saddr << 32 | daddr, (count << 1 | which) << 32 | sport << 16 | dport) & MASK


def secure_tcp_syn_cookie(net: Net, flow: Flow, sseq: int, now: int, data: int) -> int:
    """The cookie for a SYN with sequence number `sseq`; `data` is the index of the MSS. Linux: same name."""
    count = now // TCP_SYNCOOKIE_PERIOD_NS
    low = (cookie_hash(net, flow, count, _SECOND) + data) & COOKIEMASK
    return (cookie_hash(net, flow, 0, _FIRST) + sseq + (count << COOKIEBITS) + low) & MASK


def check_tcp_syn_cookie(net: Net, flow: Flow, sseq: int, now: int, cookie: int) -> int:
    """The data of a cookie; -1 when it is too old, and any large number when it is none. Linux: same name."""
    count = now // TCP_SYNCOOKIE_PERIOD_NS
    rest = (cookie - cookie_hash(net, flow, 0, _FIRST) - sseq) & MASK
    age = (count - (rest >> COOKIEBITS)) & (MASK >> COOKIEBITS)
    if age >= MAX_SYNCOOKIE_AGE:
        return -1
    return (rest - cookie_hash(net, flow, count - age, _SECOND)) & COOKIEMASK


def tcp_synq_overflow(listener: TcpSock, now: int) -> None:
    """Remember that cookies are being sent, at most once a second, for all of a SO_REUSEPORT group.

    Linux: include/net/tcp.h tcp_synq_overflow().
    """
    last = listener.icsk_accept_queue.synq_overflow_ns
    if last < 0 or not last <= now <= last + SECOND:
        for sk in reuseport_group(listener) if listener.sk_reuseport else (listener,):
            sk.icsk_accept_queue.synq_overflow_ns = now


def tcp_synq_no_recent_overflow(listener: TcpSock, now: int) -> bool:
    """No cookie has been sent for two minutes, so none can come back. Linux: include/net/tcp.h, same name."""
    last = listener.icsk_accept_queue.synq_overflow_ns
    return bool(last < 0 or not last - SECOND <= now <= last + TCP_SYNCOOKIE_VALID_NS)


def cookie_init_timestamp(req: RequestSock, now: int) -> int:
    """The TSval of a cookie: its low six bits carry window scale and SACK. Linux: cookie_init_timestamp()."""
    options = req.snd_wscale if req.wscale_ok else TS_OPT_WSCALE_MASK
    if req.sack_ok:
        options |= TS_OPT_SACK
    clock = now // MS
    tsval = clock >> TSBITS << TSBITS | options
    if tsval > clock:
        tsval -= 1 << TSBITS
    return (tsval + req.ts_off) & MASK


def send_cookie(cpu: Cpu, req: RequestSock) -> None:
    """Answer a SYN with a cookie for its sequence number; the MSS is rounded down to one of four.

    Linux: net/ipv4/tcp_input.c tcp_conn_request(), net/ipv4/syncookies.c __cookie_v4_init_sequence().
    """
    listener = req.listener
    net = listener.net
    tcp_synq_overflow(listener, cpu.now)
    net.mib[TcpExt.SyncookiesSent] += 1
    index = 3
    while index and req.mss < MSSTAB[index]:
        index -= 1
    req.mss = MSSTAB[index]
    req.snt_isn = secure_tcp_syn_cookie(net, req.flow_in, req.rcv_isn, cpu.now, index)
    tcp_v4_send_synack(cpu, req, cookie_init_timestamp(req, cpu.now) if req.tstamp_ok else None)


def cookie_timestamp_decode(req: RequestSock, skb: SkBuff) -> bool:
    """Take the options back out of the echoed timestamp; without one, or with tcp_timestamps off by now, they are lost.

    False when it names an option that is switched off here. Linux: cookie_timestamp_decode().
    """
    net = req.listener.net
    sysctl = net.sysctl
    if skb.tsval is None or not sysctl[TCP_TIMESTAMPS]:
        return True
    options = skb.tsecr
    if options:
        req.ts_off = secure_tcp_ts_off(net, req.flow_out[0], req.flow_out[2])
        options = (options - req.ts_off) & MASK
    req.tstamp_ok = True
    req.ts_recent = skb.tsval
    req.sack_ok = bool(options & TS_OPT_SACK)
    if req.sack_ok and not sysctl[TCP_SACK]:
        return False
    if options & TS_OPT_WSCALE_MASK == TS_OPT_WSCALE_MASK:
        return True
    req.wscale_ok = True
    req.snd_wscale = options & TS_OPT_WSCALE_MASK
    return bool(sysctl[TCP_WINDOW_SCALING])


def cookie_tcp_check(cpu: Cpu, listener: TcpSock, skb: SkBuff) -> RequestSock | None:
    """The request that an ACK's cookie stands for; None when it carries none. Linux: cookie_tcp_check()."""
    net = listener.net
    if tcp_synq_no_recent_overflow(listener, cpu.now):
        return None
    seq, cookie = (skb.seq - 1) & MASK, (skb.ack_seq - 1) & MASK
    index = check_tcp_syn_cookie(net, skb.flow, seq, cpu.now, cookie)
    if not 0 <= index < len(MSSTAB):
        net.mib[TcpExt.SyncookiesFailed] += 1
        return None
    net.mib[TcpExt.SyncookiesRecv] += 1
    req = RequestSock(listener, skb.flow, seq)
    req.snt_isn = cookie
    req.mss = MSSTAB[index]
    return req if cookie_timestamp_decode(req, skb) else None


def cookie_v4_check(cpu: Cpu, listener: TcpSock, skb: SkBuff) -> tuple[bool, TcpSock | None]:
    """A segment for a listener may bring a cookie back: (dealt with, the child that takes the segment).

    A cookie that meets a full accept queue leaves nothing behind. Linux: net/ipv4/syncookies.c cookie_v4_check().
    """
    net = listener.net
    if not net.sysctl[TCP_SYNCOOKIES] or skb.tcp_flags & (ACK | RST | SYN) != ACK:
        return False, None
    req = cookie_tcp_check(cpu, listener, skb)
    if req is None:
        return False, None
    tcp_openreq_init_rwin(req, req.mss)
    child = tcp_v4_syn_recv_sock(cpu, req, skb)
    if child is None:
        kfree_skb_reason(net, skb, DropReason.NO_SOCKET)
    return True, child
