"""`vqrom zoo`: the networks that are known by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from .lazy import LazyModule
from .options import command_app

if TYPE_CHECKING:
    from vqrom_sim import report
    from vqrom_sw import zoo as networks
else:
    networks, report = LazyModule("vqrom_sw.zoo"), LazyModule("vqrom_sim.report")

app = command_app()


@app.command()
def zoo() -> None:
    """List the networks that `compress` knows by name."""
    table = report.plain_table("network", "what", "licence", left=3)
    for name in networks.names():
        entry = networks.entry(name)
        table.add_row(name, f"{entry.description}\nfrom {entry.source}", entry.licence)
    Console().print(table)
