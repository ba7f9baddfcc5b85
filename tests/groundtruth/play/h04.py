"""H04: receive packet steering moves the protocol work to another CPU."""

from __future__ import annotations

from tests.groundtruth.pair import MS, SERVER, US, PairLab, sleep, sys
from tests.groundtruth.play.h01 import PORT, SIZE, receiver

COUNT = 100
THINKS = 3 * US
"""What the recorded program, an interpreter, did between two sends."""
MASKS = {0: (), 1: (0,), 2: (1,)}


def sender():
    """One datagram per call."""
    fd = yield sys("socket", "SOCK_DGRAM")
    yield sys("connect", fd, (SERVER, PORT))
    for _ in range(COUNT):
        yield sys("send", fd, SIZE)
        yield sleep(THINKS)


def play() -> dict[str, object]:
    """No steering, to the sender's CPU, and to the other one."""
    result: dict[str, object] = {}
    for mask, cpus in MASKS.items():
        lab = PairLab("veth", rps_cpus=cpus)
        got: list[int] = []
        lab.run(lab.server, receiver(got))
        lab.run(lab.client, sender(), at=5 * MS)
        lab.wait(50 * MS)
        result[f"rps_cpus={mask} received"] = len(got)
        for number, row in enumerate(lab.host("server").softnet):
            result[f"rps_cpus={mask} cpu{number}"] = {
                "processed": row.processed,
                "received_rps": row.received_rps,
            }
    return result
