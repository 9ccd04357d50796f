"""What is kept from one run to the next is kept by everything that it follows from."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.changed_sources import check_key
from tests.random_networks import random_codebook
from tests.sim.engines.engine_checks import TINY
from tests.sim.engines.rtl import axi_bench
from vqrom_hw.config import AcceleratorConfig
from vqrom_sim.area.synthesis import script, synthesis_key
from vqrom_sim.engines.cycle import model
from vqrom_sim.engines.rtl import build
from vqrom_sw.io import content_key, source_digest, sources

CODEWORDS = random_codebook(TINY).codewords


def verilator() -> str:
    return build.model_key(TINY, CODEWORDS)


def synthesis(**changes: Any) -> str:
    inputs: dict[str, Any] = {"commands": script("m", ()), "liberties": ("library",),
                              "text": "module", "memory_files": {"rom.hex": b"00"}}
    return synthesis_key(**inputs | changes)


KEYS: dict[str, tuple[Callable[[], str], str]] = {
    "Verilator model": (verilator, "vqrom_sim.engines.rtl.build"),
    "AXI bench": (axi_bench.bench_key, "vqrom_sim.engines.rtl.build"),
    "machine code": (model.machine_code_key, "vqrom_sim.engines.cycle.kernel"),
    "synthesis": (synthesis, "vqrom_sim.area.synthesis"),
    "keyword features": (lambda: source_digest("vqrom_sw.zoo.tiny"), "vqrom_sw.zoo.tiny"),
}
"""Key of each cache, and the module that makes what is in it."""

NEEDED = {
    "Verilator model": ["vqrom_hw.accelerator", "vqrom_hw.bus.read_dma", "vqrom_hw.config",
                        "vqrom_hw.export.verilog", "vqrom_sim.engines.dram",
                        "vqrom_sim.engines.rtl.testbench"],
    "AXI bench": ["vqrom_hw.accelerator", "vqrom_hw.compute.array"],
    "machine code": ["vqrom_sim.engines.dram", "vqrom_sim.engines.cycle.registers.state",
                     "vqrom_sim.engines.cycle.registers.places", "vqrom_hw.config",
                     "vqrom_hw.isa.commands",
                     "vqrom_hw.compute.post", "vqrom_sw.compiler.program.command_table"],
    "synthesis": ["vqrom_hw.export.yosys"],
    "keyword features": ["vqrom_sw.zoo.speech", "vqrom_sw.zoo.keyword_features",
                         "vqrom_sw.importers.tflite.float_model"],
}
NOT_NEEDED = {"vqrom_sim.cli.main", "vqrom_sim.report.pages.simulation",
              "vqrom_sw.compiler.compile"}


@pytest.mark.parametrize("name", KEYS)
def test_sources_and_tools(name: str) -> None:
    """Each file of the closure, each tool; and the closure holds what one would name by hand."""
    key, module = KEYS[name]
    check_key(key, module)
    needed = sources.installed_sources().closure(module)
    assert set(NEEDED[name]) <= needed and not NOT_NEEDED & needed


def other(value: Any) -> Any:
    """Another value of a configuration's field."""
    if isinstance(value, bool):
        return not value
    others = {"rom": "sram", "sram": "rom", "memory": "logic", "logic": "memory"}
    return others.get(value, f"{value}x") if isinstance(value, str) else value * 2


@pytest.mark.parametrize("field", AcceleratorConfig.model_fields)
def test_verilator_model_of_another_configuration(field: str) -> None:
    config = TINY.model_copy(update={field: other(getattr(TINY, field))})
    same = field in ("name", "dram_latency")
    assert (build.model_key(config, CODEWORDS) == verilator()) == same


def test_verilator_model_of_another_codebook() -> None:
    assert build.model_key(TINY, CODEWORDS ^ np.int8(1)) != verilator()


def test_models_with_waves_are_other_models() -> None:
    assert build.model_key(TINY, CODEWORDS, traced=True) != verilator()


@pytest.mark.parametrize(("name", "value"), [
    ("_OPTIONS", ("-O2",)), ("_LIBRARY", "-lother"), ("_control_file", lambda traced: "other"),
    ("testbench_verilog", lambda config: "other"), ("compiler_version", lambda: "g++ 99")])
def test_other_ways_to_build(monkeypatch: pytest.MonkeyPatch, name: str, value: Any) -> None:
    before = verilator()
    monkeypatch.setattr(build, name, value)
    assert verilator() != before


@pytest.mark.parametrize("name", ["DRAM_SOURCE", "MAIN_SOURCE", "RECORDER_SOURCE"])
def test_other_files_of_the_simulator(monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
                                      name: str) -> None:
    before, original = verilator(), getattr(build, name)
    copy = tmp_path / original.name
    copy.write_bytes(original.read_bytes())
    monkeypatch.setattr(build, name, copy)
    assert verilator() == before
    copy.write_bytes(original.read_bytes() + b"\n")
    assert verilator() != before


@pytest.mark.parametrize(("name", "value"), [
    ("CONFIG", axi_bench.CONFIG.model_copy(update={"rows": 16})),
    ("CODEBOOK", random_codebook(axi_bench.CONFIG, seed=9)), ("CONTROL", "other"),
    ("bench_verilog", lambda: "other")])
def test_axi_bench(monkeypatch: pytest.MonkeyPatch, name: str, value: Any) -> None:
    before = axi_bench.bench_key()
    monkeypatch.setattr(axi_bench, name, value)
    assert axi_bench.bench_key() != before


@pytest.mark.parametrize(("name", "value"), [
    ("commands", script("m", ("m/kept",))), ("liberties", ("other",)), ("text", "other"),
    ("memory_files", {"rom.hex": b"01"}), ("memory_files", {"other.hex": b"00"})])
def test_synthesis(name: str, value: Any) -> None:
    assert synthesis(**{name: value}) != synthesis()


def test_parts_of_a_key_keep_apart(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("text")
    assert content_key("ab", "c") != content_key("a", "bc")
    assert content_key(path) == content_key("text") == content_key(b"text")
    assert content_key(1) == content_key("1") != content_key(2)


def test_compiler_says_which_it_is() -> None:
    assert build.compiler_version().startswith("g++")


CHECK = """
from vqrom_hw.config import load_config
import vqrom_sim.engines
from vqrom_sim.engines.cycle import kernel, model
from vqrom_sw.compiler.program.command_table import new_row
import numpy as np
assert not kernel.run.signatures, "importing compiles"
model.run_table(load_config("tiny"), np.array([new_row({"opcode": 0})], np.int64), 1, 1000)
print(sum(kernel.run.stats.cache_hits.values()), kernel.run.stats.cache_path)
"""


def test_machine_code_is_kept() -> None:
    """The first process may have to compile it; the next one finds it, where its key says."""
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", CHECK], capture_output=True, text=True,
                              check=True)
    hits, path = done.stdout.split()
    assert hits == "1" and model.machine_code_key() in path


def test_no_machine_code_without_a_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """numba would keep it beside the sources, where no key of ours protects it."""
    (tmp_path / "file").write_text("no folder")
    assert not model._writable(tmp_path / "file" / "folder")
    assert model._writable(tmp_path / "folder" / "inner")
