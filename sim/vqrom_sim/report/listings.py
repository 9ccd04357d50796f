"""Codebooks, networks, plans and programs as tables for the terminal, as `vqrom show` prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from vqrom_hw.config import AcceleratorConfig
from vqrom_sw.compiler import CommandLine, CompilerListing, StageListing

from .facts import Bin, CodebookFacts, NetworkFacts
from .tables import plain_table

SHORT = 24
"""Lines of a long list on a terminal; the first ones, and a quarter of it from the end."""

_NARROW = ("position", "command", "layer", "queues", "waits", "bytes")

BAR = 40
"""Characters of the longest bar."""


def codebook_summary(facts: CodebookFacts) -> RenderableType:
    """Shape, size and identity of a codebook."""
    return Text.assemble(
        (f"{facts.codewords} codewords of {facts.subvector} weights", "bold"),
        f", {facts.bits_per_weight:g} bits per weight, {facts.rom_bytes:,} bytes of ROM\n"
        f"SHA-256 {facts.sha256}\n")


def histogram(title: str, bins: Sequence[Bin]) -> Table:
    """Counts as text bars, the longest of :data:`BAR` characters."""
    table = plain_table("from", "below", "count", left=0, title=title)
    table.add_column("")
    longest = max((one.count for one in bins), default=0)
    for one in bins:
        bar = "█" * round(BAR * one.count / max(longest, 1)) or ("▏" if one.count else "")
        table.add_row(f"{one.low:.4g}", f"{one.high:.4g}", f"{one.count:,}", bar)
    return table


def codeword_uses(facts: CodebookFacts, most: int | None) -> RenderableType:
    """How often each codeword is used, most used first."""
    total = sum(facts.uses)
    order = sorted(range(facts.codewords), key=lambda word: (-facts.uses[word], word))
    table = plain_table("codeword", "indices", "%", left=0,
                        title=f"uses by {', '.join(map(escape, facts.networks))}")
    table.add_column("")
    for word in shortened(order, most):
        if word is None:
            table.add_row("…", "", "", f"{_left_out(len(order), most)} more")
            continue
        count = facts.uses[word]
        bar = "█" * round(BAR * count / max(facts.uses[order[0]], 1)) or ("▏" if count else "")
        table.add_row(str(word), f"{count:,}", f"{100 * count / max(total, 1):.2f}", bar)
    note = Text(f"{total:,} indices; {facts.used} of {facts.codewords} codewords are used; "
                f"entropy {facts.entropy:.2f} bits per index")
    return Group(table, note)


def network_table(facts: NetworkFacts) -> RenderableType:
    """A network's layers with shapes, scales and stored bits."""
    head = Text.assemble((facts.name, "bold"), f": input {_by(facts.input_shape)} with scale "
                         f"{facts.input_scale:.6g} and zero point {facts.input_zero_point}, "
                         f"output {', '.join(map(_by, facts.outputs.values()))}\n")
    head.append(f"codebook of {facts.codewords} codewords, SHA-256 {facts.codebook_sha256}"
                if facts.codewords else "no indices: any codebook")
    table = plain_table("layer", "kind", "reads", "H x W x C", "kernel", "weights", "as",
                        "bits", "bits/weight", "scale", "zero", "on", left=5)
    for layer in facts.layers:
        kernel = f"{_by(layer.kernel)} / {_by(layer.stride)}" if layer.kernel else ""
        table.add_row(
            escape(layer.name), layer.kind, escape(", ".join(layer.inputs)), _by(layer.shape),
            kernel, f"{layer.weights:,}" if layer.weights else "", layer.encoding,
            f"{layer.stored_bits:,}" if layer.weights else "",
            f"{layer.bits_per_weight:.2f}" if layer.weights else "", f"{layer.scale:.4g}",
            str(layer.zero_point), layer.where)
    table.add_section()
    table.add_row("total", "", "", "", "", f"{facts.weights:,}", "", f"{facts.stored_bits:,}",
                  f"{facts.stored_bits / max(facts.weights, 1):.2f}", "", "", "", style="bold")
    reasons = [Text(f"{layer.name} runs on the host beside {facts.config}: {layer.reason}")
               for layer in facts.layers if layer.reason]
    return Group(head, table, *reasons)


def stage_table(listing: CompilerListing) -> RenderableType:
    """The stages: what runs where, and the maps that cross in DRAM."""
    table = plain_table("stage", "where", "layers", "reads", "gives", left=5,
                        title=f"stages beside {listing.config.name}")
    for number, one in enumerate(listing.stages, start=1):
        names = [", ".join(layer.name for layer in one.stage.layers), ", ".join(one.stage.inputs),
                 ", ".join(one.stage.outputs)]
        table.add_row(str(number), one.stage.where, *map(escape, names))
    return table


def stage_record(listing: StageListing) -> dict[str, Any]:
    """A stage with its plan and its program as JSON has them."""
    stage = listing.stage
    return {"where": stage.where, "layers": [layer.name for layer in stage.layers],
            "inputs": list(stage.inputs), "outputs": list(stage.outputs),
            "plan": [asdict(segment) for segment in listing.plan],
            "program": [command_record(line) for line in listing.commands]}


def plan_table(listing: StageListing, config: AcceleratorConfig, number: int) -> RenderableType:
    """The segments: which layers run together, in how many strips, and where maps live.

    Parameters
    ----------
    listing, number:
        A stage of the accelerator, and which one it is, from 1.
    config:
        The accelerator.
    """
    rows = [segment.as_row() for segment in listing.plan]
    table = plain_table(*rows[0], left=len(rows[0]),
                        title=f"plan for {config.name}, stage {number}",
                        caption="words: most of the activation buffer in use, of "
                                f"{config.activation_words:,}")
    for row in rows:
        table.add_row(*map(escape, row.values()))
    return table


def program_summary(listing: StageListing) -> RenderableType:
    """How many commands of each kind there are, and the DRAM bytes that they move."""
    counts = Counter(line.name for line in listing.commands)
    table = plain_table("command", "count", "DRAM bytes", title="program")
    for name, count in counts.most_common():
        moved = sum(sum(line.moved.values()) for line in listing.commands if line.name == name)
        table.add_row(name, f"{count:,}", f"{moved:,}")
    table.add_section()
    total = sum(sum(line.moved.values()) for line in listing.commands)
    table.add_row("all", f"{len(listing.commands):,}", f"{total:,}", style="bold")
    return table


def program_table(listing: StageListing, most: int | None) -> RenderableType:
    """The commands in order: units, what each waits for, bytes, and fields.

    A shortened table leaves out what makes its lines long: numbers, addresses and fields.
    """
    headings = [name for name in listing.commands[0].as_row() if most is None or name in _NARROW]
    table = plain_table(*headings, left=len(headings))
    for line in shortened(listing.commands, most):
        if line is None:
            left_out = _left_out(len(listing.commands), most)
            table.add_row("…", f"{left_out:,} more (--all)", *[""] * (len(headings) - 2))
        else:
            row = line.as_row()
            table.add_row(*(escape(row[name]) for name in headings))
    return table


def command_record(line: CommandLine) -> dict[str, Any]:
    """A command as JSON has it."""
    return {
        "position": line.position, "command": line.name, "layer": line.layer,
        "units": list(line.numbers), "numbers": dict(line.numbers),
        "waits": [{"unit": wait.unit, "finished": wait.finished, "position": wait.position}
                  for wait in line.waits],
        "bytes": dict(line.moved), "dram": list(line.dram) if line.dram else None,
        "fields": {name: int(value) for name, value in line.fields.items()},
    }


def shortened(items: Sequence[Any], most: int | None) -> list[Any]:
    """All items, or the first and the last ones with a None between them."""
    if most is None or len(items) <= most:
        return list(items)
    tail = most // 4
    return [*items[:most - tail], None, *items[len(items) - tail:]]


def _left_out(count: int, most: int | None) -> int:
    return count - (most or count)


def _by(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))
