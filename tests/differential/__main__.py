"""`python -m tests.differential calls|errors|segments|acks|windows|writers|all [--from N] [--stories N]`: random stories on the real kernel and here.

Each story is played on the kernel of this machine, in network namespaces (so it needs root or user namespaces, `ip` and
/dev/net/tun), and in the simulator. What differs is printed with the whole story. Timers of the two meet at slightly different moments: a
retransmission at the edge of a waiting time may show as a difference; a story that differs again and again is one.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from random import Random

from tests.differential import acks, calls, errors, segments, windows, writers
from tests.differential.namespaces import become_root
from tests.differential.peers import Difference

KINDS = {
    "calls": calls,
    "errors": errors,
    "segments": segments,
    "acks": acks,
    "windows": windows,
    "writers": writers,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__)
    parser.add_argument("kind", choices=(*KINDS, "all"))
    parser.add_argument("--from", dest="first", type=int, default=0, help="number of the first story")
    parser.add_argument("--stories", type=int, default=50)
    chosen = parser.parse_args()
    if not Path("/dev/net/tun").exists() or not become_root():
        print(
            "The real kernel is asked in network namespaces: run this on Linux with /dev/net/tun, as root or with user namespaces."
        )
        return 2
    numbers = range(chosen.first, chosen.first + chosen.stories)
    parted = False
    for kind in KINDS if chosen.kind == "all" else (chosen.kind,):
        differing = sum(not same(KINDS[kind], number) for number in numbers)
        print(
            f"{kind}: {chosen.stories - differing} of {chosen.stories} stories went alike ({os.uname().release})"
        )
        parted = parted or bool(differing)
    return int(parted)


def same(kind, number: int) -> bool:
    """Play one story; tells where the two sides part."""
    random = Random(number)
    story = kind.tell(random)
    try:
        kind.play(story, random)
    except Difference as found:
        what, real, simulated = found.args
        print(f"--- story {number} differs in its {what}")
        for entry in story.log:
            print("   ", *entry)
        print("    real      ", real)
        print("    simulated ", simulated, flush=True)
        return False
    finally:
        story.close()
    return True


if __name__ == "__main__":
    sys.exit(main())
