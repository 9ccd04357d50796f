"""The whole accelerator synthesised in one piece, to check what its modules add up to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vqrom_hw.errors import VqromError
from vqrom_hw.export import TOP, run_yosys
from vqrom_sw.io import cached_directory
from vqrom_sw.progress import Progress

from .liberty_groups import mapping_text
from .libraries import CellLibrary
from .memories import rounded
from .modules import files_read, kept_memories
from .sizes import size_of
from .synthesis import library_file, read_netlist, script, synthesis_key

_RESULT = "result.json"
_LABEL = "flat synthesis"


def flat_comparison(modules: Mapping[str, str], folder: Path, library: CellLibrary,
                    composed: Mapping[str, Any],
                    progress: Progress | None = None) -> dict[str, Any]:
    """Flat synthesis beside the sum of modules; cached by content.

    Flat, Yosys sees through the borders of modules: what is constant, unused or twice there is
    logic that the sum counts and a chip would not have. It takes minutes to an hour.

    Parameters
    ----------
    modules:
        Verilog by name, as :func:`.design.design_modules` gives it.
    folder:
        Where the files that ``$readmemh`` names lie.
    library:
        The cells.
    composed:
        Sizes of the sum of modules.
    progress:
        Called before and after.

    Returns
    -------
    dict
        ``cells``, ``flip_flops``, ``nand2`` and ``logic_um2`` of flat synthesis, ``memories`` kept
        whole, and ``error`` of the composed NAND2 equivalents, relative to the flat ones.

    Raises
    ------
    VqromError
        If Yosys fails, or other memories stay whole than in the modules.
    """
    tell = progress or (lambda what, done, total: None)
    tell(_LABEL, 0, 1)
    result = _flat(modules, folder, library)
    tell(_LABEL, 1, 1)
    sizes = size_of(result["cells"], library)
    bits = sum(memory["words"] * memory["width"] for memory in result["memories"])
    if bits != composed["memory_bits"]:
        raise VqromError(f"flat synthesis must keep {composed['memory_bits']} bits in memories, "
                         f"as the modules do, not {bits}")
    return sizes | {"memories": len(result["memories"]),
                    "error": rounded(composed["nand2"] / sizes["nand2"] - 1)}


def _flat(modules: Mapping[str, str], folder: Path, library: CellLibrary) -> dict[str, Any]:
    text = "".join(modules.values())
    files = {file: (folder / file).read_bytes() for module in modules.values()
             for file in files_read(module)}
    liberties = [mapping_text(one) for one in library.library.texts]
    kept = [f"{name}/{memory}" for name, module in modules.items()
            for memory in kept_memories(module)]
    commands = script(TOP, kept, len(liberties), flat=True)

    def build(directory: Path) -> None:
        (directory / "module.v").write_text(text, encoding="utf-8")
        for number, liberty in enumerate(liberties):
            (directory / library_file(number)).write_text(liberty, encoding="utf-8")
        for file, content in files.items():
            (directory / file).write_bytes(content)
        try:
            run_yosys(commands, directory)
        except RuntimeError as error:
            raise VqromError(f"flat design cannot be synthesised: {error}") from None
        with (directory / "netlist.json").open(encoding="utf-8") as file:
            found = read_netlist(json.load(file)["modules"][TOP], set())
        for path in directory.iterdir():
            path.unlink()
        (directory / _RESULT).write_text(json.dumps(found), encoding="utf-8")

    key = synthesis_key(commands, liberties, text, files)
    return json.loads((cached_directory("synthesis-flat", key, build) / _RESULT).read_text())
