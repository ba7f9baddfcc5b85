"""From SYN to ESTABLISHED, as the client sees it, and what both ends set up then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.counters import Tcp
from wireside.catalog.inet import ACK, MASK, SYN, TCPOLEN_TSTAMP_ALIGNED
from wireside.catalog.sysctls import TCP_SACK, TCP_TIMESTAMPS, TCP_WINDOW_SCALING
from wireside.catalog.tcp_states import TcpState
from wireside.kernel.core.sk_buff_head import NO_ENTRIES
from wireside.kernel.core.skbuff import SkBuff, SynOptions
from wireside.kernel.core.sock import (
    SOCK_RCVBUF_LOCK,
    sk_forced_mem_schedule,
    sk_state_change,
    sk_wmem_queue_add,
)
from wireside.kernel.ip.ip_output import dst_mtu, sk_setup_caps
from wireside.kernel.tcp.ack.ack_flag import FLAG_SLOWPATH
from wireside.kernel.tcp.ack.tcp_ack import tcp_ack, tcp_fast_path_check
from wireside.kernel.tcp.ack.tcp_cubic import CONGESTION_CONTROLS
from wireside.kernel.tcp.door.tcp_timer import keepalive_time_when_ns, tcp_reset_keepalive_timer
from wireside.kernel.tcp.receive.tcp_rcv import tcp_enter_quickack_mode
from wireside.kernel.tcp.send.tcp_cong import Reno
from wireside.kernel.tcp.send.tcp_control import TCP_DELACK_MAX_NS, tcp_in_pingpong_mode, tcp_send_ack
from wireside.kernel.tcp.send.tcp_output import (
    tcp_new_skb,
    tcp_rtx_queue_tail,
    tcp_sync_mss,
    tcp_transmit_skb,
)
from wireside.kernel.tcp.send.tcp_xmit_timer import tcp_reset_xmit_timer
from wireside.kernel.tcp.sock.tcp_sock import (
    ICSK_ACK_SCHED,
    ICSK_ACK_TIMER,
    ICSK_TIME_RETRANS,
    TCP_INFINITE_SSTHRESH,
    TCP_INIT_CWND,
    TCP_MIN_MSS,
    TCP_MSS_DEFAULT,
    TcpSock,
    tcp_full_space,
    tcp_share_numbers,
)
from wireside.kernel.tcp.sock.tcp_state import tcp_set_state
from wireside.kernel.tcp.sock.tcp_window import (
    TCP_MAX_WSCALE,
    tcp_init_buffer_space,
    tcp_select_initial_window,
)

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu, Net

TCP_TIMEOUT_FALLBACK_US: Final = 3_000_000


def ipv4_default_advmss(net: Net, daddr: int) -> int:
    """The MSS that the MTU towards a peer allows it to send. Linux: net/ipv4/route.c ipv4_default_advmss()."""
    return max(dst_mtu(net, daddr) - 40, 256)


def tcp_advmss(tp: TcpSock, daddr: int) -> int:
    """The MSS that a socket offers a peer: the device's, or TCP_MAXSEG. Linux: include/net/tcp.h tcp_mss_clamp()."""
    return min(ipv4_default_advmss(tp.net, daddr), tp.user_mss or MASK)


def tcp_assign_congestion_control(tp: TcpSock) -> None:
    """Turn the name of the congestion control into its operations and start it."""
    if isinstance(tp.ca_ops, str):
        tp.ca_ops = CONGESTION_CONTROLS[tp.ca_ops]
    assert isinstance(tp.ca_ops, Reno)
    tp.ca_ops.init(tp)


def tcp_connect_init(tp: TcpSock) -> None:
    """Choose MSS, window and scale for our SYN. Linux: net/ipv4/tcp_output.c tcp_connect_init()."""
    assert tp.flow_out is not None
    sk_setup_caps(tp)
    tp.advmss = tcp_advmss(tp, tp.flow_out[2])
    tp.mss_clamp = tp.user_mss or TCP_MSS_DEFAULT
    tp.tstamp_ok = bool(tp.net.sysctl[TCP_TIMESTAMPS])
    tcp_sync_mss(tp)
    tcp_initialize_rcv_mss(tp)
    full = tcp_full_space(tp)
    if tp.sk_userlocks & SOCK_RCVBUF_LOCK and (tp.window_clamp > full or not tp.window_clamp):
        tp.window_clamp = full
    wscale_ok = bool(tp.net.sysctl[TCP_WINDOW_SCALING])
    # A port taken from a TIME-WAIT entry brings the peer's last timestamp: then segments will carry them.
    mss = tp.advmss - TCPOLEN_TSTAMP_ALIGNED if tp.ts_recent else tp.advmss
    tp.rcv_wnd, tp.window_clamp, tp.rcv_wscale = tcp_select_initial_window(
        tp.net, full, mss, tp.window_clamp, wscale_ok=wscale_ok
    )
    tp.wscale_ok = wscale_ok
    tp.sack_ok = bool(tp.net.sysctl[TCP_SACK])
    tp.rcv_ssthresh = tp.rcv_wnd
    tp.snd_una = tp.snd_nxt = tp.snd_sml = tp.iss
    tp.write_seq = tp.pushed_seq = tp.iss
    tp.rcv_nxt = tp.rcv_wup = tp.copied_seq = 0


def tcp_connect(cpu: Cpu, tp: TcpSock) -> None:
    """Send the SYN and wait for an answer. Linux: net/ipv4/tcp_output.c tcp_connect()."""
    tcp_assign_congestion_control(tp)
    tcp_connect_init(tp)
    tp.retrans_stamp_ns = cpu.now or 1
    tcp_queue_syn(cpu, tp, SYN)
    tp.net.mib[Tcp.ActiveOpens] += 1
    tcp_reset_xmit_timer(cpu, tp, ICSK_TIME_RETRANS, tp.icsk_rto_ns)


def tcp_queue_syn(cpu: Cpu, tp: TcpSock, flags: int) -> None:
    """Put a SYN into the retransmit queue and send it."""
    skb = tcp_new_skb(tp, tp.iss, flags)
    skb.end_seq = (tp.iss + 1) & MASK
    skb.opt = SynOptions(tp.advmss, tp.rcv_wscale if tp.wscale_ok else None, tp.sack_ok)
    tcp_rtx_queue_tail(tp, skb)
    sk_forced_mem_schedule(tp, skb.truesize)
    sk_wmem_queue_add(tp, skb.truesize)
    tp.packets_out += 1
    tp.write_seq = skb.end_seq
    tcp_transmit_skb(cpu, tp, skb)
    tp.snd_nxt = tp.pushed_seq = tp.write_seq


def tcp_send_synack(cpu: Cpu, tp: TcpSock) -> None:
    """Answer a SYN that crossed ours. Linux: net/ipv4/tcp_output.c tcp_send_synack()."""
    skb = tp.tcp_rtx_queue[0]
    skb.tcp_flags = SYN | ACK
    tcp_transmit_skb(cpu, tp, skb)


def tcp_take_syn_options(tp: TcpSock, skb: SkBuff) -> None:
    """Agree on the options that the peer's SYN offers."""
    opt = skb.opt or SynOptions(TCP_MSS_DEFAULT)
    tp.mss_clamp = min(opt.mss or TCP_MSS_DEFAULT, tp.user_mss or MASK)
    tp.wscale_ok = tp.wscale_ok and opt.wscale is not None
    tp.snd_wscale = min(opt.wscale or 0, TCP_MAX_WSCALE) if tp.wscale_ok else 0
    tp.sack_ok = tp.sack_ok and opt.sack_ok
    tp.tstamp_ok = tp.tstamp_ok and skb.tsval is not None
    if skb.tsval is not None:
        tp.ts_recent = skb.tsval


def tcp_finish_connect(cpu: Cpu, tp: TcpSock, skb: SkBuff) -> None:
    """The SYN-ACK is here: ESTABLISHED, and the handshake's third segment leaves.

    Linux: net/ipv4/tcp_input.c tcp_rcv_synsent_state_process(), tcp_finish_connect().
    """
    tcp_take_syn_options(tp, skb)
    if not tp.wscale_ok:
        tp.rcv_wscale = 0
        tp.window_clamp = min(tp.window_clamp, 65535)
    tp.snd_wl1 = skb.seq
    tcp_try_undo_spurious_syn(tp, skb)
    tcp_ack(cpu, tp, skb, FLAG_SLOWPATH)
    if not tp.tcp_rtx_queue:
        tp.tcp_rtx_queue = NO_ENTRIES
    tp.rcv_nxt = tp.copied_seq = tp.rcv_wup = (skb.seq + 1) & MASK
    tp.irs = skb.seq
    tp.snd_wnd = skb.window
    tp.max_window = tp.snd_wnd
    if tp.tstamp_ok:
        tp.advmss -= 12
    tcp_sync_mss(tp)
    tcp_initialize_rcv_mss(tp)
    tcp_set_state(cpu, tp, TcpState.ESTABLISHED)
    tp.lrcvtime_ns = cpu.now
    tp.lsndtime_ns = cpu.now
    tcp_init_transfer(cpu, tp)
    tp.pred_flags = False
    if not tp.snd_wscale:
        tcp_fast_path_check(tp)
    if tp.keepopen:
        tcp_reset_keepalive_timer(cpu, tp, keepalive_time_when_ns(tp))
    sk_state_change(cpu, tp)
    if tp.tcp_write_queue or tcp_in_pingpong_mode(tp) or tp.rskq_defer_accept:
        tcp_hold_third_ack(cpu, tp)
    else:
        tcp_send_ack(cpu, tp)
    tcp_share_numbers(tp)


def tcp_hold_third_ack(cpu: Cpu, tp: TcpSock) -> None:
    """Data will follow soon and carry the ACK of the SYN-ACK; 200 ms at most. Linux: same place."""
    tcp_enter_quickack_mode(tp)
    timers = tp.net.machine.timers
    now = cpu.now // timers.tick_ns * timers.tick_ns
    tp.ack_pending |= ICSK_ACK_SCHED | ICSK_ACK_TIMER
    tp.ack_timeout = now + TCP_DELACK_MAX_NS
    assert tp.delack_timer is not None
    timers.mod_timer(tp.delack_timer, now, tp.ack_timeout)


def tcp_try_undo_spurious_syn(tp: TcpSock, skb: SkBuff) -> None:
    """The answer echoes the first SYN (or SYN-ACK): sending it again was needless. Linux: same name."""
    stamp = tp.retrans_stamp_ns
    if tp.undo_marker and stamp and skb.tsval is not None and tp.tstamp_ok:
        first = (stamp // 1_000_000 + tp.ts_off) & MASK
        if skb.tsecr == first:
            tp.undo_marker = 0


def tcp_init_metrics(tp: TcpSock) -> None:
    """Without a round trip measured in the handshake the RTO falls back to 3 s. RFC: 6298 5.7.

    A SYN that was lost says nothing about how much the path carries: ssthresh is as at first again.
    Linux: net/ipv4/tcp_metrics.c tcp_init_metrics(). Differs: nothing is remembered of earlier connections.
    """
    tp.snd_ssthresh = TCP_INFINITE_SSTHRESH
    if not tp.srtt_us:
        tp.rttvar_us = tp.mdev_us = tp.mdev_max_us = TCP_TIMEOUT_FALLBACK_US
        tp.icsk_rto_ns = TCP_TIMEOUT_FALLBACK_US * 1000


def tcp_init_transfer(cpu: Cpu, tp: TcpSock) -> None:
    """Set up what a transfer needs. Linux: net/ipv4/tcp_input.c tcp_init_transfer()."""
    tcp_sync_mss(tp)
    tcp_init_metrics(tp)
    # One SYN sent again is forgiven; after more the network is taken for congested. RFC: 5681.
    tp.snd_cwnd = 1 if tp.total_retrans > 1 and tp.undo_marker else TCP_INIT_CWND
    tp.snd_cwnd_stamp_ns = cpu.now
    tcp_assign_congestion_control(tp)
    tcp_init_buffer_space(cpu, tp)


def tcp_initialize_rcv_mss(tp: TcpSock) -> None:
    """First guess of the peer's segment size, the least there is while no window has been promised (connect()).

    Linux: net/ipv4/tcp_input.c tcp_initialize_rcv_mss().
    """
    hint = min(tp.advmss, tp.mss_cache, tp.rcv_wnd // 2, TCP_MSS_DEFAULT)
    tp.rcv_mss = max(hint, TCP_MIN_MSS)
