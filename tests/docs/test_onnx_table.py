"""The page on ONNX models has every operator of the standard, as the code has it."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import onnx.defs

from tests.conftest import REPOSITORY
from vqrom_sw.importers.onnx import OPERATORS, REFUSED


def onnx_table() -> ModuleType:
    """The module of the documentation that makes the table."""
    path = REPOSITORY / "docs" / "_ext" / "onnx_table.py"
    spec = importlib.util.spec_from_file_location("onnx_table", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_operator_has_a_row() -> None:
    head, _, *lines = onnx_table().table()
    rows = {cells[1].strip(" `"): cells[2:-1] for cells in (line.split(" | ") for line in (
        f" | {line.strip('| ')} | " for line in lines))}
    assert head.count("|") == 4 and all(len(cells) == 2 for cells in rows.values())
    assert set(rows) == {schema.name for schema in onnx.defs.get_all_schemas()
                         if schema.domain == "" and not schema.deprecated}
    assert {name for name, (here, _) in rows.items() if here == "read"} >= set(OPERATORS)
    for name, (here, how) in rows.items():
        assert how, name
        if name in REFUSED:
            assert here in ("of constants", "refused") and how == REFUSED[name]
