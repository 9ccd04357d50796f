"""Numbers of the read channels, from the hardware's own description, as numba compiles them in."""

from vqrom_hw import bus
from vqrom_hw.bus import ReadChannel
from vqrom_hw.isa import Channel

COMMAND_CHANNEL, PARAMETER_CHANNEL, VECTOR_CHANNEL, WEIGHT_CHANNEL, ACTIVATION_CHANNEL = (
    int(channel) for channel in ReadChannel)
"""The FIFOs behind the read DMA by what comes through them; a lower number has priority."""

FETCH_CHANNELS = tuple(int(bus.FETCH_CHANNELS[channel]) for channel in Channel)
"""The read channel that a FETCH fills, by the number in the command."""

READ_CHANNELS = len(ReadChannel)
"""How many read channels there are."""
