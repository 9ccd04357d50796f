"""Construction: training the assignments, so that each sub-vector learns which codeword to take.

Nearest codewords lose accuracy where indices are short. Construction, after VQ4ALL (arXiv
2412.06875), makes the assignment trainable: each sub-vector has a few candidates and a logit for
each, a softmax of the logits gives ratios, the float network teaches, and choices are frozen
progressively. The codebook stays as it is, since it is in the ROM.
"""

from .augment import Augment, chosen
from .construction import Construction
from .train import ConstructionSettings, construct

__all__ = ["Augment", "Construction", "ConstructionSettings", "chosen", "construct"]
