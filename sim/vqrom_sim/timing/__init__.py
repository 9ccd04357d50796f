"""Timing: how fast a design can be clocked, path by path.

Every module is mapped for speed, gets fan-out trees and drive strengths, and OpenSTA times the
whole, with memories as macros of a technology. Then cycles are seconds.
"""

from .analysis import SCHEMA, timing_of
from .opensta import require_opensta

__all__ = ["SCHEMA", "require_opensta", "timing_of"]
