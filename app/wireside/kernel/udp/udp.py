"""UDP: datagram sockets, from sendmsg() to the wire and from ip_rcv() to recvmsg()."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireside.catalog.counters import Icmp, Udp
from wireside.catalog.drop_reasons import DropReason
from wireside.catalog.errno import (
    EACCES,
    EAGAIN,
    EDESTADDRREQ,
    EHOSTUNREACH,
    EINVAL,
    EMSGSIZE,
    ENOBUFS,
    ENOTCONN,
    EPIPE,
)
from wireside.catalog.fates import DELIVERED
from wireside.catalog.inet import (
    ETH_HLEN,
    ICMP_DEST_UNREACH,
    ICMP_FRAG_NEEDED,
    ICMP_PORT_UNREACH,
    IP_HLEN,
    IPPROTO_UDP,
    UDP_HLEN,
)
from wireside.catalog.stages import Stage
from wireside.catalog.sysctls import RMEM_DEFAULT, WMEM_DEFAULT
from wireside.catalog.tcp_states import TcpState
from wireside.kernel.core.ip_sockglue import ip_icmp_error, ip_local_error, skb_errqueue_purge
from wireside.kernel.core.net import INADDR_BROADCAST
from wireside.kernel.core.skbuff import (
    SKB_SHARED_INFO_SIZE,
    SkBuff,
    kfree_skb_reason,
    skb_alloc_truesize,
    skb_birth,
)
from wireside.kernel.core.sock import (
    SEND_SHUTDOWN,
    Sock,
    sk_error_report,
    sk_receive_queue_tail,
    sk_state_change,
    sock_error,
    sock_wfree,
)
from wireside.kernel.core.wait import EPOLLIN, wake_up
from wireside.kernel.ip.icmp_send import ICMP_ERR_CONVERT, icmp_send
from wireside.kernel.ip.inet_bind import inet_bind_refused
from wireside.kernel.ip.ip_output import dst_mtu, ip_route_output_key, ip_send_skb
from wireside.kernel.udp.udp_ports import udp_autobind, udp_lib_get_port

if TYPE_CHECKING:
    from wireside.kernel.core.net import Cpu, Net
    from wireside.kernel.core.skbuff import Flow
    from wireside.kernel.ip.icmp_send import IcmpSkb

UDP_RCV: Final = int(Stage.UDP_RCV)
RECEIVE_QUEUE: Final = int(Stage.RECEIVE_QUEUE)
WAKEUP: Final = int(Stage.WAKEUP)
UDP_SENDMSG: Final = int(Stage.UDP_SENDMSG)
SYS_READ: Final = int(Stage.SYS_READ)
HEADERS: Final = ETH_HLEN + IP_HLEN + UDP_HLEN
UDP_MAX_PAYLOAD: Final = 65535 - IP_HLEN - UDP_HLEN
UDP_MAX_SEGMENTS: Final = 128
"""Datagrams of one UDP_SEGMENT send. Linux: include/linux/udp.h."""
LL_RESERVED_SPACE: Final = 16
SKB_MAX_ALLOC: Final = 16384 - SKB_SHARED_INFO_SIZE
"""More than this is not asked for in one piece. Linux: include/linux/skbuff.h."""
ALLOC_SLACK: Final = 15
"""sock_alloc_send_skb() asks for 15 bytes more than headers and payload need. Linux: __ip_append_data()."""
_IN_DATAGRAMS: Final = Udp.InDatagrams
_OUT_DATAGRAMS: Final = Udp.OutDatagrams
_IN_ERRORS: Final = Udp.InErrors
_RCVBUF_ERRORS: Final = Udp.RcvbufErrors


class UdpSock(Sock):
    """One UDP socket. Linux: include/linux/udp.h struct udp_sock."""

    __slots__ = ("forward_deficit", "gso_size", "reader_queue_len", "sk_dst_cache")

    def __init__(self, net: Net, sk_id: int) -> None:
        super().__init__(net, sk_id, IPPROTO_UDP)
        self.sk_rcvbuf = net.sysctl[RMEM_DEFAULT]
        self.sk_sndbuf = net.sysctl[WMEM_DEFAULT]
        self.gso_size = 0
        """UDP_SEGMENT: payload bytes per datagram of one large send; 0 when off."""
        self.sk_dst_cache: tuple[tuple[int, int] | None, Flow, int] | None = None
        """The last send's peer (None: the one of connect()), its flow and the MTU on that way."""
        self.reader_queue_len = 0
        """How many of the oldest queued datagrams the reader has taken over (reader_queue)."""
        self.forward_deficit = 0
        """Bytes of truesize already read and not yet given back to sk_rmem_alloc."""


def udp_socket(net: Net) -> UdpSock:
    """A fresh, unbound UDP socket."""
    sk = UdpSock(net, net.machine.sock_id())
    net.sockets[sk.id] = sk
    return sk


def udp_rqueue_get(sk: UdpSock) -> int:
    """What `ss` shows as Recv-Q: receive memory in use, bytes. Linux: include/net/udp.h udp_rqueue_get()."""
    return sk.sk_rmem_alloc - sk.forward_deficit


def udp_bind(cpu: Cpu, sk: UdpSock, addr: int, port: int) -> int:
    """Bind to a local address (0: any) and port (0: a free one of ip_local_port_range); 0 or -errno.

    Linux: net/ipv4/af_inet.c __inet_bind().
    """
    error = inet_bind_refused(sk, addr, port)
    if error:
        return error
    if port or not sk.bind_address_no_port:
        error = udp_lib_get_port(sk, addr, port)
    sk.rcv_saddr = 0 if error else addr
    sk.sk_dst_cache = None
    return error


def udp_connect(cpu: Cpu, sk: UdpSock, addr: int, port: int) -> int:
    """Fix the peer, or another one; nothing is sent. 0 or -errno. Linux: net/ipv4/datagram.c __ip4_datagram_connect()."""
    if not udp_autobind(sk):
        return -EAGAIN
    route = ip_route_output_key(sk.net, sk.rcv_saddr, addr)
    if isinstance(route, int):
        return route
    saddr, addr = route
    if addr == INADDR_BROADCAST:
        return -EACCES
    sk.rcv_saddr = saddr
    sk.sk_dst_cache = None
    sk.flow_out = (saddr, sk.sk_num, addr, port)
    sk.flow_in = (addr, port, saddr, sk.sk_num)
    sk.sk_state = TcpState.ESTABLISHED
    return 0


def udp_sendmsg(cpu: Cpu, sk: UdpSock, addr: tuple[int, int] | None, length: int, gso_size: int = 0) -> int:
    """Send a datagram (or, with UDP_SEGMENT, a train of them) of `length` payload bytes; bytes sent, or -errno.

    -EAGAIN means that the send buffer is full: wait for EPOLLOUT. A datagram that the qdisc drops counts in SndbufErrors, yet
    the call succeeds unless IP_RECVERR is set. Linux: net/ipv4/udp.c udp_sendmsg(), udp_send_skb(). Differs: a datagram
    larger than the MTU is refused, not fragmented (as with IP_PMTUDISC_DO); not only connected sockets keep their route.
    """
    net = sk.net
    route = sk.sk_dst_cache
    if route is None or route[0] != addr or length > 0xFFFF:
        if not udp_autobind(sk):
            return -EAGAIN
        if length > 0xFFFF:
            return -EMSGSIZE
        found = _route(sk, addr)
        if isinstance(found, int):
            return found
        sk.sk_dst_cache = route = (addr, found, dst_mtu(net, found[2]))
    _, flow, mtu = route
    gso_size = gso_size or sk.gso_size
    frame = min(length, gso_size) if gso_size else length
    oversized = frame + IP_HLEN + UDP_HLEN > mtu
    if length > UDP_MAX_PAYLOAD or (oversized and not gso_size):
        ip_local_error(cpu, sk, EMSGSIZE, flow[2], mtu)
        return -EMSGSIZE
    if sk.sk_err:
        return sock_error(sk)
    if sk.sk_shutdown & SEND_SHUTDOWN:
        return -EPIPE
    if sk.sk_wmem_alloc >= sk.sk_sndbuf:
        sk.sk_nospace = True
        return -EAGAIN
    if oversized:
        return -EMSGSIZE
    if gso_size and length > gso_size * UDP_MAX_SEGMENTS:
        return -EINVAL
    skb = _make_skb(cpu, sk, flow, length, frame)
    error = ip_send_skb(cpu, net, skb)
    if error == -ENOBUFS:
        net.mib[Udp.SndbufErrors] += 1
        if sk.recverr:
            return error
    elif error:
        return error
    else:
        net.mib[_OUT_DATAGRAMS] += 1
    return length


def udp_shutdown(cpu: Cpu, sk: UdpSock, how: int) -> int:
    """Close one or both directions, connected or not; 0, or -ENOTCONN. Linux: net/ipv4/af_inet.c inet_shutdown()."""
    sk.sk_shutdown |= how
    sk_state_change(cpu, sk)
    return 0 if sk.flow_out is not None else -ENOTCONN


def _route(sk: UdpSock, addr: tuple[int, int] | None) -> Flow | int:
    """The flow a send uses, or -errno."""
    flow = sk.flow_out
    if addr is None:
        return flow if flow is not None else -EDESTADDRREQ
    if flow is not None and flow[2] == addr[0] and flow[3] == addr[1]:
        return flow
    daddr, dport = addr
    if not dport:
        return -EINVAL
    route = ip_route_output_key(sk.net, sk.rcv_saddr, daddr)
    if isinstance(route, int):
        return route
    saddr, daddr = route
    return -EACCES if daddr == INADDR_BROADCAST else (saddr, sk.sk_num, daddr, dport)


def _make_skb(cpu: Cpu, sk: UdpSock, flow: Flow, length: int, frame: int) -> SkBuff:
    """Build the datagram and charge it to the socket: its data lies behind the headers, if large in pages.

    Linux: net/ipv4/ip_output.c ip_make_skb(), __ip_append_data().
    """
    net = sk.net
    skb = SkBuff(net.machine.skb_id(), flow, IPPROTO_UDP, length, 0, 0)
    skb.hdr_len = HEADERS
    headers = IP_HLEN + UDP_HLEN + LL_RESERVED_SPACE + ALLOC_SLACK
    if frame + headers < SKB_MAX_ALLOC:
        truesize, usable = skb_alloc_truesize(frame + headers)
        skb.tailroom = usable - LL_RESERVED_SPACE - IP_HLEN - UDP_HLEN - frame
        skb.head_len = frame
    else:
        truesize = skb_alloc_truesize(headers)[0] + frame
    if length > frame:
        skb.gso_size = frame
        skb.gso_segs = -(-length // frame)
        truesize *= skb.gso_segs
    skb.truesize = truesize
    skb_birth(net, skb)
    cpu.charge(UDP_SENDMSG, skb)
    skb.sk = sk
    skb.destructor = sock_wfree
    sk.sk_wmem_alloc += truesize
    return skb


def udp_lookup(net: Net, flow: Flow) -> UdpSock | None:
    """The socket a packet belongs to: the most specific one wins. Linux: net/ipv4/udp.c __udp4_lib_lookup()."""
    best: Sock | None = None
    best_score = 0
    for sk in net.udp_table.get(flow[3], ()):
        score = 1
        if sk.rcv_saddr:
            if sk.rcv_saddr != flow[2]:
                continue
            score += 4
        if sk.flow_in is not None:
            if sk.flow_in != flow:
                continue
            score += 8
        if score > best_score:
            best, best_score = sk, score
    return best  # type: ignore[return-value]


def udp_rcv(cpu: Cpu, net: Net, skb: SkBuff) -> None:
    """Receive a datagram: queue it at its socket, or drop it if its memory does not fit any more.

    An empty queue accepts any datagram. Linux: net/ipv4/udp.c __udp4_lib_rcv(), __udp_enqueue_schedule_skb().
    Differs: udp_mem is not charged.
    """
    stamps = skb.stamps
    now = cpu.now
    cost = cpu.cost
    sk = udp_lookup(net, skb.flow)
    if stamps is not None:
        stamps += (UDP_RCV, now)
    cpu.now = now = now + cost[UDP_RCV]
    if skb.csum_bad:
        net.mib[Udp.InCsumErrors] += 1
        net.mib[Udp.InErrors] += 1
        kfree_skb_reason(net, skb, DropReason.UDP_CSUM)
        return
    if sk is None:
        net.mib[Udp.NoPorts] += 1
        icmp_send(cpu, net, skb, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH)
        kfree_skb_reason(net, skb, DropReason.NO_SOCKET)
        return
    rmem = sk.sk_rmem_alloc
    size = skb.truesize
    if rmem and rmem + size > sk.sk_rcvbuf:
        mib = net.mib
        mib[_RCVBUF_ERRORS] += 1
        mib[_IN_ERRORS] += 1
        sk.sk_drops += 1
        kfree_skb_reason(net, skb, DropReason.SOCKET_RCVBUFF)
        return
    if not rmem:
        net.holding[sk.id] = sk
    sk.sk_rmem_alloc = rmem + size
    if stamps is not None:
        stamps += (RECEIVE_QUEUE, now)
    cpu.now = now + cost[RECEIVE_QUEUE]
    sk_receive_queue_tail(sk, skb)
    if sk.sk_wq:
        if stamps is not None:
            stamps += (WAKEUP, cpu.now)
        wake_up(cpu, sk.sk_wq, EPOLLIN)


def udp_recvmsg(cpu: Cpu, sk: UdpSock, size: int) -> int | None:
    """Read one datagram of at most `size` bytes (the rest is cut off); bytes, the pending -errno, or None when there is none.

    The reader takes all queued datagrams over at once; while some are left, memory goes back only in steps of a
    quarter of the buffer. Linux: net/ipv4/udp.c udp_recvmsg(), udp_rmem_release().
    """
    queue = sk.sk_receive_queue
    if sk.sk_err:
        return sock_error(sk)
    if not queue:
        return None
    if not sk.reader_queue_len:
        sk.reader_queue_len = len(queue)
    skb = queue.popleft()
    sk.reader_queue_len -= 1
    if skb.stamps is not None:
        skb.stamps += (SYS_READ, cpu.now)
    deficit = sk.forward_deficit + skb.truesize
    if sk.reader_queue_len and deficit < sk.sk_rcvbuf >> 2:
        sk.forward_deficit = deficit
    else:
        sk.forward_deficit = 0
        sk.sk_rmem_alloc -= deficit
    net = sk.net
    net.mib[_IN_DATAGRAMS] += 1
    net.delivered += skb.gso_segs
    skb.fate = DELIVERED
    return min(skb.len, size)


def udp_err(cpu: Cpu, net: Net, skb: IcmpSkb) -> None:
    """An ICMP error quotes a datagram of ours: its socket reports it at the next call, once.

    A socket that is not connected hears nothing, a connected one only what is fatal, unless IP_RECVERR asks for all.
    Linux: net/ipv4/udp.c __udp4_lib_err(). Differs: no path MTU discovery, ICMP_FRAG_NEEDED does nothing.
    """
    saddr, sport, daddr, dport = skb.offender.flow
    sk = udp_lookup(net, (daddr, dport, saddr, sport))
    if sk is None:
        net.mib[Icmp.InErrors] += 1
        return
    code = skb.flow[3]
    if code == ICMP_FRAG_NEEDED:
        return
    error, fatal = ICMP_ERR_CONVERT[code] if 0 <= code < len(ICMP_ERR_CONVERT) else (EHOSTUNREACH, False)
    if sk.recverr:
        ip_icmp_error(cpu, sk, error, skb, skb.offender, skb.len - IP_HLEN - UDP_HLEN)
    elif not fatal or sk.flow_out is None:
        return
    sk.sk_err = error
    sk_error_report(cpu, sk)


def udp_destroy(cpu: Cpu, sk: UdpSock) -> None:
    """Close a socket: free its port and drop what was never read. Linux: net/ipv4/udp.c udp_destroy_sock()."""
    net = sk.net
    same_port = net.udp_table.get(sk.sk_num, [])
    if sk in same_port:
        same_port.remove(sk)
        if not same_port:
            del net.udp_table[sk.sk_num]
    for skb in sk.sk_receive_queue:
        kfree_skb_reason(net, skb, DropReason.SOCKET_CLOSE)
    sk.sk_receive_queue.clear()
    skb_errqueue_purge(sk)
    sk.sk_rmem_alloc = sk.forward_deficit = sk.reader_queue_len = 0
    sk.orphan = True
    net.sockets.pop(sk.id, None)
    net.holding.pop(sk.id, None)
