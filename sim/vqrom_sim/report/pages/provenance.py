"""What made the figures of a simulation: engines, estimators, versions, identities."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from vqrom_sim import __version__

_COUNTED = {
    "rtl": "counters of the generated Verilog under Verilator",
    "model": "cycle model, whose counters equal the Verilog's without tolerance",
}


def sources(networks: Sequence[Mapping[str, Any]],
            area: Mapping[str, Any] | None) -> list[tuple[str, str, str]]:
    """Each kind of figure, its estimator, and that one's source."""
    rows = []
    for network in networks:
        name = network["network"]
        if network["engine"] != "model":
            rows.append((f"outputs of {name}", "integer reference"
                         if network["engine"] == "reference" else "generated Verilog under "
                         "Verilator, compared byte by byte with the integer reference",
                         "images given"))
        if network["cycles"] is not None:
            rows.append((f"cycles, bytes, accesses, stalls of {name}",
                         _COUNTED[network["engine"]], "docs/report-schema.md"))
        rows += [(f"{one['name']} of {name}", _COUNTED[one["engine"]],
                  "the same network and accelerator, compiled and run for it")
                 for one in network["baselines"]]
    if area:
        rows += [("area of logic", area["library"]["estimator"],
                  f"{area['library']['name']}: {area['library']['source']}"),
                 ("area of memories", f"{area['technology']['estimator']}, "
                  f"± {area['technology']['memory_error']:.1%}", area["technology"]["name"])]
    return rows


def identities(config: Mapping[str, Any], codebook_sha256: str | None) -> list[tuple[str, str]]:
    """Versions and hashes, by name."""
    text = json.dumps(config, sort_keys=True)
    packages = ("numpy", "torch", "amaranth", "verilator", "pyosys", "plotly")
    return [("vqrom", __version__), ("Python", platform.python_version()),
            *((name, version(name)) for name in packages),
            ("configuration, SHA-256", hashlib.sha256(text.encode()).hexdigest()),
            *([("codebook, SHA-256", codebook_sha256)] if codebook_sha256 else [])]
