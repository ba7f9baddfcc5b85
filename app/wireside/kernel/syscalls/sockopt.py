"""Socket options: what setsockopt() and getsockopt() do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.catalog.errno import EINVAL, ENOENT, ENOPROTOOPT, EOPNOTSUPP
from wireside.catalog.inet import MASK
from wireside.catalog.sysctls import RMEM_MAX, TCP_FIN_TIMEOUT, TCP_RMEM, TCP_SYN_RETRIES, WMEM_MAX
from wireside.catalog.tcp_states import TcpState
from wireside.kernel.core.ip_sockglue import skb_errqueue_purge
from wireside.kernel.core.limits import INT_MAX, USHRT_MAX
from wireside.kernel.core.sock import (
    SOCK_MIN_RCVBUF,
    SOCK_MIN_SNDBUF,
    SOCK_RCVBUF_LOCK,
    SOCK_SNDBUF_LOCK,
    Sock,
    sock_error,
)
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
    tcp_space_from_win,
)
from wireside.kernel.tcp.sock.tcp_stream import tcp_data_ready, tcp_write_space
from wireside.kernel.tcp.sock.tcp_window import tcp_set_window_clamp
from wireside.kernel.udp.udp import UdpSock

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu
    from wireside.kernel.core.task import File

SECOND = 1_000_000_000
TCP_FIN_TIMEOUT_MAX = 120
"""The longest TCP_LINGER2, s. Linux: include/net/tcp.h."""
MAX_TCP_SYNCNT = 127
KEEPALIVE_LIMITS = {"TCP_KEEPIDLE": 32767, "TCP_KEEPINTVL": 32767, "TCP_KEEPCNT": 127}
"""The largest value of each. Linux: include/net/tcp.h MAX_TCP_KEEPIDLE and its neighbours."""
TCP_RTO_MAX_S = 120
MAX_TCP_WINDOW = 32767
SWITCHES = {
    "SO_REUSEADDR": "sk_reuse",
    "SO_REUSEPORT": "sk_reuseport",
    "IP_BIND_ADDRESS_NO_PORT": "bind_address_no_port",
}
TIMEOUTS = {"SO_RCVTIMEO": "sk_rcvtimeo", "SO_SNDTIMEO": "sk_sndtimeo"}


def set_option(cpu: Cpu, file: File, option: str, argument: int | str) -> int:
    """Set one option; seconds and milliseconds as Linux takes them. Linux: net/core/sock.c sk_setsockopt()."""
    sk = file.sk
    if option == "TCP_CONGESTION" and isinstance(sk, TcpSock):
        if argument not in CONGESTION_CONTROLS:
            return -ENOENT
        sk.ca_ops = argument
        sk.ca_setsockopt = True
        if sk.sk_state not in (TcpState.CLOSE, TcpState.LISTEN):
            tcp_assign_congestion_control(sk)
        return 0
    if isinstance(argument, str):
        return -ENOPROTOOPT
    value = argument
    if option in ("SO_RCVBUF", "SO_RCVBUFFORCE"):
        sk.sk_rcvbuf = max(buffer_size(value, option, sk.net.sysctl[RMEM_MAX]), SOCK_MIN_RCVBUF)
        sk.sk_userlocks |= SOCK_RCVBUF_LOCK
    elif option in ("SO_SNDBUF", "SO_SNDBUFFORCE"):
        sk.sk_sndbuf = max(buffer_size(value, option, sk.net.sysctl[WMEM_MAX]), SOCK_MIN_SNDBUF)
        sk.sk_userlocks |= SOCK_SNDBUF_LOCK
    elif option in SWITCHES:
        setattr(sk, SWITCHES[option], bool(value))
    elif option == "SO_LINGER":
        sk.sk_linger = value * SECOND if value >= 0 else -1
    elif option in TIMEOUTS:
        setattr(sk, TIMEOUTS[option], value)
    elif option == "SO_RCVLOWAT":
        set_rcvlowat(cpu, sk, value)
    elif option == "O_NONBLOCK":
        file.nonblock = bool(value)
    elif option == "IP_RECVERR":
        sk.recverr = bool(value)
        if not value:
            skb_errqueue_purge(sk)
    elif isinstance(sk, UdpSock) and option == "UDP_SEGMENT":
        if not 0 <= value <= USHRT_MAX:
            return -EINVAL
        sk.gso_size = value
    elif isinstance(sk, TcpSock):
        return tcp_setsockopt(cpu, sk, option, value)
    elif option == "SO_KEEPALIVE":
        sk.keepopen = bool(value)
    else:
        return -ENOPROTOOPT
    return 0


def set_rcvlowat(cpu: Cpu, sk: Sock, value: int) -> None:
    """SO_RCVLOWAT; a stream's buffer grows so that as much fits. Linux: net/ipv4/tcp.c tcp_set_rcvlowat()."""
    value = value if value >= 0 else INT_MAX
    if isinstance(sk, TcpSock):
        locked = sk.sk_userlocks & SOCK_RCVBUF_LOCK
        value = min(value, (sk.sk_rcvbuf if locked else sk.net.sysctl[TCP_RMEM][2]) >> 1)
    sk.sk_rcvlowat = value or 1
    if not isinstance(sk, TcpSock):
        return
    tcp_data_ready(cpu, sk)
    space = tcp_space_from_win(sk, value)
    if not locked and space > sk.sk_rcvbuf:
        sk.sk_rcvbuf = space
        if sk.window_clamp and sk.window_clamp < value:
            tcp_set_window_clamp(sk, value)


def buffer_size(value: int, option: str, most: int) -> int:
    """Bytes of memory that a program gets for the size it asks for: twice as many, within the limit for all but FORCE.

    Without FORCE a negative size counts as a huge one. Linux: net/core/sock.c sk_setsockopt(), __sock_set_rcvbuf().
    """
    value = max(value, 0) if option.endswith("FORCE") else min(value & 0xFFFFFFFF, most)
    return 2 * min(value, INT_MAX // 2)


def tcp_setsockopt(cpu: Cpu, tp: TcpSock, option: str, value: int) -> int:
    """Options of TCP. Linux: net/ipv4/tcp.c do_tcp_setsockopt()."""
    if option == "TCP_NODELAY":
        tp.nonagle = tp.nonagle | TCP_NAGLE_OFF | TCP_NAGLE_PUSH if value else tp.nonagle & ~TCP_NAGLE_OFF
        push_held(cpu, tp)
    elif option == "TCP_CORK":
        tcp_sock_set_cork(cpu, tp, on=bool(value))
    elif option == "TCP_QUICKACK":
        tcp_sock_set_quickack(cpu, tp, on=bool(value))
    elif option == "SO_KEEPALIVE":
        tcp_set_keepalive(cpu, tp, on=bool(value))
    elif option in KEEPALIVE_LIMITS:
        return tcp_set_keepalive_option(cpu, tp, option, value)
    elif option == "TCP_USER_TIMEOUT":
        if value < 0:
            return -EINVAL
        tp.icsk_user_timeout_ns = value * 1_000_000
    elif option == "TCP_MAXSEG":
        if value and not TCP_MIN_MSS <= value <= MAX_TCP_WINDOW:
            return -EINVAL
        tp.user_mss = value
    elif option == "TCP_NOTSENT_LOWAT":
        tp.notsent_lowat = value & MASK
        tcp_write_space(cpu, tp)
    elif option == "TCP_WINDOW_CLAMP":
        if not value and tp.sk_state != TcpState.CLOSE:
            return -EINVAL
        if value:
            tcp_set_window_clamp(tp, value)
        else:
            tp.window_clamp = 0
    elif option == "TCP_LINGER2":
        tp.linger2 = min(value, TCP_FIN_TIMEOUT_MAX) * SECOND if value >= 0 else -1
    elif option == "TCP_SYNCNT":
        if not 1 <= value <= MAX_TCP_SYNCNT:
            return -EINVAL
        tp.syn_tries = value
    elif option == "TCP_DEFER_ACCEPT":
        tp.rskq_defer_accept = secs_to_retrans(value)
    else:
        return -ENOPROTOOPT
    return 0


def tcp_sock_set_cork(cpu: Cpu, tp: TcpSock, *, on: bool) -> None:
    """Hold small segments back, or let go what was held. Linux: net/ipv4/tcp.c __tcp_sock_set_cork()."""
    if on:
        tp.nonagle |= TCP_NAGLE_CORK
        return
    tp.nonagle &= ~TCP_NAGLE_CORK
    if tp.nonagle & TCP_NAGLE_OFF:
        tp.nonagle |= TCP_NAGLE_PUSH
    push_held(cpu, tp)


def tcp_sock_set_quickack(cpu: Cpu, tp: TcpSock, *, on: bool) -> None:
    """Acknowledge at once, what waits for its ACK included. Linux: net/ipv4/tcp.c __tcp_sock_set_quickack()."""
    if not on:
        tcp_enter_pingpong_mode(tp)
        return
    tp.ack_pingpong = 0
    if tp.ack_pending & ICSK_ACK_SCHED and tp.sk_state in (TcpState.ESTABLISHED, TcpState.CLOSE_WAIT):
        tp.ack_pending |= ICSK_ACK_PUSHED
        tcp_cleanup_rbuf(cpu, tp, 1)


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
    if tp.sk_state not in (TcpState.CLOSE, TcpState.LISTEN):
        if on and not tp.keepopen:
            tcp_reset_keepalive_timer(cpu, tp, keepalive_time_when_ns(tp))
        elif not on and tp.keepalive_timer is not None:
            tp.net.machine.timers.timer_delete(tp.keepalive_timer)
    tp.keepopen = on


def tcp_set_keepalive_option(cpu: Cpu, tp: TcpSock, option: str, value: int) -> int:
    """TCP_KEEPIDLE and TCP_KEEPINTVL in seconds, TCP_KEEPCNT; a new idle time restarts a running timer.

    Linux: net/ipv4/tcp.c tcp_sock_set_keepidle_locked(), do_tcp_setsockopt().
    """
    if not 1 <= value <= KEEPALIVE_LIMITS[option]:
        return -EINVAL
    if option == "TCP_KEEPCNT":
        tp.keepalive_probes = value
    elif option == "TCP_KEEPINTVL":
        tp.keepalive_intvl_ns = value * SECOND
    else:
        tp.keepalive_time_ns = value * SECOND
        if tp.keepopen and tp.sk_state not in (TcpState.CLOSE, TcpState.LISTEN):
            left = max(tp.keepalive_time_ns - keepalive_time_elapsed_ns(cpu, tp), 0)
            tcp_reset_keepalive_timer(cpu, tp, left)
    return 0


def push_held(cpu: Cpu, tp: TcpSock) -> None:
    """Let go of what Nagle or cork held back."""
    if tp.tcp_write_queue:
        tcp_push_pending_frames(cpu, tp, tcp_current_mss(tp), tp.nonagle)
    tp.nonagle &= ~TCP_NAGLE_PUSH


def get_option(sk: Sock, option: str) -> int:
    """The value of one option; SO_ERROR takes the pending error away."""
    if option == "SO_RCVBUF":
        return sk.sk_rcvbuf
    if option == "SO_SNDBUF":
        return sk.sk_sndbuf
    if option == "SO_RCVLOWAT":
        return sk.sk_rcvlowat
    if option in SWITCHES:
        return int(getattr(sk, SWITCHES[option]))
    if option == "SO_KEEPALIVE":
        return int(sk.keepopen)
    if option == "IP_RECVERR":
        return int(sk.recverr)
    if option == "UDP_SEGMENT":
        return sk.gso_size if isinstance(sk, UdpSock) else -EOPNOTSUPP
    if option == "SO_LINGER":
        return sk.sk_linger // SECOND if sk.sk_linger >= 0 else -1
    if option == "SO_ERROR":
        error = -sock_error(sk)
        if not error:
            error, sk.sk_err_soft = sk.sk_err_soft, 0
        return error
    if option == "TCP_DEFER_ACCEPT" and isinstance(sk, TcpSock):
        return retrans_to_secs(sk.rskq_defer_accept)
    if isinstance(sk, TcpSock):
        return tcp_getsockopt(sk, option)
    return -EOPNOTSUPP if option.startswith("TCP_") else -ENOPROTOOPT


def tcp_getsockopt(tp: TcpSock, option: str) -> int:
    """Options of TCP, in the units of setsockopt(). Linux: net/ipv4/tcp.c do_tcp_getsockopt()."""
    if option == "TCP_KEEPIDLE":
        return keepalive_time_when_ns(tp) // SECOND
    if option == "TCP_KEEPINTVL":
        return keepalive_intvl_when_ns(tp) // SECOND
    if option == "TCP_KEEPCNT":
        return keepalive_probes(tp)
    if option == "TCP_USER_TIMEOUT":
        return tp.icsk_user_timeout_ns // 1_000_000
    if option == "TCP_LINGER2":
        return -1 if tp.linger2 < 0 else tp.linger2 // SECOND or int(tp.net.sysctl[TCP_FIN_TIMEOUT])
    if option == "TCP_SYNCNT":
        return tp.syn_tries or int(tp.net.sysctl[TCP_SYN_RETRIES])
    if option == "TCP_MAXSEG":
        unused = tp.sk_state in (TcpState.CLOSE, TcpState.LISTEN)
        return tp.user_mss if tp.user_mss and unused else tp.mss_cache
    if option == "TCP_NOTSENT_LOWAT":
        return tp.notsent_lowat
    if option == "TCP_WINDOW_CLAMP":
        return tp.window_clamp
    if option == "TCP_QUICKACK":
        return int(not tp.ack_pingpong)
    if option == "TCP_NODELAY":
        return int(bool(tp.nonagle & TCP_NAGLE_OFF))
    if option == "TCP_CORK":
        return int(bool(tp.nonagle & TCP_NAGLE_CORK))
    return -ENOPROTOOPT
