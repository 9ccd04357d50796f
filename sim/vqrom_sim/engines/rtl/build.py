"""Verilator models of generated accelerators, built once per content."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np

import vqrom_hw
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError
from vqrom_hw.export import VERILOG, generate
from vqrom_sw.io import cached_directory

from .testbench import DRAM_SOURCE, MAIN_SOURCE, TOP, testbench_verilog
from .tools import require_tools, tool_environment

PUBLIC = ("clk", "rst", "free_run", "dump", "interrupt")
_OPTIONS = ("-O3", "--x-assign", "fast", "--x-initial", "fast", "--no-timing", "-Wno-fatal",
            "-Wno-WIDTH", "-Wno-UNOPTFLAT", "-Wno-CASEINCOMPLETE", "-Wno-MODDUP")
_LIBRARY = "-lcocotbvpi_verilator"


def _control_file() -> str:
    """Only the top ports are public: a factor of three in speed against ``--public-flat-rw``."""
    return f'`verilator_config\npublic_flat_rw -module "{TOP}" -var "s_axil_*"\n' + "".join(
        f'public_flat_rw -module "{TOP}" -var "{name}"\n' for name in PUBLIC)


def build_model(config: AcceleratorConfig, codewords: np.ndarray) -> Path:
    """Directory of the built model: executable ``testbench``, the Verilog and its codebook.

    Raises
    ------
    VqromError
        If a tool is missing, or Verilator or the compiler fails.
    """
    require_tools()
    digest = hashlib.sha256()
    # The DRAM's latency is an argument of the model, the name is nobody's business.
    dimensions = config.model_dump_json(exclude={"name", "dram_latency"})
    for part in (dimensions, codewords.tobytes(), testbench_verilog(config),
                 DRAM_SOURCE.read_text(), MAIN_SOURCE.read_text(), _control_file(),
                 " ".join((*_OPTIONS, _LIBRARY)), version("verilator"),
                 version("cocotb"), version("amaranth"), _sources_digest()):
        digest.update(part if isinstance(part, bytes) else part.encode())
    return cached_directory("verilator", digest.hexdigest()[:32],
                            lambda folder: _build(config, codewords, folder))


@cache
def _sources_digest() -> str:
    """Of the sources as they were imported: this process builds from those, even if they change."""
    folder = Path(str(vqrom_hw.__file__)).parent
    sources = sorted(folder.glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()


_sources_digest()


def _build(config: AcceleratorConfig, codewords: np.ndarray, folder: Path) -> None:
    import cocotb_tools.config

    generate(config, codewords, folder)
    (folder / "testbench.sv").write_text(testbench_verilog(config), encoding="utf-8")
    (folder / "public.vlt").write_text(_control_file(), encoding="utf-8")
    verilate(folder, MAIN_SOURCE, "--vpi", str(folder / "public.vlt"), "-LDFLAGS",
             f"-L{cocotb_tools.config.libs_dir} {_LIBRARY}")


def verilate(folder: Path, main: Path, *options: str) -> None:
    """Compile the Verilog in a folder with a C++ main program: executable ``testbench`` in it."""
    run_tool([
        "verilator", "-cc", "--exe", "--prefix", "Vtop", "--top-module", TOP, "-o", TOP,
        "-Mdir", str(folder / "obj"), "--timescale", "1ns/1ns", *_OPTIONS, "-CFLAGS", "-O2",
        *options, str(main), str(DRAM_SOURCE), str(folder / VERILOG),
        str(folder / "testbench.sv"),
    ], folder)
    run_tool(["make", "-s", "-j", str(os.cpu_count() or 1), "-C", str(folder / "obj"), "-f",
              "Vtop.mk", "CFG_CXXFLAGS_PCH_I=-include"], folder)
    (folder / "obj" / TOP).rename(folder / TOP)
    shutil.rmtree(folder / "obj")


def run_tool(command: list[str], folder: Path) -> None:
    """Run a tool to its end.

    Raises
    ------
    VqromError
        If it fails.
    """
    result = subprocess.run(command, env=tool_environment(), cwd=folder, capture_output=True,
                            text=True, check=False)
    if result.returncode:
        lines = (result.stderr or result.stdout).strip().splitlines()
        reason = next((line for line in lines if "rror" in line), " ".join(lines[:1]))
        raise VqromError(f"{command[0]} must build the model, not fail with: {reason!r}")


def simulation_environment(job: Path) -> dict[str, str]:
    """Environment in which the model runs :mod:`vqrom_sim.engines.rtl.job` on a job file.

    The same variables that cocotb's own runner sets. The library path is said here and not built
    into the model: models outlive the environment that built them, in the cache.
    """
    import cocotb_tools.config
    import find_libpython

    environment = tool_environment()
    libraries = os.pathsep.join(filter(None, (
        str(cocotb_tools.config.libs_dir), environment.get("LD_LIBRARY_PATH"))))
    return environment | {
        "LD_LIBRARY_PATH": libraries,
        "COCOTB_TEST_MODULES": "vqrom_sim.engines.rtl.job", "COCOTB_TOPLEVEL": TOP,
        "TOPLEVEL_LANG": "verilog", "VQROM_JOB": str(job),
        "COCOTB_RESULTS_FILE": str(job.with_name("results.xml")),
        "COCOTB_TRUST_INERTIAL_WRITES": "1", "COCOTB_LOG_LEVEL": "WARNING",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "PYGPI_PYTHON_BIN": sys.executable,
        "GPI_USERS": f"{find_libpython.find_libpython()};{cocotb_tools.config.pygpi_entry_point()}",
    }
