"""F04: retransmission of data until tcp_retries2=15."""

from __future__ import annotations

from tests.groundtruth.play.f03 import give_up


def play() -> dict[str, object]:
    """A quarter of an hour."""
    observed = give_up(15, sack=True)
    counters = observed["counters"]
    assert isinstance(counters, dict)
    return observed | {
        "counters": {
            name if name.startswith("Tcp") else f"TcpExt{name}": value for name, value in counters.items()
        }
    }
