"""Results as people read them: typed reports, tables, plots, the HTML page, and their files.

A report object holds exactly what its JSON file holds, and shows it as rows, pandas tables and
matplotlib figures. ``listings`` prints what is inside codebooks, networks and programs. Nothing in
this room runs a simulation.
"""

from . import listings
from .area import AreaReport, ComponentRow
from .energy import EnergyReport, EnergyRow, energy_table
from .facts import Bin, CodebookFacts, LayerFacts, NetworkFacts
from .figures import describe, empty_report, hardware_figures, kind_of, program_figures
from .files import check_output, json_text, save_array, staged, write_json
from .frames import html_table
from .html import Sample, png_data_uri, write_report
from .rows import HostFigures, LayerRow, StageRow, Traffic
from .simulation import SimulationReport
from .tables import area_table, counters_table, plain_table, simulate_table

__all__ = [
    "AreaReport", "Bin", "CodebookFacts", "ComponentRow", "EnergyReport", "EnergyRow",
    "HostFigures", "LayerFacts", "LayerRow", "NetworkFacts", "Sample", "SimulationReport",
    "StageRow", "Traffic", "area_table", "check_output", "counters_table", "describe",
    "empty_report", "energy_table", "hardware_figures", "html_table", "json_text", "kind_of",
    "listings", "plain_table", "png_data_uri", "program_figures", "save_array", "simulate_table",
    "staged", "write_json", "write_report",
]
