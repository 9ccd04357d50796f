"""A technology: the constants of one node, and what they say of a memory."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from .arrays import estimate_array
from .constants import (
    ArrayConstants,
    Constant,
    DramEnergy,
    Frozen,
    LiteratureValue,
    PublishedMacro,
    RegisterConstants,
    Source,
)
from .registers import estimate_registers
from .shapes import KINDS, MacroEstimate, MemoryShape


class Technology(Frozen):
    """One node, as its TOML file describes it.

    Members
    -------
    name, description:
        What reports call it, and what it stands for.
    node_nm:
        Nominal size of the node.
    supply:
        Supply voltage in V.
    nand2:
        Area of a NAND2 equivalent in um2, for logic that no Liberty file gives an area.
    sram_1rw, sram_1r1w, rom, register_file:
        Constants of each kind of memory.
    published:
        Macros to check the constants with.
    energies:
        Published energies of operations and memories, of several nodes.
    dram:
        Energies per bit of kinds of DRAM, in rising order.
    sources:
        Where every value comes from, by the name that the values give.
    """

    name: str = Field(min_length=1, max_length=64)
    description: str = Field(min_length=1, max_length=500)
    node_nm: float = Field(gt=0, le=10_000)
    supply: Constant
    nand2: Constant
    sram_1rw: ArrayConstants
    sram_1r1w: ArrayConstants
    rom: ArrayConstants
    register_file: RegisterConstants
    published: Annotated[tuple[PublishedMacro, ...], Field(strict=False)] = ()
    energies: Annotated[tuple[LiteratureValue, ...], Field(strict=False)] = ()
    dram: Annotated[tuple[DramEnergy, ...], Field(strict=False, min_length=1)]
    sources: dict[str, Source]

    @property
    def supply_v(self) -> float:
        """Supply voltage in V."""
        return self.supply.value

    @property
    def nand2_um2(self) -> float:
        """Area of a NAND2 equivalent in um2."""
        return self.nand2.value

    @property
    def dram_pj_per_bit(self) -> tuple[float, ...]:
        """Energies per bit of DRAM over which studies sweep, in pJ, rising."""
        return tuple(kind.pj_per_bit for kind in self.dram)

    @property
    def literature(self) -> dict[str, LiteratureValue]:
        """Published energies by what is done and where: ``"int8 add, 45 nm"``."""
        return {f"{value.name}, {value.node_nm:g} nm": value for value in self.energies}

    @property
    def constants(self) -> dict[str, Constant]:
        """Every constant by its path in the file: ``rom.cell_width_um``."""
        found = {"supply": self.supply, "nand2": self.nand2}
        for kind in KINDS:
            group = getattr(self, kind)
            found |= {f"{kind}.{name}": value for name in type(group).model_fields
                      if isinstance(value := getattr(group, name), Constant)}
        return found

    def estimate(self, shape: MemoryShape) -> MacroEstimate:
        """Area, outline, access time, energies and leakage of a memory.

        Parameters
        ----------
        shape:
            The memory.

        Returns
        -------
        MacroEstimate
            Its figures, with how far they may be off.
        """
        if shape.kind == "register_file":
            return estimate_registers(shape, self.register_file, self.nand2_um2)
        return estimate_array(shape, getattr(self, shape.kind), self.nand2_um2)

    @model_validator(mode="after")
    def _check_sources(self) -> Self:
        """Every source that a value names is there, and energies of DRAM rise."""
        named = [(path, constant.source) for path, constant in self.constants.items()]
        named += [(f"published {macro.name!r}", macro.source) for macro in self.published]
        named += [(f"energy {value.name!r}", value.source) for value in self.energies]
        named += [(f"dram {kind.name!r}", kind.source) for kind in self.dram]
        for place, source in named:
            if source not in self.sources:
                raise ValueError(f"source of {place} must be one of {', '.join(self.sources)}, "
                                 f"not {source!r}")
        if list(self.dram_pj_per_bit) != sorted(set(self.dram_pj_per_bit)):
            raise ValueError(f"dram must be in rising order, not {list(self.dram_pj_per_bit)}")
        if len(self.literature) != len(self.energies):
            raise ValueError("energies must differ in name or node, not "
                             f"{[value.name for value in self.energies]}")
        if self.nand2_um2 <= 0:
            raise ValueError(f"nand2 must be greater than 0, not {self.nand2_um2}")
        return self
