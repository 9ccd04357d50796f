"""Results as people read them: typed reports, tables, plots, the HTML page, and their files.

A report object holds exactly what its JSON file holds, and shows it as rows, pandas tables and
matplotlib figures; ``pages`` makes self-contained HTML of it. ``listings`` prints what is inside
codebooks, networks and programs. Nothing in this room runs a simulation.
"""

from . import listings
from .area import AreaReport, CodebookForm, ComponentRow
from .area_tables import area_table
from .clock import Clock, read_clock
from .energy import EnergyReport, EnergyRow, energy_table
from .facts import Bin, CodebookFacts, LayerFacts, NetworkFacts
from .figures import (
    STALLS,
    STREAMS,
    describe,
    empty_report,
    hardware_figures,
    kind_of,
    program_figures,
)
from .files import check_output, json_text, save_array, staged, write_json
from .frames import html_table
from .pages import (
    Objective,
    PointTable,
    Sample,
    StudyColumn,
    StudyFacts,
    energy_page,
    png_data_uri,
    simulation_page,
    study_page,
    write_report,
)
from .rows import HostFigures, LayerRow, StageRow, Traffic
from .simulation import SimulationReport
from .tables import counters_table, plain_table, simulate_table
from .timing import TimingReport, TimingRow, timing_table

__all__ = [
    "STALLS", "STREAMS", "AreaReport", "Bin", "Clock", "CodebookFacts", "CodebookForm",
    "ComponentRow", "EnergyReport", "EnergyRow", "HostFigures", "LayerFacts", "LayerRow",
    "NetworkFacts", "Objective", "PointTable", "Sample", "SimulationReport", "StageRow",
    "StudyColumn", "StudyFacts", "TimingReport", "TimingRow", "Traffic", "area_table",
    "check_output", "counters_table", "describe", "empty_report", "energy_page", "energy_table",
    "hardware_figures", "html_table", "json_text", "kind_of", "listings", "plain_table",
    "png_data_uri", "program_figures", "read_clock", "save_array", "simulate_table",
    "simulation_page", "staged", "study_page", "timing_table", "write_json", "write_report",
]
