"""What is asked for besides a simulation's figures."""

from __future__ import annotations

from dataclasses import dataclass

from vqrom_hw.errors import VqromError


@dataclass(frozen=True)
class Extras:
    """What a simulation gives besides its figures.

    Members
    -------
    tune:
        Take the fastest of several tilings, of the network and of its baselines.
    baselines:
        Also run what the accelerator takes with other weights.
    timeline:
        Also write down which unit works on which layer when.
    waves:
        A layer whose signals are recorded; None for none.
    """

    tune: bool = False
    baselines: bool = False
    timeline: bool = False
    waves: str | None = None

    def check(self, engine: str) -> None:
        """Check that an engine can give them.

        Raises
        ------
        VqromError
            If it cannot.
        """
        if self.waves is not None and engine != "rtl":
            raise VqromError(f"waves of layer {self.waves!r} need engine 'rtl', not {engine!r}")
        for asked, name in ((self.baselines, "baselines"), (self.timeline, "a timeline")):
            if asked and engine == "reference":
                raise VqromError(f"{name} must come from an engine that counts, not from "
                                 f"{engine!r}")
