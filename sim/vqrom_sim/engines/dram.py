"""The simulated DRAM's dimensions, which the Verilog test bench and the cycle model share.

Both engines put the same memory behind the accelerator (``rtl/simulator/dram.sv``): a fixed latency
from each read address to its first beat, then a beat a cycle, bursts in the order of their
addresses.
"""

from __future__ import annotations

DRAM_BYTES = 1 << 26
"""Size of the simulated DRAM: program, constants and all images must fit."""
DRAM_QUEUE = 16
"""Bursts that the DRAM queues, reads and writes each for themselves. A power of two: the Verilog
counts places in as many bits as it takes, and lets them wrap."""
