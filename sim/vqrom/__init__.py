"""Networks as indices into one universal codebook that sits in a ROM on the chip.

vqrom compresses PyTorch networks onto one codebook, generates the accelerator whose ROM holds it,
runs whole networks on its Verilog, and measures cycles, traffic and area. In a notebook::

    import vqrom

    made = vqrom.compress(["mnist", "usps"])           # one codebook for both networks
    inputs = vqrom.images("mnist").inputs
    run = vqrom.simulate(made.networks["mnist"], made.codebook, "edge16", inputs, "model")
    run.cycles, run.utilization
    run.to_pandas()                                    # one row for each layer
    run.plot_layers()
    vqrom.generate("edge16", made.codebook).save("verilog")
    vqrom.area("edge16", made.codebook).plot()
    vqrom.study("scaling", "scaling").pareto().to_pandas()   # many accelerators in one table

A network of your own is a ``torch.nn.Module`` with sample inputs::

    made = vqrom.compress({"mine": module}, calibration=images)

Every function also takes the files that the command line writes. Errors that a user can mend are
:class:`VqromError`, in one line.
"""

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError
from vqrom_sim import __version__
from vqrom_sim.flows import (
    CompressionResult,
    Design,
    Images,
    Source,
    area,
    compress,
    energy,
    explain,
    generate,
    images,
    inspect_codebook,
    inspect_network,
    load_codebook,
    load_config,
    load_network,
    load_topology,
    random_images,
    simulate,
    timing,
)
from vqrom_sim.report import (
    AreaReport,
    CodebookForm,
    ComponentRow,
    EnergyReport,
    EnergyRow,
    HostFigures,
    LayerRow,
    SimulationReport,
    StageRow,
    TimingReport,
    TimingRow,
    Traffic,
)
from vqrom_sim.studies import Study, StudyTable
from vqrom_sim.studies import run_study as study
from vqrom_sw import zoo
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.network import QuantizedNetwork

__all__ = [
    "AcceleratorConfig", "AreaReport", "CodebookForm", "ComponentRow", "CompressionResult",
    "Design", "EnergyReport", "EnergyRow", "HostFigures", "Images", "LayerRow", "QuantizedNetwork",
    "SimulationReport", "Source", "StageRow", "Study", "StudyTable", "TimingReport", "TimingRow",
    "Traffic", "UniversalCodebook", "VqromError", "__version__", "area", "compress", "energy",
    "explain", "generate", "images", "inspect_codebook", "inspect_network", "load_codebook",
    "load_config", "load_network", "load_topology", "random_images", "simulate", "study", "timing",
    "zoo",
]
