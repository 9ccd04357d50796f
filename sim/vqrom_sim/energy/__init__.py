"""Energy: counters times what each event costs.

What events cost in logic comes from the accelerator's own netlists: they are simulated gate by
gate on what the Verilog did with a real network, and each transition costs what the Liberty library
says. Memories come from the macro model, DRAM is a parameter.
"""

from .account import account
from .characterisation import Characterisation, ComponentEnergy
from .characterise import Run, characterise, windows_of
from .counters import counters_of
from .measured import characterisation_file, characterisation_names
from .scaling import scale

__all__ = [
    "Characterisation", "ComponentEnergy", "Run", "account", "characterisation_file",
    "characterisation_names", "characterise", "counters_of", "scale", "windows_of",
]
