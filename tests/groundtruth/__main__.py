"""`python -m tests.groundtruth [--readme] [DOCUMENT…]` plays the recordings and prints what matches.

With --readme the README's section on fidelity is written anew.

Exits with 1 when an observation differs that `known_differences.yaml` does not list.
"""

from __future__ import annotations

import sys

from tests.groundtruth.conformance import play, played_documents, table, unlisted
from tests.groundtruth.fidelity import write_readme

arguments = [each for each in sys.argv[1:] if each != "--readme"]
wanted = [name.upper() for name in arguments] or played_documents()
played = [play(document) for document in wanted]
if "--readme" in sys.argv:
    write_readme(played)
print(table(played))
sys.exit(1 if unlisted(played) else 0)
