"""The end of a handshake at the server: judge a segment for a request, and make the child socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.counters import Tcp, TcpExt
from wireside.catalog.drop_reasons import DropReason
from wireside.catalog.inet import ACK, MASK, RST, SYN
from wireside.catalog.sysctls import (
    TCP_ABORT_ON_OVERFLOW,
    TCP_CONGESTION_CONTROL,
    TCP_INVALID_RATELIMIT,
    TCP_TIMESTAMPS,
)
from wireside.catalog.tcp_states import TcpState
from wireside.kernel.core.skbuff import SkBuff, kfree_skb_reason
from wireside.kernel.core.sock import SOCK_BINDPORT_LOCK
from wireside.kernel.ip.inet_bind import inet_bind_hash
from wireside.kernel.ip.ip_output import sk_setup_caps
from wireside.kernel.tcp.ack.tcp_clean_rtx import tcp_ack_update_rtt
from wireside.kernel.tcp.door.request_sock import (
    RequestSock,
    RequestSockQueue,
    inet_csk_reqsk_queue_drop,
    reqsk_acked,
    reqsk_timeout_ns,
    tcp_rtx_synack,
    tcp_synack_tsval,
)
from wireside.kernel.tcp.door.tcp_establish import (
    tcp_advmss,
    tcp_assign_congestion_control,
    tcp_initialize_rcv_mss,
)
from wireside.kernel.tcp.door.tcp_timer import (
    keepalive_time_when_ns,
    tcp_init_xmit_timers,
    tcp_reset_keepalive_timer,
)
from wireside.kernel.tcp.send.tcp_control import tcp_v4_send_ack, tcp_v4_send_reset
from wireside.kernel.tcp.send.tcp_minisocks import tcp_in_window
from wireside.kernel.tcp.send.tcp_output import tcp_sync_mss
from wireside.kernel.tcp.sock.tcp_sock import TcpSock, after, before
from wireside.kernel.tcp.sock.tcp_state import sock_prot_inuse_add

if TYPE_CHECKING:
    from wireside.catalog.kinds import Counter
    from wireside.kernel.core.net import Cpu

INHERITED: Final = (
    "sk_rcvbuf", "sk_sndbuf", "sk_userlocks", "sk_shutdown", "sk_linger", "linger2", "sk_reuse", "sk_reuseport", "nonagle", "keepopen",
    "keepalive_time_ns", "keepalive_intvl_ns", "keepalive_probes",
    "sk_rcvtimeo", "sk_sndtimeo", "recverr", "sk_rcvlowat", "user_mss", "notsent_lowat", "icsk_user_timeout_ns", "rto_min_us", "rto_max_ns", "syn_tries", "comm", "ack_pingpong",
)  # fmt: skip
"""What a child has from its listener. Linux: net/core/sock.c sk_clone_lock()."""


def tcp_reqsk_oow_limited(
    cpu: Cpu, req: RequestSock, skb: SkBuff, skipped: Counter = TcpExt.TCPACKSkippedSynRecv
) -> bool:
    """An answer to something unusual must wait: at most two a second. Linux: tcp_oow_rate_limited()."""
    net = req.listener.net
    # A RST is judged whatever it carries; other segments with data are no part of a loop of ACKs.
    if skb.seq != skb.end_seq and not skb.tcp_flags & (SYN | RST):
        return False
    limit = net.sysctl[TCP_INVALID_RATELIMIT] * 1_000_000
    if req.last_oow_ack_ns and cpu.now - req.last_oow_ack_ns < limit:
        net.mib[skipped] += 1
        return True
    req.last_oow_ack_ns = cpu.now or 1
    return False


def tcp_check_req(cpu: Cpu, req: RequestSock, skb: SkBuff) -> TcpSock | None:
    """A segment for a request: the child socket when it completes the handshake, else None and dealt with.

    A wrong ACK number gives the listener back, which answers. Linux: net/ipv4/tcp_minisocks.c tcp_check_req().
    """
    listener = req.listener
    net = listener.net
    flags = skb.tcp_flags & (RST | SYN | ACK)
    paws = tsecr = False
    tsval = skb.tsval if net.sysctl[TCP_TIMESTAMPS] else None
    if tsval is not None:
        paws = bool(req.ts_recent) and before(tsval, req.ts_recent)
        tsecr = bool(req.tstamp_ok and skb.tsecr and net.machine.profile.tsecr_check) and (
            before(skb.tsecr, req.snt_tsval_first) or after(skb.tsecr, req.snt_tsval_last)
        )
    if skb.seq == req.rcv_isn and flags == SYN and not paws:
        if not tcp_reqsk_oow_limited(cpu, req, skb):
            tcp_rtx_synack(cpu, req)
            assert req.timer is not None
            net.machine.timers.mod_timer(req.timer, cpu.now, cpu.now + reqsk_timeout_ns(req))
        kfree_skb_reason(net, skb, DropReason.NOT_SPECIFIED)
        return None
    if flags & (ACK | RST) == ACK and skb.ack_seq != (req.snt_isn + 1) & MASK:
        return listener
    rcv_nxt = (req.rcv_isn + 1) & MASK
    right = (rcv_nxt + max(req.rcv_wnd, 1)) & MASK
    if paws or tsecr or not tcp_in_window(skb.seq, skb.end_seq, rcv_nxt, right):
        tcp_req_out_of_window(cpu, req, skb, paws=paws, tsecr=tsecr)
        return None
    if skb.seq == req.rcv_isn:
        flags &= ~SYN
    if flags & RST and skb.seq != rcv_nxt:
        tcp_reqsk_challenge(cpu, req, skb)
        return None
    if flags & (RST | SYN):
        net.mib[Tcp.AttemptFails] += 1
        tcp_embryonic_reset(cpu, req, skb)
        kfree_skb_reason(net, skb, DropReason.NOT_SPECIFIED)
        return None
    if not flags & ACK:
        kfree_skb_reason(net, skb, DropReason.TCP_FLAGS)
        return None
    if req.num_timeout < listener.rskq_defer_accept and skb.end_seq == rcv_nxt:
        reqsk_acked(req)
        net.mib[TcpExt.TCPDeferAcceptDrop] += 1
        kfree_skb_reason(net, skb, DropReason.NOT_SPECIFIED)
        return None
    return tcp_complete_req(cpu, req, skb)


def tcp_complete_req(cpu: Cpu, req: RequestSock, skb: SkBuff) -> TcpSock | None:
    """A valid final ACK: the child, or what happens when the accept queue is full. Linux: tcp_check_req()."""
    net = req.listener.net
    child = tcp_v4_syn_recv_sock(cpu, req, skb)
    if child is None:
        if net.sysctl[TCP_ABORT_ON_OVERFLOW]:
            tcp_embryonic_reset(cpu, req, skb)
        else:
            reqsk_acked(req)
        kfree_skb_reason(net, skb, DropReason.TCP_LISTEN_OVERFLOW)
        return None
    inet_csk_reqsk_queue_drop(req)
    if skb.tsval is not None and net.sysctl[TCP_TIMESTAMPS] and not after(skb.seq, child.rcv_nxt):
        # Not before: a segment that completes nothing must not age those that may still.
        child.ts_recent = skb.tsval
    if not req.num_retrans and req.snt_synack_ns:
        rtt_us = max((cpu.now - req.snt_synack_ns) // 1000, 1)
        tcp_ack_update_rtt(child, rtt_us, rtt_us)
    return child


def tcp_v4_reqsk_send_ack(cpu: Cpu, req: RequestSock, skb: SkBuff) -> None:
    """Tell the peer where this handshake is. Linux: net/ipv4/tcp_ipv4.c tcp_v4_reqsk_send_ack()."""
    tsval = tcp_synack_tsval(cpu, req) if req.tstamp_ok else None
    seq, ack = (req.snt_isn + 1) & MASK, (req.rcv_isn + 1) & MASK
    window = min(req.rcv_wnd, 65535) >> req.rcv_wscale
    tcp_v4_send_ack(cpu, req.listener.net, skb, seq, ack, window, tsval, req.ts_recent)


def tcp_reqsk_challenge(cpu: Cpu, req: RequestSock, skb: SkBuff) -> None:
    """A RST in the window but not at its edge may be a guess: challenge it. RFC: 5961 3.2. Linux: tcp_check_req()."""
    net = req.listener.net
    if not tcp_reqsk_oow_limited(cpu, req, skb, TcpExt.TCPACKSkippedChallenge):
        net.mib[TcpExt.TCPChallengeACK] += 1
        tcp_v4_reqsk_send_ack(cpu, req, skb)
    kfree_skb_reason(net, skb, DropReason.TCP_RESET)


def tcp_req_out_of_window(cpu: Cpu, req: RequestSock, skb: SkBuff, *, paws: bool, tsecr: bool) -> None:
    """Answer with where we are, and drop. RFC: 793 "first check sequence number"."""
    net = req.listener.net
    if not skb.tcp_flags & RST and not tcp_reqsk_oow_limited(cpu, req, skb):
        tcp_v4_reqsk_send_ack(cpu, req, skb)
    reason = DropReason.TCP_OVERWINDOW
    if paws:
        net.mib[TcpExt.PAWSEstab] += 1
        reason = DropReason.TCP_RFC7323_PAWS
    elif tsecr:
        net.mib[TcpExt.TSEcrRejected] += 1
        reason = DropReason.TCP_RFC7323_TSECR
    kfree_skb_reason(net, skb, reason)


def tcp_embryonic_reset(cpu: Cpu, req: RequestSock, skb: SkBuff) -> None:
    """End a handshake, with RST unless it was one that ended it. Linux: tcp_check_req() at embryonic_reset."""
    net = req.listener.net
    tcp_v4_send_reset(cpu, net, skb)
    inet_csk_reqsk_queue_drop(req)
    net.mib[TcpExt.EmbryonicRsts] += 1


def tcp_listendrop(listener: TcpSock, segment: str = "") -> None:
    """A listener turns something away; `segment` is "SYN" or "ACK". Linux: include/net/tcp.h tcp_listendrop()."""
    listener.sk_drops += 1
    listener.net.mib[TcpExt.ListenDrops] += 1
    if segment:
        listener.net.turned_away[segment] += 1


def tcp_v4_syn_recv_sock(cpu: Cpu, req: RequestSock, skb: SkBuff) -> TcpSock | None:
    """Create the child socket and put it into the accept queue; None when that is full.

    Linux: net/ipv4/tcp_ipv4.c tcp_v4_syn_recv_sock(), inet_csk_reqsk_queue_add().
    """
    listener = req.listener
    net = listener.net
    queue: RequestSockQueue = listener.icsk_accept_queue
    if queue.is_full():
        net.mib[TcpExt.ListenOverflows] += 1
        tcp_listendrop(listener, "ACK")
        return None
    child = tcp_create_openreq_child(cpu, req, skb)
    sk_setup_caps(child)
    tcp_sync_mss(child)
    tcp_initialize_rcv_mss(child)
    tcp_init_xmit_timers(child)
    tcp_assign_congestion_control(child)
    net.ehash[req.flow_in] = child
    sock_prot_inuse_add(child)
    child.sk_userlocks &= ~SOCK_BINDPORT_LOCK
    inet_bind_hash(net, child.sk_num, child)
    if child.keepopen:
        tcp_reset_keepalive_timer(cpu, child, keepalive_time_when_ns(child))
    queue.accept.append(child)
    return child


def tcp_create_openreq_child(cpu: Cpu, req: RequestSock, skb: SkBuff) -> TcpSock:
    """A socket with what listener and request know. Linux: net/ipv4/tcp_minisocks.c tcp_create_openreq_child()."""
    listener = req.listener
    net = listener.net
    child = TcpSock(net, net.machine.sock_id())
    for name in INHERITED:
        setattr(child, name, getattr(listener, name))
    child.sk_userlocks &= ~SOCK_BINDPORT_LOCK
    child.ca_ops = listener.ca_ops if listener.ca_setsockopt else net.sysctl[TCP_CONGESTION_CONTROL]
    child.ca_setsockopt = listener.ca_setsockopt
    child.sk_state = TcpState.SYN_RECV
    child.flow_in, child.flow_out = req.flow_in, req.flow_out
    child.rcv_saddr, child.sk_num = req.flow_out[0], listener.sk_num
    child.iss, child.irs = req.snt_isn, req.rcv_isn
    child.rcv_nxt = child.copied_seq = child.rcv_wup = (req.rcv_isn + 1) & MASK
    first = (req.snt_isn + 1) & MASK
    child.snd_una = child.snd_nxt = child.snd_sml = child.write_seq = child.pushed_seq = first
    child.snd_wl1 = req.rcv_isn
    child.tstamp_ok, child.sack_ok, child.wscale_ok = req.tstamp_ok, req.sack_ok, req.wscale_ok
    child.ts_recent, child.ts_off = req.ts_recent, req.ts_off
    child.rcv_wnd = child.rcv_ssthresh = req.rcv_wnd
    child.window_clamp = req.window_clamp
    if req.wscale_ok:
        child.rcv_wscale, child.snd_wscale = req.rcv_wscale, req.snd_wscale
    else:
        child.window_clamp = min(child.window_clamp, 65535)
    child.snd_wnd = child.max_window = skb.window << child.snd_wscale
    child.mss_clamp = req.mss
    child.advmss = tcp_advmss(listener, req.flow_out[2])
    child.lrcvtime_ns = child.lsndtime_ns = cpu.now
    child.segs_in = 1
    child.first_tx_ns = req.snt_synack_ns
    child.total_retrans = req.num_retrans
    if req.num_timeout:
        child.undo_marker = req.snt_isn
        child.retrans_stamp_ns = req.snt_synack_ns
    net.mib[Tcp.PassiveOpens] += 1
    return child
