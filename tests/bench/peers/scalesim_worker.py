"""SCALE-Sim's worker: each layer is a topology of its own.

SCALE-Sim has three double-buffered memories: feature maps in, filters, feature maps out. They take
the bytes of our activation buffer, weight FIFO and accumulators. ``CALC`` is its mode in which the
memories never let the array wait and the bandwidth that this takes is reported: with ``USER``, a
given bandwidth, it fetches the filters of one 64 x 512 x 64 product 162 times through a memory of
this size.
"""
# pyright: reportMissingImports=false

from __future__ import annotations

import contextlib
import io
import tempfile
from importlib.metadata import version
from pathlib import Path

from scalesim.scale_sim import scalesim
from worker import serve

LAYOUT_COLUMNS = 20
"""Numbers of a line of the layout file, which is read but not used without a custom layout."""

CONFIG = """\
[general]
run_name = run
[architecture_presets]
ArrayHeight = {rows}
ArrayWidth = {columns}
IfmapSramSzkB = {inputs_kib}
FilterSramSzkB = {weights_kib}
OfmapSramSzkB = {outputs_kib}
IfmapOffset = 0
FilterOffset = 10000000
OfmapOffset = 20000000
Dataflow = ws
ReadRequestBuffer = 32
WriteRequestBuffer = 32
[layout]
IfmapCustomLayout = False
IfmapSRAMBankBandwidth = {bus_bytes}
IfmapSRAMBankNum = 1
IfmapSRAMBankPort = 2
FilterCustomLayout = False
FilterSRAMBankBandwidth = {bus_bytes}
FilterSRAMBankNum = 1
FilterSRAMBankPort = 2
[sparsity]
SparsitySupport = false
[run_presets]
InterfaceBandwidth = CALC
UseRamulatorTrace = False
"""


def kibibytes(size: int) -> int:
    """``size`` bytes in the whole KiB that SCALE-Sim takes; a ``ValueError`` if it is not whole."""
    whole, rest = divmod(size, 1024)
    if rest or not whole:
        raise ValueError(f"SCALE-Sim takes memories of whole KiB, not {size} bytes")
    return whole


def write_inputs(job: dict, layer: dict, folder: Path) -> tuple[Path, Path, Path]:
    """Write the configuration, the topology of one layer and a layout file into ``folder``."""
    machine = job["machine"]
    config, topology, layout = (folder / name for name in ("run.cfg", "layer.csv", "layout.csv"))
    config.write_text(CONFIG.format(
        rows=machine["rows"], columns=machine["columns"], bus_bytes=machine["bus_bytes"],
        inputs_kib=kibibytes(machine["activation_bytes"]),
        weights_kib=kibibytes(machine["weight_bytes"]),
        outputs_kib=kibibytes(machine["accumulator_bytes"])), encoding="utf-8")
    numbers = ", ".join(str(layer[key]) for key in (
        "height", "width", "kernel_y", "kernel_x", "channels", "filters", "stride"))
    topology.write_text(f"name, ...\nlayer, {numbers},\n", encoding="utf-8")
    layout.write_text("name, ...\nlayer," + "1," * LAYOUT_COLUMNS + "\n", encoding="utf-8")
    return config, topology, layout


def run_layer(job: dict, layer: dict) -> dict:
    """Simulate one layer; SCALE-Sim's words are bytes here."""
    with tempfile.TemporaryDirectory() as place, contextlib.redirect_stdout(io.StringIO()):
        config, topology, layout = write_inputs(job, layer, Path(place))
        tool = scalesim(save_disk_space=True, verbose=False, config=str(config),
                        topology=str(topology), layout=str(layout))
        tool.run_scale(top_path=place)
    done = tool.runner.single_layer_sim_object_list[0]
    with_prefetch, cycles, stalls = done.get_compute_report_items()[:3]
    details = done.get_detail_report_items()
    (input_reads, weight_reads, output_writes, dram_inputs, dram_weights, dram_outputs) = (
        int(details[index]) for index in (2, 5, 8, 11, 14, 17))
    return {
        "macs": int(done.num_compute), "cycles": int(cycles),
        "cycles_with_prefetch": int(with_prefetch), "stall_cycles": int(stalls),
        "dram_read_bytes": dram_inputs + dram_weights, "dram_write_bytes": dram_outputs,
        "on_chip_bytes": {"activation": {"read": input_reads, "written": dram_inputs},
                          "weight": {"read": weight_reads, "written": dram_weights},
                          "accumulator": {"read": dram_outputs, "written": output_writes}},
        "energy_pj": None,
    }


if __name__ == "__main__":
    serve(version("scalesim"), run_layer)
