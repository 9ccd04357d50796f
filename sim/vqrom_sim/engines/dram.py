"""TODO."""

from __future__ import annotations

DRAM_BYTES = 1 << 26
"""Size of the simulated DRAM."""
DRAM_QUEUE = 16
"""Bursts that it queues each way."""
