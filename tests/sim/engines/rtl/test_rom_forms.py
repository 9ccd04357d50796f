"""The forms of the codebook ROM differ in their Verilog only: same bytes, same counts."""

from __future__ import annotations

import json

import pytest

from tests.random_networks import NetworkBuilder, random_codebook
from tests.sim.engines.engine_checks import TINY, check_engines
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.weights import MACRO
from vqrom_sim.engines.rtl.build import build_model
from vqrom_sim.engines.rtl.engine import RtlRun


def run(config: AcceleratorConfig) -> RtlRun:
    """Layers on indices and one on raw weights."""
    net = NetworkBuilder(random_codebook(config), (6, 5, 8), 11)
    net.conv(20, padding=(1, 1, 1, 1))
    net.conv(9, (1, 1), raw=True)
    net.linear(30)
    return check_engines(net, config)


@pytest.mark.parametrize("form", ["logic", "macro"])
def test_form(form: str) -> None:
    config = TINY.model_copy(update={"codebook_rom": form})
    usual, other = run(TINY), run(config)
    assert (other.outputs == usual.outputs).all()
    assert other.counters == usual.counters and other.layer_counters == usual.layer_counters
    assert other.total["rom_reads"] > 0

    folder = build_model(config, random_codebook(config).codewords)
    text = (folder / "vqrom.v").read_text()
    assert "readmemh" not in text and f"module {MACRO}" not in text
    assert (f"{MACRO} macro (" in text) == (form == "macro")
    assert json.loads((folder / "vqrom.json").read_text())["parameters"]["codebook_rom"] == form
