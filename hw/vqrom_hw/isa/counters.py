"""The event counters by name, which reports, the cycle model and the hardware share."""

ACTIVITIES = ("compute", "weights", "accumulators", "drain", "vector", "load", "store",
              "command")
"""What a cycle is spent on while a program runs: exactly one of these, so that they add up.

``compute``: the array takes a word. ``weights``: the array has a command and waits for weights.
``accumulators``: it waits for a half of the accumulators. If the array has no command that may
run, the cycle goes to the first that applies: ``drain``, post-processing is at work; ``vector``,
``load`` or ``store``, that unit has a command; ``command``, the next one is fetched and decoded.
"""

UNITS = ("post", "vector", "load", "store")
"""Units that work beside the array: post-processing, the vector unit, LOAD and STORE."""

COUNTER_MEANINGS: dict[str, str] = {
    "cycles": "cycles in which a program runs",
    **{f"{activity}_cycles": f"cycles with the cause {activity}" for activity in ACTIVITIES},
    "post_busy": "cycles in which finished sums are not yet written",
    **{f"{unit}_busy": f"cycles in which the {unit} unit has a command that waits for no other one"
       for unit in UNITS[1:]},
    "index_beats": "bus beats of indices",
    "raw_weight_beats": "bus beats of int8 weights of raw layers and depthwise layers",
    "codebook_beats": "bus beats of codewords for a codebook SRAM",
    "parameter_beats": "bus beats of biases, multipliers and shifts",
    "command_beats": "bus beats of commands",
    "activation_read_beats": "bus beats of feature maps that are read",
    "activation_write_beats": "bus beats of feature maps that are written",
    "rom_reads": "codewords read from the codebook",
    "activation_buffer_reads": "words read from the activation buffer",
    "activation_buffer_writes": "words written to the activation buffer",
    "accumulator_reads": "words read from accumulator banks",
    "accumulator_writes": "words written to accumulator banks",
}
"""What each counter counts between the start of a program and its end, in register order."""

COUNTERS = tuple(COUNTER_MEANINGS)
"""Names of the counters in register order."""
