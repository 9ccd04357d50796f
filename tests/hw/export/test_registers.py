"""The register map as a page and as a C header: the same numbers as in the declaration."""

import re
import shutil
import subprocess

import pytest

from tests.bench.registers_page import PAGE
from tests.hw.simulation import config_of
from vqrom_hw.export import HEADER, c_header, registers_markdown
from vqrom_hw.isa import COMMAND_BYTES, IDENTIFIER, REGISTERS, VERSION, ErrorCode, Region


def test_page_is_what_the_declaration_gives():
    assert PAGE.read_text(encoding="utf-8") == registers_markdown(), (
        "run: python -m tests.bench.registers_page")


def test_page_names_every_register_and_field():
    page = registers_markdown()
    for register in REGISTERS.values():
        assert page.count(f"| `{register.offset:#05x}` | `{register.name}` |") == 1
        for field in register.fields:
            meaning = (f"write 1: {field.description}; reads 0" if field.write_one
                       else field.description)
            assert f"| `{field.name}` | {meaning} |" in page


def expected_macros(config) -> dict[str, int]:
    """What each macro of the header is worth; arrays by their last register."""
    macros = {"VQROM_IDENTIFIER": IDENTIFIER, "VQROM_VERSION": VERSION,
              "VQROM_COMMAND_BYTES": COMMAND_BYTES, "VQROM_BEAT_BYTES": config.beat_bytes,
              "VQROM_REG_BASE(3)": REGISTERS["base_scratch"].offset,
              "VQROM_REG_LIMIT(VQROM_REGION_OUTPUT)": REGISTERS["limit_output"].offset,
              "VQROM_REG_CODEBOOK_SHA256(7)": REGISTERS["codebook_sha256_7"].offset,
              "VQROM_REG_COUNTER(VQROM_REG_COUNTER_COUNT - 1)":
                  REGISTERS["counter_accumulator_writes"].offset}
    for register in REGISTERS.values():
        name = register.name.upper()
        macros[f"VQROM_REG_{name}"] = register.offset
        for field in register.fields:
            macros[f"VQROM_{name}_{field.name.upper()}_SHIFT"] = field.bit
            macros[f"VQROM_{name}_{field.name.upper()}_MASK"] = field.mask
    macros |= {f"VQROM_ERROR_{code.name}": code.value for code in ErrorCode}
    return macros | {f"VQROM_REGION_{region.name}": region.value for region in Region}


def test_no_macro_twice():
    names = re.findall(r"^#define (\w+)", c_header(config_of()), re.MULTILINE)
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("language", "options"), [
    ("c", ("-x", "c", "-std=c99")), ("c++", ("-x", "c++", "-std=c++11"))])
@pytest.mark.parametrize("bus_width", [64, 1024])
def test_compiled_header_has_the_same_numbers(tmp_path, language, options, bus_width):
    compiler = next((found for name in ("cc", "gcc", "clang", "g++")
                     if (found := shutil.which(name))), None)
    if compiler is None:
        pytest.skip(f"no {language} compiler: cc, gcc, clang or g++")
    config = config_of(bus_width=bus_width)
    macros = expected_macros(config)
    (tmp_path / HEADER).write_text(c_header(config), encoding="ascii")
    lines = "\n".join(f'  printf("%lu\\n", (unsigned long)({macro}));' for macro in macros)
    (tmp_path / "main.txt").write_text(
        f'#include <stdio.h>\n#include "{HEADER}"\n#include "{HEADER}"\n'
        f"int main(void) {{\n{lines}\n  return 0;\n}}\n", encoding="ascii")
    built = subprocess.run([compiler, *options, "-Wall", "-Wextra", "-Werror", "-pedantic",
                            "main.txt", "-o", "main"], cwd=tmp_path, capture_output=True,
                           text=True, check=False)
    if built.returncode and "cc1plus" in built.stderr:
        pytest.skip(f"{compiler} cannot compile {language}")
    assert built.returncode == 0, built.stderr
    printed = subprocess.run([str(tmp_path / "main")], capture_output=True, text=True, check=True)
    assert dict(zip(macros, map(int, printed.stdout.split()), strict=True)) == macros
