"""One command as bytes, for tests that write programs by hand."""

from amaranth.lib import data

from vqrom_hw.errors import VqromError
from vqrom_hw.isa import BODIES, COMMAND_BYTES, Opcode, header_layout


def _check_field(path: str, width: int, is_signed: bool, value: int) -> None:
    low = -(1 << (width - 1)) if is_signed else 0
    high = low + (1 << width) - 1
    if not low <= value <= high:
        raise VqromError(f"command field {path} must be in {low}..{high}, not {value!r}")


def _pack(layout: data.Layout, values: object, path: str) -> int:
    if isinstance(layout, data.StructLayout):
        if not isinstance(values, dict):
            raise VqromError(f"command field {path} must be a record, not {values!r}")
        unknown = set(values) - set(layout.members)
        if unknown:
            raise VqromError(f"command has no field {path}{sorted(unknown)[0]!r}")
        items = [(name, values[name]) for name in values]
    elif (isinstance(layout, data.ArrayLayout) and isinstance(values, (list, tuple))
          and len(values) <= layout.length):
        items = list(enumerate(values))
    else:
        raise VqromError(f"command field {path} must be a short enough list, not {values!r}")
    bits = 0
    for key, value in items:
        field = layout[key]
        if isinstance(field.shape, data.Layout):
            bits |= _pack(field.shape, value, f"{path}{key}.") << field.offset
        else:
            _check_field(f"{path}{key}", field.width, field.shape.signed, int(value))
            bits |= (int(value) & ((1 << field.width) - 1)) << field.offset
    return bits


def pack_command(opcode: Opcode, layer: int = 0, wait: dict[str, int] | None = None,
                 **body: object) -> bytes:
    """Encode one command, field by field as the layouts say.

    The compiler packs whole tables at once; this is the slow and simple way to compare it with.

    Parameters
    ----------
    opcode, layer, wait:
        Values of the header; ``wait`` by the names of ``wait_layout``.
    body:
        Values by the names of the opcode's layout in ``BODIES``: nested records as dicts, arrays
        as lists. Fields that are not given are zero.

    Returns
    -------
    bytes
        ``COMMAND_BYTES`` of them.

    Raises
    ------
    VqromError
        If a field does not exist or its value does not fit.
    """
    header = _pack(header_layout, {"opcode": opcode, "layer": layer, "wait": wait or {}}, "")
    layout = BODIES.get(opcode, data.StructLayout({}))
    bits = header | _pack(layout, body, "") << header_layout.size
    return bits.to_bytes(COMMAND_BYTES, "little")
