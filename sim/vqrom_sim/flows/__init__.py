"""What a user does, as functions: compress, generate, simulate, measure area, run the demo.

The package ``vqrom`` passes these on to notebooks, and the command line parses arguments and calls
them. Each takes objects or the files that stand for them, and gives a typed result that can be
saved; nothing is printed here.
"""

from .arguments import (
    load_codebook,
    load_config,
    load_network,
    load_topology,
    topology_names,
)
from .compression import (
    CODEBOOK_FILE,
    CompressionResult,
    Size,
    checkpoint_path,
    compress,
)
from .demo import DemoResult, run_demo
from .hardware import Design, area, generate
from .inspection import codebook_beside, explain, inspect_codebook, inspect_network
from .measure import (
    at_clock,
    energy,
    load_clock,
    timing,
    timing_of,
)
from .samples import Images, images, random_images
from .shapes import random_codebook
from .simulation import simulate
from .sources import Source
from .staged import compile_tuned
from .topology import simulate_topology

__all__ = [
    "CODEBOOK_FILE", "CompressionResult", "DemoResult", "Design", "Images", "Size", "Source",
    "area", "at_clock", "checkpoint_path", "codebook_beside", "compile_tuned", "compress", "energy",
    "explain", "generate", "images", "inspect_codebook", "inspect_network", "load_clock",
    "load_codebook", "load_config", "load_network", "load_topology", "random_codebook",
    "random_images", "run_demo", "simulate", "simulate_topology", "timing", "timing_of",
    "topology_names",
]
