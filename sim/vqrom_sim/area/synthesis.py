"""Synthesis of single Verilog modules with Yosys: which cells, which memories, which submodules."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path

from vqrom_hw.errors import VqromError
from vqrom_hw.export import run_yosys
from vqrom_sw.io import cached_directory, content_key, source_digest
from vqrom_sw.progress import Progress

WORKERS = 2
"""Modules that are synthesised at the same time."""
MACRO_BITS = 1024
"""From this many bits on a RAM stays a memory; smaller ones become flip-flops."""
ROM_LOGIC_BITS = 1 << 18
"""Up to this many bits a ROM becomes logic; larger ones stay a memory."""

# Measured on a PE and a ROM port: 8 % and 3 % smaller than Yosys' default script, and ten times as
# fast, since it skips the search for equivalent nodes, slow in multipliers. amap maps for area.
ABC_SCRIPT = "strash;dc2;dc2;amap,-m"

MAPPED = "netlist.json.gz"
"""Name of the mapped netlist in the cache."""

_MODULE = re.compile(r"^module (\w+) ?\(.*?^endmodule$", re.DOTALL | re.MULTILINE)
_PORT = re.compile(r"^  (?:input|output|inout) [^;]*;$", re.MULTILINE)
_HEAD = re.compile(r"\Amodule \w+ ?\(.*?\);$", re.DOTALL | re.MULTILINE)
_INSTANCE = re.compile(r"^  ([A-Za-z_]\w*) (\\\S+|\w+) \($", re.MULTILINE)
_MEMORY = re.compile(r"^  reg (?:signed )?\[(\d+):0\] (\\\S+ |\w+) ?\[(\d+):0\];$", re.MULTILINE)
_READMEMH = re.compile(r'\$readmemh\("([^"]+)", (\\\S+ |\w+)\)')


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


def split_modules(verilog: str) -> dict[str, str]:
    """Modules of a text by name, as ``vqrom generate`` writes them.

    Raises
    ------
    VqromError
        If there is none.
    """
    modules = {match.group(1): match.group(0) + "\n" for match in _MODULE.finditer(verilog)}
    if not modules:
        raise VqromError("the Verilog of a design must hold modules; it has none")
    return modules


def synthesize(modules: Mapping[str, str], liberties: Sequence[str], folder: Path,
               progress: Progress | None = None, *, label: str = "synthesis",
               keep_memories: bool = True) -> dict[str, SynthesizedModule]:
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

    Raises
    ------
    VqromError
        If Yosys cannot map a module to the library.
    """
    tell = progress or (lambda what, done, total: None)
    tell(label, 0, len(modules))
    results: dict[str, SynthesizedModule] = {}
    with ThreadPoolExecutor(WORKERS) as pool:
        jobs = {pool.submit(_synthesize_one, name, modules, liberties, folder, keep_memories): name
                for name in modules}
        try:
            for done, job in enumerate(as_completed(jobs), start=1):
                results[jobs[job]] = job.result()
                tell(label, done, len(modules))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return results


def black_box(module: str) -> str:
    """Verilog of a module's ports without its contents.

    Raises
    ------
    VqromError
        If the text does not begin with a port list.
    """
    head = _HEAD.match(module)
    if head is None:
        raise VqromError(f"module text must begin with a port list, not {module[:40]!r}")
    return "\n".join(["(* blackbox *)", head.group(0), *_PORT.findall(module), "endmodule\n"])


def _synthesize_one(name: str, modules: Mapping[str, str], liberties: Sequence[str],
                    folder: Path, keep_memories: bool) -> SynthesizedModule:
    body = modules[name]
    children = sorted({kind for kind, _ in _INSTANCE.findall(body)} & set(modules))
    text = body + "".join(black_box(modules[child]) for child in children)
    memory_files = {file: (folder / file).read_bytes() for file, _ in _READMEMH.findall(body)}
    commands = script(name, kept_memories(body) if keep_memories else (), len(liberties))

    def build(directory: Path) -> None:
        (directory / "module.v").write_text(text, encoding="utf-8")
        for number, liberty in enumerate(liberties):
            (directory / _library_file(number)).write_text(liberty, encoding="utf-8")
        for file, content in memory_files.items():
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

    cached = cached_directory("synthesis", synthesis_key(commands, liberties, text, memory_files),
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


def script(name: str, kept: Sequence[str], liberties: int = 1) -> tuple[str, ...]:
    """Yosys commands that map ``module.v`` to the library's files and write ``netlist.json``."""
    files = " ".join(f"-liberty {_library_file(number)}" for number in range(liberties))
    return (
        "read_verilog module.v",
        # Without it a register that starts at 0 may be merged with a constant; no chip starts so.
        "setattr -unset init w:*",
        f"hierarchy -check -top {name}",
        "synth -run begin:fine",
        *(f"setattr -set vqrom_kept 1 c:{memory}" for memory in kept),
        "opt -fast -full", "memory_map -attr !vqrom_kept", "opt -undriven -fine",
        "techmap", "opt -fast -full",
        f"dfflibmap {files}", "opt",
        f"abc {files} -script +{ABC_SCRIPT}",
        "opt_clean", "write_json netlist.json",
    )


def _library_file(number: int) -> str:
    """Name of a file of the library in the folder where Yosys runs."""
    return f"cells{number}.lib"


def kept_memories(module: str) -> list[str]:
    """Names of the memories of a module that stay memories: large RAMs and very large ROMs."""
    roms = {name.strip() for _, name in _READMEMH.findall(module)}
    kept = []
    for high, name, last in _MEMORY.findall(module):
        bits = (int(high) + 1) * (int(last) + 1)
        if bits > ROM_LOGIC_BITS if name.strip() in roms else bits >= MACRO_BITS:
            kept.append(name.strip().removeprefix("\\"))
    return kept


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
