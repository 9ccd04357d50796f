"""Programs carried out command by command give the bytes of the reference."""

from __future__ import annotations

import numpy as np
import pytest

from tests.random_networks import NetworkBuilder, mixed_network, random_codebook, random_network
from tests.sw.compiler.program_checks import check_program, config_of
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError
from vqrom_hw.isa import COMMAND_BYTES, Opcode, Region, Stream, VectorOp
from vqrom_sw.compiler import COLUMN, Program, Reload, compile_network

TINY = config_of("tiny")
CODEBOOK = random_codebook(TINY)

CONFIGS = [
    TINY, config_of("edge16"), config_of("edge32"),
    config_of("tiny", bus_width=512, activation_words=1024, accumulator_depth=16),
    config_of("tiny", codewords=11, subvector=2, decode_ports=3, activation_words=512),
    config_of("edge16", columns=8, post_lanes=4, subvector=16, codewords=2, decode_ports=5,
              bus_width=256, activation_words=512, accumulator_depth=9),
    config_of("tiny", codebook_storage="sram", activation_words=256, accumulator_depth=8),
]


def column(program: Program, name: str, opcode: Opcode) -> np.ndarray:
    """One field of all commands of an opcode."""
    return program.table[program.table[:, 0] == opcode, COLUMN[name]]


def has_spilled(program: Program) -> bool:
    """Whether the program stores a map in DRAM to read it again."""
    return bool((column(program, "region", Opcode.STORE) == Region.SCRATCH).any())


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.name)
@pytest.mark.parametrize("seed", range(12))
def test_random_networks(config: AcceleratorConfig, seed: int) -> None:
    codebook = random_codebook(config)
    try:
        check_program(random_network(codebook, 100 * CONFIGS.index(config) + seed), codebook,
                      config)
    except VqromError as error:
        assert "activation_words" in str(error)


@pytest.mark.parametrize("words", [192, 320, 512, 4096])
@pytest.mark.parametrize("depth", [7, 16, 256])
def test_every_layer_kind_in_little_room(words: int, depth: int) -> None:
    """Rows wider than the accumulators, strips, fused and spilled maps."""
    config = config_of("tiny", activation_words=words, accumulator_depth=depth)
    check_program(mixed_network(CODEBOOK), CODEBOOK, config, apart=3)


def test_map_with_two_readers_is_spilled() -> None:
    net = NetworkBuilder(CODEBOOK, (16, 8, 16))
    first = net.conv(16, (1, 1))
    second = net.conv(16, padding=(1, 1, 1, 1))
    third = net.conv(16, padding=(1, 1, 1, 1))
    net.add(first, third)
    net.add(second, net.conv(16, (1, 1)))
    config = config_of("tiny", activation_words=448, accumulator_depth=32)
    assert has_spilled(check_program(net, CODEBOOK, config, apart=4))


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize(("channels", "kernel", "stride", "words"), [
    (3, (7, 7), 2, 7), (1, (3, 7), 3, 1), (2, (5, 5), 1, 2), (3, (2, 6), 4, 2), (1, (8, 8), 8, 2),
    (5, (4, 8), 4, 8), (17, (3, 3), 1, 6), (3, (3, 3), 2, 1)])
def test_narrow_inputs_are_folded(raw: bool, channels: int, kernel: tuple[int, int], stride: int,
                                  words: int) -> None:
    """So many kernel columns fit the 32 lanes that the array walks over ``words`` of a window."""
    config = config_of("edge32")
    codebook = random_codebook(config)
    net = NetworkBuilder(codebook, (17, 19, channels))
    net.conv(9, kernel, (stride, stride), (1, 1, 0, 1), raw=raw)
    program = check_program(net, codebook, config)
    walked = [column(program, f"count_{level}", Opcode.COMPUTE) for level in (2, 3, 4)]
    assert (np.prod(walked, 0) == words).all()


@pytest.mark.parametrize(("channels_in", "channels_out", "groups"), [
    (32, 24, 2), (32, 16, 4), (12, 6, 3), (10, 20, 10), (24, 24, 3), (5, 10, 5)])
@pytest.mark.parametrize("raw", [False, True])
def test_groups(channels_in: int, channels_out: int, groups: int, raw: bool) -> None:
    config = config_of("edge16", columns=8, post_lanes=8)
    codebook = random_codebook(config)
    net = NetworkBuilder(codebook, (6, 5, channels_in))
    net.conv(channels_out, padding=(1, 1, 1, 1), groups=groups, raw=raw)
    program = check_program(net, codebook, config)
    whole = channels_in // groups % 16 == 0 and channels_out // groups % 8 == 0
    assert column(program, "raw", Opcode.COMPUTE).any() == (raw or not whole)


def test_depthwise_goes_to_the_vector_unit() -> None:
    net = NetworkBuilder(CODEBOOK, (9, 7, 20))
    net.conv(20, (3, 5), (2, 1), (1, 2, 1, 2), groups=20)
    program = check_program(net, CODEBOOK, TINY)
    assert (column(program, "operation", Opcode.VECTOR) == VectorOp.DEPTHWISE).all()
    assert not (program.table[:, 0] == Opcode.COMPUTE).any()
    assert not (program.table[:, 0] == Opcode.CHECK).any() or program.table[0, 0] == Opcode.CHECK


def test_depthwise_kernel_beyond_the_vector_unit_goes_to_the_array() -> None:
    net = NetworkBuilder(CODEBOOK, (9, 9, 12))
    net.conv(12, (8, 8), groups=12)
    program = check_program(net, CODEBOOK, TINY)
    assert column(program, "raw", Opcode.COMPUTE).all()
    assert not (program.table[:, 0] == Opcode.VECTOR).any()


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize(("kernel", "stride", "channels", "outputs", "sliding"), [
    ((3, 3), 1, 20, 40, True), ((3, 3), 2, 7, 21, True), ((5, 5), 2, 33, 66, False)])
def test_depthwise_with_several_outputs_for_a_channel(
        kernel: tuple[int, int], stride: int, channels: int, outputs: int, sliding: bool,
        raw: bool) -> None:
    """The array repeats the channels, the vector unit does the rest."""
    config = config_of("edge16")
    codebook = random_codebook(config)
    net = NetworkBuilder(codebook, (9, 8, 3))
    net.conv(channels)
    net.conv(outputs, kernel, (stride, stride), (1, 2, 1, 2), groups=channels, raw=raw)
    program = check_program(net, codebook, config)
    operations = column(program, "operation", Opcode.VECTOR)
    operations = operations[operations != VectorOp.MAX]
    assert (operations == (VectorOp.SLIDING if sliding else VectorOp.DEPTHWISE)).all()
    assert len(operations)


def test_small_kernels_with_several_outputs_for_a_channel_stay_on_the_array() -> None:
    config = config_of("edge16")
    codebook = random_codebook(config)
    net = NetworkBuilder(codebook, (6, 6, 8))
    net.conv(24, (1, 1), groups=8)
    assert not (check_program(net, codebook, config).table[:, 0] == Opcode.VECTOR).any()


def test_sequences_are_columns_of_pixels() -> None:
    """Matrix products with many rows: more than the buffer holds, the next rows loaded ahead."""
    config = config_of("tiny", activation_words=512, accumulator_depth=64)
    net = NetworkBuilder(CODEBOOK, (300, 1, 40))
    net.conv(24, (1, 1))
    net.conv(40, (1, 1))
    program = check_program(net, CODEBOOK, config)
    assert (program.table[:, 0] == Opcode.LOAD).sum() > 4


def test_program_is_checked_and_ends() -> None:
    for bus_width in (64, 512):
        config = config_of("tiny", bus_width=bus_width)
        program = compile_network(mixed_network(CODEBOOK).build(), CODEBOOK.codewords, config)
        assert len(program.commands) == program.program_beats * config.beat_bytes
        assert program.layers[0] == "load" and program.layers[-1] == "store"
        assert program.commands[0] & 0xF == Opcode.CHECK
        assert program.commands[-COMMAND_BYTES] & 0xF == Opcode.END


def test_codebook_is_loaded_once_or_for_each_layer() -> None:
    """Three layers look codewords up on chip: the first one is narrow, and its weights are raw."""
    config = config_of("tiny", codebook_storage="sram")
    network = mixed_network(CODEBOOK).build()
    expected: tuple[tuple[Reload, int], ...] = (("network", 1), ("layer", 3))
    for reload, count in expected:
        program = compile_network(network, CODEBOOK.codewords, config, codebook_reload=reload)
        opcodes = program.table[:, 0]
        assert (opcodes == Opcode.CODEBOOK).sum() == count and not (opcodes == Opcode.CHECK).any()
        streams = column(program, "stream", Opcode.FETCH)
        assert (streams == Stream.CODEBOOK).sum() == count
        assert sum(moved.get("codebook", 0) for moved in program.fetched_bytes) == 1024 * count


def test_same_constants_are_stored_once() -> None:
    """Strips of one layer read the same weights again."""
    config = config_of("tiny", accumulator_depth=16)
    builder = NetworkBuilder(CODEBOOK, (16, 16, 8))
    builder.conv(8, padding=(1, 1, 1, 1))
    program = compile_network(builder.build(), CODEBOOK.codewords, config)
    index = next(moved["index"] for moved in program.fetched_bytes if "index" in moved)
    assert index == 16 * 8 * 9 * 2
    assert len(program.constants) == program.constant_bytes < index / 4


def test_bytes_are_those_of_the_commands() -> None:
    program = compile_network(mixed_network(CODEBOOK).build(), CODEBOOK.codewords, TINY)
    moved = {name: sum(layer.get(name, 0) for layer in program.fetched_bytes)
             for name in ("index", "raw_weight", "parameter", "command", "activation_read",
                          "activation_write")}
    beats, streams = (column(program, name, Opcode.FETCH) for name in ("beats", "stream"))
    for stream in (Stream.INDEX, Stream.RAW_WEIGHT, Stream.PARAMETER):
        assert moved[stream.name.lower()] == beats[streams == stream].sum() * TINY.beat_bytes
    assert moved["command"] == len(program.commands)
    assert moved["activation_read"] == column(program, "beats", Opcode.LOAD).sum() * 8
    assert moved["activation_write"] == column(program, "beats", Opcode.STORE).sum() * 8
    assert program.fetched_bytes[0]["activation_read"] == moved["activation_read"]


def test_without_contents_only_bytes_are_missing() -> None:
    network = mixed_network(CODEBOOK).build()
    full, sizes = (compile_network(network, CODEBOOK.codewords, TINY, contents=contents)
                   for contents in (True, False))
    np.testing.assert_array_equal(full.table, sizes.table)
    assert full.fetched_bytes == sizes.fetched_bytes
    assert full.constant_bytes == sizes.constant_bytes == len(full.constants)
    assert not sizes.constants and not sizes.commands
