"""Forged and mutated inputs of every kind by the thousand.

    ./run python -m tests.bench.forged [--count N] [--first SEED] [--kind KIND]

Each runs in a process of its own with 4 GB and 30 s. Prints how the cases ended, and a line with
its seed for each fault. The short version is a test, ``tests/forged/test_campaign.py``.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from tests.forged.campaign import campaign
from tests.forged.cases import KINDS

BATCH = 240
"""Cases after which results are printed."""


def main() -> int:
    """Run the campaign in batches; 1 if it has found something."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--kind", choices=KINDS, help="cases of one kind alone")
    given = parser.parse_args()
    kinds = (given.kind,) if given.kind else KINDS
    total, found = Counter[str](), 0
    for first in range(given.first, given.first + given.count, BATCH):
        ended, faults = campaign(first, min(BATCH, given.first + given.count - first), kinds)
        total += ended
        found += len(faults)
        print(*faults, sep="\n", end="\n" if faults else "")
        print(f"{total.total()} of {given.count} from seed {given.first} on: "
              + ", ".join(f"{name} {number}" for name, number in sorted(total.items())),
              flush=True)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
