"""`python -m tests.groundtruth [DOCUMENT…]` plays the recordings and prints what matches."""

from __future__ import annotations

import sys

from tests.groundtruth.conformance import play, played_documents, table

wanted = [name.upper() for name in sys.argv[1:]] or played_documents()
print(table([play(document) for document in wanted]))
