"""HTML pages: one self-contained file each, which needs no network and no other file.

Pictures are plotly's, drawn by the page itself from data that it holds, and every figure of a
picture is in a table, too. Pages take plain data and run nothing.
"""

from .study import study_page
from .study_data import Objective, PointTable, StudyColumn, StudyFacts

__all__ = ["Objective", "PointTable", "StudyColumn", "StudyFacts", "study_page"]
