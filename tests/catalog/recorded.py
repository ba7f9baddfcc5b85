"""Name lists recorded on a machine that runs Linux 6.18."""

from __future__ import annotations

import re
from pathlib import Path

DATA = Path(__file__).parent / "data"


def counter_order() -> list[str]:
    return (DATA / "nstat-6.18.txt").read_text().split()


def kernel_counters() -> set[str]:
    return set(counter_order())


def kernel_drop_reasons() -> set[str]:
    return set(re.findall(r"SKB_DROP_REASON_(\w+) =", (DATA / "drop-reasons-6.18.txt").read_text()))


def kernel_sysctls() -> dict[str, str]:
    lines = (DATA / "sysctl-6.18-root.txt").read_text().splitlines()
    pairs = (line.partition("=") for line in lines)
    return {name.strip(): " ".join(value.split()) for name, _, value in pairs}
