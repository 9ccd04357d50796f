"""The accelerator's dimensions: one frozen object that hardware, compiler and simulation read."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from .codebook_shape import MAX_CODEWORDS, MIN_CODEWORDS, Subvector, index_width
from .errors import VqromError
from .files import read_toml

_FIFOS = ("weight_fifo_beats", "parameter_fifo_beats", "vector_fifo_beats",
          "activation_fifo_beats")


class AcceleratorConfig(BaseModel):
    """Every dimension of one accelerator.

    It is frozen and checked when it is made, so that whoever holds one can build hardware from it.

    Members
    -------
    name:
        What reports call this configuration.
    subvector:
        ``d``: int8 weights of a codeword, one for each of ``d`` consecutive input channels.
    codewords:
        ``k``: codewords of the codebook.
    rows:
        Lanes of the array: input channels that are multiplied each cycle. A word of the activation
        buffer holds ``rows`` int8 channels of one pixel.
    columns:
        Output channels that are computed side by side; divides ``rows``.
    decode_ports:
        Codewords that the codebook delivers in one cycle: 1 to the number of PEs.
    codebook_storage:
        ``rom``: the codebook is built in. ``sram``: a program loads it over the bus, as
        accelerators with a codebook for each layer do; for comparison.
    codebook_rom:
        How the ROM is written: ``readmemh`` (a memory with a file), ``logic`` (a case statement),
        or ``macro`` (instances of a black box, whose ports ``docs/hw/memories.md`` lists).
    post_lanes:
        Sums that are requantised in one cycle behind the accumulators; divides ``columns``.
    vector_lanes:
        Channels that the vector unit requantises in one cycle; divides ``rows``.
    vector_taps:
        Most kernel positions of a depthwise convolution.
    vector_columns:
        Kernel columns of a depthwise convolution that each lane of the vector unit works on at
        once; wider kernels take one position at a time.
    vector_elementwise:
        Whether the vector unit subtracts, multiplies, and takes the larger or smaller of two maps,
        and whether the second of them may be one word for all pixels. It always adds two maps.
    vector_tables:
        Tables of unary functions in the vector unit: ``none``, ``shared`` (one table for all
        channels), or ``lane`` (also one for each channel of a word).
    vector_moves:
        Whether the vector unit moves results to other lanes, and writes some lanes of a word alone.
    bus_width:
        Width of the AXI4 data bus in bits.
    activation_words:
        Depth of the activation buffer in words of ``rows`` bytes; a multiple of
        ``activation_banks``.
    activation_banks:
        Memories over which the buffer is interleaved, so that units rarely meet in one.
    accumulator_depth:
        Pixels of a column tile that each of the two halves of the accumulators holds.
    weight_fifo_beats, parameter_fifo_beats, vector_fifo_beats, activation_fifo_beats:
        Depth of the FIFO of each read channel in bus beats, at least one burst.
    command_queue:
        Commands that each unit's queue holds, the one in progress included.
    max_burst_beats:
        Beats of the longest AXI4 burst; at most 4096 bytes.
    dram_latency:
        Cycles from a read address to its first beat in the simulated DRAM, which delivers a beat a
        cycle after that. A property of the system around the accelerator: no hardware depends on
        it.

    Raises
    ------
    pydantic.ValidationError
        If a dimension is missing, unknown, of the wrong type or out of range, or if two do not fit
        each other; a ``ValueError``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str = Field(min_length=1, max_length=64)
    subvector: Subvector = 4
    codewords: int = Field(default=256, ge=MIN_CODEWORDS, le=MAX_CODEWORDS)
    rows: int = Field(ge=1, le=256)
    columns: int = Field(ge=1, le=256)
    decode_ports: int = Field(ge=1, le=65536)
    codebook_storage: Literal["rom", "sram"] = "rom"
    codebook_rom: Literal["readmemh", "logic", "macro"] = "readmemh"
    post_lanes: int = Field(ge=1, le=256)
    vector_lanes: int = Field(default=1, ge=1, le=256)
    vector_taps: int = Field(default=49, ge=1, le=1023)
    vector_columns: int = Field(default=1, ge=1, le=15)
    vector_elementwise: bool = True
    vector_tables: Literal["none", "shared", "lane"] = "lane"
    vector_moves: bool = True
    bus_width: Literal[64, 128, 256, 512, 1024] = 128
    activation_words: int = Field(ge=16, le=1 << 18)
    activation_banks: Literal[1, 2, 4, 8, 16] = 4
    accumulator_depth: int = Field(ge=1, le=1 << 15)
    weight_fifo_beats: int = Field(default=64, ge=4, le=4096)
    parameter_fifo_beats: int = Field(default=32, ge=4, le=4096)
    vector_fifo_beats: int = Field(default=32, ge=4, le=4096)
    activation_fifo_beats: int = Field(default=64, ge=4, le=4096)
    command_queue: int = Field(default=2, ge=1, le=16)
    max_burst_beats: int = Field(default=16, ge=1, le=256)
    dram_latency: int = Field(default=32, ge=1, le=10_000)

    @model_validator(mode="after")
    def _check_combinations(self) -> Self:
        """Refuse dimensions that do not fit each other; the text names both."""
        rules = [
            (self.rows % self.subvector == 0, "rows",
             f"be a multiple of subvector {self.subvector}"),
            (self.rows % self.columns == 0, "columns", f"divide rows {self.rows}"),
            (self.columns % self.post_lanes == 0, "post_lanes", f"divide columns {self.columns}"),
            (self.rows % self.vector_lanes == 0, "vector_lanes", f"divide rows {self.rows}"),
            (self.decode_ports <= self.processing_elements, "decode_ports",
             f"be at most the number of PEs, {self.processing_elements}"),
            (self.activation_words % self.activation_banks == 0, "activation_words",
             f"be a multiple of activation_banks {self.activation_banks}"),
            *((getattr(self, field) >= self.max_burst_beats, field,
               f"hold one burst of {self.max_burst_beats} beats") for field in _FIFOS),
            (self.max_burst_beats * self.beat_bytes <= 4096, "max_burst_beats",
             f"stay within 4096 bytes at bus_width {self.bus_width}"),
        ]
        for holds, field, rule in rules:
            if not holds:
                raise ValueError(f"{field} must {rule}, not {getattr(self, field)!r}")
        return self

    @property
    def pe_rows(self) -> int:
        """PEs of one column, each of which takes one of the sub-vectors that lie side by side along
        the reduction."""
        return self.rows // self.subvector

    @property
    def processing_elements(self) -> int:
        """PEs (processing elements) of the whole array; each holds one codeword."""
        return self.pe_rows * self.columns

    @property
    def peak_macs_per_cycle(self) -> int:
        """Multiply-accumulates in a cycle in which the whole array works."""
        return self.rows * self.columns

    @property
    def index_width(self) -> int:
        """Bits of an index into the codebook."""
        return index_width(self.codewords)

    @property
    def codeword_width(self) -> int:
        """Bits of a codeword: ``subvector`` int8 weights."""
        return 8 * self.subvector

    @property
    def fill_steps(self) -> int:
        """Cycles in which the decoder fills the shadow registers of the whole array."""
        return -(-self.processing_elements // self.decode_ports)

    @property
    def beat_bytes(self) -> int:
        """Bytes of a bus beat."""
        return self.bus_width // 8

    @property
    def post_steps(self) -> int:
        """Steps that post-processing takes over a column tile: ``post_lanes`` columns in each."""
        return self.columns // self.post_lanes

    @property
    def table_step(self) -> int:
        """Entries that a table for all lanes is loaded by in a cycle.

        A power of two that divides a word: as many as the lanes' memories have bytes side by side,
        one for each of the ``rows / vector_lanes`` lanes of a word that one of them stands for.
        """
        steps = self.rows // self.vector_lanes
        return math.gcd(self.rows, 1 << min(steps.bit_length() - 1, 8))

    @property
    def row_unit(self) -> int:
        """Least number of activation-buffer words that are a whole number of bus beats.

        Rows of a feature map begin at multiples of it, on chip and in DRAM.
        """
        return self.beat_bytes // math.gcd(self.beat_bytes, self.rows)


_EDGE: dict[str, Any] = {"activation_banks": 8, "vector_columns": 3, "bus_width": 128}

PRESETS: dict[str, dict[str, Any]] = {
    "tiny": {
        "name": "tiny", "rows": 8, "columns": 4, "decode_ports": 2, "post_lanes": 2,
        "vector_lanes": 2, "bus_width": 64, "activation_words": 4096, "accumulator_depth": 256,
    },
    "edge16": {
        "name": "edge16", "rows": 16, "columns": 16, "decode_ports": 16, "post_lanes": 8,
        "vector_lanes": 4, "activation_words": 8192, "accumulator_depth": 256, **_EDGE,
    },
    "edge32": {
        "name": "edge32", "rows": 32, "columns": 32, "decode_ports": 32, "post_lanes": 16,
        "vector_lanes": 8, "activation_words": 16384, "accumulator_depth": 1024, **_EDGE,
    },
}
"""Configurations by name: the smallest one for tests, and arrays of 16 x 16 and 32 x 32."""


def _first_error(error: ValidationError) -> str:
    first = error.errors()[0]
    message = first["msg"].removeprefix("Value error, ")
    if not first["loc"]:
        return message
    return f"{'.'.join(map(str, first['loc']))}: {message}, not {first['input']!r}"


def _raw_config(source: str) -> dict[str, Any]:
    if source in PRESETS:
        return dict(PRESETS[source])
    path = Path(source)
    if path.suffix != ".toml":
        raise VqromError(
            f"config must be one of {', '.join(PRESETS)} or a .toml file, not {source!r}")
    return read_toml(path, "config")


def load_config(source: str, *, subvector: int | None = None,
                codewords: int | None = None) -> AcceleratorConfig:
    """Make the configuration that a preset's name or a TOML file describes.

    Parameters
    ----------
    source:
        ``tiny``, ``edge16``, ``edge32``, or the path of a ``.toml`` file with the members of
        :class:`AcceleratorConfig` at its top level. ``base = "edge16"`` in the file starts from a
        preset; a file without ``name`` is called as its stem.
    subvector, codewords:
        Shape of the codebook that goes into the ROM. A source that does not give them takes these;
        one that gives other values does not fit the codebook and is refused.

    Returns
    -------
    AcceleratorConfig
        The configuration, all rules checked.

    Raises
    ------
    VqromError
        If the source is unknown, unreadable, or describes something that cannot be built.
    """
    raw = _raw_config(source)
    if "base" in raw:
        base = raw.pop("base")
        if not isinstance(base, str) or base not in PRESETS:
            raise VqromError(
                f"config {source!r}: base must be one of {', '.join(PRESETS)}, not {base!r}")
        raw = PRESETS[base] | raw
    raw.setdefault("name", Path(source).stem)
    for field, value in (("subvector", subvector), ("codewords", codewords)):
        if value is not None and raw.setdefault(field, value) != value:
            raise VqromError(
                f"config {source!r}: {field} must be {value}, as in the codebook, "
                f"not {raw[field]!r}")
    try:
        return AcceleratorConfig(**raw)
    except ValidationError as error:
        raise VqromError(f"config {source!r}: {_first_error(error)}") from None
