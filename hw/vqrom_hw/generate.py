"""Verilog, memory files and metadata of an accelerator."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np

from .accelerator import Accelerator, codebook_sha256, codewords_as_integers
from .config import AcceleratorConfig

TOP = "vqrom"


def rtlil_text(config, codewords):
    from amaranth.back import rtlil
    return rtlil.convert(Accelerator(config, codewords), name=TOP, emit_src=False)
