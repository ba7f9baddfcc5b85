"""`python -m wireside`, and the console script."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line; the process's exit status."""
    from wireside.cli.main import main as run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
