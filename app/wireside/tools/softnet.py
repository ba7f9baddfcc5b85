"""`cat /proc/net/softnet_stat`: one line of hexadecimal columns per CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireside.catalog.inet import MASK

if TYPE_CHECKING:
    from wireside.snapshot import HostSnapshot

COLUMNS = (
    "processed", "dropped", "time_squeeze", "", "", "", "", "", "", "received_rps", "flow_limit_count",
    "backlog_len", "cpu", "input_qlen", "process_qlen",
)  # fmt: skip
"""What each of the 15 columns means; an empty name is a column that is always 0."""


def render(host: HostSnapshot) -> str:
    """Return the text of the file.

    Linux: net/core/net-procfs.c softnet_seq_show()
    """
    return "".join(
        " ".join(f"{values.get(name, 0) & MASK:08x}" for name in COLUMNS) + "\n" for values in columns(host)
    )


def columns(host: HostSnapshot) -> list[dict[str, int]]:
    """Per CPU the columns that mean something, by name."""
    return [
        {
            "processed": row.processed,
            "dropped": row.dropped,
            "time_squeeze": row.time_squeeze,
            "received_rps": row.received_rps,
            "flow_limit_count": row.flow_limit_count,
            "backlog_len": row.input_qlen + row.process_qlen,
            "cpu": cpu,
            "input_qlen": row.input_qlen,
            "process_qlen": row.process_qlen,
        }
        for cpu, row in enumerate(host.softnet)
    ]
