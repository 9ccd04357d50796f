"""Synthesis of single Verilog modules with Yosys: which cells, which memories, which submodules."""

from __future__ import annotations

import gzip
import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path

from vqrom_hw.errors import VqromError
from vqrom_hw.export import run_yosys
from vqrom_sw.io import cached_directory, content_key, source_digest
from vqrom_sw.progress import Progress

from .liberty_groups import mapping_text
from .modules import black_box, children_of, files_read, kept_memories

WORKERS = os.cpu_count() or 1
"""Modules that are synthesised at the same time."""
MAPPED = "netlist.json.gz"
"""Name of the mapped netlist in the cache."""

@dataclass(frozen=True)
class Recipe:
    """How a module is mapped to cells.

    Members
    -------
    abc:
        Script of abc, with commas for blanks.
    synth:
        Options of Yosys' ``synth``.
    unusable:
        Cells of the library that must not be used.
    timed:
        Whether abc reads delays of cells; if not, it gets the library without them.
    """

    abc: str
    synth: str = ""
    unusable: tuple[str, ...] = ()
    timed: bool = False


AREA = Recipe("strash;dc2;dc2;amap,-m")
"""Small. Measured on a PE and a ROM port: 8 % and 3 % smaller than Yosys' default script, and ten
times as fast, since it skips the search for equivalent nodes, slow in multipliers. amap maps for
area."""
SPEED = Recipe(
    "strash;ifraig;scorr;dch;if,-g;strash;dch,-f;map,-B,0.9,-D,100;topo", "-booth", timed=True)
"""Fast: Booth multipliers; no dc2, which turns Yosys' parallel-prefix adders into ripple carries;
depth is balanced (``if -g``) before mapping for delay. Drive strengths and buffers come after it,
in ``vqrom_sim.timing``."""


@dataclass(frozen=True)
class Memory:
    """A memory that synthesis kept whole.

    Members
    -------
    name:
        Its name in the module.
    kind:
        ``"ram"`` or ``"rom"``.
    words, width:
        Depth, and bits of a word.
    read_ports, write_ports:
        Ports of each kind.
    write_enables:
        Parts of a word that can be written alone.
    synchronous:
        Every read port has a register, as memory macros do.
    """

    name: str
    kind: str
    words: int
    width: int
    read_ports: int
    write_ports: int
    write_enables: int
    synchronous: bool

    @property
    def bits(self) -> int:
        """Size in bits."""
        return self.words * self.width


@dataclass(frozen=True)
class SynthesizedModule:
    """One module without what is inside its submodules.

    Members
    -------
    cells:
        Library cells by type.
    memories:
        Memories kept whole.
    instances:
        ``(instance name, module)`` of each submodule.
    netlist:
        File of the mapped netlist, for :func:`read_mapped`.
    """

    cells: dict[str, int]
    memories: tuple[Memory, ...]
    instances: tuple[tuple[str, str], ...]
    netlist: Path


def synthesize(modules: Mapping[str, str], liberties: Sequence[str], folder: Path,
               progress: Progress | None = None, *, label: str = "synthesis",
               keep_memories: bool = True, recipe: Recipe = AREA) -> dict[str, SynthesizedModule]:
    """Synthesise every module once, submodules as black boxes; results are cached by content.

    Parameters
    ----------
    modules:
        Verilog by name; instances of each other are found.
    liberties:
        Texts of the cell library to map to, one for each of its files.
    folder:
        Where the files that ``$readmemh`` names lie.
    progress:
        Called with ``label``, modules done and modules to do.
    keep_memories:
        Keep large memories whole (:func:`kept_memories`) instead of building them of flip-flops.
    recipe:
        How to map: :data:`AREA` or :data:`SPEED`.

    Raises
    ------
    VqromError
        If Yosys cannot map a module to the library.
    """
    tell = progress or (lambda what, done, total: None)
    tell(label, 0, len(modules))
    results: dict[str, SynthesizedModule] = {}
    library = liberties if recipe.timed else [mapping_text(text) for text in liberties]
    with ThreadPoolExecutor(WORKERS) as pool:
        # Long ones first: no worker is left alone with the longest at the end.
        jobs = {pool.submit(_synthesize_one, name, modules, library, folder, keep_memories,
                            recipe): name
                for name in sorted(modules, key=lambda name: -len(modules[name]))}
        try:
            for done, job in enumerate(as_completed(jobs), start=1):
                results[jobs[job]] = job.result()
                tell(label, done, len(modules))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return results


def _synthesize_one(name: str, modules: Mapping[str, str], liberties: Sequence[str],
                    folder: Path, keep_memories: bool, recipe: Recipe) -> SynthesizedModule:
    body = modules[name]
    children = children_of(body, modules)
    text = body + "".join(black_box(modules[child]) for child in children)
    contents = {file: (folder / file).read_bytes() for file in files_read(body)}
    kept = [f"{name}/{memory}" for memory in kept_memories(body)] if keep_memories else ()
    commands = script(name, kept, len(liberties), recipe)

    def build(directory: Path) -> None:
        (directory / "module.v").write_text(text, encoding="utf-8")
        for number, liberty in enumerate(liberties):
            (directory / library_file(number)).write_text(liberty, encoding="utf-8")
        for file, content in contents.items():
            (directory / Path(file).name).write_bytes(content)
        try:
            run_yosys(commands, directory)
        except RuntimeError as error:
            raise VqromError(f"module {name!r} cannot be synthesised: {error}") from None
        module = json.loads((directory / "netlist.json").read_text(encoding="utf-8"))[
            "modules"][name]
        result = read_netlist(module, set(children))
        for file in directory.iterdir():
            file.unlink()
        (directory / "result.json").write_text(json.dumps(result), encoding="utf-8")
        with gzip.open(directory / MAPPED, "wt", 1, encoding="utf-8") as file:
            json.dump(module, file)

    cached = cached_directory("synthesis", synthesis_key(commands, liberties, text, contents),
                              build)
    return _from_json(json.loads((cached / "result.json").read_text(encoding="utf-8")),
                      cached / MAPPED)


def read_mapped(netlist: Path) -> dict:
    """A module of library cells, submodules and kept memories, as Yosys' ``write_json`` has it:
    ``ports``, ``cells`` and ``netnames``, whose bits are numbers of nets."""
    with gzip.open(netlist, "rt", encoding="utf-8") as file:
        return json.load(file)


def synthesis_key(commands: Sequence[str], liberties: Sequence[str], text: str,
                  memory_files: Mapping[str, bytes]) -> str:
    """Key of a synthesised module: Yosys and this module's code, the commands, and what they read.

    Parameters
    ----------
    commands:
        Yosys commands.
    liberties:
        Texts of the cell library.
    text:
        Verilog of the module and its black boxes.
    memory_files:
        Contents of the files that ``$readmemh`` names.
    """
    return content_key(source_digest(__name__), *commands, *liberties, text,
                       *(part for file in sorted(memory_files)
                         for part in (file, memory_files[file])))


def script(name: str, kept: Sequence[str], liberties: int = 1, recipe: Recipe = AREA, *,
           flat: bool = False) -> tuple[str, ...]:
    """Yosys commands that map ``module.v`` to the library's files and write ``netlist.json``.

    Parameters
    ----------
    name:
        The module at the top.
    kept:
        Memories that stay memories, each ``module/memory``; those that are read without a clock
        become flip-flops all the same.
    liberties:
        Number of files of the library.
    recipe:
        How to map.
    flat:
        Dissolve submodules before anything is optimised.
    """
    files = " ".join([*(f"-liberty {library_file(number)}" for number in range(liberties)),
                      *(f"-dont_use {cell}" for cell in recipe.unusable)])
    places = [memory.split("/", 1) for memory in kept]
    return (
        "read_verilog module.v",
        # Without it a register that starts at 0 may be merged with a constant; no chip starts so.
        "setattr -unset init w:*",
        f"hierarchy -check -top {name}",
        *(f"setattr -set vqrom_kept 1 {module}/m:{memory}" for module, memory in places),
        f"synth {recipe.synth} {'-flatten' if flat else ''} -top {name} -run begin:fine",
        "setattr -unset vqrom_kept t:$mem_v2 r:RD_CLK_ENABLE=1'0 %i",
        "opt -fast -full", "memory_map -attr !vqrom_kept", "opt -undriven -fine",
        "techmap", "opt -fast",
        # Flip-flops are called what the source calls the register whose bit they hold.
        "rename -wire t:$_*DFF*",
        f"dfflibmap {files}", "opt_clean",
        f"abc {files} -script +{recipe.abc}",
        "opt_clean", "write_json netlist.json",
    )


def library_file(number: int) -> str:
    """Name of a file of the library in the folder where Yosys runs."""
    return f"cells{number}.lib"


def read_netlist(module: dict, children: set[str]) -> dict:
    """Cells, memories and instances of a module in Yosys' JSON netlist, by the names that
    :class:`SynthesizedModule` has for them.

    Raises
    ------
    VqromError
        If something could not be mapped to the library.
    """
    cells: Counter[str] = Counter()
    memories, instances = [], []
    for name, cell in module["cells"].items():
        kind = cell["type"]
        if kind in children:
            instances.append((name, kind))
        elif kind == "$mem_v2":
            memories.append(asdict(_memory(name, cell)))
        elif kind.startswith("$") and kind != "$scopeinfo":
            raise VqromError(f"liberty library has no cell for Yosys' {kind}, which the "
                             "design needs")
        elif not kind.startswith("$"):
            cells[kind] += 1
    return {"cells": dict(sorted(cells.items())), "memories": memories, "instances": instances}


def _memory(name: str, cell: dict) -> Memory:
    def number(parameter: str) -> int:
        return int(cell["parameters"][parameter], 2)

    width, writers = number("WIDTH"), number("WR_PORTS")
    readers = number("RD_PORTS")
    enables = cell["connections"].get("WR_EN", [])[:width]
    return Memory(
        name, "ram" if writers else "rom", number("SIZE"), width, readers, writers,
        len(set(map(str, enables))) if writers else 0,
        cell["parameters"]["RD_CLK_ENABLE"][-readers:] == "1" * readers)


def _from_json(value: dict, netlist: Path) -> SynthesizedModule:
    return SynthesizedModule(
        value["cells"], tuple(Memory(**memory) for memory in value["memories"]),
        tuple((name, kind) for name, kind in value["instances"]), netlist)
