"""Options that several commands have, with one name and one meaning."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def integer(text: str) -> int:
    """An option's whole number; the error names the value, which typer's own does not."""
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"must be an integer, not {text!r}") from None


def command_app() -> typer.Typer:
    """The app of one command, as :class:`vqrom_sim.cli.lazy.LazyGroup` loads it."""
    return typer.Typer(add_completion=False, pretty_exceptions_enable=False)


ConfigOption = Annotated[str, typer.Option(
    "--config", metavar="PRESET|FILE.toml", help="the accelerator (see `vqrom config list`)")]
CodebookOption = Annotated[Path, typer.Option(
    "--codebook", metavar="FILE", help="codebook.safetensors, as `vqrom compress` writes it")]
OutputOption = Annotated[Path, typer.Option(
    "-o", "--output", metavar="DIR", help="directory for the results; other files in it stay")]
QuietOption = Annotated[bool, typer.Option(
    "--quiet", "-q", help="no progress bars and no tables")]
JsonOption = Annotated[bool, typer.Option(
    "--json", help="print JSON for machines in the place of tables")]
