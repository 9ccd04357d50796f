"""What a notebook imports: functions on objects and files, and typed results."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from torch import nn

import vqrom
from tests.random_networks import mixed_network, random_codebook
from vqrom_sim.flows.network_notes import agreement_note
from vqrom_sw.compress import Start
from vqrom_sw.formats import save_network
from vqrom_sw.held_back import Agreement
from vqrom_sw.network import Native


@pytest.fixture(scope="module")
def module() -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(nn.Conv2d(3, 12, 3, stride=2, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Flatten(), nn.Linear(12 * 3 * 3, 7))


@pytest.fixture(scope="module")
def inputs() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((5, 3, 12, 12)).astype(np.float32)


@pytest.fixture(scope="module")
def made(module: nn.Module, inputs: np.ndarray) -> vqrom.CompressionResult:
    return vqrom.compress({"mine": module}, calibration=inputs, codewords=16)


@pytest.fixture(scope="module")
def run(made: vqrom.CompressionResult, inputs: np.ndarray) -> vqrom.SimulationReport:
    return vqrom.simulate(made.networks["mine"], made.codebook, "tiny", inputs, "model")


def test_everything_named_is_there_and_documented() -> None:
    for name in vqrom.__all__:
        assert getattr(vqrom, name) is not None
        if name not in ("__version__", "zoo"):
            assert getattr(vqrom, name).__doc__, name


def test_compress_a_module(made: vqrom.CompressionResult, tmp_path: Path) -> None:
    assert made.codebook is not None and (made.codebook.size, made.codebook.subvector) == (16, 4)
    size = made.sizes["mine"]
    assert size.weights == 12 * 27 + 7 * 108 and size.raw == 12 * 27
    assert size.bits == 8 * size.raw + 4 * size.indexed // 4
    assert 1 < size.bits_per_weight < 8 and "<td>mine</td>" in made._repr_html_()
    assert made.save(tmp_path) == ["codebook.safetensors", "mine.vqnet"]
    again = vqrom.load_network(tmp_path / "mine.vqnet")
    assert again.name == "mine" and again.codebook_sha256 == made.codebook.sha256


def test_a_module_and_a_source_and_its_files_are_the_same(
        module: nn.Module, inputs: np.ndarray, made: vqrom.CompressionResult,
        tmp_path: Path) -> None:
    np.save(tmp_path / "inputs.npy", inputs)
    made.save(tmp_path / "one")
    source = vqrom.Source(module, "mine", calibration=tmp_path / "inputs.npy")
    other = vqrom.compress(source, codebook=tmp_path / "one/codebook.safetensors")
    other.save(tmp_path / "two")
    for name in ("codebook.safetensors", "mine.vqnet"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_what_compress_refuses(module: nn.Module, inputs: np.ndarray) -> None:
    cases: tuple[tuple[dict[str, Any], str], ...] = (
            ({"networks": module}, "'Sequential' must come with calibration inputs"),
            ({"networks": [module, module], "calibration": inputs}, "is there twice"),
            ({"networks": "nonsense"}, "network must be one of mnist"),
            ({"networks": module, "calibration": inputs.astype(float)}, "must be float32"),
            ({"networks": module, "calibration": inputs, "codewords": 1}, "must be 2 to 65536"),
            ({"networks": module, "calibration": inputs, "epochs": -1}, "must be at least 0"))
    for arguments, message in cases:
        with pytest.raises(vqrom.VqromError, match=message):
            vqrom.compress(**arguments)


def test_report_as_a_table(run: vqrom.SimulationReport) -> None:
    assert [row.name for row in run.layers] == ["load", "0", "2", "4", "store"]
    assert run.cycles == sum(row.cycles or 0 for row in run.layers)
    assert run.bit_exact is None and run.outputs is None and run.utilization
    assert run.traffic is not None
    for row, layer in zip(run.layers, run.report["layers"], strict=True):
        assert row.traffic is not None
        assert row.traffic.dram_read_bytes == layer["traffic"]["dram_read_bytes"]
        assert (row.stalls, row.busy, row.macs) == (layer["stalls"], layer["busy"], layer["macs"])
    html = run._repr_html_()
    assert "<table>" in html and f"{run.cycles:,}" in html and "mine on tiny" in html


def test_pandas_is_optional(run: vqrom.SimulationReport, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(vqrom.VqromError, match="'pandas' must be installed"):
        run.to_pandas()


def test_report_as_a_frame(run: vqrom.SimulationReport) -> None:
    pytest.importorskip("pandas")
    frame = run.to_pandas()
    assert list(frame["name"]) == [row.name for row in run.layers]
    assert sum(frame["cycles"].tolist()) == run.cycles
    assert frame["traffic.dram_read_bytes.index"].sum() == \
        run.report["traffic"]["dram_read_bytes"]["index"]


def test_plots(run: vqrom.SimulationReport) -> None:
    for figure in (run.plot_layers(), run.plot_traffic()):
        assert isinstance(figure, Figure) and figure.axes
        assert figure.get_facecolor() == (1, 1, 1, 1)


def test_reference_has_values_and_no_cycles(made: vqrom.CompressionResult, inputs: np.ndarray,
                                            module: nn.Module, tmp_path: Path) -> None:
    run = vqrom.simulate(made.networks["mine"], made.codebook, "tiny", inputs, "reference")
    assert run.cycles is None and run.traffic is None and run.layers[0].cycles is None
    assert run.bit_exact is None and run.report["mismatches"] is None, "nothing was compared"
    assert run.outputs is not None and run.outputs.dtype == np.int8
    with torch.no_grad():
        expected = module(torch.from_numpy(inputs)).numpy()
    assert np.corrcoef(run.dequantized().ravel(), expected.ravel())[0, 1] > 0.8
    assert run.save(tmp_path) == ["outputs.npy", "report.json", "report.html"]
    np.testing.assert_array_equal(np.load(tmp_path / "outputs.npy"), run.outputs)
    assert json.loads((tmp_path / "report.json").read_text()) == run.report
    for wrong in (run.plot_layers, run.plot_traffic):
        with pytest.raises(vqrom.VqromError, match="must have hardware figures"):
            wrong()


def test_int8_inputs_of_another_scale(made: vqrom.CompressionResult, inputs: np.ndarray) -> None:
    network, codebook = made.networks["mine"], made.codebook
    own = network.input_quantization

    def of(given: np.ndarray, **options: Any) -> vqrom.SimulationReport:
        return vqrom.simulate(network, codebook, "tiny", given, "reference", **options)

    wanted = of(inputs)
    assert wanted.notes == ()
    assert wanted.report["input"] == {"scale": own.scale, "zero_point": own.zero_point}
    other = (2 * own.scale, 5)
    given = np.clip(np.round(inputs / other[0]) + other[1], -128, 127).astype(np.int8)
    (note,) = of(given).notes
    assert "--input-scale" in note and f"{own.scale:.6g}" in note
    right = of(given, input_scale=other)
    assert right.notes == ()
    distances = [np.abs(one.dequantized() - wanted.dequantized()).mean()
                 for one in (right, of(given))]
    assert distances[0] < distances[1] / 4
    with pytest.raises(vqrom.VqromError, match=r"inputs must be int8 .* not 'float32'"):
        of(inputs, input_scale=other)
    with pytest.raises(vqrom.VqromError, match="goes with inputs, and there are none"):
        vqrom.simulate("gemm64.csv", input_scale=other)
    for wrong, rule in (((0.0, 5), "a positive number, not 0.0"), ((1.0, 200), "not 200")):
        with pytest.raises(vqrom.VqromError, match=rule):
            of(given, input_scale=wrong)


def test_float_inputs_of_another_range_warn(made: vqrom.CompressionResult,
                                            inputs: np.ndarray) -> None:
    for factor, words in ((100, "are outside the network's range"), (0.01, "values span")):
        run = vqrom.simulate(made.networks["mine"], made.codebook, "tiny",
                             np.float32(factor) * inputs, "reference")
        (note,) = run.notes
        assert note.startswith("warning: ") and words in note and "--calibration" in note


def test_agreement_is_of_inputs_kept_back(module: nn.Module) -> None:
    rng = np.random.default_rng(1)
    many = rng.standard_normal((80, 3, 12, 12)).astype(np.float32)
    good = vqrom.compress({"mine": module}, calibration=many, raw_layers="all")
    found = good.agreements["mine"]
    assert (found.inputs, found.classes) == (10, True) and found.error < 0.01
    (line, size) = good.notes
    assert f"on 10 inputs kept back, {found.share:.1%} get the float network's class" in line
    assert "8.00 bits per weight, 100.0% of the weights raw" in size
    assert "30.0% in layers with fewer than 4 input channels, 70.0% by --raw-layers" in size
    few = vqrom.compress({"mine": module}, calibration=many[:63], codewords=16)
    assert not few.agreements and "takes at least 64 calibration inputs" in few.notes[0]


@pytest.mark.parametrize(("start", "epochs", "helps"), [
    (Start.NEAREST, 0, "is --start outputs"), (Start.OUTPUTS, 0, "--epochs, more inputs"),
    (Start.OUTPUTS, 4, "is --raw-layers small")])
def test_low_agreement_warns(start: Start, epochs: int, helps: str) -> None:
    line = agreement_note("mine", Agreement(0.85, 0.2, False, 20), epochs, start)
    assert "85.0% of the outputs' variance is kept; warning: that is low" in line and helps in line
    assert "warning" not in agreement_note("mine", Agreement(0.9, 0.2, True, 20), epochs, start)


def test_topology(tmp_path: Path) -> None:
    path = tmp_path / "product.csv"
    path.write_text("Layer, M, N, K,\nproduct, 40, 24, 64,\n")
    run = vqrom.simulate(path, config="tiny")
    assert run.name == "product" and run.layers[1].macs == 40 * 24 * 64 and run.cycles
    with pytest.raises(vqrom.VqromError, match="goes without codebook and inputs"):
        vqrom.simulate(path, inputs=np.zeros((1, 1, 1, 1), np.int8))
    with pytest.raises(vqrom.VqromError, match="must have been computed"):
        run.dequantized()


def test_configurations(made: vqrom.CompressionResult, tmp_path: Path) -> None:
    config = vqrom.load_config("tiny", made.codebook)
    assert (config.codewords, config.subvector) == (16, 4)
    assert vqrom.load_config(config, made.codebook) is config
    with pytest.raises(vqrom.VqromError, match=r"16 codewords of 4, not 256 of 4"):
        vqrom.load_config(vqrom.load_config("tiny"), made.codebook)
    (tmp_path / "mine.toml").write_text('base = "tiny"\ndram_latency = 300\n')
    assert vqrom.load_config(tmp_path / "mine.toml").dram_latency == 300


def test_generate_and_area(made: vqrom.CompressionResult, tmp_path: Path) -> None:
    assert made.codebook is not None
    design = vqrom.generate("tiny", made.codebook)
    assert design.metadata["codebook"]["sha256"] == made.codebook.sha256
    assert "module vqrom" in design.verilog
    measured = vqrom.area("tiny", made.codebook)
    assert sum(row.nand2 for row in measured.components) == pytest.approx(measured.nand2)
    assert measured.area_um2 == pytest.approx(sum(
        row.logic_um2 + row.memory_um2 for row in measured.components))
    assert measured.recommended_form in [form.form for form in measured.codebook_forms]
    assert isinstance(measured.plot(), Figure)
    assert "codebook ROM" in measured._repr_html_()
    measured.save(tmp_path)
    for name in design.save(tmp_path / "design"):
        assert (tmp_path / name).read_bytes() == (tmp_path / "design" / name).read_bytes()
    assert json.loads((tmp_path / "area.json").read_text()) == measured.report


def test_random_images(tmp_path: Path) -> None:
    codebook = random_codebook(vqrom.load_config("tiny"))
    network = mixed_network(codebook).build()
    save_network(network, tmp_path / "mixed.vqnet", codebook)
    made = vqrom.random_images(tmp_path / "mixed.vqnet", 3, seed=1)
    assert made.labels is None and made.inputs.dtype == np.float32
    height, width, channels = network.input_shape
    assert made.inputs.shape == (3, channels, height, width)
    np.testing.assert_array_equal(vqrom.random_images(network, 3, seed=1).inputs, made.inputs)
    quantization = network.input_quantization
    levels = np.rint(made.inputs / quantization.scale) + quantization.zero_point
    assert levels.min() >= -128 and levels.max() <= 127 and np.ptp(levels) > 200
    vqrom.simulate(network, codebook, "tiny", made.inputs, "reference")


def test_sample_images() -> None:
    made = vqrom.images("usps", 2)
    assert made.inputs.shape == (2, 1, 16, 16)
    assert made.labels is not None and len(made.labels) == 2
    with pytest.raises(vqrom.VqromError, match=r"count must be 1 to \d+, the samples"):
        vqrom.images("usps", 0)


def test_inspection(made: vqrom.CompressionResult) -> None:
    assert made.codebook is not None
    network = made.networks["mine"]
    facts = vqrom.inspect_codebook(made.codebook, [network])
    assert sum(one.count for one in facts.values) == 16 * 4
    assert sum(one.count for one in facts.norms) == 16
    assert sum(facts.uses) == 7 * 108 // 4 and facts.used <= 16
    assert 0 < facts.entropy <= 4
    layers = vqrom.inspect_network(network, made.codebook).layers
    assert [(layer.kind, layer.encoding) for layer in layers] == [
        ("conv", "raw"), ("maxpool", ""), ("linear", "indexed")]
    assert layers[2].bits_per_weight == 1
    listing, = vqrom.explain(network, made.codebook, "tiny").stages
    assert [name for segment in listing.plan for name in segment.layers] == ["0", "2", "4"]
    with pytest.raises(vqrom.VqromError, match="must come with its codebook"):
        vqrom.inspect_network(network)


def test_random_sequences_are_shaped_as_the_network_takes_them() -> None:
    network = replace(mixed_network(
        random_codebook(vqrom.load_config("tiny"))).build(), input_native=Native((120, 3), "HWC"))
    assert network.input_shape == (12, 10, 3)
    assert vqrom.random_images(network, 2).inputs.shape == (2, 120, 3)
