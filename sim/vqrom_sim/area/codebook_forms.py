"""The codebook in every form that could hold it: same bits, same lookup ports, its area in each.

Forms that are logic are synthesised with the cells of the accelerator; macros are estimated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vqrom_hw.config import AcceleratorConfig
from vqrom_sim.technology import MemoryShape, Technology
from vqrom_sw.progress import Progress

from .bank_conflicts import cycles_of_lookup
from .codebook_verilog import crossbar, register_file, rom_port
from .libraries import CellLibrary
from .memories import rounded
from .modules import MACRO_WORDS, ROM_LOGIC_BITS
from .sizes import size_of
from .synthesis import synthesize

FORMS: dict[str, str] = {
    "logic": "ROM as constant logic, a copy for each port",
    "rom_macros": "mask ROM macro for each port",
    "rom_multiport": "one mask ROM with all ports in each cell",
    "rom_banked": "one mask ROM in banks behind a crossbar",
    "sram_macros": "single-port SRAM macro for each port",
    "registers": "registers with all ports",
}
"""Forms by name, and what each is."""
MAX_REGISTER_BITS = 1 << 15
"""Larger codebooks are not synthesised in registers: the multiplexers alone take minutes."""
MAX_CROSSBAR_PORTS = 32
"""No crossbar with more ports is synthesised."""
MAX_CELL_PORTS = 16
"""Ports of one cell of a ROM; more are several ROMs."""
SYNTHESIS_ERROR = 0.03
"""Relative error of synthesised logic: how far apart composed and flat synthesis may be."""


@dataclass(frozen=True)
class Codebook:
    """A codebook whose forms are sized.

    Members
    -------
    words, width, ports:
        Codewords, bits of each, and lookups in a cycle.
    folder:
        Where ``codebook.hex`` lies.
    library:
        Cells, and the technology of macros.
    progress:
        As for :func:`.synthesis.synthesize`.
    """

    words: int
    width: int
    ports: int
    folder: Path
    library: CellLibrary
    progress: Progress | None

    @property
    def bits(self) -> int:
        """Bits of one copy."""
        return self.words * self.width


def stored_form(config: AcceleratorConfig) -> str:
    """The form in which an accelerator holds its codebook."""
    if config.codebook_storage == "sram":
        return "sram_macros"
    whole = (config.codebook_rom == "macro"
             or config.codewords * config.codeword_width > ROM_LOGIC_BITS)
    return "rom_macros" if whole else "logic"


def codebook_forms(config: AcceleratorConfig, folder: Path, library: CellLibrary,
                   rom: Mapping[str, Any], progress: Progress | None = None) -> dict[str, Any]:
    """What ``area.json`` says of the codebook's storage.

    Parameters
    ----------
    config:
        The accelerator.
    folder:
        Where it was generated.
    library:
        Cells, and the technology of macros.
    rom:
        Sizes of the group that holds the codebook.
    progress:
        As for :func:`.synthesis.synthesize`.

    Returns
    -------
    dict
        ``bits``, ``read_ports``, ``stored`` (the form that the accelerator has), ``rom`` (what that
        takes), ``registers`` (sizes in registers, or None), ``forms`` (a row for each of
        :data:`FORMS`), ``recommended`` (the smallest that serves all ports in every cycle) and
        ``clear`` (whether it is the smallest whatever the errors).
    """
    codebook = Codebook(config.codewords, config.codeword_width, config.decode_ports, folder,
                        library, progress)
    stored = stored_form(config)
    logic = dict(rom) if stored == "logic" else _logic(codebook)
    registers = _registers(codebook)
    forms = [
        _measured("logic", logic, f"not synthesised above {ROM_LOGIC_BITS} bits"),
        _macros("rom_macros", codebook, MemoryShape("rom", codebook.words, codebook.width),
                codebook.ports),
        _multiport(codebook),
        _banked(codebook),
        _macros("sram_macros", codebook,
                MemoryShape("sram_1rw", codebook.words, codebook.width), codebook.ports),
        _measured("registers", registers, f"not synthesised above {MAX_REGISTER_BITS} bits"),
    ]
    best, clear = smallest(forms)
    return {"bits": codebook.bits, "read_ports": codebook.ports, "stored": stored,
            "rom": dict(rom), "registers": registers, "forms": forms, "recommended": best,
            "clear": clear}


def smallest(forms: list[dict[str, Any]]) -> tuple[str, bool]:
    """The smallest form that serves all ports in every cycle, and whether it stays so at the ends
    of all ranges."""
    rows = sorted((row for row in forms if row["area_um2"] is not None and row["cycles"] == 1),
                  key=lambda row: row["area_um2"])
    return rows[0]["form"], all(rows[0]["high_um2"] < row["low_um2"] for row in rows[1:])


def _row(form: str, method: str, logic_um2: float, memory_um2: float, error: float,
         **more: Any) -> dict[str, Any]:
    area_um2 = logic_um2 + memory_um2
    return {"form": form, "what": FORMS[form], "method": method, "logic_um2": rounded(logic_um2),
            "memory_um2": rounded(memory_um2), "area_um2": rounded(area_um2),
            "low_um2": rounded(area_um2 * (1 - error)), "high_um2": rounded(area_um2 * (1 + error)),
            "error": rounded(error), "cycles": 1, "macros": 0, "access_ns": None,
            "reason": None} | more


def _none(form: str, reason: str) -> dict[str, Any]:
    return {"form": form, "what": FORMS[form], "method": None, "logic_um2": None,
            "memory_um2": None, "area_um2": None, "low_um2": None, "high_um2": None,
            "error": None, "cycles": None, "macros": None, "access_ns": None, "reason": reason}


def _measured(form: str, sizes: Mapping[str, Any] | None, reason: str) -> dict[str, Any]:
    if sizes is None:
        return _none(form, reason)
    return _row(form, "synthesis", sizes["logic_um2"], 0, SYNTHESIS_ERROR)


def _macros(form: str, codebook: Codebook, shape: MemoryShape, count: int) -> dict[str, Any]:
    estimate = codebook.library.technology.estimate(shape)
    return _row(form, "macro model", 0, count * estimate.area_um2, estimate.error, macros=count,
                access_ns=rounded(estimate.access_ns))


def _multiport(codebook: Codebook) -> dict[str, Any]:
    """One ROM with all ports, or a few with equally many where a cell cannot have as many.

    How much a port widens and heightens the cell is known badly (``rom.port_width`` and
    ``rom.port_height`` of the technology), so the range of the area is that of these constants.
    """
    count = -(-codebook.ports // MAX_CELL_PORTS)
    shape = MemoryShape("rom", codebook.words, codebook.width,
                        read_ports=-(-codebook.ports // count))
    row = _macros("rom_multiport", codebook, shape, count)
    low, high = (_with_ports(codebook.library.technology, end).estimate(shape).area_um2 * count
                 for end in ("low", "high"))
    low_um2, high_um2 = low * (1 - row["error"]), high * (1 + row["error"])
    return row | {"low_um2": rounded(low_um2), "high_um2": rounded(high_um2),
                  "error": rounded((high_um2 - low_um2) / (2 * row["area_um2"]))}


def _with_ports(technology: Technology, end: str) -> Technology:
    """The technology with ports of a ROM's cell at one end of their range."""
    ports = {name: constant.model_copy(update={"value": getattr(constant, end)})
             for name in ("port_width", "port_height")
             for constant in [getattr(technology.rom, name)]}
    return technology.model_copy(update={"rom": technology.rom.model_copy(update=ports)})


def _banked(codebook: Codebook) -> dict[str, Any]:
    """As many banks as ports, if each has at least :data:`.modules.MACRO_WORDS` words."""
    banks = 1 << (codebook.ports - 1).bit_length()
    while banks > 1 and codebook.words < banks * MACRO_WORDS:
        banks //= 2
    if banks == 1 or codebook.ports > MAX_CROSSBAR_PORTS:
        return _none("rom_banked", f"needs 2 to {MAX_CROSSBAR_PORTS} ports and banks of at least "
                                   f"{MACRO_WORDS} words")
    name = f"crossbar_{codebook.ports}"
    text = crossbar(name, codebook.words, codebook.width, codebook.ports, banks)
    logic = _synthesized(codebook, {name: text}, "crossbar")[name]
    estimate = codebook.library.technology.estimate(
        MemoryShape("rom", -(-codebook.words // banks), codebook.width))
    memory = banks * estimate.area_um2
    error = ((logic["logic_um2"] * SYNTHESIS_ERROR + memory * estimate.error)
             / (logic["logic_um2"] + memory))
    return _row("rom_banked", "synthesis and macro model", logic["logic_um2"], memory, error,
                macros=banks, cycles=rounded(cycles_of_lookup(codebook.ports, banks)),
                access_ns=rounded(estimate.access_ns))


def _logic(codebook: Codebook) -> dict[str, Any] | None:
    """All ports as constant logic; None for very large codebooks."""
    if codebook.bits > ROM_LOGIC_BITS:
        return None
    text = {"codebook_logic": rom_port(codebook.words, codebook.width, "codebook_logic")}
    sizes = _synthesized(codebook, text, "codebook as logic")["codebook_logic"]
    return {key: rounded(value * codebook.ports) for key, value in sizes.items()}


def _registers(codebook: Codebook) -> dict[str, Any] | None:
    """All ports in registers; None for large codebooks.

    Files with one and with two read ports are synthesised; every further port adds their
    difference, since ports share the storage and nothing else.
    """
    if codebook.bits > MAX_REGISTER_BITS:
        return None
    texts = {f"registers_{ports}": register_file(f"registers_{ports}", codebook.words,
                                                 codebook.width, ports) for ports in (1, 2)}
    sizes = _synthesized(codebook, texts, "codebook in registers")
    one, two = (sizes[name] for name in texts)
    return {key: rounded(one[key] + (codebook.ports - 1) * (two[key] - one[key])) for key in one}


def _synthesized(codebook: Codebook, texts: Mapping[str, str],
                 label: str) -> dict[str, dict[str, Any]]:
    """Sizes of modules, memories built of cells."""
    netlists = synthesize(texts, codebook.library.library.texts, codebook.folder,
                          codebook.progress, label=label, keep_memories=False)
    return {name: size_of(netlist.cells, codebook.library) for name, netlist in netlists.items()}
