"""Column parts: layers whose single map rows do not fit the activation buffer, cut by columns.

``cut_columns`` rewrites a task graph for which there is no plan.
"""

from .cut import cut_columns

__all__ = ["cut_columns"]
