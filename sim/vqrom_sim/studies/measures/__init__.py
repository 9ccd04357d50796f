"""What a study can measure: for each measure its columns, the work it needs, and the figures.

:data:`MEASURES` holds them by the names that a study file uses. A new one is a :class:`Measure` in
a file of its own and a line here.
"""

from .accuracy import ACCURACY
from .area import AREA
from .cycles import CYCLES, TRAFFIC
from .energy import ENERGY, TIME
from .measure import Measure

MEASURES: dict[str, Measure] = {
    measure.name: measure for measure in (CYCLES, TRAFFIC, AREA, TIME, ENERGY, ACCURACY)}
"""All measures by name, in the order of the table's columns."""

__all__ = ["MEASURES", "Measure"]
