"""How the accelerator's parts are put together: queues, wires, and what is counted.

A part knows only its own ports. Here each is given its neighbours: commands are dealt out to the
units' queues, the units meet the DMA and the activation buffer, and events become counters and
errors.
"""

from .connections import connect_buffer, connect_channels, connect_control, connect_transfers
from .dispatch import build_queues, track_completion
from .events import count_events, increment_bits, report_faults, show_layer
from .parts import Parts

__all__ = [
    "Parts", "build_queues", "connect_buffer", "connect_channels", "connect_control",
    "connect_transfers", "count_events", "increment_bits", "report_faults", "show_layer",
    "track_completion",
]
