"""Socket options: what setsockopt() and getsockopt() do, tied by name to their declarations in catalog.sockopts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.errno import EINVAL, ENOPROTOOPT, EOPNOTSUPP
from wireside.catalog.flags import SOCK_DGRAM, SOCK_STREAM
from wireside.catalog.inet import IPPROTO_TCP
from wireside.catalog.limits import INT_MAX
from wireside.catalog.sockopts import SOCKOPTS, Level, Takes
from wireside.catalog.sysctls import RMEM_MAX, TCP_RMEM, WMEM_MAX
from wireside.catalog.tcp_states import TcpState
from wireside.catalog.together import complete
from wireside.kernel.core.ip_sockglue import skb_errqueue_purge
from wireside.kernel.core.sock import (
    SOCK_MIN_RCVBUF,
    SOCK_MIN_SNDBUF,
    SOCK_RCVBUF_LOCK,
    SOCK_SNDBUF_LOCK,
    Sock,
    sock_error,
)
from wireside.kernel.syscalls.tcp_sockopt import TCP_GETTERS, TCP_SETTERS, TCP_WORD_SETTERS, tcp_set_keepalive
from wireside.kernel.tcp.sock.tcp_sock import (
    TcpSock,
    tcp_space_from_win,
)
from wireside.kernel.tcp.sock.tcp_stream import tcp_data_ready
from wireside.kernel.tcp.sock.tcp_window import tcp_set_window_clamp
from wireside.kernel.udp.udp import UdpSock

if TYPE_CHECKING:
    from collections.abc import Callable

    from wireside.kernel.core.net import Cpu
    from wireside.kernel.core.uapi import OptVal

SECOND: Final = 1_000_000_000


def do_setsockopt(cpu: Cpu, sk: Sock, name: str, value: int | str) -> int:
    """Set one option, in the units of its declaration; 0 or -errno.

    Another protocol's option does not exist. Linux: net/socket.c do_sock_setsockopt(), net/ipv4/ip_sockglue.c ip_setsockopt().
    """
    option = SOCKOPTS.get(name)
    if option is None or name not in SETTERS or not _belongs(sk, option.level):
        return -ENOPROTOOPT
    if isinstance(value, str):
        setter = TCP_WORD_SETTERS.get(name)
        return -EINVAL if setter is None or not isinstance(sk, TcpSock) else setter(cpu, sk, value)
    if option.takes is Takes.WORD or not option.fits(value):
        return -EINVAL
    if isinstance(sk, TcpSock) and name in TCP_SETTERS:
        return TCP_SETTERS[name](cpu, sk, value)
    if isinstance(sk, UdpSock) and name in UDP_SETTERS:
        return UDP_SETTERS[name](cpu, sk, value)
    return SOCK_SETTERS[name](cpu, sk, value)


def do_getsockopt(sk: Sock, name: str, optval: OptVal | None) -> int:
    """Store the value of one option: 0 or -errno; without a place for it, the value is the result.

    Linux: net/socket.c do_sock_getsockopt(), net/ipv4/ip_sockglue.c ip_getsockopt().
    """
    option = SOCKOPTS.get(name)
    if option is None or name not in GETTERS:
        return -ENOPROTOOPT
    if not _belongs(sk, option.level):
        return -EOPNOTSUPP
    value: int | str
    if isinstance(sk, TcpSock) and name in TCP_GETTERS:
        value = TCP_GETTERS[name](sk)
    elif isinstance(sk, UdpSock) and name in UDP_GETTERS:
        value = UDP_GETTERS[name](sk)
    else:
        value = SOCK_GETTERS[name](sk)
    if optval is not None:
        optval.value = value
        return 0
    return -EINVAL if isinstance(value, str) else value


def _belongs(sk: Sock, level: Level) -> bool:
    return level in (Level.SOL_SOCKET, Level.IPPROTO_IP) or level.protocol == sk.sk_protocol


def set_rcvbuf(cpu: Cpu, sk: Sock, value: int) -> int:
    """SO_RCVBUF, within rmem_max; a negative size counts as a huge one. Linux: net/core/sock.c sk_setsockopt()."""
    return force_rcvbuf(cpu, sk, min(value & 0xFFFFFFFF, sk.net.sysctl[RMEM_MAX]))


def force_rcvbuf(cpu: Cpu, sk: Sock, value: int) -> int:
    """SO_RCVBUFFORCE: twice what is asked for. Linux: net/core/sock.c __sock_set_rcvbuf()."""
    sk.sk_rcvbuf = max(2 * min(max(value, 0), INT_MAX // 2), SOCK_MIN_RCVBUF)
    sk.sk_userlocks |= SOCK_RCVBUF_LOCK
    return 0


def set_sndbuf(cpu: Cpu, sk: Sock, value: int) -> int:
    """SO_SNDBUF, within wmem_max. Linux: net/core/sock.c sk_setsockopt()."""
    return force_sndbuf(cpu, sk, min(value & 0xFFFFFFFF, sk.net.sysctl[WMEM_MAX]))


def force_sndbuf(cpu: Cpu, sk: Sock, value: int) -> int:
    """SO_SNDBUFFORCE: twice what is asked for. Linux: net/core/sock.c sk_setsockopt()."""
    sk.sk_sndbuf = max(2 * min(max(value, 0), INT_MAX // 2), SOCK_MIN_SNDBUF)
    sk.sk_userlocks |= SOCK_SNDBUF_LOCK
    return 0


def set_reuseaddr(cpu: Cpu, sk: Sock, value: int) -> int:
    """SO_REUSEADDR."""
    sk.sk_reuse = bool(value)
    return 0


def set_reuseport(cpu: Cpu, sk: Sock, value: int) -> int:
    """SO_REUSEPORT."""
    sk.sk_reuseport = bool(value)
    return 0


def set_bind_address_no_port(cpu: Cpu, sk: Sock, value: int) -> int:
    """IP_BIND_ADDRESS_NO_PORT."""
    sk.bind_address_no_port = bool(value)
    return 0


def set_linger(cpu: Cpu, sk: Sock, value: int) -> int:
    """SO_LINGER, seconds; below 0 it is off."""
    sk.sk_linger = value * SECOND if value >= 0 else -1
    return 0


def set_rcvtimeo(cpu: Cpu, sk: Sock, value: int) -> int:
    """SO_RCVTIMEO, ns."""
    sk.sk_rcvtimeo = value
    return 0


def set_sndtimeo(cpu: Cpu, sk: Sock, value: int) -> int:
    """SO_SNDTIMEO, ns."""
    sk.sk_sndtimeo = value
    return 0


def set_recverr(cpu: Cpu, sk: Sock, value: int) -> int:
    """IP_RECVERR; turned off, what the error queue holds is gone."""
    sk.recverr = bool(value)
    if not value:
        skb_errqueue_purge(sk)
    return 0


def set_keepalive(cpu: Cpu, sk: Sock, value: int) -> int:
    """SO_KEEPALIVE: only TCP has a timer for it."""
    if sk.sk_protocol == IPPROTO_TCP:
        assert isinstance(sk, TcpSock)
        tcp_set_keepalive(cpu, sk, on=bool(value))
    sk.keepopen = bool(value)
    return 0


def set_rcvlowat(cpu: Cpu, sk: Sock, value: int) -> int:
    """SO_RCVLOWAT; a stream's buffer grows so that as much fits. Linux: net/ipv4/tcp.c tcp_set_rcvlowat()."""
    value = value if value >= 0 else INT_MAX
    if not isinstance(sk, TcpSock):
        sk.sk_rcvlowat = value or 1
        return 0
    locked = sk.sk_userlocks & SOCK_RCVBUF_LOCK
    value = min(value, (sk.sk_rcvbuf if locked else sk.net.sysctl[TCP_RMEM][2]) >> 1)
    sk.sk_rcvlowat = value or 1
    tcp_data_ready(cpu, sk)
    space = tcp_space_from_win(sk, value)
    if not locked and space > sk.sk_rcvbuf:
        sk.sk_rcvbuf = space
        if sk.window_clamp and sk.window_clamp < value:
            tcp_set_window_clamp(sk, value)
    return 0


def set_gso_size(cpu: Cpu, sk: UdpSock, value: int) -> int:
    """UDP_SEGMENT."""
    sk.gso_size = value
    return 0


def get_error(sk: Sock) -> int:
    """SO_ERROR: the pending error, or what ICMP had to say meanwhile; both are forgotten."""
    error = -sock_error(sk)
    if not error:
        error, sk.sk_err_soft = sk.sk_err_soft, 0
    return error


SOCK_SETTERS: Final[dict[str, Callable[[Cpu, Sock, int], int]]] = {
    "SO_REUSEADDR": set_reuseaddr,
    "SO_SNDBUF": set_sndbuf,
    "SO_RCVBUF": set_rcvbuf,
    "SO_KEEPALIVE": set_keepalive,
    "SO_LINGER": set_linger,
    "SO_REUSEPORT": set_reuseport,
    "SO_RCVLOWAT": set_rcvlowat,
    "SO_RCVTIMEO": set_rcvtimeo,
    "SO_SNDTIMEO": set_sndtimeo,
    "SO_SNDBUFFORCE": force_sndbuf,
    "SO_RCVBUFFORCE": force_rcvbuf,
    "IP_RECVERR": set_recverr,
    "IP_BIND_ADDRESS_NO_PORT": set_bind_address_no_port,
}
SOCK_GETTERS: Final[dict[str, Callable[[Sock], int]]] = {
    "SO_REUSEADDR": lambda sk: int(sk.sk_reuse),
    "SO_TYPE": lambda sk: SOCK_STREAM if sk.sk_protocol == IPPROTO_TCP else SOCK_DGRAM,
    "SO_ERROR": get_error,
    "SO_SNDBUF": lambda sk: sk.sk_sndbuf,
    "SO_RCVBUF": lambda sk: sk.sk_rcvbuf,
    "SO_KEEPALIVE": lambda sk: int(sk.keepopen),
    "SO_LINGER": lambda sk: sk.sk_linger // SECOND if sk.sk_linger >= 0 else -1,
    "SO_REUSEPORT": lambda sk: int(sk.sk_reuseport),
    "SO_RCVLOWAT": lambda sk: sk.sk_rcvlowat,
    "SO_RCVTIMEO": lambda sk: sk.sk_rcvtimeo,
    "SO_SNDTIMEO": lambda sk: sk.sk_sndtimeo,
    "SO_ACCEPTCONN": lambda sk: int(sk.sk_state == TcpState.LISTEN),
    "SO_PROTOCOL": lambda sk: sk.sk_protocol,
    "IP_RECVERR": lambda sk: int(sk.recverr),
    "IP_BIND_ADDRESS_NO_PORT": lambda sk: int(sk.bind_address_no_port),
}
UDP_SETTERS: Final[dict[str, Callable[[Cpu, UdpSock, int], int]]] = {"UDP_SEGMENT": set_gso_size}
UDP_GETTERS: Final[dict[str, Callable[[UdpSock], int]]] = {"UDP_SEGMENT": lambda sk: sk.gso_size}
SETTERS: Final = complete(
    "socket option to set",
    [name for name, each in SOCKOPTS.items() if each.settable],
    {**SOCK_SETTERS, **TCP_SETTERS, **TCP_WORD_SETTERS, **UDP_SETTERS},
)
GETTERS: Final = complete(
    "socket option to get",
    [name for name, each in SOCKOPTS.items() if each.gettable],
    {**SOCK_GETTERS, **TCP_GETTERS, **UDP_GETTERS},
)
