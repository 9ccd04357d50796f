"""Windows whose positions lie apart: on the array, and on both ways of the vector unit."""

from __future__ import annotations

import pytest

from tests.random_networks import NetworkBuilder, random_codebook
from tests.sw.compiler.program_checks import check_program, config_of
from vqrom_hw.errors import VqromError
from vqrom_hw.isa import Opcode, VectorOp
from vqrom_sw.compiler import COLUMN, compile_network

EDGE = config_of("edge16", activation_words=256, accumulator_depth=40)
"""So little room that maps are cut into strips."""

CODEBOOK = random_codebook(EDGE)


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("channels", [3, 20])
@pytest.mark.parametrize("dilation", [(2, 1), (1, 3), (2, 2)])
def test_array(dilation: tuple[int, int], channels: int, raw: bool) -> None:
    """First on a program's input, of which there may be folding in y only; then on a map."""
    net = NetworkBuilder(CODEBOOK, (13, 12, channels))
    net.conv(17, (3, 3), (1, 2), (2, 3, 1, 3), raw=raw, dilation=dilation)
    net.conv(9, (3, 2), padding=(1, 1, 1, 1), raw=raw, dilation=dilation)
    check_program(net, CODEBOOK, EDGE)


@pytest.mark.parametrize(("dilation", "stride", "operation"), [
    ((2, 1), (1, 1), VectorOp.SLIDING), ((2, 1), (2, 2), VectorOp.SLIDING),
    ((1, 2), (1, 1), VectorOp.DEPTHWISE), ((3, 2), (2, 1), VectorOp.DEPTHWISE)])
def test_depthwise(dilation: tuple[int, int], stride: tuple[int, int],
                   operation: VectorOp) -> None:
    """Rows may lie apart while the unit slides over columns; columns may not."""
    net = NetworkBuilder(CODEBOOK, (12, 11, 20))
    net.conv(20, (3, 3), stride, (2, 2, 2, 2), groups=20, dilation=dilation)
    table = check_program(net, CODEBOOK, EDGE).table
    assert operation in table[table[:, 0] == Opcode.VECTOR, COLUMN["operation"]]


@pytest.mark.parametrize("dilation", [(2, 1), (3, 3)])
def test_max_pool(dilation: tuple[int, int]) -> None:
    net = NetworkBuilder(CODEBOOK, (14, 13, 20))
    net.max_pool((2, 3), (2, 1), (1, 2, 1, 2), dilation=dilation)
    check_program(net, CODEBOOK, EDGE)


def test_steps_beyond_an_address_generator() -> None:
    """Of a map between layers; windows of an input that share no pixel are gathered."""
    net = NetworkBuilder(CODEBOOK, (130, 4, 16))
    net.conv(16, (1, 1))
    net.conv(16, (3, 1), dilation=(64, 1))
    with pytest.raises(VqromError, match=r"layer 'conv1': .* its dilation 64 is more than 63"):
        compile_network(net.build(), CODEBOOK.codewords, EDGE)
