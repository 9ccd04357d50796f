"""Event counters: the ground truth of every cycle and traffic figure."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

ACTIVITIES = ("compute", "weights", "accumulators", "drain", "vector", "load", "store",
              "command")
"""What a busy cycle is spent on, exactly one of these, so that they add up to ``cycles``.

``compute``: the array takes a word. ``weights``: it waits for weights; ``accumulators``: for a
half of the accumulators. If it has no command that may run: ``drain`` where post-processing is at
work, else ``vector``, ``load``, ``store`` where that unit has a command, else ``command``: fetch
and decode of the next one.
"""

UNITS = ("post", "vector", "load", "store")
"""Units that work beside the array."""

COUNTERS = ("cycles", *(f"{name}_cycles" for name in ACTIVITIES),
            *(f"{name}_busy" for name in UNITS),
            "index_beats", "raw_weight_beats", "codebook_beats", "parameter_beats",
            "command_beats", "activation_read_beats", "activation_write_beats", "rom_reads",
            "activation_buffer_reads", "activation_buffer_writes",
            "accumulator_reads", "accumulator_writes")
"""Counter names in CSR order. ``*_busy``: cycles in which the unit has a command that waits for no
other one; of post-processing, in which sums are finished and not yet written. Beats are bus beats;
buffer accesses are words of the memory."""

INCREMENT_BITS = 16


class Counters(wiring.Component):
    """One 64-bit counter per name of :data:`COUNTERS`.

    Members
    -------
    clear: ``In(1)``
        Set all to zero.
    increments: ``In(StructLayout)``
        What to add in this cycle, 16 bits each.
    values: ``Out(StructLayout)``
        Counters.
    """

    def __init__(self):
        super().__init__({
            "clear": In(1),
            "increments": In(data.StructLayout(dict.fromkeys(COUNTERS, INCREMENT_BITS))),
            "values": Out(data.StructLayout(dict.fromkeys(COUNTERS, 64))),
        })

    def elaborate(self, platform):
        m = Module()
        for name in COUNTERS:
            counter = Signal(64, name=name)
            m.d.sync += counter.eq(counter + self.increments[name])
            with m.If(self.clear):
                m.d.sync += counter.eq(0)
            m.d.comb += self.values[name].eq(counter)
        return m
