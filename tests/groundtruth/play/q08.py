"""Q08: tcp_abort_on_overflow and ip_local_port_range change later."""

from __future__ import annotations

from tests.groundtruth.handshakes import SynLab
from wireside.catalog.inet import ip_parse

WAITING, LATE = range(40000, 40003), range(41000, 41003)
RANGE = "net.ipv4.ip_local_port_range"


def ports(lab: SynLab) -> list[int]:
    """The source ports of two connect()s, with the range changed in between."""
    chosen = []
    for value in ("40000 40999", "50000 50999"):
        lab.set(RANGE, value)
        fd = lab.sys("socket", "SOCK_STREAM|SOCK_NONBLOCK")
        lab.sys("connect", fd, (ip_parse("10.0.0.9"), 9000))
        chosen.append(lab.task.files[fd].private_data.sk_num)
    return chosen


def play() -> dict[str, object]:
    """The sysctl turns on between the SYN-ACKs and the ACKs."""
    lab = SynLab(backlog=3)
    lab.connect(*WAITING)
    lab.syn(*LATE)
    known = {sport: len(lab.letters(sport)) for sport in LATE}
    lab.set("net.ipv4.tcp_abort_on_overflow", 1)
    lab.ack(*LATE)
    result: dict[str, object] = {
        "segments after SYN-ACK per connection": [lab.letters(sport)[known[sport] :] for sport in LATE],
        "states": lab.states(),
    }
    first, second = ports(lab)
    result["port range acts on the next connect()"] = 40000 <= first <= 40999 and 50000 <= second <= 50999
    return result
