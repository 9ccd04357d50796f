"""Technology files: those that come along, those of a user, and files that are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from vqrom_hw.errors import VqromError
from vqrom_hw.files import MAX_TOML_BYTES as MAX_BYTES
from vqrom_sim.technology import (
    MemoryShape,
    check_published,
    load_technology,
    technology_names,
)
from vqrom_sim.technology.files import NODES

SHAPE = MemoryShape("sram_1rw", 1024, 32)


def written(folder: Path, text: str, name: str = "mine.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def refusal(path: Path) -> str:
    """The rest of the one line that refuses a file."""
    with pytest.raises(VqromError) as error:
        load_technology(path)
    message = str(error.value)
    assert message.startswith(f"technology {str(path)!r}") and "\n" not in message
    return message.removeprefix(f"technology {str(path)!r}").removeprefix(": ")


def test_technologies_that_come_along() -> None:
    assert {path.stem for path in NODES.glob("*.toml")} == set(technology_names())
    loaded = [load_technology(name) for name in technology_names()]
    assert [technology.name for technology in loaded] == list(technology_names())
    assert {130, 45, 28, 7} <= {technology.node_nm for technology in loaded}
    for technology in loaded:
        assert technology.supply_v > 0 and technology.nand2_um2 > 0
        assert (technology.dram_pj_per_bit[0], technology.dram_pj_per_bit[-1]) == (3.7, 20)
        # Nothing is there for nothing: each source is named by a value.
        named = {one.source for one in technology.constants.values()}
        for group in (technology.published, technology.energies, technology.dram):
            named |= {one.source for one in group}
        unused = set(technology.sources) - named
        assert unused <= {"hbm_low", "fgdram", "between", "horowitz", "jouppi"}, unused


def test_published_energies() -> None:
    """M. Horowitz's table of 45 nm and N. Jouppi's of 7 nm."""
    values = {name: (one.low_pj, one.high_pj)
              for name, one in load_technology("45nm").literature.items()}
    assert values["int8 add, 45 nm"] == (0.03, 0.03)
    assert values["int8 add, 7 nm"] == (0.007, 0.007)
    assert values["int8 multiply, 45 nm"] == (0.2, 0.2)
    assert values["int8 multiply, 7 nm"] == (0.07, 0.07)
    assert values["SRAM 8 KiB, 64 bits, 45 nm"] == (10, 10)
    assert values["DRAM, 64 bits, 45 nm"] == (1300, 2600)


def test_a_file_over_a_base(tmp_path: Path) -> None:
    path = written(tmp_path, '''base = "28nm"
[sram_1rw]
cell_width_um = { value = 0.6, low = 0.5, high = 0.7, source = "foundry" }
[sources.foundry]
text = "Compiler of the foundry"
year = 2026
''')
    mine, base = load_technology(path), load_technology("28nm")
    assert (mine.name, mine.node_nm) == ("28nm", 28)
    assert mine.estimate(SHAPE).area_um2 > base.estimate(SHAPE).area_um2
    assert mine.estimate(MemoryShape("rom", 256, 32)) == base.estimate(
        MemoryShape("rom", 256, 32))
    assert mine.sources["foundry"].year == 2026
    # What the base was checked with says nothing about other constants.
    assert check_published(base) and not check_published(mine)


def test_a_file_of_its_own(tmp_path: Path) -> None:
    """A copy of a node without its name is the node, called as the file."""
    text = (NODES / "45nm.toml").read_text(encoding="utf-8").replace('name = "45nm"\n', "", 1)
    mine = load_technology(written(tmp_path, text))
    assert mine.name == "mine"
    assert mine == load_technology("45nm").model_copy(update={"name": "mine"})


def test_own_dram(tmp_path: Path) -> None:
    path = written(tmp_path, '''base = "7nm"
name = "hbm"
[[dram]]
name = "HBM3"
pj_per_bit = 3.2
source = "asap7"
''')
    assert load_technology(path).dram_pj_per_bit == (3.2,)


@pytest.mark.parametrize(("text", "message"), [
    ('base = "28nm"\nspeed = 3\n', "speed: a technology has no such field, not 3"),
    ('base = "28nm"\n[rom]\ncell = 3\n', "rom.cell: a technology has no such field, not 3"),
    ('base = "28nm"\nnode_nm = "28"\n',
     "node_nm: Input should be a valid number, not '28'"),
    ('base = "28nm"\nnode_nm = inf\n', "node_nm: Input should be less than or equal to 10000, "
                                       "not inf"),
    ('base = "28nm"\n[nand2]\nvalue = 2.0\n',
     "nand2: value must lie between low 0.38 and high 0.6, not 2.0"),
    ('base = "28nm"\n[nand2]\nsource = "nobody"\n', "source of nand2 must be one of "),
    ('base = "28nm"\n[rom]\nmax_rows = { value = 1.5, low = 1, high = 2, source = "assumed" }\n',
     "rom: max_rows must be a whole number of at least 1, not 1.5"),
    ('base = "28nm"\n[rom]\nmin_multiplexing = { value = 3, low = 1, high = 4, '
     'source = "assumed" }\n', "rom: min_multiplexing must be a power of two up to 32, not 3.0"),
    ('base = "28nm"\n[rom]\ncell_width_um = { value = 0, low = 0, high = 1, source = "assumed" }\n',
     "rom: cell_width_um must be greater than 0, not 0.0"),
    ('base = "28nm"\n[[dram]]\nname = "a"\npj_per_bit = 5\nsource = "assumed"\n'
     '[[dram]]\nname = "b"\npj_per_bit = 4\nsource = "assumed"\n',
     "dram must be in rising order, not [5.0, 4.0]"),
    ('base = "28nm"\ndram = []\n', "dram: "),
    ('base = "5nm"\n', "base must be one of 130nm, 130nm-ihp, 45nm, 28nm, 7nm, not '5nm'"),
    ('base = ["28nm"]\n', "base must be one of 130nm, 130nm-ihp, 45nm, 28nm, 7nm, not ['28nm']"),
    ('base = "28nm"\n[[published]]\nname = "a"\nkind = "rom"\nwords = 0\nwidth = 8\n'
     'basis = "layout"\nrole = "other"\narea_um2 = 5\nsource = "assumed"\n',
     "published.0: rom memory: words must be an integer of 1 to 16777216, not 0"),
    ('base = "28nm"\n[[published]]\nname = "a"\nkind = "rom"\nwords = 8\nwidth = 8\n'
     'basis = "layout"\nrole = "other"\nsource = "assumed"\n',
     "published.0: macro 'a' must have a figure, and none of 0"),
    ('base = "28nm"\n' + 2 * ('[[energies]]\nname = "add"\nnode_nm = 28\nlow_pj = 1\n'
                              'high_pj = 1\nsource = "assumed"\n'),
     "energies must differ in name or node, not ['add', 'add']"),
    ('node_nm = 28\n', "description: Field required"),
    ('sources = 3\n', "description: Field required"),
    ('base = "28nm"\nsources = 3\n', "sources: "),
    ("node_nm = \n", "must be valid TOML: "),
])
def test_files_that_are_none(tmp_path: Path, text: str, message: str) -> None:
    assert refusal(written(tmp_path, text)).removeprefix(" ").startswith(message)


def test_unreadable_files(tmp_path: Path) -> None:
    assert refusal(tmp_path / "absent.toml") == " cannot be read: No such file or directory"
    large = written(tmp_path, "#" * (MAX_BYTES + 1))
    assert refusal(large) == f" must be at most {MAX_BYTES} bytes, not {MAX_BYTES + 1}"
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    assert refusal(tmp_path / "binary.toml").startswith(" must be UTF-8 text: ")
    with pytest.raises(VqromError, match=r"^technology must be one of 130nm, 130nm-ihp, 45nm, "
                                         r"28nm, 7nm or a .toml file, not '5nm'$"):
        load_technology("5nm")
