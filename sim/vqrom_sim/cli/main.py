"""The command line's entry: the table of commands, and what becomes of errors."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from vqrom_hw.errors import VqromError
from vqrom_sim import __version__

from .lazy import LazyGroup


class Commands(LazyGroup):
    """The commands, in the order in which one needs them."""

    table = {path.rpartition(".")[2]: (f"vqrom_sim.cli.{path}", line) for path, line in {
        "demo": "Run three real networks on one codebook ROM, end to end: DIR/report.html.",
        "zoo": "List the networks that `compress` knows by name.",
        "compress": "Put networks on one universal codebook: DIR/codebook.safetensors, "
                    "DIR/NAME.vqnet.",
        "images": "Write inputs of a network to run it on: samples, or random ones.",
        "show": "Look into a codebook or a network: values, layers, the compiler's plan.",
        "generate": "Write the accelerator's Verilog, its memory files and vqrom.json.",
        "simulate": "Run a whole network: DIR/outputs.npy (.npz) and DIR/report.json.",
        "area": "Synthesise the accelerator and report the area of each component: "
                "DIR/area.json.",
        "measure.energy": "Energy of a network's run by component: DIR/energy.json.",
        "study": "Measure many accelerators on many workloads: DIR/points.parquet, "
                 "DIR/points.csv.",
        "measure.timing": "Time the accelerator with OpenSTA: fastest clock and slowest paths: "
                          "DIR/timing.json.",
        "measure.technology": "Memory macros of a technology: estimates, constants, errors.",
        "config": "Configurations of the accelerator.",
    }.items()}


app = typer.Typer(
    name="vqrom", cls=Commands, add_completion=False, pretty_exceptions_enable=False,
    help="Neural networks as indices into a codebook ROM: compress, generate, simulate, measure.")


@app.callback(invoke_without_command=True)
def vqrom(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="print the version")] = False,
) -> None:
    """Neural networks as indices into a codebook ROM: compress, generate, simulate, measure."""
    if version:
        typer.echo(f"vqrom {__version__}")
        raise typer.Exit()
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> None:
    """Run the command line; a user's mistake is one line on stderr and exit status 2."""
    try:
        status = app(standalone_mode=False)
    except (VqromError, typer.TyperException) as error:
        message = (error.format_message() if isinstance(error, typer.TyperException)
                   else str(error))
        # One line, whatever a library put into its message.
        line = " ".join(message.split()).replace("Value error, ", "")
        print(f"vqrom: error: {line}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        # The reader of a pipe went away; Python must not complain about it again at exit.
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        # Temporary files of tools, above all: a full disk, a limit, a folder without rights.
        where = "a temporary file" if error.filename is None else repr(str(error.filename))
        print(f"vqrom: error: {where} cannot be read or written: {error.strerror or error}",
              file=sys.stderr)
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort):
        print("vqrom: interrupted", file=sys.stderr)
        sys.exit(130)
    sys.exit(status or 0)
