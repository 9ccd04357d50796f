"""Which files a module depends on, and that a digest changes with each of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.changed_sources import with_changed
from vqrom_hw.errors import VqromError
from vqrom_sw.io import source_digest, sources
from vqrom_sw.io.sources import Sources, tool_versions

TREE = {
    "one/__init__.py": '"""A package."""\n',
    "one/errors.py": "class Wrong(Exception): ...\n",
    "one/room/__init__.py": (
        '"""A door."""\nfrom .big import Big\nfrom .small import Small as Little\n'
        'from . import tools\n__all__ = ["Big", "Little", "tools"]\n'),
    "one/room/big.py": "import os\nfrom ..errors import Wrong\nclass Big: ...\n",
    "one/room/small.py": "from .base import Base\nclass Small(Base): ...\n",
    "one/room/base.py": "class Base: ...\n",
    "one/room/tools.py": "TOOL = 1\n",
    "one/working/__init__.py": "from .start import begin\nSTARTED = begin()\n",
    "one/working/start.py": "def begin(): return 1\n",
    "one/working/other.py": "OTHER = 2\n",
    "two/__init__.py": "",
    "two/hall/__init__.py": "from one.room import Little\nfrom numpy import array\n",
    "two/through_doors.py": "from two.hall import Little\n",
    "two/whole_door.py": "import one.room\n",
    "two/star.py": "from one.room import *\n",
    "two/whole_module.py": "import one.room.small as s\n",
    "two/module_by_name.py": "from one.room import small, tools\n",
    "two/in_function.py": "def f():\n    from one.errors import Wrong\n    return Wrong\n",
    "two/for_types.py": (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from one.room import Big\n"),
    "two/circle_a.py": "from .circle_b import b\na = 1\n",
    "two/circle_b.py": "from . import circle_a\nb = 2\n",
    "two/under_working.py": "from one.working.other import OTHER\n",
    "two/door_constant.py": "from one.working import STARTED\n",
    "two/outside.py": "import json\nfrom numpy.typing import NDArray\nfrom two.hall import array\n",
    "two/broken.py": "from one.absent import x\n",
}

DEPENDS: dict[str, set[str]] = {
    "two.through_doors": {"one.room.small", "one.room.base"},
    "two.whole_door": {"one.room", "one.room.big", "one.room.small", "one.room.base",
                       "one.room.tools", "one.errors"},
    "two.star": {"one.room", "one.room.big", "one.room.small", "one.room.base", "one.room.tools",
                 "one.errors"},
    "two.whole_module": {"one.room.small", "one.room.base"},
    "two.module_by_name": {"one.room.small", "one.room.base", "one.room.tools"},
    "two.in_function": {"one.errors"},
    "two.for_types": {"one.room.big", "one.errors"},
    "two.circle_a": {"two.circle_b"},
    "two.circle_b": {"two.circle_a"},
    "two.under_working": {"one.working", "one.working.start", "one.working.other"},
    "two.door_constant": {"one.working", "one.working.start"},
    "two.outside": set(),
    "one.room.small": {"one.room.base"},
}


@pytest.fixture
def tree(tmp_path: Path) -> Sources:
    for name, text in TREE.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Sources.read({"one": tmp_path / "one", "two": tmp_path / "two"})


@pytest.mark.parametrize("name", DEPENDS)
def test_closure(tree: Sources, name: str) -> None:
    assert tree.closure(name) == DEPENDS[name] | {name}


def test_closures_add_up(tree: Sources) -> None:
    both = ("two.in_function", "two.whole_module")
    assert tree.closure(*both) == tree.closure(both[0]) | tree.closure(both[1])


@pytest.mark.parametrize("name", ["two.broken", "two.absent", "json"])
def test_modules_must_exist(tree: Sources, name: str) -> None:
    with pytest.raises(VqromError, match="must import modules that exist, not"):
        tree.closure(name)


def test_every_file_of_the_closure_counts(monkeypatch: pytest.MonkeyPatch, tree: Sources) -> None:
    monkeypatch.setattr(sources, "installed_sources", lambda: tree)
    before = source_digest("two.through_doors")
    assert before == source_digest("two.through_doors")
    for name in tree.modules:
        with with_changed(name):
            changed = source_digest("two.through_doors") != before
        assert changed == (name in tree.closure("two.through_doors")), name


def test_a_door_that_leads_elsewhere_counts(monkeypatch: pytest.MonkeyPatch,
                                            tree: Sources) -> None:
    """The door's own text does not, but where it leads."""
    doors = {"one.room": b"from .big import Big, Big as Little\n"}
    other = Sources({**tree.modules, **doors}, tree.packages)
    monkeypatch.setattr(sources, "installed_sources", lambda: tree)
    before = source_digest("two.through_doors")
    monkeypatch.setattr(sources, "installed_sources", lambda: other)
    assert source_digest("two.through_doors") != before


def test_other_files_and_versions_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    data, module = tmp_path / "data", "vqrom_hw.errors"
    data.write_text("1")
    digests = [source_digest(module), source_digest(module, files=[data])]
    data.write_text("2")
    digests.append(source_digest(module, files=[data]))
    monkeypatch.setattr(sources, "environment", lambda: ("Python 4",))
    digests.append(source_digest(module, files=[data]))
    assert len(set(digests)) == len(digests)


def test_versions_of_what_is_required() -> None:
    assert sources.environment()[0].startswith("Python 3.")
    assert any(tool.startswith("numba ") for tool in sources.environment())
    found = list(tool_versions(["pytest>=8", "absent-thing==1", 'numpy>=2; extra == "test"']))
    assert found == ["absent-thing absent", f"pytest {pytest.__version__}"]
    everything = list(tool_versions(None))
    assert f"pytest {pytest.__version__}" in everything and len(everything) > 20


def test_sources_are_those_of_this_process() -> None:
    """All three packages, read once."""
    assert sources.installed_sources() is sources.installed_sources()
    modules = sources.installed_sources().modules
    assert {"vqrom_hw.accelerator", "vqrom_sw.io.sources", "vqrom_sim.cli.main"} <= set(modules)
