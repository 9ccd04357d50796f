"""Layers in column parts: every output pixel is made once, from all the pixels that it sees, and
the programs compute what their networks say."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.random_networks import NetworkBuilder, Shape, random_codebook
from tests.sw.compiler.program_checks import check_program, check_programs, config_of
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError
from vqrom_hw.isa import Opcode, Unit
from vqrom_sw.compiler import COLUMN, compile_network, compile_stages, cut_network
from vqrom_sw.compiler.compile import Compilation, compile_passes
from vqrom_sw.compiler.network_graph import stage_graph
from vqrom_sw.compiler.program import pack_table
from vqrom_sw.compiler.tasks import Task
from vqrom_sw.importers import Topology, TopologyLayer, gemm
from vqrom_sw.network import INPUT
from vqrom_sw.reference import quantize_input
from vqrom_sw.topology import compile_topology

SAME = (1, 1, 1, 1)


def small(words: int, **changes: int) -> AcceleratorConfig:
    """The smallest preset with an activation buffer that is smaller still."""
    return config_of("tiny", **{"activation_words": words, "accumulator_depth": 16} | changes)


def chain(net: NetworkBuilder) -> None:
    """Wide maps from layer to layer, in parts, then whole ones."""
    net.conv(16, padding=SAME)
    net.max_pool((2, 2), (2, 2))
    net.conv(24, (3, 5), (2, 3), (1, 3, 1, 2))
    net.linear(9)


def vector_work(net: NetworkBuilder) -> None:
    """Every kind of layer on the vector unit that can run in parts."""
    first = net.conv(20, (3, 3), (1, 1), SAME, groups=20, raw=True)
    second = net.max_pool((3, 5), (1, 1), (1, 2, 1, 2))
    third = net.window_average_pool((2, 3), (1, 1), (1, 1, 0, 1), source=net.add(first, second))
    net.conv(20, (2, 2), (2, 2), groups=20, raw=True, source=third)


def moves(net: NetworkBuilder) -> None:
    """Layers that move, look up and combine numbers, of a narrow input and of wide maps."""
    scaled = net.table(source=net.elementwise("multiply", INPUT, INPUT), by_channel=True)
    wide = net.conv(20, (1, 1), source=INPUT)
    joined = net.concat(scaled, wide, INPUT)
    net.select([5, 1, *range(8, 24), 3, -1], (1, 2), source=joined)
    net.table()


def gates(net: NetworkBuilder) -> None:
    """Maps that a pixel scales: it stays whole, and every part of theirs needs it."""
    wide = net.conv(20, padding=SAME)
    gate = net.conv(20, (1, 1), source=net.max_pool((2, 40), (2, 40), source=INPUT))
    scaled = net.elementwise("multiply", wide, gate)
    net.elementwise("add", net.conv(20, padding=SAME, source=scaled), gate)


CASES: dict[str, tuple[Shape, int, Callable[[NetworkBuilder], object]]] = {
    "chain": ((6, 40, 16), 192, chain),
    "vector unit": ((5, 31, 20), 192, vector_work),
    "moves": ((5, 48, 5), 128, moves),
    "image": ((7, 61, 3), 64, lambda net: net.conv(8, (3, 3), (2, 2), SAME)),
    "image of one channel": ((5, 70, 1), 64,
                             lambda net: net.conv(12, (1, 9), padding=(0, 4, 0, 4))),
    "image, many channels": ((4, 50, 5), 96, lambda net: (net.conv(8, padding=SAME, raw=True),
                                                          net.conv(8, (1, 1)))),
    "padding wider than parts": ((2, 40, 8), 64,
                                 lambda net: net.conv(24, (2, 2), padding=(1, 9, 0, 11))),
    "matrix product": ((1, 90, 40), 128, lambda net: net.conv(70, (1, 1))),
    "gates": ((2, 40, 8), 128, gates),
    "groups": ((3, 40, 32), 128, lambda net: net.conv(32, padding=SAME, groups=2)),
}

WITH_WINDOWS = ("chain", "vector unit", "padding wider than parts", "groups", "gates")
"""Cases whose layers all make columns of the output that their windows' columns tell."""


def built(case: str, config: AcceleratorConfig) -> NetworkBuilder:
    """The network of a case."""
    shape, _, build = CASES[case]
    net = NetworkBuilder(random_codebook(config), shape, list(CASES).index(case))
    build(net)
    return net


def parts_of(case: str, config: AcceleratorConfig) -> Compilation:
    """A case compiled in parts."""
    compilation = compile_passes(built(case, config).build(), random_codebook(config).codewords,
                                 config, contents=False)
    assert any(task.output.part for task in compilation.graph.tasks)
    return compilation


@pytest.mark.parametrize("case", CASES)
def test_programs_in_parts(case: str) -> None:
    config = small(CASES[case][1])
    parts_of(case, config)
    check_program(built(case, config), random_codebook(config), config)


@pytest.mark.parametrize("case", WITH_WINDOWS)
def test_columns_begin_at_beats_of_several_words(case: str) -> None:
    """Parts begin where beats do: every fourth word of a bus of 256 bits."""
    config = small(CASES[case][1], bus_width=256)
    assert config.row_unit == 4
    table = parts_of(case, config).program.table
    transfers = table[np.isin(table[:, COLUMN["opcode"]], (Opcode.LOAD, Opcode.STORE))]
    assert not (transfers[:, COLUMN["offset"]] % config.beat_bytes).any()
    check_program(built(case, config), random_codebook(config), config)


@pytest.mark.parametrize("bus_width", [64, 256])
@pytest.mark.parametrize("case", WITH_WINDOWS)
def test_parts_cover_the_output_and_see_all_that_they_need(case: str, bus_width: int) -> None:
    config = small(CASES[case][1], bus_width=bus_width)
    parts = parts_of(case, config).graph
    network = built(case, config).build()
    stage, = cut_network(network, config)
    whole = stage_graph(network, stage, random_codebook(config).codewords, config)
    for task in whole.tasks:
        pieces = [piece for piece in parts.tasks if piece.layer == task.layer]
        made = [columns_of(piece) for piece in pieces]
        assert [first for first, _ in made] == [0, *(end for _, end in made[:-1])]
        assert made[-1][1] == task.output.width
        for piece, (first, end) in zip(pieces, made, strict=True):
            check_windows(task, piece, first, end)


def columns_of(task: Task) -> tuple[int, int]:
    """First and end of the columns of the whole output that a task makes."""
    first = task.output.part.first if task.output.part else 0
    return first, first + task.output.width


def check_windows(task: Task, piece: Task, first: int, end: int) -> None:
    """Each kernel position of a part is the pixel, or the padding, that it is in the whole map."""
    kernel, width = task.kernel, task.inputs[0].width
    offset = piece.inputs[0].part.first if piece.inputs[0].part else 0
    for x in range(first, end):
        for tap in range(0, kernel.width, kernel.tap_columns):
            whole = x * kernel.stride_columns - kernel.left + tap
            own = (x - first) * kernel.stride_columns - piece.kernel.left + tap
            assert own + offset == whole
            assert (0 <= own < piece.inputs[0].width) == (0 <= whole < width)


def test_a_pixel_that_does_not_fit_is_refused_by_name() -> None:
    config = small(64)
    net = NetworkBuilder(random_codebook(config), (3, 40, 300))
    net.conv(8)
    with pytest.raises(VqromError, match="layer 'conv0': 1 pixels of an output row and what they "
                                         "see must fit activation_words 64 of config 'tiny', not"):
        compile_network(net.build(), random_codebook(config).codewords, config)


def test_a_mean_needs_its_whole_map() -> None:
    """The mean of a map cannot be made in parts: one that does not fit is the host's."""
    config = small(64)
    net = NetworkBuilder(random_codebook(config), (3, 40, 8))
    net.average_pool()
    with pytest.raises(VqromError, match=r"'avgpool0': .* more than activation_words"):
        compile_network(net.build(), random_codebook(config).codewords, config)


def test_outputs_of_a_part_wait_for_all_parts_of_their_input() -> None:
    """A LOAD comes after the STOREs of the rows that it reads, whichever part stored them."""
    config = small(CASES["chain"][1])
    compilation = parts_of("chain", config)
    stored: dict[tuple[object, int], int] = {}
    stores, halo = 0, 0
    for operation, waits in zip(compilation.scheduled.operations, compilation.scheduled.waits,
                                strict=True):
        rows = operation.dram
        if operation.opcode == Opcode.STORE:
            stores += 1
            assert rows is not None
            stored[rows.map, rows.first] = stores
        elif operation.opcode == Opcode.LOAD and rows is not None and not rows.map.is_input:
            needed = max(stored[rows.map, y] for y in range(rows.first, rows.end))
            assert waits[Unit.STORE] >= needed
            halo += 1
    assert halo


WIDE = {
    "YOLOv3 608, first": TopologyLayer("a", (610, 610, 3), (3, 3), (1, 1), 32),
    "YOLO 1080, last": TopologyLayer("a", (35, 61, 3072), (3, 3), (1, 1), 1024),
    "tiny YOLO 416, last": TopologyLayer("a", (15, 15, 512), (3, 3), (1, 1), 1024),
    "U-Net 572": TopologyLayer("a", (104, 104, 512), (3, 3), (1, 1), 256),
    "U-Net 2048": TopologyLayer("a", (123, 123, 1024), (3, 3), (1, 1), 1024),
    "ResNet-50 4k": TopologyLayer("a", (68, 120, 2048), (1, 1), (1, 1), 512),
    "ResNet-50 4k, strided": TopologyLayer("a", (135, 240, 1024), (1, 1), (2, 2), 2048),
    "wide product": TopologyLayer("a", (1, 200, 50_000), (1, 1), (1, 1), 50_000),
    "one row of a product": gemm("a", 1, 700, 100_000),
}


@pytest.mark.parametrize("preset", ["edge16", "edge32"])
@pytest.mark.parametrize("shape", WIDE)
def test_wide_layers_of_networks_compile(shape: str, preset: str) -> None:
    """Every field of every command fits, and an output is stored once."""
    config, layer = config_of(preset), WIDE[shape]
    program = compile_topology(Topology("t", (layer,)), random_codebook(config).codewords, config)
    pack_table(program.table, "00" * 32)
    height, width, channels = layer.output_shape
    words = -(-channels // config.rows)
    stores = program.table[program.table[:, COLUMN["opcode"]] == Opcode.STORE]
    assert stores[:, COLUMN["words"]].sum() == height * width * words
    assert config.row_unit == 1, "rows and parts are not rounded up"


def test_a_fetch_brings_no_more_beats_than_its_field_counts() -> None:
    """Indices of 625 MB, which one command could not name, come in several."""
    config, layer = config_of("edge16"), WIDE["wide product"]
    program = compile_topology(Topology("t", (layer,)), random_codebook(config).codewords, config)
    table = program.table
    computes = table[table[:, COLUMN["opcode"]] == Opcode.COMPUTE]
    parts = program.fetched_bytes[1]["index"] // (50_000 * 50_000 // config.subvector)
    assert parts > 1 and len(computes) == 3 * parts
    assert computes[:, COLUMN["passes"]].sum() == parts * 50_000 // config.columns


@pytest.mark.parametrize("width", [5, 9, 12, 13, 20])
@pytest.mark.parametrize("kind", ["upsample", "pixels", "pad"])
def test_rows_that_become_longer_fit_or_are_the_hosts(kind: str, width: int) -> None:
    """Neither is a layer refused nor one left to the host that fits."""
    config = small(64)
    codebook = random_codebook(config)
    net = NetworkBuilder(codebook, (3, width, 16))
    add = {"upsample": lambda: net.upsample((2, 2)), "pixels": net.depth_to_space,
           "pad": lambda: net.pad((1, 2, 1, 2))}
    add[kind]()
    net.conv(8, (1, 1))
    network = net.build()
    # Words of a row of the input, for pixels after its channels are in order, and of the output.
    words = {"upsample": 6 * width, "pixels": 6 * width, "pad": 4 * width + 8}[kind]
    first, *_ = cut_network(network, config)
    assert (first.where == "host") == (words > 64)
    compiled = compile_stages(network, codebook.codewords, config)
    check_programs(compiled, codebook, quantize_input(network, net.images(1)))
