"""Verilator models of generated accelerators, built once per content.

A model is an executable: the accelerator and its test bench as C++, compiled. Building one takes
minutes, so it is kept in the cache folder by everything that it follows from.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import cocotb_tools.config
import find_libpython
import numpy as np

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError
from vqrom_hw.export import VERILOG, generate
from vqrom_sw.io import cached_directory, content_key, run_group, source_digest

from .testbench import (
    DRAM_SOURCE,
    MAIN_SOURCE,
    RECORDER_SOURCE,
    SIMULATOR,
    TOP,
    testbench_verilog,
)
from .tools import require_headers, require_tools, tool_environment

PUBLIC = ("clk", "rst", "free_run", "dump", "interrupt")
"""Ports of the test bench, beside AXI4-Lite's, that cocotb and the main loop read and drive."""
JOB_MODULE = "vqrom_job"
"""Module in :data:`.testbench.SIMULATOR` that cocotb runs. It is imported from that folder and not
as a part of this package, whose imports would take longer than most simulations."""
_OPTIONS = ("-O3", "--x-assign", "fast", "--x-initial", "fast", "--no-timing", "-Wno-fatal",
            "-Wno-WIDTH", "-Wno-UNOPTFLAT", "-Wno-CASEINCOMPLETE", "-Wno-MODDUP")
_TRACING = ("--trace-fst", "--no-trace-params", "--trace-max-width", str(1 << 20))
"""Options of models that can write waves, of vectors of any width."""
_SHOWN = ("active", "active_layer")
"""Signals of the test bench that the recorder looks at."""
_OPTIMISED = ("-CFLAGS", "-O2")
_FAST_ALONE = ("OPT_FAST=-O2", "OPT_GLOBAL=-O2", "OPT_SLOW=-O0")
"""Settings of Verilator's makefile: what runs once, above all the declaration of each traced
signal, takes most of the compiler's time and gains nothing."""
_COMPILER = "g++"
_LIBRARY = "-lcocotbvpi_verilator"


def _control_file(traced: bool) -> str:
    """Only the top ports are public: a factor of three in speed against ``--public-flat-rw``."""
    return f'`verilator_config\npublic_flat_rw -module "{TOP}" -var "s_axil_*"\n' + "".join(
        f'public_flat_rw -module "{TOP}" -var "{name}"\n' for name in PUBLIC) + "".join(
        f'public_flat_rd -module "{TOP}" -var "{name}"\n' for name in _SHOWN if traced)


def build_model(config: AcceleratorConfig, codewords: np.ndarray, *, traced: bool = False) -> Path:
    """Directory of the built model: executable ``testbench``, the Verilog and its codebook.

    Parameters
    ----------
    config:
        The accelerator.
    codewords:
        int8 ``[k, d]``: the contents of its ROM.
    traced:
        Whether it can write waves, which makes it slower.

    Raises
    ------
    VqromError
        If a tool is missing, or Verilator or the compiler fails.
    """
    require_tools()
    if traced:
        require_headers()
    return cached_directory("verilator", model_key(config, codewords, traced),
                            lambda folder: _build(config, codewords, folder, traced))


def model_key(config: AcceleratorConfig, codewords: np.ndarray, traced: bool = False) -> str:
    """Key of a built model.

    The configuration's name is nobody's business, and the DRAM's latency is an argument of the
    model when it runs: neither is part of the key.
    """
    return verilator_key(
        config.model_dump_json(exclude={"name", "dram_latency"}), codewords.tobytes(),
        testbench_verilog(config), _control_file(traced), MAIN_SOURCE, RECORDER_SOURCE,
        *((*_TRACING, *_FAST_ALONE) if traced else ()))


def verilator_key(*parts: object) -> str:
    """Key of anything that :func:`verilate` builds: the parts, all of our code that takes part,
    the options, and the C++ compiler.

    Parameters
    ----------
    parts:
        What this build follows from beyond that, as for
        :func:`vqrom_sw.io.directory_cache.content_key`.
    """
    sources = source_digest(__name__, files=[DRAM_SOURCE])
    return content_key(sources, compiler_version(), *_OPTIONS, _LIBRARY, *parts)


@cache
def compiler_version() -> str:
    """First line of what the C++ compiler says of itself.

    Raises
    ------
    VqromError
        If there is none.
    """
    compiler = require_tools(_COMPILER)[_COMPILER]
    done = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False)
    return done.stdout.partition("\n")[0]


def _build(config: AcceleratorConfig, codewords: np.ndarray, folder: Path, traced: bool) -> None:
    generate(config, codewords, folder)
    build_testbench(folder, testbench_verilog(config), _control_file(traced), MAIN_SOURCE, traced)


def build_testbench(folder: Path, testbench: str, control: str, main: Path,
                    traced: bool = False) -> None:
    """Compile a test bench for cocotb, beside the generated Verilog in a folder.

    Parameters
    ----------
    folder:
        Where :func:`vqrom_hw.export.design.generate` wrote a design; gets the executable.
    testbench:
        Verilog of the module :data:`.testbench.TOP`.
    control:
        Verilator's control file: what cocotb may see.
    main:
        The C++ main program.
    traced:
        Whether the model can write waves.

    Raises
    ------
    VqromError
        If Verilator or the compiler fails.
    """
    (folder / "testbench.sv").write_text(testbench, encoding="utf-8")
    (folder / "public.vlt").write_text(control, encoding="utf-8")
    verilate(folder, main, "--vpi", str(folder / "public.vlt"), "-LDFLAGS",
             f"-L{cocotb_tools.config.libs_dir} {_LIBRARY}", traced=traced)


def verilate(folder: Path, main: Path, *options: str, traced: bool = False) -> None:
    """Compile the Verilog in a folder with a C++ main program: executable ``testbench`` in it.

    Parameters
    ----------
    folder:
        Holds the design and ``testbench.sv``.
    main:
        The C++ main program.
    options:
        For Verilator, beyond those of every build.
    traced:
        Whether the model can write waves.

    Raises
    ------
    VqromError
        If Verilator or the compiler fails.
    """
    run_tool([
        "verilator", "-cc", "--exe", "--prefix", "Vtop", "--top-module", TOP, "-o", TOP,
        "-Mdir", str(folder / "obj"), "--timescale", "1ns/1ns", *_OPTIONS,
        *(_TRACING if traced else _OPTIMISED), *options, str(main), str(DRAM_SOURCE),
        str(folder / VERILOG), str(folder / "testbench.sv"),
    ], folder)
    run_tool(["make", "-s", "-j", str(os.cpu_count() or 1), "-C", str(folder / "obj"), "-f",
              "Vtop.mk", f"CXX={_COMPILER}", f"LINK={_COMPILER}",
              "CFG_CXXFLAGS_PCH_I=-include", *(_FAST_ALONE if traced else ())], folder)
    (folder / "obj" / TOP).rename(folder / TOP)
    shutil.rmtree(folder / "obj")


def run_tool(command: list[str], folder: Path) -> None:
    """Run a tool to its end.

    Raises
    ------
    VqromError
        If it fails.
    """
    result = run_group(command, env=tool_environment(), cwd=folder)
    if result.returncode:
        lines = (result.stderr or result.stdout).strip().splitlines()
        reason = next((line for line in lines if "rror" in line), " ".join(lines[:1]))
        raise VqromError(f"{command[0]} must build the model, not fail with: {reason!r}")


def simulation_environment(job: Path) -> dict[str, str]:
    """Environment variables for a model that runs :data:`JOB_MODULE` on a job file.

    They are the same that cocotb's own runner sets. The library path is said here and not built
    into the model: models outlive the environment that built them, in the cache.

    Parameters
    ----------
    job:
        The job file; cocotb's own results go to ``results.xml`` beside it.
    """
    environment = tool_environment()
    libraries = os.pathsep.join(filter(None, (
        str(cocotb_tools.config.libs_dir), environment.get("LD_LIBRARY_PATH"))))
    return environment | {
        "LD_LIBRARY_PATH": libraries,
        "COCOTB_TEST_MODULES": JOB_MODULE, "COCOTB_TOPLEVEL": TOP,
        "TOPLEVEL_LANG": "verilog", "VQROM_JOB": str(job),
        "COCOTB_RESULTS_FILE": str(job.with_name("results.xml")),
        "COCOTB_TRUST_INERTIAL_WRITES": "1", "COCOTB_LOG_LEVEL": "WARNING",
        "PYTHONPATH": os.pathsep.join([str(SIMULATOR), *filter(None, sys.path)]),
        "PYGPI_PYTHON_BIN": sys.executable,
        "GPI_USERS": f"{find_libpython.find_libpython()};{cocotb_tools.config.pygpi_entry_point()}",
    }
