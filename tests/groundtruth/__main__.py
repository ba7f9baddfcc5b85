"""`python -m tests.groundtruth [DOCUMENT…]` plays the recordings and prints what matches.

Exits with 1 when an observation differs that `known_differences.yaml` does not list.
"""

from __future__ import annotations

import sys

from tests.groundtruth.conformance import play, played_documents, table, unlisted

wanted = [name.upper() for name in sys.argv[1:]] or played_documents()
played = [play(document) for document in wanted]
print(table(played))
sys.exit(1 if unlisted(played) else 0)
