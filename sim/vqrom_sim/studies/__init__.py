"""Studies: many accelerators measured on many workloads, as one table.

A study file names fields that vary, what is measured, and what counts as better. :class:`Study`
reads and checks it, :func:`run_study` measures its points on this machine or on a cluster, and
:class:`StudyTable` holds one row for each, with units and provenance. Interrupted studies go on
where they were. Other rooms add a measure as an entry of :data:`MEASURES`.
"""

from .definition import Column
from .measures import MEASURES, Measure
from .run import run_study
from .study import Study, shipped_studies
from .table import StudyTable

__all__ = [
    "MEASURES", "Column", "Measure", "Study", "StudyTable", "run_study", "shipped_studies",
]
