"""TODO."""


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
