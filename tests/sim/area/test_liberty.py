"""Cell libraries: the generic one, files of others, and files that are none."""

from __future__ import annotations

import contextlib
import gzip
import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqrom_hw.errors import VqromError
from vqrom_sim.area.liberty import GENERIC_GATES, generic_liberty, parse_liberty, read_liberties
from vqrom_sim.area.liberty_function import evaluate

FLIP_FLOP = ('cell(FF) { area : 20; ff(IQ, IQN) { next_state : "D"; } '
             'pin(D) { direction : input; } }')


def library(*cells: str) -> str:
    return "library(mine) {\n  time_unit : \"1ns\";\n" + "\n".join(cells) + "\n}\n"


def gate(name: str, area: object, function: str, inputs: str = "AB") -> str:
    pins = "".join(f"pin({pin}) {{ direction : input; capacitance : 0.1; }}\n" for pin in inputs)
    return (f'cell ("{name}") {{\n  area : {area};\n  {pins}  pin(Y) {{\n    direction : output;\n'
            f'    function : "{function}";\n    timing() {{ related_pin : "A"; '
            'cell_rise(t) { values("0.1, 0.2", "{ not a group"); } } } }')


def test_generic_library_counts_in_nand2() -> None:
    generic = parse_liberty(generic_liberty())
    assert generic.nand2.name == "NAND2" and generic.nand2.area == 1
    assert len(generic.cells) == len(GENERIC_GATES) + 1
    assert [name for name, cell in generic.cells.items() if cell.sequential] == ["DFF"]
    # Areas of NangateOpenCellLibrary in µm²: INV_X1, XOR2_X1, MUX2_X1, DFF_X1 over NAND2_X1.
    for name, area in (("INV", 0.532), ("XOR2", 1.596), ("MUX2", 1.862), ("DFF", 4.522)):
        assert generic.cells[name].area == pytest.approx(area / 0.798, rel=1e-4)


@pytest.mark.parametrize("function", ["!(A&B)", "(A B)'", "!A | !B", "(A'+B')", "!(A * B)",
                                      "(A&B)^1"])
def test_smallest_nand2_is_found_by_function(function: str) -> None:
    found = parse_liberty(library(
        gate("BIG", 9, function), gate("SMALL", 4.5, function), gate("NOR", 1, "!(A|B)"),
        gate("AND", 2, "A&B"), gate("FREE", 0, function), FLIP_FLOP)).nand2
    assert (found.name, found.area, found.inputs) == ("SMALL", 4.5, ("A", "B"))


def test_comments_quotes_and_line_ends(tmp_path: Path) -> None:
    text = library("/* cell(GONE) { area : 1; */ ", gate("N", 3, "!(A&B)"), FLIP_FLOP,
                   "cell(NO_AREA) { pin(A) { direction : input; } }")
    path = tmp_path / "x.lib"
    path.write_bytes(text.replace("\n", "\r\n").encode())
    assert set(read_liberties([path]).cells) == {"N", "FF"}


@pytest.mark.parametrize(("text", "message"), [
    ("", r"must hold one library\(...\) group, not \[\]"),
    ("module vqrom (clk);\nendmodule\n", "must hold one library"),
    ("library(a) { } library(b) { }", r"not \['library', 'library'\]"),
    ("library(a) {", "must close its groups; 1 are open"),
    ("library(a) { } }", "not close a group that it has not opened"),
    ("library(a) { x { } }", r"must begin with kind\(name\), not 'x'"),
    (library(FLIP_FLOP), "'mine' must have a two-input NAND gate"),
    (library(gate("N", 3, "!(A&B)")), "'mine' must have a flip-flop"),
    (library(gate("N", "big", "!(A&B)")), "'mine' must have cells with an area"),
])
def test_what_is_no_library(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "x.lib"
    path.write_text(text)
    with pytest.raises(VqromError, match=message) as caught:
        read_liberties([path])
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_several_files_and_gzip(tmp_path: Path) -> None:
    gates, registers = tmp_path / "gates.lib.gz", tmp_path / "registers.lib"
    gates.write_bytes(gzip.compress(library(gate("N", 3, "!(A&B)")).encode()))
    registers.write_text(library(FLIP_FLOP))
    both = read_liberties([gates, registers])
    assert set(both.cells) == {"N", "FF"} and both.name == "mine+mine" and len(both.texts) == 2
    with pytest.raises(VqromError, match=r"gates\.lib\.gz' '.*must give cell 'N' once"):
        read_liberties([gates, registers, gates])
    gates.write_bytes(gates.read_bytes()[:-9])
    with pytest.raises(VqromError, match=r"gates\.lib\.gz' cannot be unpacked"):
        read_liberties([gates, registers])


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(VqromError, match=r"liberty must be an existing file, not .*no\.lib"):
        read_liberties([tmp_path / "no.lib"])


@pytest.mark.parametrize(("function", "expected"), [
    ("A B | C", lambda a, b, c: (a and b) or c),
    ("A | B & C", lambda a, b, c: a or (b and c)),
    ("A & B ^ C", lambda a, b, c: a and (b != c)),
    ("!A' + (B C)''", lambda a, b, c: a or (b and c)),
    ("!(A+B)*C", lambda a, b, c: not (a or b) and c),
])
def test_functions(function: str, expected) -> None:
    for values in itertools.product((False, True), repeat=3):
        assert evaluate(function, dict(zip("ABC", values, strict=True))) == bool(expected(*values))


@given(st.text("AB!'&|^()01 #", max_size=30))
def test_functions_end_or_raise_value_error(function: str) -> None:
    with contextlib.suppress(ValueError):
        assert evaluate(function, {"A": True, "B": False}) in (True, False)


@given(st.text('library(cell)area:1;{}"/* \n\\', max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(VqromError):
        assert parse_liberty(text).cells
