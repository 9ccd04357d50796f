"""CACTI beside the model: found, started and read, or absent. The tool itself is not needed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from vqrom_sim.technology import MemoryShape, cacti_estimate, cacti_tools, load_technology
from vqrom_sim.technology.cacti import PACKAGES

SHAPE = MemoryShape("sram_1rw", 1024, 32)
TOOL = """#!/bin/sh
# Keeps the configuration, and answers as CACTI does.
cp "$2" "$(dirname "$0")/last.cfg"
echo "    Cache height x width (mm): 0.2 x 0.05"
printf 'Tech node (nm), Access time (ns), Dynamic read energy (nJ), Dynamic write energy (nJ),' > \
"$2.out"
echo ' Standby leakage per bank(mW), Area (mm2), Ndwl' >> "$2.out"
echo '45, 0.25, 0.0025, 0.003, 2.5, 0.01, 2' >> "$2.out"
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which an installed package keeps its CACTI; without the program yet."""
    for name in PACKAGES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    name, folder = next(iter(PACKAGES.items()))
    place = tmp_path / name / folder
    place.mkdir(parents=True)
    (tmp_path / name / "__init__.py").write_text("raise ImportError('must not be imported')\n")
    (place / "lpddr.cfg").write_text('-size (bytes) 64\n-associativity 8\n-burst length 8\n'
                                     '-Add ECC - "true"\n')
    # Nothing but this package, wherever the tests run.
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    return place


def installed(place: Path, text: str) -> None:
    tool = place / "cacti"
    tool.write_text(text)
    tool.chmod(0o755)


def test_figures_of_a_tool(package: Path) -> None:
    installed(package, TOOL)
    assert cacti_tools() == [("hwcomponents_cacti", package / "cacti")]
    estimate = cacti_estimate(SHAPE, load_technology("45nm"), "itrs-lop")
    assert estimate is not None and estimate.package == "hwcomponents_cacti"
    assert (estimate.area_um2, estimate.width_um, estimate.height_um) == (10_000, 50, 200)
    assert (estimate.access_ns, estimate.read_pj, estimate.write_pj) == (0.25, 2.5, 3)
    assert estimate.leakage_uw == 2500
    lines = (package / "last.cfg").read_text().splitlines()
    # The template's lines stay, ours take the place of others.
    assert "-burst length 8" in lines and "-associativity 8" not in lines
    assert '-Add ECC - "true"' not in lines and "-size (bytes) 64" not in lines
    for line in ("-size (bytes) 4096", "-block size (bytes) 4", "-technology (u) 0.045",
                 "-read-write port 1", '-Data array cell type - "itrs-lop"', '-Add ECC - "false"'):
        assert line in lines


@pytest.mark.parametrize("text", [
    "#!/bin/sh\nexit 1\n", "#!/bin/sh\necho height x width > $2.out\n", "no program at all"])
def test_a_tool_that_fails(package: Path, text: str) -> None:
    installed(package, text)
    assert cacti_tools() and cacti_estimate(SHAPE, load_technology("45nm")) is None


def test_what_cacti_does_not_have(package: Path) -> None:
    installed(package, TOOL)
    node = load_technology("45nm")
    for shape in (MemoryShape("rom", 1024, 32), MemoryShape("register_file", 1024, 32),
                  MemoryShape("sram_1rw", 1024, 12)):
        assert cacti_estimate(shape, node) is None
    assert cacti_estimate(SHAPE, load_technology("7nm")) is None
    assert not (package / "last.cfg").exists()


def test_without_cacti(package: Path) -> None:
    assert cacti_tools() == [] and cacti_estimate(SHAPE, load_technology("45nm")) is None
