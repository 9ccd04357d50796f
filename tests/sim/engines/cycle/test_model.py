"""The cycle model counts what the Verilog counts, to the cycle, and the Verilog computes what the
reference and PyTorch's integer convolution do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, seed, settings
from hypothesis import strategies as st

from tests.random_networks import NetworkBuilder, Shape, random_codebook
from tests.sim.engines.engine_checks import (
    BANKED,
    CONFIGS,
    LATENCIES,
    ODD,
    check_engines,
    with_latency,
)
from vqrom_hw.config import load_config
from vqrom_hw.errors import VqromError
from vqrom_hw.isa import Opcode, Region, VectorOp
from vqrom_sim.engines.cycle.model import run_table
from vqrom_sim.flows import simulate, simulate_topology
from vqrom_sim.report.figures import STALLS
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.compiler import COLUMN, compile_network
from vqrom_sw.importers import parse_topology
from vqrom_sw.network import INPUT

SAME = (1, 1, 1, 1)


def vector_work(net: NetworkBuilder) -> None:
    """Every operation of the vector unit, windows that are cut by the padding."""
    first = net.conv(20, (3, 2), (2, 1), (2, 0, 0, 1), groups=20, raw=True)
    second = net.max_pool((3, 2), (1, 1), (1, 0, 1, 1))
    net.window_average_pool((2, 3), (1, 1), (1, 1, 0, 1), source=net.add(first, second))
    net.average_pool()


def spilled(net: NetworkBuilder) -> None:
    """Maps that are stored and loaded again, strip by strip."""
    first = net.conv(32, padding=SAME)
    net.conv(24, padding=SAME)
    net.add(first, net.conv(32, (1, 1), raw=True))


def groups(net: NetworkBuilder) -> None:
    """Groups of whole words on indices, others on raw weights; linear layers one pixel wide."""
    net.conv(32, (1, 1), groups=2)
    net.conv(24, (3, 1), padding=(1, 0, 1, 0), groups=4, raw=True)
    net.linear(41)
    net.linear(9)


def wide(net: NetworkBuilder) -> None:
    """Rows of maps that only the largest of the buffers holds: the others take them in parts."""
    first = net.conv(20, (3, 2), (1, 2), (1, 0, 1, 1))
    net.add(first, net.conv(20, (3, 3), padding=SAME, groups=20, raw=True, source=first))
    net.max_pool((2, 3), (2, 3))


def products(net: NetworkBuilder) -> None:
    """Windows that share no pixel: of the input, gathered in DRAM; then of a map on chip."""
    net.conv(24, (4, 3), (4, 3))
    net.conv(20, (2, 1), (2, 1))
    net.linear(9)


def dilated(net: NetworkBuilder) -> None:
    """Positions of windows that lie apart, on both units."""
    net.conv(20, (3, 3), (2, 1), SAME, dilation=(1, 2))
    net.conv(20, (3, 3), (1, 1), (2, 2, 2, 2), groups=20, dilation=(2, 2))
    net.conv(20, (2, 2), (1, 1), (1, 0, 1, 1), groups=20, dilation=(2, 1))
    net.max_pool((2, 2), (1, 1), SAME, dilation=(2, 3))


def multiplied(net: NetworkBuilder) -> None:
    """Several outputs for each channel; a depthwise kernel too large for the vector unit."""
    net.conv(24, (3, 3), (1, 1), SAME, groups=8)
    net.conv(24, (8, 8), padding=(3, 4, 4, 3), groups=24, raw=True)


CASES: dict[str, tuple[Shape, Callable[[NetworkBuilder], object]]] = {
    "narrow image": ((13, 17, 3), lambda net: net.conv(10, (5, 5), (2, 2), (2, 1, 1, 2))),
    "wide rows": ((3, 61, 5), lambda net: net.conv(9, (2, 5), (1, 1), (1, 3, 0, 2))),
    "sequence": ((70, 1, 24), lambda net: (net.conv(40, (1, 1)), net.conv(7, (1, 1), raw=True))),
    "linear": ((1, 1, 190), lambda net: (net.linear(90), net.linear(70))),
    "vector unit": ((10, 7, 20), vector_work),
    "spilled": ((12, 11, 16), spilled),
    "groups": ((6, 5, 32), groups),
    "wide maps": ((4, 151, 24), wide),
    "products": ((17, 14, 3), products),
    "dilated": ((12, 10, 5), dilated),
    "multiplied": ((9, 7, 8), multiplied),
}


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("case", CASES)
def test_networks(case: str, name: str) -> None:
    """Each combination beside another DRAM."""
    number = list(CASES).index(case) + list(CONFIGS).index(name)
    shape, build = CASES[case]
    config = with_latency(name, LATENCIES[number % len(LATENCIES)])
    net = NetworkBuilder(random_codebook(config), shape, number)
    build(net)
    check_engines(net, config)


def test_cases_are_as_hard_as_they_say() -> None:
    """A map in scratch memory, rows in parts, maps in parts, all operations of the vector unit."""
    def columns(case: str, opcode: Opcode, column: str) -> np.ndarray:
        shape, build = CASES[case]
        codebook = random_codebook(ODD)
        net = NetworkBuilder(codebook, shape)
        build(net)
        table = compile_network(net.build(), codebook.codewords, ODD, contents=False).table
        return table[table[:, COLUMN["opcode"]] == opcode, COLUMN[column]]

    assert Region.SCRATCH in columns("spilled", Opcode.STORE, "region")
    assert columns("wide rows", Opcode.COMPUTE, "target_width").max() < 61
    assert columns("wide maps", Opcode.STORE, "words").max() < 76 * 4, "less than a row of conv0"
    assert set(columns("vector unit", Opcode.VECTOR, "operation")) == {
        VectorOp.SLIDING, VectorOp.MAX, VectorOp.ADD, VectorOp.SUM}


def everything(codebook: UniversalCodebook, seed: int) -> NetworkBuilder:
    """Every layer kind and every cause of a stall."""
    net = NetworkBuilder(codebook, (12, 10, 3), seed)
    net.conv(6, padding=SAME)
    wide = net.conv(24, (1, 1))
    net.conv(24, padding=SAME, groups=24)
    net.add(wide, net.conv(24, (1, 1), raw=True))
    net.max_pool((3, 3), (2, 2), SAME)
    net.window_average_pool((2, 2), (1, 1), (1, 0, 0, 1))
    net.conv(16, (3, 3), (2, 2), SAME, groups=2)
    net.average_pool()
    net.linear(10)
    return net


@pytest.mark.parametrize("name", CONFIGS)
def test_whole_reports(name: str) -> None:
    """Two images, beside every DRAM."""
    causes = dict.fromkeys(STALLS, 0)
    for latency in LATENCIES:
        config = with_latency(name, latency)
        codebook = random_codebook(config)
        net = everything(codebook, latency)
        network, inputs = net.build(), net.images(2)
        rtl, model = (simulate(network, codebook, config, inputs, engine).report
                      for engine in ("rtl", "model"))
        verdict = {key: rtl.pop(key) for key in ("engine", "bit_exact", "mismatches")}
        assert verdict == {"engine": "rtl", "bit_exact": True, "mismatches": 0}
        assert [model.pop(key) for key in verdict] == ["model", None, None]
        assert rtl == model
        for cause in causes:
            causes[cause] += rtl["stalls"][cause]
    assert all(causes.values()), causes


@pytest.mark.parametrize("case", ["vector unit", "spilled", "wide rows"])
def test_sixteen_banks(case: str) -> None:
    """Units meet in the same bank less often than with few banks, but they do."""
    shape, build = CASES[case]
    net = NetworkBuilder(random_codebook(BANKED), shape, 5)
    build(net)
    check_engines(net, BANKED)


@pytest.mark.parametrize("name", ["edge16", "edge32"])
def test_presets(name: str) -> None:
    """Every layer kind on the accelerators that users start from; they have eight banks, and are
    large to build, so one network has to do. The smallest preset is one of ``CONFIGS``."""
    config = load_config(name)
    assert config.activation_banks == 8
    check_engines(everything(random_codebook(config), 3), config)


@pytest.mark.parametrize("reload", ["network", "layer"])
def test_loaded_codebook(reload: Literal["network", "layer"]) -> None:
    """Once, or before each layer that looks codewords up."""
    config = with_latency("sram", 32)
    codebook = random_codebook(config)
    run = check_engines(everything(codebook, 1), config, codebook_reload=reload)
    packet = -(-config.codewords * config.subvector // config.beat_bytes)
    times, rest = divmod(run.total["codebook_beats"], packet)
    assert (times > 1 if reload == "layer" else times == 1) and not rest


TOPOLOGY = """Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, \
Num Filter, Strides,
first, 17, 15, 5, 3, 3, 14, 2,
DP, 9, 8, 3, 3, 20, 1, 1,
pointwise, 9, 8, 1, 1, 20, 24, 1,
"""


@pytest.mark.parametrize(("weights", "name"), [("index", "tiny"), ("raw", "odd"),
                                               ("index", "sram")])
def test_topologies(weights: str, name: str) -> None:
    topology = parse_topology(TOPOLOGY, "three")
    rtl, model = (simulate_topology(topology, CONFIGS[name], weights, engine)
                  for engine in ("rtl", "model"))
    assert (rtl["bit_exact"], rtl["mismatches"]) == (True, 0)
    assert {**rtl, "engine": 0, "bit_exact": None, "mismatches": None} == {**model, "engine": 0}


class Call(NamedTuple):
    """A call of a :class:`NetworkBuilder`'s method."""

    method: str
    arguments: tuple[Any, ...] = ()
    options: dict[str, Any] = {}


class Recipe(NamedTuple):
    """A network by what builds it: hypothesis prints it when it finds one that fails."""

    config: str
    latency: int
    images: int
    shape: Shape
    calls: list[Call]


def built(name: str, shape: Shape, calls: list[Call]) -> NetworkBuilder:
    net = NetworkBuilder(random_codebook(CONFIGS[name]), shape, len(calls))
    for call in calls:
        getattr(net, call.method)(*call.arguments, **call.options)
    return net


SHAPES = st.one_of(
    st.tuples(st.integers(5, 14), st.integers(5, 14), st.integers(3, 36)),
    st.tuples(st.integers(8, 15), st.integers(8, 19), st.integers(1, 4)),
    st.tuples(st.integers(1, 3), st.integers(25, 70), st.integers(2, 12)),
    st.tuples(st.integers(1, 90), st.just(1), st.integers(8, 60)))
"""Images, narrow images, rows wider than the accumulators, sequences."""


def windows(shape: Shape) -> st.SearchStrategy[tuple[Any, ...]]:
    """Kernel, stride, and a padding smaller than the kernel on each of the four sides."""
    sizes = [st.sampled_from([size for size in (1, 2, 3, 4, 5, 7) if size <= limit])
             for limit in shape[:2]]
    strides = st.tuples(st.integers(1, 3), st.integers(1, 3))
    return st.tuples(*sizes).flatmap(lambda kernel: st.tuples(
        st.just(kernel), strides,
        st.tuples(*(st.integers(0, size - 1) for size in 2 * kernel))))


@st.composite
def vector_layers(draw: st.DrawFn, net: NetworkBuilder, source: str, alike: list[str],
                  sources: list[str]) -> Call:
    """A layer that combines, looks up or moves what is in the maps."""
    height, width, channels = net.shape_of(source)
    beside = [name for name in sources if net.shape_of(name)[:2] == (height, width)]
    pixels = [name for name in sources if net.shape_of(name) == (1, 1, channels)]
    operator = draw(st.sampled_from(["subtract", "multiply", "maximum", "minimum"]))
    first = draw(st.integers(0, channels - 1))
    enlarging = [Call("upsample", (draw(st.sampled_from([(2, 2), (1, 3)])),), {"source": source}),
                 Call("pad", (draw(st.tuples(*4 * [st.integers(0, 2)])),
                              draw(st.sampled_from([None, -128, 9]))), {"source": source})]
    return draw(st.sampled_from([
        Call("elementwise", (operator, source, draw(st.sampled_from(alike + pixels)))),
        Call("table", (), {"by_channel": draw(st.booleans()), "source": source}),
        Call("concat", (source, draw(st.sampled_from(beside))), {"rescale": draw(st.booleans())}),
        Call("select", (range(first, channels),), {"source": source}),
        *(enlarging if height * width < 100 else [])]))


@st.composite
def layers(draw: st.DrawFn, net: NetworkBuilder, sources: list[str]) -> Call:
    """A layer that fits one of the maps so far, the last one as a rule."""
    source = draw(st.sampled_from([sources[-1], sources[-1], draw(st.sampled_from(sources))]))
    shape = net.shape_of(source)
    alike = [name for name in sources if net.shape_of(name) == shape]
    kind = draw(st.sampled_from(["conv", "conv", "groups", "depthwise", "max_pool",
                                 "window_average_pool", "add", "vector", "vector"]))
    if kind == "add":
        return Call("add", (source, draw(st.sampled_from(alike))))
    if kind == "vector":
        return draw(vector_layers(net, source, alike, sources))
    window = draw(windows(shape))
    if kind not in ("conv", "groups", "depthwise"):
        return Call(kind, window, {"source": source})
    parts = {"conv": [1], "depthwise": [shape[2]],
             "groups": [size for size in (2, 3, 4, 5) if shape[2] % size == 0] or [1]}
    number = draw(st.sampled_from(parts[kind]))
    channels = shape[2] if kind == "depthwise" else number * draw(st.integers(1, 40 // number))
    return Call("conv", (channels, *window),
                {"source": source, "raw": draw(st.booleans()), "groups": number})


@st.composite
def recipes(draw: st.DrawFn, name: str) -> Recipe:
    shape = draw(SHAPES)
    calls: list[Call] = []
    sources = [INPUT]
    for _ in range(draw(st.integers(2, 5))):
        calls.append(draw(layers(built(name, shape, calls), sources)))
        sources.append(built(name, shape, calls).build().layers[-1].name)
    ends = [None, Call("average_pool"), Call("linear", (draw(st.integers(1, 40)),))]
    calls += filter(None, [draw(st.sampled_from(ends))])
    return Recipe(name, draw(st.sampled_from(LATENCIES)), draw(st.integers(1, 2)), shape, calls)


@pytest.mark.parametrize(("number", "name"), list(enumerate(CONFIGS)))
def test_any_network(number: int, name: str) -> None:
    """Other networks on each accelerator, the same in every run."""
    @seed(number)
    @settings(max_examples=10, deadline=None, database=None,
              suppress_health_check=[HealthCheck.too_slow])
    @given(recipes(name))
    def check(recipe: Recipe) -> None:
        config = with_latency(recipe.config, recipe.latency)
        try:
            check_engines(built(recipe.config, recipe.shape, recipe.calls), config, recipe.images)
        except VqromError as error:
            if "activation_words" not in str(error):
                raise
            reject()

    check()


def test_programs_that_do_not_end() -> None:
    """Within the limit, or at all."""
    codebook = random_codebook(ODD)
    program = compile_network(everything(codebook, 1).build(), codebook.codewords, ODD,
                              contents=False)
    for table, limit in ((program.table, 100), (program.table[:-1], program.cycle_limit)):
        with pytest.raises(VqromError, match=f"must reach its END within {limit} cycles"):
            run_table(ODD, table, len(program.layers), limit)


@pytest.mark.parametrize("name", CONFIGS)
def test_counts_do_not_depend_on_data(name: str) -> None:
    """Other weights, biases, scales, zero points, clamps and inputs: the same counts."""
    config = with_latency(name, 7)
    codebook = random_codebook(config)
    runs = [check_engines(everything(codebook, seed), config) for seed in (1, 2)]
    assert runs[0].counters == runs[1].counters
    assert runs[0].layer_counters == runs[1].layer_counters
    assert (runs[0].outputs != runs[1].outputs).any()
