"""`vqrom generate`: the accelerator's Verilog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .lazy import LazyModule
from .options import CodebookOption, ConfigOption, OutputOption, command_app
from .progress import bars

if TYPE_CHECKING:
    from vqrom_sim import flows, report
else:
    flows, report = LazyModule("vqrom_sim.flows"), LazyModule("vqrom_sim.report")

app = command_app()


@app.command()
def generate(config: ConfigOption, codebook: CodebookOption, output: OutputOption) -> None:
    """Write the accelerator's Verilog, its memory files and vqrom.json."""
    report.check_output(output)
    with bars() as progress:
        written = flows.generate(config, codebook, progress=progress).save(output)
    print(f"wrote {', '.join(written)} to {output}")
