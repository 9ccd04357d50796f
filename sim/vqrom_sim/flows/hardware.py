"""The accelerator itself: its Verilog with the codebook as a ROM, and the area of its parts."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vqrom_hw import export
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.export import METADATA, VERILOG
from vqrom_sim.area import CellLibrary, choose_library, estimate_area
from vqrom_sim.report import AreaReport, staged
from vqrom_sw.progress import SilentSteps, Steps

from .arguments import CodebookLike, ConfigLike, check_file, load_codebook, load_config


@dataclass(frozen=True, eq=False)
class Design:
    """A generated accelerator.

    Members
    -------
    config:
        Its dimensions.
    files:
        Contents by name: ``vqrom.v``, ``codebook.hex`` (read by the Verilog) and ``vqrom.json``
        (ports, parameters, register and counter map, the codebook's SHA-256).
    """

    config: AcceleratorConfig
    files: Mapping[str, bytes]

    @property
    def verilog(self) -> str:
        """The Verilog text; its top module is ``vqrom``."""
        return self.files[VERILOG].decode()

    @property
    def metadata(self) -> dict[str, Any]:
        """What ``vqrom.json`` holds."""
        return json.loads(self.files[METADATA])

    def save(self, directory: str | Path) -> list[str]:
        """Write the files into a directory, which is made if absent; their names, sorted.

        Raises
        ------
        VqromError
            If the directory cannot be written.
        """
        with staged(Path(directory)) as folder:
            self.write(folder)
        return sorted(self.files)

    def write(self, folder: Path) -> None:
        """Write the files into a folder that is there."""
        for name, content in self.files.items():
            (folder / name).write_bytes(content)


def generate(config: ConfigLike, codebook: CodebookLike, *,
             progress: Steps | None = None) -> Design:
    """Generate the accelerator's Verilog with a codebook as its ROM.

    Parameters
    ----------
    config:
        A preset's name, a ``.toml`` file or a configuration.
    codebook:
        What goes into the ROM.
    progress:
        Told about the step.

    Raises
    ------
    VqromError
        If an argument cannot be read, or the codebook does not fit the configuration.
    """
    check_file(codebook, "codebook")
    load_config(config)  # What is quick to find wrong is found first.
    words = load_codebook(codebook)
    accelerator = load_config(config, words)
    with (progress or SilentSteps()).step("generating Verilog"), \
            tempfile.TemporaryDirectory() as name:
        export.generate(accelerator, words.codewords, Path(name))
        files = {path.name: path.read_bytes() for path in sorted(Path(name).iterdir())}
    return Design(accelerator, files)


def area(config: ConfigLike, codebook: CodebookLike, *,
         liberty: str | Path | Sequence[str | Path] = (),
         technology: str | Path | None = None, check_flat: bool = False,
         progress: Steps | None = None) -> AreaReport:
    """Synthesise the accelerator with Yosys and measure the area of each component.

    Parameters
    ----------
    config, codebook:
        As for :func:`generate`.
    liberty:
        Liberty file of standard cells, or all files of a library that comes in several, gzipped or
        not; or the name of an open library, ``sky130`` or ``asap7``, or ``generic``. Without one,
        sky130 where it is found, else the generic library.
    technology:
        Name or TOML file of the technology of the memories; without one, that of the cells.
    check_flat:
        Also synthesise the accelerator in one piece and compare, which takes long.
    progress:
        Told about each step.

    Raises
    ------
    VqromError
        If an argument cannot be read, the codebook does not fit the configuration, or the library
        does not serve.
    """
    library = choose_library(_names(liberty), technology)
    return area_of(generate(config, codebook, progress=progress), library=library,
                   check_flat=check_flat, progress=progress)


def area_of(design: Design, *, library: CellLibrary | None = None, check_flat: bool = False,
            progress: Steps | None = None) -> AreaReport:
    """The area of a design that is generated already; see :func:`area`."""
    with tempfile.TemporaryDirectory() as name:
        design.write(Path(name))
        report = estimate_area(design.config, Path(name), library or choose_library(),
                               (progress or SilentSteps()).callback("area"),
                               check_flat=check_flat)
    return AreaReport(report, design.files)


def _names(liberty: str | Path | Sequence[str | Path]) -> list[str | Path]:
    return [liberty] if isinstance(liberty, str | Path) else list(liberty)
