"""What an ICMP error about one of our segments does to TCP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.catalog.counters import Icmp, TcpExt
from wireside.catalog.tcp_states import TcpState
from wireside.kernel.icmp_send import ICMP_HOST_UNREACH, ICMP_NET_UNREACH
from wireside.kernel.request_sock import RequestSock, inet_csk_reqsk_queue_drop
from wireside.kernel.tcp_openreq import tcp_listendrop
from wireside.kernel.tcp_rtt import tcp_set_rto
from wireside.kernel.tcp_sock import ICSK_TIME_RETRANS, TCP_TIMEOUT_INIT_US, TcpSock, after, before
from wireside.kernel.tcp_state import tcp_done_with_error
from wireside.kernel.tcp_timer import tcp_retransmit_timer
from wireside.kernel.tcp_xmit_timer import tcp_reset_xmit_timer

if TYPE_CHECKING:
    from wireside.kernel.net import Cpu, Net
    from wireside.kernel.skbuff import Flow

ICMP_FRAG_NEEDED = 4
ENETUNREACH, EHOSTUNREACH, ENOPROTOOPT, ECONNREFUSED = 101, 113, 92, 111
EMSGSIZE, EOPNOTSUPP, EHOSTDOWN, ENONET = 90, 95, 112, 64
ICMP_ERR_CONVERT = (
    ENETUNREACH, EHOSTUNREACH, ENOPROTOOPT, ECONNREFUSED, EMSGSIZE, EOPNOTSUPP, ENETUNREACH, EHOSTDOWN,
    ENONET, ENETUNREACH, EHOSTUNREACH, ENETUNREACH, EHOSTUNREACH, EHOSTUNREACH, EHOSTUNREACH, EHOSTUNREACH,
)  # fmt: skip
"""errno by code of "destination unreachable". Linux: net/ipv4/icmp.c icmp_err_convert[]."""
OPENING = (TcpState.SYN_SENT, TcpState.SYN_RECV)


def tcp_v4_err(cpu: Cpu, net: Net, quoted: Flow, seq: int, code: int) -> None:
    """A segment of ours could not be delivered: ends an attempt to connect; later it is only remembered.

    `quoted` is the flow of the segment and `seq` its sequence number. Linux: net/ipv4/tcp_ipv4.c tcp_v4_err().
    Differs: path MTU discovery is not modelled, ICMP_FRAG_NEEDED does nothing.
    """
    sk = net.ehash.get((quoted[2], quoted[3], quoted[0], quoted[1]))
    if sk is None:
        net.mib[Icmp.InErrors] += 1
    elif isinstance(sk, RequestSock):
        tcp_req_err(sk, seq, code)
    elif isinstance(sk, TcpSock):
        tcp_sk_err(cpu, sk, seq, code)


def tcp_req_err(req: RequestSock, seq: int, code: int) -> None:
    """An error about a SYN-ACK: nobody is behind an unreachable net or host. Linux: tcp_req_err()."""
    if seq != req.snt_isn:
        req.listener.net.mib[TcpExt.OutOfWindowIcmps] += 1
    elif code in (ICMP_NET_UNREACH, ICMP_HOST_UNREACH):
        inet_csk_reqsk_queue_drop(req)
        tcp_listendrop(req.listener)


def tcp_sk_err(cpu: Cpu, tp: TcpSock, seq: int, code: int) -> None:
    """An error about a segment of a full socket. RFC: 1122 4.2.3.9, 5461."""
    mib = tp.net.mib
    if tp.sk_lock_owned and code != ICMP_FRAG_NEEDED:
        mib[TcpExt.LockDroppedIcmps] += 1
    if before(seq, tp.snd_una) or after(seq, tp.snd_nxt):
        mib[TcpExt.OutOfWindowIcmps] += 1
        return
    if code == ICMP_FRAG_NEEDED or not 0 <= code < len(ICMP_ERR_CONVERT):
        return
    if code in (ICMP_NET_UNREACH, ICMP_HOST_UNREACH):
        tcp_ld_rto_revert(cpu, tp, seq)
    error = ICMP_ERR_CONVERT[code]
    if tp.sk_state in OPENING and not tp.sk_lock_owned:
        tcp_done_with_error(cpu, tp, error)
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
