"""What a register declaration says, and which declarations are refused."""

from dataclasses import dataclass
from typing import ClassVar, Literal

REGISTER_ADDRESS_BITS = 12
"""Address bits of the register space: 4 KiB, all of it behind AXI4-Lite."""

WORD_BYTES = 4
"""Bytes of one access; a register of 64 bits is read as two words, the low one first."""


@dataclass(frozen=True)
class RegisterField:
    """Neighbouring bits of a register that mean one thing.

    Members
    -------
    name:
        Name in the C header and in the documentation.
    bit, width:
        Lowest bit, and number of bits.
    description:
        What the bits mean, as a phrase.
    write_one:
        Whether writing 1 makes something happen once; such a field reads 0.
    """

    name: str
    bit: int
    width: int
    description: str
    write_one: bool = False

    @property
    def mask(self) -> int:
        """The field's bits, at their place in the register."""
        return ((1 << self.width) - 1) << self.bit


@dataclass(frozen=True)
class Register:
    """One register of the accelerator.

    Members
    -------
    name:
        Name in ``vqrom.json``; an identifier.
    offset:
        Bytes from the base address of the accelerator; a multiple of the register's size.
    access:
        ``ro``: writes are ignored; ``rw``: may be read and written.
    description:
        What it holds, as a phrase.
    fields:
        What its bits mean; empty if the whole register is one number.
    width:
        32 or 64 bits.

    Raises
    ------
    ValueError
        If the register lies outside the register space or is not aligned, or if its fields
        overlap or lie outside it. The text names the register.
    """

    name: str
    offset: int
    access: Literal["ro", "rw"]
    description: str
    fields: tuple[RegisterField, ...] = ()
    width: Literal[32, 64] = 32
    items: ClassVar[None] = None

    def __post_init__(self) -> None:
        rules = (
            (self.name.isidentifier(), "name", "be an identifier", self.name),
            (self.access in ("ro", "rw"), "access", "be 'ro' or 'rw'", self.access),
            (self.width in (32, 64), "width", "be 32 or 64", self.width),
            (self.offset % (self.width // 8) == 0, "offset",
             f"be a multiple of {self.width // 8}", self.offset),
            (0 <= self.offset <= (1 << REGISTER_ADDRESS_BITS) - self.width // 8, "offset",
             f"lie within the {1 << REGISTER_ADDRESS_BITS} bytes of registers", self.offset),
        )
        for holds, subject, rule, value in rules:
            if not holds:
                raise ValueError(f"register {self.name!r}: {subject} must {rule}, not {value!r}")
        self._check_fields()

    def _check_fields(self) -> None:
        owners: dict[int, str] = {}
        for field in self.fields:
            if field.bit < 0 or field.width < 1 or field.bit + field.width > self.width:
                raise ValueError(
                    f"register {self.name!r}: field {field.name!r} must lie within {self.width} "
                    f"bits, not at bit {field.bit!r} with {field.width!r} bits")
            for bit in range(field.bit, field.bit + field.width):
                if bit in owners:
                    raise ValueError(f"register {self.name!r}: field {field.name!r} must not "
                                     f"overlap field {owners[bit]!r}")
                owners[bit] = field.name

    @property
    def registers(self) -> tuple["Register", ...]:
        """The register itself: a declaration is a list of registers and arrays of registers."""
        return (self,)

    def field(self, name: str) -> RegisterField:
        """The field of that name.

        Raises
        ------
        KeyError
            If there is none.
        """
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(f"register {self.name!r} has no field {name!r}")


@dataclass(frozen=True)
class RegisterArray:
    """Registers of one kind that follow each other without a gap, one for each item.

    Members
    -------
    name, items:
        The register of an item is called ``name_item``.
    offset:
        Byte offset of the first.
    access, width:
        As of a :class:`Register`, the same for all.
    description:
        What each holds; ``{item}`` stands for the item, ``{first}`` and ``{last}`` for the bytes
        that it holds if the array is one long number.
    """

    name: str
    offset: int
    access: Literal["ro", "rw"]
    description: str
    items: tuple[str, ...]
    width: Literal[32, 64] = 32

    @property
    def stride(self) -> int:
        """Bytes from one register to the next."""
        return self.width // 8

    @property
    def registers(self) -> tuple[Register, ...]:
        """The registers of all items, in order."""
        size = self.stride
        return tuple(
            Register(f"{self.name}_{item}", self.offset + size * number, self.access,
                     self.description.format(item=item, first=size * number,
                                             last=size * (number + 1) - 1), width=self.width)
            for number, item in enumerate(self.items))
