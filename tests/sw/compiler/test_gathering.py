"""Windows that share no pixel lie in DRAM one after the other; the bytes stay the reference's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.random_networks import NetworkBuilder, random_codebook
from tests.sw.compiler.program_checks import check_program, config_of
from vqrom_hw.isa import Opcode
from vqrom_sw.compiler import COLUMN, Program
from vqrom_sw.compiler.dram_layout import Gathering, WindowAxis

EDGE = config_of("edge16")
CODEBOOK = random_codebook(EDGE)


def kernel_sizes(program: Program) -> set[tuple[int, int]]:
    """Rows and columns that the COMPUTEs of a program walk over in a window."""
    computes = program.table[program.table[:, 0] == Opcode.COMPUTE]
    return {(int(rows), int(columns)) for rows, columns in
            computes[:, [COLUMN["count_3"], COLUMN["count_2"]]]}


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize(("shape", "kernel", "stride", "padding", "walked"), [
    pytest.param((7, 7, 12), (7, 7), (1, 1), (0, 0, 0, 0), (1, 1), id="whole map"),
    pytest.param((5, 33, 1), (1, 33), (1, 1), (0, 0, 0, 0), (1, 1), id="one row of one channel"),
    pytest.param((8, 20, 4), (3, 20), (1, 1), (1, 0, 1, 0), (3, 1), id="full width moves down"),
    pytest.param((12, 9, 8), (12, 3), (1, 2), (0, 1, 0, 1), (1, 3), id="full height moves right"),
    pytest.param((12, 12, 3), (4, 4), (4, 4), (0, 0, 0, 0), (1, 1), id="patches"),
    pytest.param((11, 13, 5), (3, 2), (4, 3), (1, 1, 2, 0), (1, 1), id="patches with gaps, padded"),
    pytest.param((6, 10, 8), (2, 3), (2, 1), (0, 0, 0, 0), (1, 3), id="rows apart, columns not"),
])
def test_same_bytes(shape: tuple[int, int, int], kernel: tuple[int, int], stride: tuple[int, int],
                    padding: tuple[int, int, int, int], walked: tuple[int, int],
                    raw: bool) -> None:
    net = NetworkBuilder(CODEBOOK, shape)
    net.conv(19, kernel, stride, padding, raw=raw)
    program = check_program(net, CODEBOOK, EDGE)
    if walked[1] == 1:
        assert kernel_sizes(program) == {walked}
    else:
        assert {rows for rows, _ in kernel_sizes(program)} == {walked[0]}


def test_gathering_that_would_fill_lanes_worse_is_left() -> None:
    """Three columns of 5 channels fill a word; twice 5 channels leave no room for a second."""
    net = NetworkBuilder(CODEBOOK, (8, 9, 5))
    net.conv(16, (2, 3), (2, 1), raw=True)
    assert kernel_sizes(check_program(net, CODEBOOK, EDGE)) == {(2, 1)}


def test_codewords_are_looked_up_where_that_is_faster_only() -> None:
    """One channel has an index for each weight, so raw weights are as short and fill all lanes;
    three channels have one index for three weights, and a layer of one pixel waits for the bus."""
    for channels, is_raw in ((1, True), (3, False)):
        net = NetworkBuilder(CODEBOOK, (16, 16, channels))
        net.conv(32, (16, 16))
        program = check_program(net, CODEBOOK, EDGE)
        computes = program.table[program.table[:, 0] == Opcode.COMPUTE]
        assert (computes[:, COLUMN["raw"]] == is_raw).all()


def test_gathered_pixels() -> None:
    """By hand: rows in twos with one of padding before, columns as they are."""
    maps = np.arange(1, 7, dtype=np.int8).reshape(1, 3, 2, 1)
    gathering = Gathering(WindowAxis(2, 2, 2, 1, 1), None, 2)
    assert gathering.shape((3, 2, 1)) == (2, 2, 4)
    np.testing.assert_array_equal(gathering.gather(maps, -9)[0], [
        [[-9, -9, 1, -9], [-9, -9, 2, -9]], [[3, -9, 5, -9], [4, -9, 6, -9]]])
    dilated = replace(gathering, rows=WindowAxis(1, 2, 1, 2, 0), lanes=1)
    np.testing.assert_array_equal(dilated.gather(maps, -9)[0], [[[1, 5], [2, 6]]])
