"""Whether a VECTOR asks for something that was left out of this accelerator, or never was."""

from amaranth.hdl import Cat, Value
from amaranth.lib import data

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import available_operations


def is_missing(config: AcceleratorConfig, vector: data.View) -> Value:
    """Whether the body of a VECTOR needs what the vector unit of ``config`` does not have; 1 bit.

    Parameters
    ----------
    vector:
        The body, a view of :data:`~vqrom_hw.isa.vector_layout`.
    """
    known = Cat(vector.operation == each for each in available_operations(config)).any()
    needs = [~known]
    if not config.vector_elementwise:
        needs.append(vector.broadcast)
    if config.vector_tables != "lane":
        needs.append(vector.lane_tables)
    if not config.vector_moves:
        needs.append(Cat(vector.rotation, vector.first_lane, vector.lanes).any())
    return Cat(needs).any()
