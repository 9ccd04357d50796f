"""The instance tree of an accelerator, and the group of components that each part belongs to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from vqrom_hw.export import TOP
from vqrom_hw.isa import QUEUES

from .synthesis import SynthesizedModule

GROUPS = ("array", "rom", "decode", "accumulators", "post", "vector", "activation_buffer", "dma",
          "control")
"""Groups of components, in the order in which they are reported."""
COMPONENT_GROUPS: dict[str, str] = {
    "compute_unit": "array", "processing_array": "array", "sequencer": "array",
    "codebook_rom": "rom", "codebook_ram": "rom",
    "weight_feed": "decode", "weight_loader": "decode",
    "accumulator_banks": "accumulators",
    "post_processor": "post", "unpacker_parameter": "post",
    "vector_unit": "vector",
    "activation_buffer": "activation_buffer",
    "dma_read": "dma", "dma_write": "dma", "load_unit": "dma", "store_unit": "dma",
    "load_request_unit": "dma", "store_request_unit": "dma",
    "csr": "control", "counter_bank": "control", "command_processor": "control",
    **{f"{queue}_queue": "control" for queue in QUEUES}, TOP: "control",
}
"""Group of a component; one that is not named belongs to that of what it is in."""

_NUMBERS = re.compile(r"(_\d+)+$")


@dataclass(frozen=True)
class Place:
    """A place in the instance tree; instances that differ only by number share it.

    Members
    -------
    component:
        Path from the top, ``weight_loader/codebook_rom``; the top itself is ``vqrom``.
    group:
        One of :data:`GROUPS`.
    module:
        Verilog module.
    """

    component: str
    group: str
    module: str


def count_instances(netlists: Mapping[str, SynthesizedModule],
                    top: str = TOP) -> Counter[Place]:
    """How often each place of the instance tree occurs.

    Parameters
    ----------
    netlists:
        Every module by name, each without what is inside its submodules.
    top:
        Module at the root of the tree.
    """
    return Counter(place for _, place in instances(netlists, top))


def instances(netlists: Mapping[str, SynthesizedModule],
              top: str = TOP) -> Iterator[tuple[tuple[str, ...], Place]]:
    """Every instance of the tree, from the top: its names from there on, none for the top itself,
    and its place."""
    def visit(path: tuple[str, ...], place: Place) -> Iterator[tuple[tuple[str, ...], Place]]:
        yield path, place
        for instance, module in netlists[place.module].instances:
            name = _NUMBERS.sub("", instance)
            component = name if place.module == top else f"{place.component}/{name}"
            child = Place(component, COMPONENT_GROUPS.get(name, place.group), module)
            yield from visit((*path, instance), child)

    yield from visit((), Place(top, COMPONENT_GROUPS[TOP], top))
