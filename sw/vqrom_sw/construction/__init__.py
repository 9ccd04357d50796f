"""Trained assignments: each sub-vector learns which of its nearest codewords to take.

The construction of VQ4ALL (arXiv 2412.06875): candidates are weighed by a softmax, trained against
the float network, and frozen progressively.
"""

from .module import Construction
from .train import ConstructionSettings, construct

__all__ = ["Construction", "ConstructionSettings", "construct"]
