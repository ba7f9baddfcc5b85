"""TCP's door: find the socket of a segment and hand it over, or park it while a system call owns the socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from wireside.catalog.counters import Tcp, TcpExt
from wireside.catalog.drop_reasons import DropReason
from wireside.catalog.fates import MERGED
from wireside.catalog.inet import ACK, FIN, MASK, RST, SYN, URG
from wireside.catalog.stages import Stage
from wireside.catalog.tcp_states import TcpState
from wireside.kernel.core.skbuff import SkBuff, consume_skb, kfree_skb_reason, skb_keep_as_sent
from wireside.kernel.core.sock import sk_add_backlog
from wireside.kernel.tcp.door.request_sock import RequestSock, inet_csk_reqsk_queue_drop, reqsk_migrate
from wireside.kernel.tcp.door.sock_reuseport import reuseport_select_sock
from wireside.kernel.tcp.door.tcp import tcp_orphan_fin_wait2
from wireside.kernel.tcp.door.tcp_input import tcp_rcv_established, tcp_rcv_state_process
from wireside.kernel.tcp.door.tcp_listen import tcp_child_process, tcp_v4_rcv_listen
from wireside.kernel.tcp.door.tcp_openreq import tcp_check_req
from wireside.kernel.tcp.door.tcp_timer import tcp_delack_timer_handler, tcp_write_timer_handler
from wireside.kernel.tcp.receive.tcp_rmem import skb_try_coalesce
from wireside.kernel.tcp.send.tcp_control import tcp_send_ack, tcp_v4_send_reset
from wireside.kernel.tcp.send.tcp_minisocks import (
    TW_ACK,
    TW_RST,
    TW_SYN,
    TimewaitSock,
    inet_twsk_kill,
    tcp_timewait_ack,
    tcp_timewait_state_process,
)
from wireside.kernel.tcp.send.tcp_output import tcp_tsq_write
from wireside.kernel.tcp.sock.tcp_sock import (
    ICSK_ACK_SCHED,
    TCP_ACK_DEFERRED,
    TCP_DELACK_TIMER_DEFERRED,
    TCP_TSQ_DEFERRED,
    TCP_WRITE_TIMER_DEFERRED,
    TcpSock,
    before,
)
from wireside.kernel.tcp.sock.tcp_state import tcp_drop_reason

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu, Net

TCP_RCV: Final = int(Stage.TCP_RCV)
SK_BACKLOG: Final = int(Stage.SK_BACKLOG)


def tcp_v4_rcv(cpu: Cpu, net: Net, skb: SkBuff) -> None:
    """A TCP segment for this host: look its socket up and deliver it. Linux: net/ipv4/tcp_ipv4.c tcp_v4_rcv()."""
    if skb.stamps is not None:
        skb.stamps += (TCP_RCV, cpu.now)
    cpu.now += cpu.cost[TCP_RCV]
    net.mib[Tcp.InSegs] += 1
    if skb.csum_bad:
        net.mib[Tcp.InCsumErrors] += 1
        net.mib[Tcp.InErrs] += 1
        kfree_skb_reason(net, skb, DropReason.TCP_CSUM)
        return
    skb.end_seq = (skb.seq + skb.len + (skb.tcp_flags & FIN) + (skb.tcp_flags >> 1 & 1)) & MASK
    sk = net.ehash.get(skb.flow)
    if sk is None:
        tcp_v4_lookup_listener(cpu, net, skb)
        return
    if type(sk) is TcpSock:
        sk.segs_in += skb.gso_segs
        if skb.len:
            sk.data_segs_in += skb.gso_segs
        if sk.sk_lock_owned:
            tcp_add_backlog(cpu, sk, skb)
        elif sk.sk_state == TcpState.ESTABLISHED:
            tcp_rcv_established(cpu, sk, skb)
        else:
            tcp_rcv_state_process(cpu, sk, skb)
    elif type(sk) is RequestSock:
        tcp_v4_rcv_request(cpu, sk, skb)
    else:
        tcp_v4_timewait(cpu, net, cast("TimewaitSock", sk), skb)


def inet_lookup_listener(net: Net, skb: SkBuff) -> TcpSock | None:
    """The listener for a segment without a connection: exact address first, then any.

    Linux: net/ipv4/inet_hashtables.c __inet_lookup_listener().
    """
    candidates = cast("list[TcpSock] | None", net.listening.get(skb.flow[3]))
    if not candidates:
        return None
    if len(candidates) == 1:
        sk = candidates[0]
        return sk if not sk.rcv_saddr or sk.rcv_saddr == skb.flow[2] else None
    exact = [sk for sk in candidates if sk.rcv_saddr == skb.flow[2]]
    group = exact or [sk for sk in candidates if not sk.rcv_saddr]
    if len(group) > 1 and all(sk.sk_reuseport for sk in group):
        return reuseport_select_sock(net, group, skb.flow)
    return group[0] if group else None


def tcp_v4_lookup_listener(cpu: Cpu, net: Net, skb: SkBuff) -> None:
    """A segment without a connection: for a listener, or for nobody, which is answered with RST."""
    listener = inet_lookup_listener(net, skb)
    if listener is not None:
        tcp_v4_rcv_listen(cpu, listener, skb)
        return
    tcp_v4_send_reset(cpu, net, skb)
    kfree_skb_reason(net, skb, DropReason.NO_SOCKET)


def tcp_v4_rcv_request(cpu: Cpu, req: RequestSock, skb: SkBuff) -> None:
    """A segment for a handshake under way. Linux: tcp_v4_rcv(), TCP_NEW_SYN_RECV."""
    if req.listener.sk_state != TcpState.LISTEN and not reqsk_migrate(req):
        inet_csk_reqsk_queue_drop(req)
        tcp_v4_lookup_listener(cpu, req.listener.net, skb)
        return
    listener = req.listener
    child = tcp_check_req(cpu, req, skb)
    if child is listener:
        tcp_v4_rcv_listen(cpu, listener, skb)
    elif child is not None:
        tcp_child_process(cpu, listener, child, skb)
    else:
        listener.sk_drops += skb.gso_segs


def tcp_v4_timewait(cpu: Cpu, net: Net, tw: TimewaitSock, skb: SkBuff) -> None:
    """A segment for a minisock. Linux: tcp_v4_rcv() at do_time_wait."""
    verdict, reason = tcp_timewait_state_process(cpu, tw, skb)
    if verdict == TW_SYN:
        listener = inet_lookup_listener(net, skb)
        if listener is not None:
            isn = (tw.tw_snd_nxt + 65535 + 2) & MASK or 1
            inet_twsk_kill(tw)
            tcp_v4_rcv_listen(cpu, listener, skb, isn)
            return
        verdict = TW_ACK
    if verdict == TW_ACK:
        tcp_timewait_ack(cpu, tw, skb)
    elif verdict == TW_RST:
        tcp_v4_send_reset(cpu, net, skb)
        inet_twsk_kill(tw)
    if reason is None:
        consume_skb(net, skb)
    else:
        kfree_skb_reason(net, skb, reason)


def tcp_add_backlog(cpu: Cpu, tp: TcpSock, skb: SkBuff) -> None:
    """A system call owns the socket: park the segment until it lets go. Linux: tcp_add_backlog()."""
    if skb.stamps is not None:
        skb.stamps += (SK_BACKLOG, cpu.now)
    backlog = tp.sk_backlog
    if backlog and tcp_backlog_coalesce(tp, backlog[-1], skb):
        return
    limit = 2 * tp.sk_rcvbuf + (tp.sk_sndbuf >> 1) + 64 * 1024
    if not sk_add_backlog(tp, skb, limit):
        tp.net.mib[TcpExt.TCPBacklogDrop] += 1
        tcp_drop_reason(tp, skb, DropReason.SOCKET_BACKLOG)


def tcp_backlog_coalesce(tp: TcpSock, tail: SkBuff, skb: SkBuff) -> bool:
    """Append a segment to the last one parked, when only its numbers differ. Linux: tcp_add_backlog()."""
    flags = tail.tcp_flags | skb.tcp_flags
    if (
        tail.end_seq != skb.seq
        or flags & (SYN | RST | URG)
        or not tail.tcp_flags & skb.tcp_flags & ACK
        or tail.tsval != skb.tsval
        or tail.tsecr != skb.tsecr
        or tail.sack != skb.sack
    ):
        return False
    gso_size = max(skb.gso_size or skb.len, tail.gso_size or tail.len)
    delta = skb_try_coalesce(tail, skb)
    if delta < 0:
        return False
    skb_keep_as_sent(tail)
    tail.len += skb.len
    tail.truesize += delta
    tp.sk_backlog_len += delta
    tail.end_seq = skb.end_seq
    if not before(skb.ack_seq, tail.ack_seq):
        tail.ack_seq = skb.ack_seq
        tail.window = skb.window
    tail.tcp_flags = flags
    tail.gso_size = gso_size
    tail.gso_segs += skb.gso_segs
    skb.fate = MERGED
    tp.net.mib[TcpExt.TCPBacklogCoalesce] += 1
    return True


def tcp_v4_do_rcv(cpu: Cpu, tp: TcpSock, skb: SkBuff) -> None:
    """Deliver a segment to a socket that is not locked. Linux: tcp_v4_do_rcv()."""
    if tp.sk_state == TcpState.ESTABLISHED:
        tcp_rcv_established(cpu, tp, skb)
    elif tp.sk_state == TcpState.LISTEN:
        tcp_v4_rcv_listen(cpu, tp, skb)
    elif tp.id in tp.net.sockets:
        tcp_rcv_state_process(cpu, tp, skb)
    else:
        consume_skb(tp.net, skb)


def release_sock(cpu: Cpu, tp: TcpSock) -> None:
    """The system call is done with the socket: process what was parked, then what was deferred.

    Linux: net/core/sock.c release_sock(), __release_sock(); net/ipv4/tcp_output.c tcp_release_cb().
    """
    while tp.sk_backlog:
        # What comes in meanwhile begins a list of its own: it is not merged with what is being processed.
        backlog, tp.sk_backlog = tp.sk_backlog, None
        for skb in backlog:
            tcp_v4_do_rcv(cpu, tp, skb)
    tp.sk_backlog_len = 0
    tp.sk_lock_owned = False
    if tp.orphan and tp.sk_state == TcpState.FIN_WAIT2:
        # close() holds the lock of an orphan only once: the ACK of its FIN came in while it did.
        tcp_orphan_fin_wait2(cpu, tp)
    flags = tp.tsq_flags
    if not flags:
        return
    tp.tsq_flags = flags & ~(
        TCP_TSQ_DEFERRED | TCP_WRITE_TIMER_DEFERRED | TCP_DELACK_TIMER_DEFERRED | TCP_ACK_DEFERRED
    )
    if flags & TCP_TSQ_DEFERRED:
        tcp_tsq_write(cpu, tp)
    if flags & TCP_WRITE_TIMER_DEFERRED:
        tcp_write_timer_handler(cpu, tp)
    if flags & TCP_DELACK_TIMER_DEFERRED:
        tcp_delack_timer_handler(cpu, tp)
    if flags & TCP_ACK_DEFERRED and tp.ack_pending & ICSK_ACK_SCHED:
        tcp_send_ack(cpu, tp)


def lock_sock(tp: TcpSock) -> None:
    """A system call takes the socket. Linux: include/net/sock.h lock_sock()."""
    tp.sk_lock_owned = True
