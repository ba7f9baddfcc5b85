"""P04: a bad checksum and a foreign address."""

from __future__ import annotations

from tests.groundtruth.raw_peer import MS, RawConnection, RawLab, answer_text


def play() -> dict[str, object]:
    """Both packets."""
    lab = RawLab()
    listener = lab.listen()
    peer = RawConnection(lab)
    peer.accept(listener)
    lab.arrivals()
    lab.peer.send(peer.sport, peer.port, "P.", seq=1, ack=1, length=100, csum_bad=True)
    lab.wait(20 * MS)
    row = lab.connection()
    counters = lab.world.snapshot().host("host").counters
    damaged = {
        "answers": [answer_text(lab, skb) for _, skb in lab.arrivals()],
        "state": "ESTABLISHED" if row.state == "ESTAB" else row.state,
        "recv_q": row.recv_q,
        "counters": {name: counters[name] for name in ("TcpInCsumErrors", "TcpInErrs") if counters[name]},
    }
    lab.peer.send(peer.sport, peer.port, "P.", seq=1, ack=1, length=100, daddr="10.0.0.77")
    lab.wait(20 * MS)
    strays = lab.world.snapshot().host("host").counters["IpInAddrErrors"]
    return {"bad TCP checksum": damaged, "packet for another address": {"IpInAddrErrors": strays}}
