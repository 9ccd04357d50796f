"""Hostile programs, resets and aborts by the thousand, over a night.

    ./run python -m tests.bench.hostile [programs | resets | aborts] [--count N] [--first SEED]

Prints how the programs ended, and a line with its seed for each that did what it must not. The
short version of it is a test, ``tests/hostile/test_campaign.py``.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from tests.hostile.campaign import Tally, aborts, hostile_programs, resets

CAMPAIGNS = {"programs": hostile_programs, "resets": resets, "aborts": aborts}
BATCH = 250
"""Starts of one process, after which their results are printed."""


def main() -> int:
    """Run a campaign in batches; 1 if it has found something."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("campaign", nargs="?", choices=CAMPAIGNS, default="programs")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    given = parser.parse_args()
    total, start = Tally(Counter()), time.perf_counter()
    for first in range(given.first, given.first + given.count, BATCH):
        count = min(BATCH, given.first + given.count - first)
        tally = CAMPAIGNS[given.campaign](first, count)
        total.ended += tally.ended
        total.faults += tally.faults
        for line in tally.faults:
            print(line, flush=True)
        print(f"{first + count - given.first} of {given.count} from seed {given.first} on, "
              f"{time.perf_counter() - start:.0f} s, {len(total.faults)} faults: "
              + ", ".join(f"{name} {number}" for name, number in total.ended.most_common()),
              flush=True)
    return bool(total.faults)


if __name__ == "__main__":
    sys.exit(main())
