"""A09: a listener closes with connections waiting."""

from __future__ import annotations

from tests.groundtruth.handshakes import MS, SynLab

WAITING, HALF_OPEN = (40000, 40001), (41000, 41001)


def play() -> dict[str, object]:
    """Every observation of the document."""
    lab = SynLab()
    lab.connect(*WAITING)
    lab.syn(*HALF_OPEN)
    result: dict[str, object] = {"before": lab.states()}
    lab.sys("close", lab.fd)
    lab.wait(1 * MS)
    result["after"] = lab.states()
    for name, sports in (("rst_to_established", WAITING), ("rst_to_half_open", HALF_OPEN)):
        result[name] = [sum("R" in flags for flags in lab.letters(sport)) for sport in sports]
    known = len(lab.letters(HALF_OPEN[0]))
    lab.ack(HALF_OPEN[0])
    result["late_ack_of_half_open_answered_with"] = lab.letters(HALF_OPEN[0])[known:]
    return result
