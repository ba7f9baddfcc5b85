"""`ss`: the sockets of a host, column for column as iproute2 prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wireside.snapshot import HostSnapshot, SocketRow

HEADERS = ("State", "Recv-Q", "Send-Q", "Local Address:", "Port", "Peer Address:", "Port", "Process")
NETID = "Netid"
_RIGHT_ALIGNED = {"Local Address:", "Peer Address:"}
_GLUED = {"Local Address:", "Peer Address:"}
"""Columns with nothing between them and the next one."""
NOT_CONNECTED = {"LISTEN", "UNCONN"}
BRIEF = {"TIME-WAIT", "SYN-RECV"}
"""States ss shows only when asked with -a; their sockets are small records without buffers."""
FLAGS = "tualnmoipH"
TCP_REORDERING = 3
"""The kernel's first guess, which ss does not print."""


def render(host: HostSnapshot, options: str = "-tan") -> str:
    """Return what `ss OPTIONS` prints on the host; options are any of -t -u -a -l -n -m -o -i -p -H.

    Differs: addresses are always numeric, and -i leaves out the fields a SocketRow does not carry.
    Linux: iproute2 misc/ss.c
    """
    flags = set(options.replace("-", "").replace(" ", ""))
    assert flags <= set(FLAGS), f"ss has no option {''.join(sorted(flags - set(FLAGS)))} here"
    both = ("t" in flags) == ("u" in flags)
    pids = {program.name: program.pid for program in host.programs}
    header = (NETID, *HEADERS) if both else HEADERS
    rows = []
    for row in host.sockets:
        if (both or row.netid == ("tcp" if "t" in flags else "udp")) and _wanted(row, flags):
            cells = _cells(row, flags, pids)
            rows.append((row.netid, *cells) if both else cells)
    return _table(header, rows, headless="H" in flags)


def _wanted(row: SocketRow, flags: set[str]) -> bool:
    if "a" in flags:
        return True
    if "l" in flags:
        return row.state in NOT_CONNECTED
    return row.state not in NOT_CONNECTED | BRIEF


def _cells(row: SocketRow, flags: set[str], pids: Mapping[str, int]) -> tuple[str, ...]:
    local, _, local_port = row.local.rpartition(":")
    peer, _, peer_port = row.peer.rpartition(":")
    process = ""
    if "p" in flags and row.program:
        process += f' users:(("{row.program}",pid={pids.get(row.program, 0)},fd={row.fd}))'
    if "o" in flags and row.timer:
        process += f" timer:({row.timer})"
    if flags & {"m", "i"}:
        process += "\n\t"
        if not is_minisock(row):
            process += memory(row) if "m" in flags else ""
            process += information(row) if "i" in flags and row.netid == "tcp" else ""
    queues = str(row.recv_q), str(row.send_q)
    return (row.state, *queues, local + ":", local_port, peer + ":", peer_port, process)


def is_minisock(row: SocketRow) -> bool:
    """Whether the row is a request sock or a TIME-WAIT entry, which have no buffers to tell about."""
    return (row.state in BRIEF and not row.sk_rcvbuf) or row.timer.startswith("timewait")


def memory(row: SocketRow) -> str:
    """The field of -m."""
    return (
        f" skmem:(r{row.sk_rmem_alloc},rb{row.sk_rcvbuf},t{row.sk_wmem_alloc},tb{row.sk_sndbuf},"
        f"f{row.sk_forward_alloc & 0xFFFFFFFF},w{row.sk_wmem_queued},o0,bl{row.sk_backlog_len},d{row.sk_drops})"
    )


def information(row: SocketRow) -> str:
    """The fields of -i that are not zero, in ss's order; a listener tells how many wait for accept()."""
    if row.state == "LISTEN":
        waiting = f" unacked:{row.recv_q}" if row.recv_q else ""
        return f" {row.congestion_control} cwnd:{row.cwnd}{waiting}"
    retrans = row.in_flight - row.packets_out + row.sacked + row.lost
    milli = 1_000_000
    fields = (
        (row.congestion_control, bool(row.congestion_control)),
        (f"wscale:{row.snd_wscale},{row.rcv_wscale}", bool(row.snd_wscale or row.rcv_wscale)),
        (f"rto:{row.rto_ns / milli:g}", bool(row.rto_ns) and row.rto_ns != 3000 * milli),
        (f"backoff:{row.backoff}", bool(row.backoff)),
        (f"rtt:{row.srtt_ns // 1000 / 1000:g}/{row.rttvar_ns // 1000 / 1000:g}", bool(row.srtt_ns)),
        (f"mss:{row.mss}", bool(row.mss)),
        (f"rcvmss:{row.rcv_mss}", bool(row.rcv_mss)),
        (f"cwnd:{row.cwnd}", bool(row.cwnd)),
        (f"ssthresh:{row.ssthresh}", 0 < row.ssthresh < 0xFFFF),
        (f"bytes_acked:{row.bytes_acked}", bool(row.bytes_acked)),
        (f"bytes_received:{row.bytes_received}", bool(row.bytes_received)),
        (f"segs_out:{row.segs_out}", bool(row.segs_out)),
        (f"segs_in:{row.segs_in}", bool(row.segs_in)),
        (f"send {_send_rate(row)}bps", bool(row.srtt_ns >= 1000 and row.mss and row.cwnd)),
        (f"delivered:{row.delivered}", bool(row.delivered)),
        (f"unacked:{row.packets_out}", bool(row.packets_out)),
        (f"retrans:{retrans}/{row.retrans_total}", bool(retrans or row.retrans_total)),
        (f"lost:{row.lost}", bool(row.lost)),
        (f"sacked:{row.sacked}", bool(row.sacked)),
        (f"dsack_dups:{row.dsack_dups}", bool(row.dsack_dups)),
        (f"reordering:{row.reordering}", row.reordering not in (0, TCP_REORDERING)),
        (f"reord_seen:{row.reord_seen}", bool(row.reord_seen)),
        (f"rcv_space:{row.rcv_space}", bool(row.rcv_space)),
        (f"rcv_ssthresh:{row.rcv_ssthresh}", bool(row.rcv_ssthresh)),
        (f"snd_wnd:{row.snd_wnd}", bool(row.snd_wnd)),
    )
    return "".join(f" {text}" for text, shown in fields if shown)


def _send_rate(row: SocketRow) -> int:
    microseconds = max(row.srtt_ns // 1000, 1)
    return (row.mss * row.cwnd * 8 * 2_000_000 // microseconds + 1) // 2


def timer_time(ns: int) -> str:
    """A timer's remaining time as ss writes it; note that 4.7 s comes out as "4.700ms".

    Linux: iproute2 misc/ss.c print_ms_timer()
    """
    ms = ns // 1_000_000
    minutes, seconds, rest = ms // 60_000, ms // 1000 % 60, ms % 1000
    text = f"{minutes}min" if minutes else ""
    if minutes < 10 and (seconds or not minutes):
        if seconds:
            text += str(seconds)
            if not minutes and seconds < 10:
                return f"{text}.{rest:03d}ms"
            return text + "sec"
        return f"{rest:03d}ms" if rest else text
    return text


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]], *, headless: bool) -> str:
    lines = [*([] if headless else [header]), *rows]
    widths = [max((len(line[column]) for line in lines), default=0) for column in range(len(header))]
    # ss measures a cell when the next one begins, so its very last cell counts for nothing.
    widths[-1] = max((len(line[-1]) for line in lines[:-1]), default=0)
    text = []
    for line in lines:
        out = ""
        for column, cell in enumerate(line):
            name, last = header[column], column >= len(header) - 2
            out += cell.rjust(widths[column]) if name in _RIGHT_ALIGNED else cell.ljust(widths[column])
            out += "" if last or name in _GLUED else " "
        text.append(out)
    return "\n".join(text) + "\n"
