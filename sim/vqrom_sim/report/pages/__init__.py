"""HTML pages: one self-contained file each, which needs no network and no other file.

Pictures are plotly's, drawn by the page itself from data that it holds, and every figure of a
picture is in a table, too. Pages take plain data and run nothing.
"""

from .energy import energy_page
from .samples import Sample, png_data_uri
from .simulation import area_page, simulation_page, write_report
from .study import study_page
from .study_data import Objective, PointTable, StudyColumn, StudyFacts

__all__ = [
    "Objective", "PointTable", "Sample", "StudyColumn", "StudyFacts", "area_page",
    "energy_page", "png_data_uri", "simulation_page", "study_page", "write_report",
]
