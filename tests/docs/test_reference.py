"""The reference that is made from the code says something of everything."""

from __future__ import annotations

import importlib
from types import ModuleType

import pytest

from tests.conftest import REPOSITORY
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import BODIES, header_layout


def extension(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(REPOSITORY / "docs" / "_ext")
    return importlib.import_module(name)


def test_every_field_of_the_configuration_has_a_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    meanings = extension("config_fields", monkeypatch).meanings()
    assert set(AcceleratorConfig.model_fields) <= set(meanings)
    assert all(meanings.values())


def test_every_field_of_a_command_has_a_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    commands = extension("command_fields", monkeypatch)
    known = extension("field_meanings", monkeypatch).MEANINGS
    used = set()
    for layout in (header_layout, *BODIES.values()):
        for path, _offset, _width, _kind in commands.leaves(layout):
            assert commands.meaning(path)
            used.add(path.replace("[i]", "").removeprefix("post."))
    assert used == set(known)


def test_bits_of_a_command_do_not_overlap(monkeypatch: pytest.MonkeyPatch) -> None:
    commands = extension("command_fields", monkeypatch)
    for layout in (header_layout, *BODIES.values()):
        end = 0
        for path, offset, width, _kind in commands.leaves(layout):
            if "[i]" not in path:
                assert offset >= end, path
            end = offset + width


def test_every_operator_of_tflite_is_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    operators = extension("tflite_table", monkeypatch)
    meanings = extension("tflite_meanings", monkeypatch)
    assert set(meanings.LAYERS) == set(operators.INT8)
    assert set(meanings.MODULES) == {
        make.__module__.rpartition(".")[2] for make in operators.FLOAT.values()}
    text = "\n".join(operators.lines())
    assert all(f"`{kind}`" in text for kind in operators.KINDS)
    assert set(operators.REFUSED).isdisjoint(operators.INT8)
