"""`vqrom config`: the presets, one configuration in full, and whether a file can be built."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from vqrom_hw.config import PRESETS, AcceleratorConfig, load_config
from vqrom_hw.errors import VqromError

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False,
                  help="Configurations of the accelerator.")

FROM_CODEBOOK = ("subvector", "codewords")
"""Members that a configuration takes from its codebook unless it gives them itself."""


@app.callback(invoke_without_command=True)
def config(context: typer.Context) -> None:
    """Configurations of the accelerator."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command("list")
def list_presets() -> None:
    """List the presets."""
    table = Table("preset", "rows", "columns", "MACs/cycle", "decode ports", "post lanes",
                  "bus bits", "activation buffer")
    for name in PRESETS:
        preset = load_config(name)
        table.add_row(
            name, str(preset.rows), str(preset.columns), str(preset.peak_macs_per_cycle),
            str(preset.decode_ports), str(preset.post_lanes), str(preset.bus_width),
            f"{preset.activation_words * preset.rows // 1024} KiB")
    Console().print(table)


@app.command()
def show(
    preset: Annotated[str, typer.Argument(help="tiny, edge16, edge32 or a .toml file")],
) -> None:
    """Print a configuration as TOML, to start a file of your own from."""
    typer.echo(_toml(load_config(preset), explicit=preset not in PRESETS), nl=False)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="a .toml file")],
) -> None:
    """Say whether a configuration file can be built, and if not, why."""
    if file.suffix != ".toml":
        raise VqromError(f"config must be a .toml file, not {str(file)!r}")
    checked = load_config(str(file))
    typer.echo(f"{file}: {checked.name} can be built: {checked.rows} rows x {checked.columns} "
               f"columns, {checked.peak_macs_per_cycle} MACs/cycle, "
               f"{checked.processing_elements} PEs of {checked.subvector} weights")


def _toml(config: AcceleratorConfig, *, explicit: bool) -> str:
    lines = [
        f"# {config.pe_rows} PE rows x {config.columns} columns = "
        f"{config.processing_elements} PEs, "
        f"{config.peak_macs_per_cycle} MACs/cycle, a tile filled in {config.fill_steps} cycles",
    ]
    for member, value in config.model_dump().items():
        # A TOML basic string escapes as JSON does.
        text = f"{member} = {json.dumps(value)}"
        if member in FROM_CODEBOOK and not explicit:
            text = f"# {text}  (from the codebook, unless given here)"
        lines.append(text)
    return "\n".join(lines) + "\n"
