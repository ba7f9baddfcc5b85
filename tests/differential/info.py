"""What both sides tell of a socket: struct tcp_info and SO_MEMINFO of the real one, the same of the simulated one."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

from wireside.catalog.inet import MASK
from wireside.kernel.tcp.sock.tcp_sock import TCP_INFINITE_SSTHRESH

if TYPE_CHECKING:
    from wireside.kernel.tcp.sock.tcp_sock import TcpSock

SO_MEMINFO = 55
MEMORY = ("sk_rmem_alloc", "sk_rcvbuf", "sk_wmem_alloc", "sk_sndbuf", "sk_forward_alloc", "sk_wmem_queued")
BYTES = {0: "state", 1: "ca_state", 2: "retransmits", 3: "probes", 4: "backoff"}
"""Where a number of eight bits lies in struct tcp_info."""
WORDS = {
    16: "snd_mss", 20: "rcv_mss", 24: "unacked", 28: "sacked", 32: "lost", 36: "retrans", 64: "rcv_ssthresh", 76: "snd_ssthresh",
    80: "snd_cwnd", 84: "advmss", 88: "reordering", 96: "rcv_space", 100: "total_retrans", 136: "segs_out", 140: "segs_in",
    144: "notsent_bytes", 152: "data_segs_in", 156: "data_segs_out", 192: "delivered", 216: "dsack_dups", 220: "reord_seen",
    228: "snd_wnd", 232: "rcv_wnd",
}  # fmt: skip
LONGS = {120: "bytes_acked", 128: "bytes_received", 200: "bytes_sent", 208: "bytes_retrans"}
LENGTH = 236


def real_info(sock: socket.socket) -> dict[str, int]:
    """Of a socket of this machine's kernel. Linux: include/uapi/linux/tcp.h struct tcp_info."""
    data = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, LENGTH)
    found = {name: data[at] for at, name in BYTES.items()}
    found |= {name: struct.unpack_from("=I", data, at)[0] for at, name in WORDS.items()}
    found |= {name: struct.unpack_from("=Q", data, at)[0] for at, name in LONGS.items()}
    memory = struct.unpack("9I", sock.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 36))
    return found | dict(zip(MEMORY, memory, strict=False))


def simulated_info(tp: TcpSock) -> dict[str, int]:
    """Of a simulated socket, under the same names."""
    return {
        "state": int(tp.sk_state), "ca_state": tp.ca_state, "retransmits": tp.icsk_retransmits, "probes": tp.icsk_probes_out,
        "backoff": tp.icsk_backoff, "snd_mss": tp.mss_cache, "rcv_mss": tp.rcv_mss, "unacked": tp.packets_out,
        "sacked": tp.sacked_out, "lost": tp.lost_out, "retrans": tp.retrans_out, "rcv_ssthresh": tp.rcv_ssthresh,
        "snd_ssthresh": min(tp.snd_ssthresh, TCP_INFINITE_SSTHRESH), "snd_cwnd": tp.snd_cwnd, "advmss": tp.advmss,
        "reordering": tp.reordering, "rcv_space": tp.rcvq_space, "total_retrans": tp.total_retrans, "segs_out": tp.segs_out,
        "segs_in": tp.segs_in, "notsent_bytes": (tp.write_seq - tp.snd_nxt) & MASK, "data_segs_in": tp.data_segs_in,
        "data_segs_out": tp.data_segs_out, "delivered": tp.delivered, "dsack_dups": tp.dsack_dups,
        "reord_seen": int(tp.reord_seen), "snd_wnd": tp.snd_wnd, "rcv_wnd": tp.rcv_wnd, "bytes_acked": tp.bytes_acked,
        "bytes_received": tp.bytes_received, "bytes_sent": tp.bytes_sent, "bytes_retrans": tp.bytes_retrans,
    } | {name: getattr(tp, name) & MASK for name in MEMORY}  # fmt: skip
