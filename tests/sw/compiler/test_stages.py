"""Networks in stages: where they are cut, and that their programs compute the right maps."""

from __future__ import annotations

import pytest

from tests.random_networks import NetworkBuilder, mixed_network, random_codebook
from tests.staged_networks import (
    NETWORKS,
    host_between,
    random_inputs,
    random_stages,
    several_inputs,
    two_heads,
)
from tests.sw.compiler.program_checks import check_programs, config_of
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError
from vqrom_sw.compiler import (
    compile_network,
    compile_stages,
    cut_network,
)
from vqrom_sw.network import INPUT
from vqrom_sw.reference import quantize_input

ROOMY, TIGHT = config_of("tiny"), config_of("tiny", activation_words=96)
CODEBOOK = random_codebook(ROOMY)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("config", [ROOMY, TIGHT], ids=["roomy", "tight"])
def test_every_map_that_crosses_is_right(name: str, config: AcceleratorConfig) -> None:
    network = NETWORKS[name](CODEBOOK)
    compiled = compile_stages(network, CODEBOOK.codewords, config)
    assert {output.layer for output in network.outputs} <= {
        given for stage in compiled.stages for given in stage.outputs}
    check_programs(compiled, CODEBOOK, quantize_input(network, random_inputs(network)), runs=3)


@pytest.mark.parametrize("words", [96, 256, 1024])
def test_random_networks(words: int) -> None:
    config, sides = config_of("tiny", activation_words=words), set[str]()
    for seed in range(words, words + 16):
        network = random_stages(CODEBOOK, seed)
        compiled = compile_stages(network, CODEBOOK.codewords, config)
        sides.add("".join(stage.where[0] for stage in compiled.stages))
        check_programs(compiled, CODEBOOK, quantize_input(network, random_inputs(network)), runs=2)
    assert {"a", "ah", "aha"} <= sides


@pytest.mark.parametrize(("name", "sides", "inputs", "outputs"), [
    ("host_first", "ha", [("input",), ("host0",)], [("host0",), ("conv1",)]),
    ("host_last", "ah", [("input",), ("maxpool1",)], [("maxpool1",), ("host2",)]),
    ("host_between", "aha", [("input",), ("conv0",), ("host1",)],
     [("conv0",), ("host1",), ("conv2",)]),
    ("crossing_twice", "ahaha",
     [("input",), ("conv0",), ("host1", "conv0"), ("add4",), ("host5",)],
     [("conv0",), ("host1",), ("add4",), ("host5",), ("conv6",)]),
    ("read_by_both", "aha", [("input",), ("conv0", "conv1"), ("host3", "maxpool2")],
     [("conv0", "conv1", "maxpool2"), ("host3",), ("add4",)]),
    ("two_outputs", "ah", [("input",), ("conv2",)], [("conv0", "conv2"), ("host3",)]),
    ("two_heads", "a", [("input",)], [("conv0", "conv1", "conv2", "maxpool3")]),
])
def test_cuts(name: str, sides: str, inputs: list[tuple[str, ...]],
              outputs: list[tuple[str, ...]]) -> None:
    stages = cut_network(NETWORKS[name](CODEBOOK), ROOMY)
    assert "".join(stage.where[0] for stage in stages) == sides
    assert [stage.inputs for stage in stages] == inputs
    assert [stage.outputs for stage in stages] == outputs


def test_stages_are_few() -> None:
    """Branches with host layers side by side share stages, and the better side begins."""
    net = NetworkBuilder(CODEBOOK, (6, 6, 8))
    for _ in range(3):
        net.host(net.conv(8, (1, 1), source=net.host(INPUT)))
    network = net.build()
    assert [(stage.where, len(stage.layers)) for stage in cut_network(network, ROOMY)] == [
        ("host", 3), ("accelerator", 3), ("host", 3)]
    network = several_inputs(CODEBOOK)
    assert [stage.where for stage in cut_network(network, ROOMY)] == [
        "accelerator", "host", "accelerator"]


def test_a_network_without_host_layers_is_one_stage() -> None:
    network = mixed_network(CODEBOOK).build()
    compiled = compile_stages(network, CODEBOOK.codewords, ROOMY)
    program = compile_network(network, CODEBOOK.codewords, ROOMY)
    assert [stage.layers for stage in compiled.stages] == [network.layers]
    one, = compiled.programs
    assert one is not None and one.commands == program.commands
    assert one.constants == program.constants and one.layers == program.layers


def test_one_program_has_no_host_layers() -> None:
    with pytest.raises(VqromError, match="layer 'host1': must be one that the accelerator does"):
        compile_network(host_between(CODEBOOK), CODEBOOK.codewords, ROOMY)


def test_an_output_that_is_read_on_stays_on_chip() -> None:
    """It is stored as it is made, and nothing loads it again if there is room."""
    def loads(config: AcceleratorConfig) -> int:
        program, = compile_stages(two_heads(CODEBOOK), CODEBOOK.codewords, config).programs
        assert program is not None
        assert program.fetched_bytes[-1]["activation_write"] == sum(
            place.size for place in program.outputs)
        return sum(moved.get("activation_read", 0) for moved in program.fetched_bytes[1:])

    assert loads(ROOMY) == 0 < loads(TIGHT)
