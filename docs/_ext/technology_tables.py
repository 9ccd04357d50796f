"""The tables of the technologies in Markdown: errors, constants by kind, published energies."""

from __future__ import annotations

from vqrom_sim.technology import (
    CheckedFigure,
    check_published,
    load_technology,
    summarise,
    technology_names,
)

SHOWN = {"area_um2": "area", "access_ns": "access", "read_pj": "read", "write_pj": "write",
         "leakage_uw": "leakage"}
"""Figures by what the tables call them."""


def summary() -> list[str]:
    """One line for each technology: errors of the areas that count."""
    lines = ["| technology | macros | mean error | largest | of these kept for validation | "
             "mean error |", "|---|---|---|---|---|---|"]
    everything: list[CheckedFigure] = []
    for name in technology_names():
        figures = check_published(load_technology(name))
        everything += figures
        lines.append(_summary_row(f"`{name}`", figures))
    return [*lines, _summary_row("all", everything)]


def areas() -> list[str]:
    """Every published area beside the model's."""
    lines = ["| technology | macro | published, um2 | model, um2 | error | what it is |",
             "|---|---|---|---|---|---|"]
    for one in _figures():
        if one.figure == "area_um2":
            what = one.basis if one.counts else f"{one.basis}, not counted"
            role = ", calibration" if one.role == "calibration" else ""
            lines.append(f"| `{one.technology}` | {one.macro} | {one.published:,.0f} | "
                         f"{one.estimated:,.0f} | {_percent(one.error)} | {what}{role} |")
    return lines


def energies() -> list[str]:
    """Published access times, energies and leakage: ratios of the model's to them, by technology
    and basis."""
    lines = ["| technology | figure | from | macros | model / published, least | median | most |",
             "|---|---|---|---|---|---|---|"]
    groups: dict[tuple[str, str, str], list[float]] = {}
    for one in _figures():
        if one.figure != "area_um2":
            place = (one.technology, one.figure, one.basis)
            groups.setdefault(place, []).append(one.estimated / one.published)
    for (technology, figure, basis), ratios in groups.items():
        ratios.sort()
        lines.append(f"| `{technology}` | {SHOWN[figure]} | {basis} | {len(ratios)} | "
                     f"{ratios[0]:.2f} | {ratios[len(ratios) // 2]:.2f} | {ratios[-1]:.2f} |")
    return lines


def literature() -> list[str]:
    """Published energies of operations and memories, node beside node."""
    values = load_technology(technology_names()[0]).energies
    columns = sorted({one.node_nm for one in values}, reverse=True)
    lines = ["| | " + " | ".join(f"{node:g} nm, pJ" for node in columns) + " |",
             "|---" * (len(columns) + 1) + "|"]
    for name in dict.fromkeys(one.name for one in values):
        found = {one.node_nm: one for one in values if one.name == name}
        lines.append(f"| {name} | " + " | ".join(
            _range(found[node].low_pj, found[node].high_pj) if node in found else ""
            for node in columns) + " |")
    return lines


def dram() -> list[str]:
    """Energies per bit of DRAM."""
    technology = load_technology(technology_names()[0])
    return ["| DRAM | pJ per bit | source |", "|---|---|---|", *(
        f"| {one.name} | {one.pj_per_bit:g} | {technology.sources[one.source].text} |"
        for one in technology.dram)]


TABLES = {"summary": summary, "areas": areas, "energies": energies, "literature": literature,
          "dram": dram}
"""The tables by name."""


def _figures() -> list[CheckedFigure]:
    return check_published(*map(load_technology, technology_names()))


def _summary_row(name: str, figures: list[CheckedFigure]) -> str:
    whole, kept = summarise(figures), summarise(figures, "validation")
    if whole is None:
        return f"| {name} | 0 | | | | |"
    validation = f"{kept.macros} | {kept.mean:.1%}" if kept else "0 |"
    return f"| {name} | {whole.macros} | {whole.mean:.1%} | {whole.worst:.1%} | {validation} |"


def _percent(error: float) -> str:
    return f"{error:+.1%}".replace("-", "−")


def _range(low: float, high: float) -> str:
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"
