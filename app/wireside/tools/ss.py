"""`ss`: the sockets of a host, column for column as iproute2 prints them."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from wireside.catalog.inet import MASK, ip_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from wireside.snapshot import HostSnapshot, SocketRow

HEADERS = ("State", "Recv-Q", "Send-Q", "Local Address:", "Port", "Peer Address:", "Port", "Process")
SHORT_HEADERS = (*HEADERS[:3], "Local", "Peer")
"""The same for tables that keep an address and its port together."""
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
MS = 1_000_000


class Cells(NamedTuple):
    """One socket in the columns of ss, each as ss words it; `render` is made of them, and so is every other table of sockets."""

    state: str
    recv_q: str
    send_q: str
    local: str
    """With the colon that ends the column."""
    local_port: str
    peer: str
    peer_port: str
    users: str
    """Of -p: the program and its descriptor; empty when no program has the socket."""
    timer: str
    """Of -o; empty without a timer."""


def cells(row: SocketRow, pid: int = 0) -> Cells:
    """The columns of a socket that the program `pid` has open."""
    local, _, local_port = row.local.rpartition(":")
    peer, _, peer_port = row.peer.rpartition(":")
    return Cells(
        row.state,
        str(row.recv_q),
        str(row.send_q),
        f"{local}:",
        local_port,
        f"{peer}:",
        peer_port,
        f'users:(("{row.program}",pid={pid},fd={row.fd}))' if row.program else "",
        f"timer:({row.timer})" if row.timer else "",
    )


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
            each = cells(row, pids.get(row.program, 0))
            queues = f"{each.recv_q:<6}", f"{each.send_q:<6}"
            ends = each.local, each.local_port, each.peer, each.peer_port
            columns = (each.state, *queues, *ends, _process(row, flags, each))
            rows.append((row.netid, *columns) if both else columns)
    return _table(header, rows, headless="H" in flags)


def is_listed(row: SocketRow) -> bool:
    """Whether ss finds it: a TCP socket in CLOSE is in no hash table. Linux: net/ipv4/inet_diag.c."""
    return row.netid != "tcp" or row.state != "UNCONN"


def _wanted(row: SocketRow, flags: set[str]) -> bool:
    if "a" in flags:
        return is_listed(row)
    if "l" in flags:
        return row.state in NOT_CONNECTED and is_listed(row)
    return row.state not in NOT_CONNECTED | BRIEF


def _process(row: SocketRow, flags: set[str], each: Cells) -> str:
    process = f" {each.users}" if "p" in flags and each.users else ""
    if "o" in flags and each.timer:
        process += f" {each.timer}"
    if flags & {"m", "i"}:
        process += "\n\t"
        if not is_minisock(row):
            process += memory(row) if "m" in flags else ""
            process += information(row) if "i" in flags and row.netid == "tcp" else ""
    return process


def is_minisock(row: SocketRow) -> bool:
    """Whether the row is a request sock or a TIME-WAIT entry, which have no buffers to tell about."""
    return (row.state in BRIEF and not row.sk_rcvbuf) or row.timer.startswith("timewait")


def memory(row: SocketRow) -> str:
    """The field of -m."""
    return (
        f" skmem:(r{row.sk_rmem_alloc},rb{row.sk_rcvbuf},t{row.sk_wmem_alloc},tb{row.sk_sndbuf},"
        f"f{row.sk_forward_alloc & MASK},w{row.sk_wmem_queued},o0,bl{row.sk_backlog_len},d{row.sk_drops})"
    )


def information(row: SocketRow) -> str:
    """The fields of -i that are not zero, in ss's order; a listener tells how many wait for accept()."""
    if row.state == "LISTEN":
        waiting = f" unacked:{row.recv_q}" if row.recv_q else ""
        return f" {row.congestion_control} cwnd:{row.cwnd}{waiting}"
    return "".join([f" {name}{text}" for name, told in INFORMATION.items() if (text := told(row))])


def _number(field: str) -> Callable[[SocketRow], str]:
    get = attrgetter(field)
    return lambda row: str(get(row) or "")


def _rto(row: SocketRow) -> str:
    return f"{row.rto_ns / MS:g}" if row.rto_ns not in (0, 3000 * MS) else ""


def _rtt(row: SocketRow) -> str:
    return f"{row.srtt_ns // 1000 / 1000:g}/{row.rttvar_ns // 1000 / 1000:g}" if row.srtt_ns else ""


def _send(row: SocketRow) -> str:
    if row.srtt_ns < 1000 or not row.mss or not row.cwnd:
        return ""
    microseconds = row.srtt_ns // 1000
    return f"{(row.mss * row.cwnd * 8 * 2_000_000 // microseconds + 1) // 2}bps"


def _retrans(row: SocketRow) -> str:
    out = row.in_flight - row.packets_out + row.sacked + row.lost
    return f"{out}/{row.retrans_total}" if out or row.retrans_total else ""


INFORMATION: Mapping[str, Callable[[SocketRow], str]] = {
    "": attrgetter("congestion_control"),
    "wscale:": lambda row: f"{row.snd_wscale},{row.rcv_wscale}" if row.snd_wscale or row.rcv_wscale else "",
    "rto:": _rto,
    "backoff:": _number("backoff"),
    "rtt:": _rtt,
    "mss:": _number("mss"),
    "rcvmss:": _number("rcv_mss"),
    "cwnd:": _number("cwnd"),
    "ssthresh:": lambda row: str(row.ssthresh) if 0 < row.ssthresh < 0xFFFF else "",
    "bytes_acked:": _number("bytes_acked"),
    "bytes_received:": _number("bytes_received"),
    "segs_out:": _number("segs_out"),
    "segs_in:": _number("segs_in"),
    "send ": _send,
    "delivered:": _number("delivered"),
    "unacked:": _number("packets_out"),
    "retrans:": _retrans,
    "lost:": _number("lost"),
    "sacked:": _number("sacked"),
    "dsack_dups:": _number("dsack_dups"),
    "reordering:": lambda row: str(row.reordering) if row.reordering not in (0, TCP_REORDERING) else "",
    "reord_seen:": _number("reord_seen"),
    "rcv_space:": _number("rcv_space"),
    "rcv_ssthresh:": _number("rcv_ssthresh"),
    "snd_wnd:": _number("snd_wnd"),
}
"""What stands before a field of -i → what the field says of a socket, "" when ss leaves it out."""


def endpoint(address: int, port: int) -> str:
    """An address and its port, either of them any."""
    return f"{ip_text(address)}:{port or '*'}"


def timer_words(kind: str, left_ms: int, count: int) -> str:
    """What -o says inside the brackets: the timer, the time until it is due, and how often it has fired."""
    return f"{kind},{timer_time(left_ms)},{count}"


def timer_time(ms: int) -> str:
    """A timer's remaining time as ss writes it; 4724 ms really shows as "4.724ms", and what is due at once as nothing.

    Linux: iproute2 misc/ss.c print_ms_timer()
    """
    seconds, ms = divmod(max(ms, 0), 1000)
    minutes, seconds = divmod(seconds, 60)
    text = ""
    if minutes:
        ms = 0
        text = f"{minutes}min"
        if minutes > 9:
            seconds = 0
    if seconds:
        if seconds > 9:
            ms = 0
        text += f"{seconds}{'.' if ms else 'sec'}"
    if ms:
        text += f"{ms:03d}ms"
    return text


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]], *, headless: bool) -> str:
    lines = [*([] if headless else [header]), *rows]
    if not lines:
        return ""
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
