"""Which operations of the vector unit an accelerator has: some can be left out of the hardware."""

from vqrom_hw.config import AcceleratorConfig

from .numbering import PAIRS, VectorOp


def available_operations(config: AcceleratorConfig) -> tuple[VectorOp, ...]:
    """The operations that the vector unit of an accelerator carries out, in their order.

    ADD is always among them, the other :data:`PAIRS` only with ``vector_elementwise``.
    """
    missing: set[VectorOp] = set()
    if config.vector_columns == 1:
        missing.add(VectorOp.SLIDING)
    if not config.vector_elementwise:
        missing |= set(PAIRS) - {VectorOp.ADD}
    if config.vector_tables == "none":
        missing.add(VectorOp.TABLE)
    return tuple(operation for operation in VectorOp if operation not in missing)
