"""Topology files of SCALE-Sim, and the programs compiled from them."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from tests.command_interpreter import Interpreter
from tests.random_networks import random_codebook
from tests.sw.compiler.program_checks import config_of
from vqrom_hw.errors import VqromError
from vqrom_sw.compiler import COLUMNS
from vqrom_sw.importers import Topology, TopologyLayer, gemm, parse_topology, read_topology
from vqrom_sw.reference import run_reference
from vqrom_sw.topology import compile_topology, random_networks

TINY = config_of("tiny")
CODEBOOK = random_codebook(TINY)

CONV = """Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,
Conv1, 15, 14, 7, 7, 3, 12, 2,

Conv2,9,9,3,3,20,9,1,2,1:4,
Conv3DP,8,8,3,3,16,1,1,
Conv4DP,6,5,3,3,10,2,1,
 FC , 1,1,1,1,40,11,1,
"""  # noqa: E501

GEMM = "Layer, M, N, K,\nqkv, 30, 24, 16,\nout,7,9,33\n,,,\n"


def test_convolutions(tmp_path: Path) -> None:
    (tmp_path / "net.csv").write_text(CONV)
    topology = read_topology(tmp_path / "net.csv")
    assert topology == Topology("net", (
        TopologyLayer("Conv1", (15, 14, 3), (7, 7), (2, 2), 12),
        TopologyLayer("Conv2", (9, 9, 20), (3, 3), (1, 2), 9),
        TopologyLayer("Conv3DP", (8, 8, 16), (3, 3), (1, 1), 16, True),
        TopologyLayer("Conv4DP", (6, 5, 10), (3, 3), (1, 1), 20, True),
        TopologyLayer("FC", (1, 1, 40), (1, 1), (1, 1), 11)))
    first = topology.layers[0]
    assert first.output_shape == (5, 5, 12) and first.padding == (0, 0, 0, 1)
    assert first.macs == 25 * 12 * 49 * 3
    assert topology.layers[2].macs == 36 * 16 * 9
    assert topology.layers[3].macs == 4 * 3 * 10 * 2 * 9


def test_windows_that_share_no_pixel_are_gathered() -> None:
    """A full-width kernel over two rows of three, a patch of 4 x 4, and what stays as it is."""
    def gathered(shape: tuple[int, int, int], kernel: tuple[int, int],
                 stride: tuple[int, int]) -> TopologyLayer:
        return TopologyLayer("a", shape, kernel, stride, 5).gathered

    assert gathered((9, 7, 2), (2, 7), (3, 1)) == gemm("a", 4, 5, 28)
    assert gathered((9, 7, 2), (2, 7), (1, 1)) == TopologyLayer("a", (9, 1, 14), (2, 1), (1, 1), 5)
    assert gathered((8, 9, 3), (4, 4), (4, 4)) == TopologyLayer("a", (2, 3, 48), (1, 1), (1, 1), 5)
    for layer in (TopologyLayer("a", (9, 9, 2), (3, 3), (2, 2), 5),
                  TopologyLayer("aDP", (8, 8, 2), (2, 2), (2, 2), 4, True)):
        assert layer.gathered == layer


def test_matrix_products() -> None:
    assert parse_topology(GEMM, "g").layers == (gemm("qkv", 30, 24, 16), gemm("out", 7, 9, 33))
    assert gemm("a", 30, 24, 16).macs == 30 * 24 * 16


@pytest.mark.parametrize(("text", "rule"), [
    ("", "must have a header line and at least one layer"),
    ("Layer, M, N, K,\n", "must have a header line and at least one layer"),
    ("Layer, M, N, K,\na, 1, 2\n", "line 2: must have the columns name, M, N, K, not 3 columns"),
    ("Layer, M, N, K,\n\na, 1, 0, 3\n", r"line 3: N must be in 1\.\.16777215, not '0'"),
    ("Layer, M, N, K,\na, 1, x, 3\n", r"line 2: N must be in 1\.\.16777215, not 'x'"),
    ("n,h,w,fh,fw,c,f,s\na,2,3,3,3,1,1,1", "line 2: the filter must be at most as large"),
])
def test_wrong_files(text: str, rule: str) -> None:
    with pytest.raises(VqromError, match=rule):
        parse_topology(text, "t")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(VqromError, match="cannot be read"):
        read_topology(tmp_path / "none.csv")


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("text", [CONV, GEMM], ids=["conv", "gemm"])
@pytest.mark.parametrize("words", [256, 4096])
def test_programs_compute_each_layer(text: str, raw: bool, words: int) -> None:
    config = config_of("tiny", activation_words=words, accumulator_depth=16)
    topology = parse_topology(text, "t")
    program = compile_topology(topology, CODEBOOK.codewords, config, raw=raw, contents=True)
    networks = random_networks(topology, CODEBOOK.codewords, raw)
    rng = np.random.default_rng(0)
    inputs = [rng.integers(-128, 128, (1, *network.input_shape), np.int8) for network in networks]
    image = program.input_images(
        inputs, [network.input_quantization.zero_point for network in networks])[0]
    for seed in range(3):
        run = Interpreter(program, CODEBOOK.codewords, image, seed)
        if seed:
            run.run_apart(np.random.default_rng(seed))
        else:
            run.run_in_order()
        for network, x, output in zip(networks, inputs, program.all_output_maps(run.output[None]),
                                      strict=True):
            expected = run_reference(network, CODEBOOK, x)[network.layers[0].name]
            np.testing.assert_array_equal(output, expected, err_msg=network.name)
    sizes = compile_topology(topology, CODEBOOK.codewords, config, raw=raw)
    timed = [column for column, name in enumerate(COLUMNS)
             if name not in ("pad_value", "zero_point")]
    np.testing.assert_array_equal(sizes.table[:, timed], program.table[:, timed])


def test_large_topologies_compile_at_once() -> None:
    """A topology with as many layers as ResNet-50 compiles without their weights."""
    config = config_of("edge32")
    layers = [TopologyLayer("conv1", (230, 230, 3), (7, 7), (2, 2), 64)]
    for size, channels, blocks in ((56, 64, 3), (28, 128, 4), (14, 256, 6), (7, 512, 3)):
        for _ in range(blocks):
            layers += [TopologyLayer("a", (size, size, 4 * channels), (1, 1), (1, 1), channels),
                       TopologyLayer("b", (size + 2, size + 2, channels), (3, 3), (1, 1), channels),
                       TopologyLayer("c", (size, size, channels), (1, 1), (1, 1), 4 * channels)]
    start = time.perf_counter()
    program = compile_topology(Topology("r", tuple(layers)), random_codebook(config).codewords,
                               config)
    assert time.perf_counter() - start < 2, "0.1 s on an idle machine"
    assert not program.commands and program.constant_bytes > 5_000_000
