"""What type checkers believe about Amaranth and our components is what is there at run time."""

import ast
import importlib
import inspect
import re
from pathlib import Path

import numpy as np
import pytest
from amaranth.back import rtlil
from amaranth.hdl import Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In

import vqrom_hw
from vqrom_hw.accelerator import Accelerator
from vqrom_hw.config import load_config

TYPINGS = Path(str(vqrom_hw.__file__)).parents[1] / "typings"

NUMBERED = re.compile(r"_\d+$")
"""Ports that a component makes by number and offers as a tuple."""

PREFIXED = re.compile(r"^[sm]_axil?_")
"""The accelerator's buses, which :func:`vqrom_hw.bus.connect_prefixed` connects by name."""


UNREAD = {"awprot", "arprot", "wstrb"}
"""Signals of AXI4-Lite that the registers do not look at, so nothing needs them as attributes."""


@pytest.fixture(scope="module")
def components() -> list[wiring.Component]:
    """Every component of ours in an accelerator, of each class and signature at least one."""
    made: list[wiring.Component] = []
    original = wiring.Component.__init__

    def recorded(self: wiring.Component, *args: object, **kwargs: object) -> None:
        original(self, *args, **kwargs)  # pyright: ignore[reportArgumentType]  (passed on as is)
        made.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wiring.Component, "__init__", recorded)
        for storage in ("rom", "sram"):
            config = load_config("tiny").model_copy(update={"codebook_storage": storage})
            shape = config.codewords, config.subvector
            rtlil.convert(Accelerator(config, np.zeros(shape, np.int8)), emit_src=False)
    ours = [one for one in made if type(one).__module__.startswith("vqrom_hw")]
    assert {type(one).__name__ for one in ours} >= {
        "Accelerator", "CodebookRam", "CodebookRom", "CommandProcessor", "Requantizer"}
    return ours


def annotations(component: wiring.Component) -> dict[str, type]:
    """Annotations of a component's class and its bases, up to Amaranth's own."""
    bases = [base for base in type(component).__mro__
             if base.__module__.startswith("vqrom_hw")]
    return {name: kind for base in reversed(bases)
            for name, kind in inspect.get_annotations(base).items()}


def test_every_port_is_an_annotated_attribute(components: list[wiring.Component]) -> None:
    for component in components:
        known = annotations(component)
        missing = [name for name in component.signature.members
                   if name not in known | dict.fromkeys(UNREAD)
                   and not NUMBERED.search(name) and not PREFIXED.search(name)]
        assert not missing, f"{type(component).__name__} has no annotation for {missing}"


def test_ports_have_the_types_of_their_annotations(components: list[wiring.Component]) -> None:
    for component in components:
        members = component.signature.members
        for name, kind in annotations(component).items():
            if name in members:
                port, member = getattr(component, name), members[name]
                if member.is_signature and member.flow == In:
                    port = wiring.flipped(port)
                assert kind in (Signal, data.View, stream.Interface)
                assert isinstance(port, kind), f"{type(component).__name__}.{name} is no {kind}"


def stub_names(text: str) -> list[str]:
    """Public classes and functions that a stub declares, and ``Class.method`` for methods."""
    names: list[str] = []
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            names.append(node.name)
            if isinstance(node, ast.ClassDef):
                names += [f"{node.name}.{inner.name}" for inner in node.body
                          if isinstance(inner, ast.FunctionDef)]
    return names


@pytest.mark.parametrize("path", sorted(TYPINGS.rglob("*.pyi")), ids=lambda path: path.stem)
def test_amaranth_has_what_its_stubs_declare(path: Path) -> None:
    place = path.relative_to(TYPINGS).with_suffix("")
    module = importlib.import_module(".".join(place.parts).removesuffix(".__init__"))
    for name in stub_names(path.read_text(encoding="utf-8")):
        found: object = module
        for part in name.split("."):
            assert hasattr(found, part), f"{module.__name__} has no {name}"
            found = getattr(found, part)
