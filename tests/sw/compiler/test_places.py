"""Maps that lie within others: concatenations and splits along channel words move nothing."""

from __future__ import annotations

import pytest

from tests.joined_networks import AlikeBuilder, dense, random_joins
from tests.random_networks import NetworkBuilder, random_codebook
from tests.sw.compiler.program_checks import check_program, config_of
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import Opcode, VectorOp
from vqrom_sw.compiler.compile import Compilation, compile_passes
from vqrom_sw.compiler.plan import Residency

CONFIGS = {
    "tiny": config_of("tiny", activation_words=4096),
    "few words": config_of("tiny", activation_words=640, accumulator_depth=16),
    "rows of beats": config_of("tiny", bus_width=256, activation_words=2048),
    "few rows of beats": config_of("tiny", bus_width=512, activation_words=512),
    "edge32": config_of("edge32", activation_words=1024),
}
TINY = CONFIGS["tiny"]
CODEBOOK = random_codebook(TINY)


def compiled(net: NetworkBuilder, config: AcceleratorConfig = TINY) -> Compilation:
    return compile_passes(net.build(), CODEBOOK.codewords, config)


def copies(compilation: Compilation) -> int:
    """Operations of the vector unit that only copy."""
    return sum(operation.opcode == Opcode.VECTOR and operation.fields["operation"] == VectorOp.MAX
               for operation in compilation.operations)


def within(compilation: Compilation) -> dict[str, str]:
    """The outermost map of each map that lies within another."""
    return {inner.name: whole.name for inner, whole in compilation.plan.wholes.items()}


def test_concatenations_of_concatenations_lie_in_the_last_one() -> None:
    """As in a DenseNet: each layer reads all before it, which begin at the same word."""
    net = AlikeBuilder(CODEBOOK, (6, 6, 3))
    dense(net, 8)
    compilation = compiled(net)
    assert within(compilation) == dict.fromkeys(["conv0", "conv1", "concat2", "conv3"], "concat4")
    assert copies(compilation) == 0
    check_program(net, CODEBOOK, TINY)


def test_lists_of_all_maps_so_far_lie_in_the_last_one() -> None:
    """The same layers, written as a concatenation of everything each time."""
    net = AlikeBuilder(CODEBOOK, (6, 6, 3))
    maps = [net.conv(16, (1, 1))]
    for _ in range(3):
        maps.append(net.conv(8, padding=(1, 1, 1, 1)))
        net.concat(*maps, rescale=False)
    net.conv(5, (1, 1))
    compilation = compiled(net)
    assert set(within(compilation).values()) == {"concat6"}
    assert copies(compilation) == 0
    check_program(net, CODEBOOK, TINY)


def test_split_and_joined_again() -> None:
    """Both halves are read where they are, one by more layers; all lie in the whole."""
    net = AlikeBuilder(CODEBOOK, (5, 5, 3))
    base = net.conv(32, (1, 1))
    halves = [net.select(range(low, low + 16), source=base) for low in (0, 16)]
    more = net.conv(16, padding=(1, 1, 1, 1), source=halves[1])
    whole = net.concat(*halves, more, rescale=False)
    net.conv(7, (1, 1))
    compilation = compiled(net)
    assert within(compilation) == dict.fromkeys([base, *halves, more], whole)
    assert copies(compilation) == 0
    check_program(net, CODEBOOK, TINY)


def test_halves_that_change_places_are_copied() -> None:
    net = AlikeBuilder(CODEBOOK, (5, 5, 3))
    base = net.conv(16, (1, 1))
    first, second = (net.select(range(low, low + 8), source=base) for low in (0, 8))
    net.concat(second, first, rescale=False)
    net.conv(7, (1, 1))
    compilation = compiled(net)
    assert within(compilation) == dict.fromkeys([first, second], base)
    assert copies(compilation) == 2
    check_program(net, CODEBOOK, TINY)


def test_skip_is_set_apart_while_there_is_no_room() -> None:
    """The part that is made early takes its own words only, and is copied late."""
    net = AlikeBuilder(CODEBOOK, (12, 12, 3))
    skip = net.conv(8, (1, 1))
    net.conv(40, (1, 1))
    net.conv(8, (1, 1))
    late = net.conv(16, (1, 1))
    whole = net.concat(skip, late, rescale=False)
    net.conv(8, (1, 1))
    wide = compiled(net)
    assert within(wide) == {skip: whole, late: whole}
    narrow = config_of("tiny", activation_words=1200)
    tight = compiled(net, narrow)
    names = {feature_map.name: residency
             for feature_map, residency in tight.plan.residencies.items()}
    assert names[skip] == Residency.RESIDENT and within(tight) == {late: whole}
    check_program(net, CODEBOOK, narrow)


def test_rows_by_themselves_lie_in_their_map() -> None:
    """Rows and words of it; columns are copied."""
    net = AlikeBuilder(CODEBOOK, (6, 5, 3))
    base = net.conv(16, (1, 1))
    rows = net.pad((-3, 0, -1, 0), source=base)
    words = net.select(range(8, 16), source=rows)
    columns = net.pad((0, -1, 0, -2), source=words)
    net.conv(7, (1, 1))
    compilation = compiled(net)
    assert within(compilation) == {rows: base, words: base} and copies(compilation) == 1
    assert compilation.graph.tasks[3].name == columns
    check_program(net, CODEBOOK, TINY)


def test_operands_of_an_addition_step_alike() -> None:
    """An addition's operand stays apart from the concatenation that it is in, too."""
    net = AlikeBuilder(CODEBOOK, (5, 5, 3))
    first = net.conv(8, (1, 1))
    total = net.add(first, net.conv(8, padding=(1, 1, 1, 1)))
    net.concat(first, total, rescale=False)
    net.conv(7, (1, 1))
    compilation = compiled(net)
    # Once for each block of rows.
    assert set(within(compilation)) == {total} and copies(compilation) >= 1
    check_program(net, CODEBOOK, TINY)


@pytest.mark.parametrize("name", CONFIGS)
def test_whatever_is_joined_is_right(name: str) -> None:
    config, placed = CONFIGS[name], 0
    for seed in range(60):
        net, codebook = random_joins(config, seed), random_codebook(config)
        check_program(net, codebook, config, apart=1)
        plan = compile_passes(net.build(), codebook.codewords, config).plan
        placed += len(plan.wholes)
        for inner, whole in plan.wholes.items():
            row, word = divmod(plan.bases[inner] - plan.bases[whole], whole.pitch)
            assert 0 <= row <= whole.height - inner.height
            assert word + inner.words <= whole.words
    assert placed > 30
