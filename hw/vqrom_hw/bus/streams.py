"""TODO."""

from vqrom_hw.isa import Channel

COMMANDS, PARAMETERS, VECTOR, WEIGHTS, ACTIVATIONS = range(5)
"""Read streams in order of priority."""

CHANNEL_STREAM = {Channel.WEIGHT: WEIGHTS, Channel.PARAMETER: PARAMETERS, Channel.VECTOR: VECTOR}

COMMAND_FIFO_BEATS = 32
