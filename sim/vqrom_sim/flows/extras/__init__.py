"""What a simulation gives besides its figures, where it is asked for.

Baselines (the same accelerator with other weights), a timeline of its units, and waves of a layer.
"""

from .baselines import DENSE, LOADED, baseline, dense_network, network_baselines, others_of
from .extras import Extras
from .timelines import program_timeline
from .waves import describe_waves, layer_waves, stage_of

__all__ = [
    "DENSE", "LOADED", "Extras", "baseline", "dense_network", "describe_waves", "layer_waves",
    "network_baselines", "others_of", "program_timeline", "stage_of",
]
