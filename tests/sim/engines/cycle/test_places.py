"""The cycle model's register map, its rings, and its order of the buffer's banks."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.sim.engines.engine_checks import BANKED
from vqrom_hw.errors import VqromError
from vqrom_hw.isa import QUEUES
from vqrom_hw.memory import activation_buffer
from vqrom_sim.engines.cycle import memory, places
from vqrom_sim.engines.cycle.allocator import ring_mask


@pytest.mark.parametrize("banks", [1, 2, 4, 8, 16])
def test_order_of_banks(banks: int) -> None:
    """The model's own, fast form of the hardware's function."""
    addresses = [*range(600), 2**20 - 1, 2**19 + 5]
    bits = banks.bit_length() - 1
    assert [memory.bank_of(address, bits) for address in addresses] == [
        activation_buffer.bank_of(address, banks) for address in addresses]


@pytest.mark.parametrize("count", [0, 3, 12])
def test_rings_have_a_power_of_two_of_places(count: int) -> None:
    assert [ring_mask(number, "DRAM_QUEUE") for number in (1, 2, 16)] == [0, 1, 15]
    with pytest.raises(VqromError, match=f"DRAM_QUEUE must be a power of two .*, not {count}"):
        ring_mask(count, "DRAM_QUEUE")


def test_registers_do_not_overlap() -> None:
    """Each register of the map has places of its own, in the order in which they are declared."""
    firsts = [value for name, value in vars(places).items()
              if re.fullmatch("[RWLDTQPCV]_[A-Z_]+", name) or name == "CHANNELS"]
    firsts += places.QUEUE_PLACES.values()
    assert len(set(firsts)) == len(firsts) > 60 and max(firsts) == places.V_RING
    assert list(places.QUEUE_PLACES) == list(QUEUES)
    assert np.diff(list(places.QUEUE_PLACES.values())).tolist() == (
        [places.QUEUE_SIZE] * (len(QUEUES) - 1))
    assert places.DEEPEST_QUEUE == BANKED.command_queue == 16
