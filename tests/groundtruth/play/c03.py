"""C03: when a sender probes a closed window."""

from __future__ import annotations

from itertools import pairwise
from statistics import median

from tests.groundtruth.pair import MS, SECOND
from tests.groundtruth.raw_peer import RawLab
from tests.groundtruth.silent_peer import UPTIME

SPORT, PORT = 40000, 8080
WINDOW, WRITTEN = 1000, 5000
ANSWERS_AFTER = 6 * MS
"""The recorded peer, a script, took 4 to 8 ms: the probes' times are those of an RTO of 208 ms."""
WATCHED = 60 * SECOND
BEGINS = (100 * MS, 800 * MS, 1500 * MS)
"""Late timers are late by up to 2 s, depending on the tick at which they are armed."""
COUNTED = ("TcpExtTCPWinProbe", "TcpExtTCPTimeouts", "TcpRetransSegs", "TcpExtTCPKeepAlive")


class ClosingPeer:
    """A peer that opens a window of 1000 bytes once; `answers` says whether it answers probes."""

    def __init__(
        self, sysctl: dict[str, str] | None = None, *, answers: bool = True, begins: int = 0, **options: int
    ) -> None:
        self.lab = lab = RawLab(sysctl)
        lab.wait(UPTIME)
        lab.wait(begins)
        listener = lab.listen()
        lab.peer.send(SPORT, PORT, "S", win=WINDOW, mss=1460)
        lab.wait(ANSWERS_AFTER)
        self.say(1)
        lab.wait(1 * MS)
        self.fd = lab.sys("accept", listener)
        for option, value in options.items():
            lab.sys("setsockopt", self.fd, option, value)
        lab.sys("fcntl", self.fd, "F_SETFL", "O_NONBLOCK")
        lab.arrivals()
        lab.sys("send", self.fd, WRITTEN)
        lab.wait(ANSWERS_AFTER)
        self.first_flight = [skb.len for _, skb in lab.arrivals()]
        self.before = lab.world.snapshot().host("host").counters
        self.say(1 + WINDOW, window=0)
        lab.wait(40_000)
        self.closed_at = lab.world.now
        lab.arrivals()
        if answers:
            lab.peer.on_receive = self.answer

    def say(self, ack: int, window: int = WINDOW) -> None:
        """Send an ACK."""
        self.lab.peer.send(SPORT, PORT, ".", seq=1, ack=ack, win=window)

    def answer(self, peer, now: int, skb) -> None:
        """The window is still closed."""
        self.say(1 + WINDOW, window=0)

    @property
    def row(self):
        """The connection."""
        return next(
            row
            for row in self.lab.world.snapshot().host("host").sockets
            if row.local.endswith(str(PORT)) and row.state != "LISTEN"
        )

    def shape(self, skb) -> str:
        """A probe in words."""
        seq, _ = self.lab.peer.relative(skb)
        return f"seq=snd_una{seq - 1 - WINDOW:+d} len={skb.len} flags=."

    def counted(self, names: tuple[str, ...]) -> dict[str, int]:
        """What counters have moved by since the window closed."""
        now = self.lab.world.snapshot().host("host").counters
        return {name: now[name] - self.before[name] for name in names}

    def times(self, frames) -> list[float]:
        """When frames came, since the window closed."""
        return [round((when - self.closed_at) / SECOND, 3) for when, _ in frames]


def minute(begins: int) -> dict[str, list]:
    """One minute of a closed window whose probes are answered."""
    peer = ClosingPeer(begins=begins)
    peer.lab.wait(1 * SECOND)
    row = peer.row
    peer.lab.wait(WATCHED - 1 * SECOND)
    probes = peer.lab.arrivals()
    times = peer.times(probes)
    return {
        "first_flight_segments": peer.first_flight,
        "timer_shown_by_ss": row.timer.partition(",")[0],
        "send_q": row.send_q,
        "probe_times_s": times,
        "gaps_s": [later - earlier for earlier, later in pairwise(times)],
        "probe_shape": sorted({peer.shape(skb) for _, skb in probes}),
        "state_after_60s": ["ESTABLISHED" if peer.row.state == "ESTAB" else peer.row.state],
        "counters": peer.counted(COUNTED),
    }


def play() -> dict[str, object]:
    """Three trials, as recorded, that begin at different ticks; of times the median."""
    trials = [minute(begins) for begins in BEGINS]
    result: dict[str, object] = dict(trials[0])
    for name in ("probe_times_s", "gaps_s"):
        result[name] = [median(values) for values in zip(*(trial[name] for trial in trials), strict=True)]
    return result
