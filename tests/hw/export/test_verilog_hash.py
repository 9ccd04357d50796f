"""The presets' Verilog is byte for byte the committed one.

Whoever changes the hardware on purpose writes the table anew and says so:
``python -m tests.bench.verilog_hash --write``.
"""

import pytest

from tests.bench.verilog_hash import DESIGNS, differences, read_table, releases

QUICK = ("tiny readmemh", "tiny logic", "tiny macro", "tiny sram", "edge16 readmemh",
         "edge32 readmemh")
"""The designs that the tests generate; ``python -m tests.bench.verilog_hash`` takes all."""


def test_table_has_every_design():
    assert tuple(read_table()["verilog"]) == DESIGNS
    assert set(QUICK) <= set(DESIGNS)


@pytest.mark.parametrize("design", QUICK)
def test_verilog_is_the_committed_one(design):
    made_with = read_table()["releases"]
    if made_with != releases():
        pytest.skip(f"the text of the Verilog depends on the releases: the table was made with "
                    f"{made_with}, installed are {releases()}")
    assert not list(differences([design])), (
        "the Verilog of a preset has changed; if it should, run "
        "python -m tests.bench.verilog_hash --write")
