"""Every family of architectures on the engines: stages, host layers, MACs, cycles.

    ./run python -m tests.bench.networks.architectures [NAME ...] [--onnx OPSET] [--rtl]

The table is of ``edge16``. With ``--onnx`` the families are exported to ONNX files of that operator
set and read from there. With ``--rtl`` all families also run under Verilator, on ``tiny``, where
every map that crosses between stages and every counter of the cycle model is compared.
"""

from __future__ import annotations

import argparse

from torch.onnx.errors import UnsupportedOperatorError

from tests.architectures import ARCHITECTURES
from tests.compressed_architectures import (
    CODEWORDS,
    compressed,
    family_codebook,
    macs_by_side,
    random_inputs,
)
from tests.exported_architectures import compressed_export
from tests.sim.engines.engine_checks import check_stages
from tests.sw.compiler.program_checks import config_of
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError
from vqrom_sim.flows import simulate
from vqrom_sw.compiler import cut_network
from vqrom_sw.network import QuantizedNetwork


def row(name: str, network: QuantizedNetwork, config: AcceleratorConfig) -> str:
    """A line of the table."""
    stages = cut_network(network, config)
    macs = macs_by_side(network, stages)
    report = simulate(network, family_codebook(), config, random_inputs(name, 1), "model").report
    host = [f"{layer['name']} ({layer['kind']})" for layer in report["layers"] if layer["host"]]
    share = macs["accelerator"] / (macs["accelerator"] + macs["host"])
    return (f"| {name} | {len(stages)} | {len(host)} | {macs['accelerator']:,} | {share:.1%} | "
            f"{macs['attention']:,} | {report['cycles']:,} | {report['utilization']:.1%} | "
            f"{', '.join(host)} |")


def main() -> None:
    """Print the table, and run the Verilog if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", default=list(ARCHITECTURES))
    parser.add_argument("--onnx", type=int, metavar="OPSET", default=0)
    parser.add_argument("--rtl", action="store_true")
    options = parser.parse_args()
    print("| family | stages | host layers | MACs with weights, on the accelerator | share | "
          "attention's MACs, on the host | cycles | utilisation | host layers' names |")
    print("|---|---|---|---|---|---|---|---|---|")
    edge, tiny = (config_of(preset, codewords=CODEWORDS) for preset in ("edge16", "tiny"))
    networks = {}
    for name in options.names:
        try:
            networks[name] = compressed_export(name, options.onnx) if options.onnx \
                else compressed(name)
        except (VqromError, UnsupportedOperatorError) as error:
            reason = str(error).splitlines()[-1][:200]
            print(f"{name}: {type(error).__name__}: {reason}", flush=True)
            continue
        print(row(name, networks[name], edge), flush=True)
    for name in networks if options.rtl else ():
        check_stages(networks[name], family_codebook(), tiny, random_inputs(name, 2))
        print(f"{name}: every byte and every counter of the Verilog is right", flush=True)


if __name__ == "__main__":
    main()
