"""`vqrom show`: what is inside a codebook, a network, or the compiler's program for it."""

from __future__ import annotations

import json
from dataclasses import asdict
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from vqrom_hw.errors import VqromError

from .lazy import LazyModule
from .options import JsonOption, command_app

if TYPE_CHECKING:
    from vqrom_hw.config import AcceleratorConfig
    from vqrom_sim import flows
    from vqrom_sim.report import listings
    from vqrom_sw.compiler import StageListing
else:
    flows, listings = LazyModule("vqrom_sim.flows"), LazyModule("vqrom_sim.report.listings")

WIDE = 2000
"""Columns of a listing that goes to a file or a pipe: nothing is cut there."""

app = command_app()


@app.command()
def show(
    file: Annotated[Path, typer.Argument(
        metavar="FILE", help="a codebook.safetensors, or a network's FILE.vqnet")],
    more: Annotated[list[Path] | None, typer.Argument(
        metavar="[NETWORK...]", help="networks on the codebook, as with --networks")] = None,
    networks: Annotated[list[Path] | None, typer.Option(
        "--networks", metavar="FILE.vqnet...",
        help="count how often these use each codeword of the codebook")] = None,
    codebook: Annotated[Path | None, typer.Option(
        metavar="FILE", help="the network's codebook; by default the one beside it")] = None,
    config: Annotated[str | None, typer.Option(
        metavar="PRESET|FILE.toml", help="compile the network for this accelerator: show the plan "
        "and the program")] = None,
    everything: Annotated[bool, typer.Option(
        "--all", help="long lists as a whole on a terminal, too; a pipe always gets all")] = False,
    as_json: JsonOption = False,
) -> None:
    """Look into a codebook or a network; with --config, into the compiler's plan and program."""
    used = [*(networks or ()), *(more or ())]
    if file.suffix == ".vqnet":
        if used:
            raise VqromError(f"--networks goes with a codebook, not with {str(file)!r}")
        facts, parts = _network(file, codebook, config)
    elif file.suffix == ".safetensors":
        if config is not None or codebook is not None:
            option = "--config" if config is not None else "--codebook"
            raise VqromError(f"{option} goes with a FILE.vqnet, not with {str(file)!r}")
        facts, parts = _codebook(file, used)
    else:
        raise VqromError("file must be a codebook (.safetensors) or a network (.vqnet), "
                         f"not {str(file)!r}")
    if as_json:
        typer.echo(json.dumps(facts, indent=2, allow_nan=False))
        return
    console = Console(highlight=False)
    if console.is_terminal:
        _print(console, parts, None if everything else listings.SHORT)
        return
    text = StringIO()
    _print(Console(file=text, highlight=False, width=WIDE), parts, None)
    # Tables are padded to the width; a pipe wants no blanks at the ends of lines.
    for line in text.getvalue().splitlines():
        print(line.rstrip())


def _print(console: Console, parts: list[Any], most: int | None) -> None:
    for number, part in enumerate(parts):
        if number:
            console.print()
        console.print(part(most))


def _codebook(file: Path, networks: list[Path]) -> tuple[dict[str, Any], list[Any]]:
    """The facts for machines, and what prints each part, given the most lines of a list."""
    facts = flows.inspect_codebook(file, networks)
    figures = asdict(facts) | {"kind": "codebook"}
    parts = [lambda most: listings.codebook_summary(facts),
             lambda most: listings.histogram("values", facts.values),
             lambda most: listings.histogram("length of codewords", facts.norms)]
    if facts.networks:
        figures |= {"used": facts.used, "entropy": facts.entropy}
        parts.append(lambda most: listings.codeword_uses(facts, most))
    return figures, parts


def _network(file: Path, codebook: Path | None,
             config: str | None) -> tuple[dict[str, Any], list[Any]]:
    facts = flows.inspect_network(file, codebook, *([config] if config else []))
    figures = asdict(facts) | {
        "kind": "network", "weights": facts.weights, "stored_bits": facts.stored_bits}
    parts: list[Any] = [lambda most: listings.network_table(facts)]
    if config is not None:
        words = codebook or flows.codebook_beside(file)
        if words is None:
            raise VqromError(f"network {str(file)!r} must come with --codebook to be compiled; "
                             "there is none beside it")
        listing = flows.explain(file, words, config)
        figures |= {"stages": [listings.stage_record(stage) for stage in listing.stages]}
        parts.append(lambda most: listings.stage_table(listing))
        for number, stage in enumerate(listing.stages, start=1):
            if stage.program is not None:
                parts += _program(listing.config, stage, number)
    return figures, parts


def _program(config: AcceleratorConfig, stage: StageListing, number: int) -> list[Any]:
    """What prints the plan and the program of one stage of the accelerator."""
    return [lambda most: listings.plan_table(stage, config, number),
            lambda most: listings.program_summary(stage),
            lambda most: listings.program_table(stage, most)]
