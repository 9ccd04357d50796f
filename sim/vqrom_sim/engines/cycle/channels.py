"""Numbers of the read channels, from the hardware's own description, as numba compiles them in."""

from vqrom_hw.bus import (
    ACTIVATIONS,
    CHANNEL_STREAM,
    COMMAND_FIFO_BEATS,
    COMMANDS,
    PARAMETERS,
    VECTOR,
    WEIGHTS,
)
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import Channel

COMMAND_CHANNEL, PARAMETER_CHANNEL, VECTOR_CHANNEL, WEIGHT_CHANNEL, ACTIVATION_CHANNEL = (
    int(number) for number in (COMMANDS, PARAMETERS, VECTOR, WEIGHTS, ACTIVATIONS))
"""The FIFOs behind the read DMA by what comes through them; a lower number has priority."""

FETCH_CHANNELS = tuple(int(CHANNEL_STREAM[channel]) for channel in Channel)
"""The read channel that a FETCH fills, by the number in the command."""

READ_CHANNELS = 5
"""How many read channels there are."""


def channel_depths(config: AcceleratorConfig) -> tuple[int, ...]:
    """FIFO depth of each read channel in bus beats, in the order of their numbers."""
    depths = {
        COMMANDS: COMMAND_FIFO_BEATS,
        PARAMETERS: config.parameter_fifo_beats,
        VECTOR: config.vector_fifo_beats,
        WEIGHTS: config.weight_fifo_beats,
        ACTIVATIONS: config.activation_fifo_beats,
    }
    return tuple(depths[number] for number in range(READ_CHANNELS))
