"""What an engine counts while a program runs, whichever engine it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Counts:
    """Counters of a run, by the names of :data:`vqrom_hw.isa.counters.COUNTERS`; each is a number
    of events.

    Members
    -------
    counters:
        Per image, as the accelerator's registers show them.
    layer_counters:
        Summed over images, per entry of :attr:`vqrom_sw.compiler.Program.layers`: what was counted
        in its cycles. A cycle is that of the layer which the array works on or waits for; where it
        has nothing to do, of the unit that is the cause.
    """

    counters: list[dict[str, int]]
    layer_counters: list[dict[str, int]]

    @property
    def total(self) -> dict[str, int]:
        """Each counter summed over all images."""
        return {name: sum(counters[name] for counters in self.counters)
                for name in self.counters[0]}
