"""Hostile programs end and touch nothing; after them, and after resets and aborts, the accelerator
is what it was. Long versions: ``python -m tests.bench.hostile``."""

import pytest

from tests.hostile.bench import Start
from tests.hostile.campaign import aborts, bench, hostile_programs, resets, works
from vqrom_hw.isa import ErrorCode


@pytest.mark.parametrize(("campaign", "endings"), [
    (hostile_programs, {"done", "OPCODE", "DRAM_RANGE", "BUFFER_RANGE", "WAIT", "WATCHDOG"}),
    (resets, {"reset", "done"}), (aborts, {"ABORTED", "done"})])
def test_campaign(campaign, endings):
    tally = campaign(0, 120)
    assert tally.faults == []
    # It is not all of one kind: otherwise little was tried.
    assert endings <= tally.ended.keys(), tally.ended


def test_the_watch_sees_what_it_should():
    """A limit larger than the region that is allowed here: the burst beyond is counted."""
    work = works()[0]
    start = Start(work.csr | {"watchdog": 1000})
    narrow = [line if not line.startswith("R") else f"R {line.split()[1]} {line.split()[1]}"
              for line in start.script(bench().config.beat_bytes)]

    class Narrow(Start):
        def script(self, beat_bytes):
            return narrow

    (outcome, _), = bench().run(work, [Narrow(start.registers)])
    assert outcome.outside_reads and not outcome.harmless
    (outcome, _), = bench().run(work, [Start(work.csr | {"watchdog": 0}, limit=300)])
    assert outcome.hang and outcome.error is ErrorCode.NONE
