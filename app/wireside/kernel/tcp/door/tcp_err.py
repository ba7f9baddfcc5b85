"""What an ICMP error about one of our segments does to TCP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.counters import Icmp, TcpExt
from wireside.catalog.inet import ICMP_FRAG_NEEDED, ICMP_HOST_UNREACH, ICMP_NET_UNREACH, IP_HLEN
from wireside.catalog.tcp_states import TcpState
from wireside.kernel.core.ip_sockglue import ip_icmp_error
from wireside.kernel.core.sock import sk_error_report
from wireside.kernel.ip.icmp_send import ICMP_ERR_CONVERT
from wireside.kernel.tcp.door.request_sock import RequestSock, inet_csk_reqsk_queue_drop
from wireside.kernel.tcp.door.tcp_openreq import tcp_listendrop
from wireside.kernel.tcp.door.tcp_timer import tcp_retransmit_timer
from wireside.kernel.tcp.send.tcp_rtt import tcp_set_rto
from wireside.kernel.tcp.send.tcp_xmit_timer import tcp_reset_xmit_timer
from wireside.kernel.tcp.sock.tcp_sock import ICSK_TIME_RETRANS, TCP_TIMEOUT_INIT_US, TcpSock, after, before
from wireside.kernel.tcp.sock.tcp_state import tcp_done_with_error

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu, Net
    from wireside.kernel.ip.icmp_send import IcmpSkb

OPENING: Final = (TcpState.SYN_SENT, TcpState.SYN_RECV)


def tcp_v4_err(cpu: Cpu, net: Net, skb: IcmpSkb) -> None:
    """A segment of ours could not be delivered: ends an attempt to connect; later it is only remembered.

    Linux: net/ipv4/tcp_ipv4.c tcp_v4_err(). Differs: path MTU discovery is not modelled, ICMP_FRAG_NEEDED does nothing.
    """
    saddr, sport, daddr, dport = skb.offender.flow
    sk = net.ehash.get((daddr, dport, saddr, sport))
    if sk is None:
        net.mib[Icmp.InErrors] += 1
    elif isinstance(sk, RequestSock):
        tcp_req_err(sk, skb.offender.seq, skb.flow[3])
    elif isinstance(sk, TcpSock):
        tcp_sk_err(cpu, sk, skb)


def tcp_req_err(req: RequestSock, seq: int, code: int) -> None:
    """An error about a SYN-ACK: nobody is behind an unreachable net or host. Linux: tcp_req_err()."""
    if seq != req.snt_isn:
        req.listener.net.mib[TcpExt.OutOfWindowIcmps] += 1
    elif code in (ICMP_NET_UNREACH, ICMP_HOST_UNREACH):
        inet_csk_reqsk_queue_drop(req)
        tcp_listendrop(req.listener)


def tcp_sk_err(cpu: Cpu, tp: TcpSock, skb: IcmpSkb) -> None:
    """An error about a segment of a full socket. RFC: 1122 4.2.3.9, 5461."""
    mib = tp.net.mib
    seq, code = skb.offender.seq, skb.flow[3]
    if tp.sk_lock_owned and code != ICMP_FRAG_NEEDED:
        mib[TcpExt.LockDroppedIcmps] += 1
    if before(seq, tp.snd_una) or after(seq, tp.snd_nxt):
        mib[TcpExt.OutOfWindowIcmps] += 1
        return
    if code == ICMP_FRAG_NEEDED or not 0 <= code < len(ICMP_ERR_CONVERT):
        return
    if code in (ICMP_NET_UNREACH, ICMP_HOST_UNREACH):
        tcp_ld_rto_revert(cpu, tp, seq)
    error = ICMP_ERR_CONVERT[code].errno
    if tp.sk_state in OPENING:
        ip_icmp_error(cpu, tp, error, skb, skb.offender, skb.len - IP_HLEN)
    if tp.sk_state in OPENING and not tp.sk_lock_owned:
        tcp_done_with_error(cpu, tp, error)
    elif tp.recverr and not tp.sk_lock_owned:
        tp.sk_err = error
        sk_error_report(cpu, tp)
    else:
        tp.sk_err_soft = error


def tcp_ld_rto_revert(cpu: Cpu, tp: TcpSock, seq: int) -> None:
    """A router, not congestion, has swallowed the retransmission: take one doubling of the RTO back. RFC: 6069.

    Linux: net/ipv4/tcp_ipv4.c tcp_ld_RTO_revert().
    """
    if tp.sk_lock_owned or seq != tp.snd_una or not tp.icsk_retransmits or not tp.icsk_backoff:
        return
    tp.icsk_backoff -= 1
    if tp.srtt_us:
        tcp_set_rto(tp)
    else:
        tp.icsk_rto_ns = TCP_TIMEOUT_INIT_US * 1000
    tp.icsk_rto_ns = min(tp.icsk_rto_ns << tp.icsk_backoff, tp.rto_max_ns)
    remaining = tp.icsk_rto_ns - (cpu.now - tp.tcp_rtx_queue[0].skb_mstamp_ns)
    if remaining > 0:
        tcp_reset_xmit_timer(cpu, tp, ICSK_TIME_RETRANS, remaining)
    else:
        tcp_retransmit_timer(cpu, tp)
