"""`vqrom generate` and `vqrom area`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vqrom_hw.config import AcceleratorConfig, load_config
from vqrom_sw.io import require_file

from .files import check_output, staged
from .progress import bars

if TYPE_CHECKING:
    from vqrom_sw.codebook import UniversalCodebook
from .files import write_json


def read_hardware(config: str, codebook: Path) -> tuple[AcceleratorConfig, UniversalCodebook]:
    """A codebook and the configuration that holds it.

    Raises
    ------
    VqromError
        If either cannot be read or they do not fit.
    """
    require_file(codebook, "codebook")
    # Before the codebook: a wrong configuration is said at once, without the imports below.
    load_config(config)
    from vqrom_sw.codebook import UniversalCodebook

    loaded = UniversalCodebook.load(codebook)
    return load_config(config, subvector=loaded.subvector, codewords=loaded.size), loaded


def run_generate(config_source: str, codebook_file: Path, output: Path) -> None:
    """Write Verilog, memory files and metadata to a directory."""
    check_output(output)
    config, codebook = read_hardware(config_source, codebook_file)
    from vqrom_hw.export import generate

    with bars() as progress, staged(output) as directory:
        with progress.step("generating Verilog"):
            generate(config, codebook.codewords, directory)
        written = sorted(path.name for path in directory.iterdir())
    print(f"wrote {', '.join(written)} to {output}")


def run_area(config_source: str, codebook_file: Path, output: Path, liberty: Path | None, *,
             quiet: bool) -> None:
    """Write the area of each component to a directory."""
    check_output(output)
    if liberty is not None:
        require_file(liberty, "liberty")
    config, codebook = read_hardware(config_source, codebook_file)
    from vqrom_hw.export import generate
    from vqrom_sim.area import estimate_area

    with bars(quiet=quiet) as progress, staged(output) as directory:
        with progress.step("generating Verilog"):
            generate(config, codebook.codewords, directory)
        area = estimate_area(config, directory, liberty, progress.callback())
        write_json(directory / "area.json", area)
    if not quiet:
        _print_area(area)
        print(f"wrote area.json and the Verilog that it is of to {output}")


def _print_area(area: dict) -> None:
    from rich.console import Console

    from vqrom_sim.report import tables
    Console().print(tables.area_table(area))
