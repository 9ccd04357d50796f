"""Results as people read them: the figures of ``report.json``, tables, plots and the HTML page."""

from .figures import describe, empty_report, hardware_figures
from .html import Sample, png_data_uri, write_report
from .tables import area_table, counters_table, plain_table

__all__ = [
    "Sample", "area_table", "counters_table", "describe", "empty_report", "hardware_figures",
    "plain_table", "png_data_uri", "write_report",
]
