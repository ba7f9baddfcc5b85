"""Socket options of TCP. Linux: net/ipv4/tcp.c do_tcp_setsockopt(), do_tcp_getsockopt()."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.errno import EINVAL, ENOENT
from wireside.catalog.inet import MASK
from wireside.catalog.sysctls import TCP_FIN_TIMEOUT, TCP_SYN_RETRIES
from wireside.catalog.tcp_states import TcpState
from wireside.kernel.tcp.ack.tcp_cubic import CONGESTION_CONTROLS
from wireside.kernel.tcp.door.tcp_establish import tcp_assign_congestion_control
from wireside.kernel.tcp.door.tcp_timer import (
    keepalive_intvl_when_ns,
    keepalive_probes,
    keepalive_time_elapsed_ns,
    keepalive_time_when_ns,
    tcp_reset_keepalive_timer,
)
from wireside.kernel.tcp.receive.tcp_recvmsg import tcp_cleanup_rbuf
from wireside.kernel.tcp.send.tcp_control import tcp_enter_pingpong_mode
from wireside.kernel.tcp.send.tcp_output import tcp_current_mss, tcp_push_pending_frames
from wireside.kernel.tcp.sock.tcp_sock import (
    ICSK_ACK_PUSHED,
    ICSK_ACK_SCHED,
    TCP_MIN_MSS,
    TCP_NAGLE_CORK,
    TCP_NAGLE_OFF,
    TCP_NAGLE_PUSH,
    TcpSock,
)
from wireside.kernel.tcp.sock.tcp_stream import tcp_write_space
from wireside.kernel.tcp.sock.tcp_window import tcp_set_window_clamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from wireside.kernel.core.net import Cpu

SECOND: Final = 1_000_000_000
MS: Final = 1_000_000
TCP_FIN_TIMEOUT_MAX: Final = 120
"""The longest TCP_LINGER2, s. Linux: include/net/tcp.h."""
TCP_RTO_MAX_S: Final = 120
AT_REST: Final = (TcpState.CLOSE, TcpState.LISTEN)


def tcp_sock_set_cork(cpu: Cpu, tp: TcpSock, on: int) -> int:
    """Hold small segments back, or let go what was held. Linux: net/ipv4/tcp.c __tcp_sock_set_cork()."""
    if on:
        tp.nonagle |= TCP_NAGLE_CORK
        return 0
    tp.nonagle &= ~TCP_NAGLE_CORK
    if tp.nonagle & TCP_NAGLE_OFF:
        tp.nonagle |= TCP_NAGLE_PUSH
    push_held(cpu, tp)
    return 0


def tcp_sock_set_quickack(cpu: Cpu, tp: TcpSock, on: int) -> int:
    """Acknowledge at once, what waits for its ACK included. Linux: net/ipv4/tcp.c __tcp_sock_set_quickack()."""
    if not on:
        tcp_enter_pingpong_mode(tp)
        return 0
    tp.ack_pingpong = 0
    if tp.ack_pending & ICSK_ACK_SCHED and tp.sk_state in (TcpState.ESTABLISHED, TcpState.CLOSE_WAIT):
        tp.ack_pending |= ICSK_ACK_PUSHED
        tcp_cleanup_rbuf(cpu, tp, 1)
    return 0


def secs_to_retrans(seconds: int) -> int:
    """How many timeouts, doubling from 1 s, cover so many seconds. Linux: net/ipv4/tcp.c secs_to_retrans()."""
    if seconds <= 0:
        return 0
    retrans = period = timeout = 1
    while seconds > period and retrans < 255:
        retrans += 1
        timeout = min(timeout << 1, TCP_RTO_MAX_S)
        period += timeout
    return retrans


def retrans_to_secs(retrans: int) -> int:
    """The seconds that so many timeouts take. Linux: net/ipv4/tcp.c retrans_to_secs()."""
    return sum(min(1 << number, TCP_RTO_MAX_S) for number in range(retrans))


def tcp_set_keepalive(cpu: Cpu, tp: TcpSock, *, on: bool) -> None:
    """SO_KEEPALIVE: start or stop the timer. Linux: net/ipv4/tcp_timer.c tcp_set_keepalive()."""
    if tp.sk_state not in AT_REST:
        if on and not tp.keepopen:
            tcp_reset_keepalive_timer(cpu, tp, keepalive_time_when_ns(tp))
        elif not on and tp.keepalive_timer is not None:
            tp.net.machine.timers.timer_delete(tp.keepalive_timer)


def push_held(cpu: Cpu, tp: TcpSock) -> None:
    """Let go of what Nagle or cork held back."""
    if tp.tcp_write_queue:
        tcp_push_pending_frames(cpu, tp, tcp_current_mss(tp), tp.nonagle)
    tp.nonagle &= ~TCP_NAGLE_PUSH


def set_nodelay(cpu: Cpu, tp: TcpSock, value: int) -> int:
    """TCP_NODELAY: turned on, what Nagle holds back leaves. Linux: net/ipv4/tcp.c __tcp_sock_set_nodelay()."""
    tp.nonagle = tp.nonagle | TCP_NAGLE_OFF | TCP_NAGLE_PUSH if value else tp.nonagle & ~TCP_NAGLE_OFF
    push_held(cpu, tp)
    return 0


def set_keepidle(cpu: Cpu, tp: TcpSock, value: int) -> int:
    """TCP_KEEPIDLE, seconds: restarts a running timer. Linux: net/ipv4/tcp.c tcp_sock_set_keepidle_locked()."""
    tp.keepalive_time_ns = value * SECOND
    if tp.keepopen and tp.sk_state not in AT_REST:
        left = max(tp.keepalive_time_ns - keepalive_time_elapsed_ns(cpu, tp), 0)
        tcp_reset_keepalive_timer(cpu, tp, left)
    return 0


def set_keepintvl(cpu: Cpu, tp: TcpSock, value: int) -> int:
    """TCP_KEEPINTVL, seconds."""
    tp.keepalive_intvl_ns = value * SECOND
    return 0


def set_keepcnt(cpu: Cpu, tp: TcpSock, value: int) -> int:
    """TCP_KEEPCNT."""
    tp.keepalive_probes = value
    return 0


def set_user_timeout(cpu: Cpu, tp: TcpSock, value: int) -> int:
    """TCP_USER_TIMEOUT, milliseconds."""
    tp.icsk_user_timeout_ns = value * MS
    return 0


def set_maxseg(cpu: Cpu, tp: TcpSock, value: int) -> int:
    """TCP_MAXSEG. Linux: net/ipv4/tcp.c tcp_sock_set_maxseg()."""
    if 0 < value < TCP_MIN_MSS:
        return -EINVAL
    tp.user_mss = value
    return 0


def set_notsent_lowat(cpu: Cpu, tp: TcpSock, value: int) -> int:
    """TCP_NOTSENT_LOWAT."""
    tp.notsent_lowat = value & MASK
    tcp_write_space(cpu, tp)
    return 0


def set_window_clamp(cpu: Cpu, tp: TcpSock, value: int) -> int:
    """TCP_WINDOW_CLAMP. Linux: net/ipv4/tcp.c tcp_set_window_clamp()."""
    if value:
        tcp_set_window_clamp(tp, value)
    elif tp.sk_state != TcpState.CLOSE:
        return -EINVAL
    else:
        tp.window_clamp = 0
    return 0


def set_linger2(cpu: Cpu, tp: TcpSock, value: int) -> int:
    """TCP_LINGER2, seconds; below 0 an orphan has no FIN-WAIT-2."""
    tp.linger2 = min(value, TCP_FIN_TIMEOUT_MAX) * SECOND if value >= 0 else -1
    return 0


def set_syncnt(cpu: Cpu, tp: TcpSock, value: int) -> int:
    """TCP_SYNCNT."""
    tp.syn_tries = value
    return 0


def set_defer_accept(cpu: Cpu, tp: TcpSock, value: int) -> int:
    """TCP_DEFER_ACCEPT, seconds: kept as a number of SYN-ACKs."""
    tp.rskq_defer_accept = secs_to_retrans(value)
    return 0


def set_congestion(cpu: Cpu, tp: TcpSock, name: str) -> int:
    """TCP_CONGESTION. Linux: net/ipv4/tcp_cong.c tcp_set_congestion_control()."""
    if name not in CONGESTION_CONTROLS:
        return -ENOENT
    tp.ca_ops = name
    tp.ca_setsockopt = True
    if tp.sk_state not in AT_REST:
        tcp_assign_congestion_control(tp)
    return 0


def get_linger2(tp: TcpSock) -> int:
    """TCP_LINGER2, seconds: tcp_fin_timeout where the socket has none of its own."""
    return -1 if tp.linger2 < 0 else tp.linger2 // SECOND or int(tp.net.sysctl[TCP_FIN_TIMEOUT])


def get_maxseg(tp: TcpSock) -> int:
    """TCP_MAXSEG: what was set, while there is no connection; then what is in use."""
    return tp.user_mss if tp.user_mss and tp.sk_state in AT_REST else tp.mss_cache


def get_congestion(tp: TcpSock) -> str:
    """TCP_CONGESTION: the name of what is in use, or will be."""
    return tp.ca_ops if isinstance(tp.ca_ops, str) else tp.ca_ops.name


TCP_SETTERS: Final[dict[str, Callable[[Cpu, TcpSock, int], int]]] = {
    "TCP_NODELAY": set_nodelay,
    "TCP_MAXSEG": set_maxseg,
    "TCP_CORK": tcp_sock_set_cork,
    "TCP_KEEPIDLE": set_keepidle,
    "TCP_KEEPINTVL": set_keepintvl,
    "TCP_KEEPCNT": set_keepcnt,
    "TCP_SYNCNT": set_syncnt,
    "TCP_LINGER2": set_linger2,
    "TCP_DEFER_ACCEPT": set_defer_accept,
    "TCP_WINDOW_CLAMP": set_window_clamp,
    "TCP_QUICKACK": tcp_sock_set_quickack,
    "TCP_USER_TIMEOUT": set_user_timeout,
    "TCP_NOTSENT_LOWAT": set_notsent_lowat,
}
TCP_WORD_SETTERS: Final[dict[str, Callable[[Cpu, TcpSock, str], int]]] = {"TCP_CONGESTION": set_congestion}
"""Options whose value is a word."""
TCP_GETTERS: Final[dict[str, Callable[[TcpSock], int | str]]] = {
    "TCP_NODELAY": lambda tp: int(bool(tp.nonagle & TCP_NAGLE_OFF)),
    "TCP_MAXSEG": get_maxseg,
    "TCP_CORK": lambda tp: int(bool(tp.nonagle & TCP_NAGLE_CORK)),
    "TCP_KEEPIDLE": lambda tp: keepalive_time_when_ns(tp) // SECOND,
    "TCP_KEEPINTVL": lambda tp: keepalive_intvl_when_ns(tp) // SECOND,
    "TCP_KEEPCNT": keepalive_probes,
    "TCP_SYNCNT": lambda tp: tp.syn_tries or int(tp.net.sysctl[TCP_SYN_RETRIES]),
    "TCP_LINGER2": get_linger2,
    "TCP_DEFER_ACCEPT": lambda tp: retrans_to_secs(tp.rskq_defer_accept),
    "TCP_WINDOW_CLAMP": lambda tp: tp.window_clamp,
    "TCP_QUICKACK": lambda tp: int(not tp.ack_pingpong),
    "TCP_CONGESTION": get_congestion,
    "TCP_USER_TIMEOUT": lambda tp: tp.icsk_user_timeout_ns // MS,
    "TCP_NOTSENT_LOWAT": lambda tp: tp.notsent_lowat,
}
