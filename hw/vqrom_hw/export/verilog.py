"""From Amaranth to readable Verilog: one module per distinct component, plain names."""

from __future__ import annotations

import re
import tempfile
from itertools import count
from pathlib import Path

from amaranth.back import rtlil
from amaranth.lib import wiring

from vqrom_hw.weights import MEMORIES

from .fast_conversion import fast_conversion
from .yosys import run_yosys

_MODULE = re.compile(r"^module (\S+) ?\(.*?^endmodule\n", re.DOTALL | re.MULTILINE)
_ROM_INIT = re.compile(r"^  initial begin\n((?:    \w+\[\d+\] = [^;]*;\n)+)  end\n", re.MULTILINE)
_LOGIC_ROM = re.compile(
    rf"^  reg (\[\d+:0\]) {MEMORIES['logic']} \[(\d+):0\];\n"
    r"  initial begin\n((?:    \w+\[\d+\] = [^;]*;\n)+)  end\n", re.MULTILINE)
_LOGIC_READ = re.compile(rf"\b{MEMORIES['logic']}\[(\w+)\]")
_ROM_WORD = re.compile(r"\[(\d+)\] = ([^;]*);")
_INSTANCE = re.compile(r"^  (\\\S+) +(\\?\S+) \((.*?\n  \);)", re.DOTALL | re.MULTILINE)
_CONNECTION = re.compile(r"\.(\\\S+ |\w+)\(")
_ESCAPED = re.compile(r"\\\S+(?= )")
_NUMBER = re.compile(r"\$\d*")
_PLAIN_NAME = re.compile(r"[^A-Za-z0-9_]")


def to_verilog(component: wiring.Component, top: str, rom_file: str) -> str:
    """Convert a component and everything below it.

    Amaranth's own Verilog has a module for each instance and names with numbers in them. Here
    equal modules become one, named after its component, so that people can read the text and a
    synthesiser maps each module once.

    Parameters
    ----------
    component:
        The top-level component.
    top:
        Name of its module.
    rom_file:
        Name of the file that codebook ROMs of the form ``readmemh`` read. No other memory is
        initialised, so that a RAM macro can stand in for it.

    Returns
    -------
    str
        Verilog, leaves first, the top module last.

    Raises
    ------
    RuntimeError
        If Yosys fails.
    """
    with fast_conversion():
        converted = rtlil.convert(component, name=top, emit_src=False)
    text = _write_verilog(converted, top)
    text = re.sub(r"^/\* Generated.*?\*/\n", "", text, flags=re.MULTILINE)
    text = _LOGIC_READ.sub(r"lookup(\1)", _LOGIC_ROM.sub(_lookup_function, text))
    text = _ROM_INIT.sub(lambda match: _readmemh(match, rom_file), text)
    return _merge_equal_modules(text, top)


def _write_verilog(rtlil_text: str, top: str) -> str:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # Numbers of equal length: Yosys sorts cells by names that end in them, and equal modules
        # must not differ by the order of their cells.
        (folder / "in.il").write_text(f"autoidx {10 ** 8}\n{rtlil_text}", encoding="utf-8")
        run_yosys((
            "read_rtlil in.il", f"hierarchy -top {top}",
            "select -set ram t:$meminit_v2 *codebook_rom*/t:$meminit_v2 %d",
            "delete @ram", "proc", "opt_expr", "clean", "memory_collect",
            "write_verilog -noattr out.v",
        ), folder)
        return (folder / "out.v").read_text(encoding="utf-8")


def _readmemh(match: re.Match[str], rom_file: str) -> str:
    memory = match.group(1).split("[", 1)[0].strip()
    return f'  initial $readmemh("{rom_file}", {memory});\n'


def _lookup_function(match: re.Match[str]) -> str:
    """Write a case statement in place of a memory, so that synthesis sees constant logic."""
    width, last, words = match.groups()
    bits = int(last).bit_length()
    cases = [f"        {bits}'d{index}: lookup = {value};" for index, value in
             _ROM_WORD.findall(words)]
    return "\n".join([
        f"  function {width} lookup;", f"    input [{bits - 1}:0] word;", "    case (word)",
        *cases, f"        default: lookup = {int(width[1:-3]) + 1}'bx;", "    endcase",
        "  endfunction", ""])


def _base_name(path: str) -> str:
    """The module name for an instance path: its last part without instance numbers."""
    last = path.removeprefix("\\").rsplit(".", 1)[-1]
    return _PLAIN_NAME.sub("_", re.sub(r"(_\d+)+$", "", last))


def _merge_equal_modules(text: str, top: str) -> str:
    """Name modules by component and keep one of each set of equal ones.

    Amaranth emits a module per instance. Going from the leaves upwards, modules whose text is
    equal once their children carry final names are the same module.
    """
    modules = {match.group(1): match.group(0) for match in _MODULE.finditer(text)}
    final: dict[str, tuple[str, dict[str, str]]] = {}
    names: set[str] = set()
    merged: dict[tuple[str, str], str] = {}
    for path in sorted(modules, key=lambda name: (-name.count("."), name)):
        body, ports = _plain_names(_rename_children(modules[path].replace(path, "@", 1), final))
        key = (_base_name(path), body)
        if key not in merged:
            merged[key] = _unused_name(key[0], names)
            names.add(merged[key])
        final[path] = merged[key], ports
    if top not in names:
        raise AssertionError(f"top module {top!r} lost its name")
    return "\n".join(body.replace("@", name, 1) for (_, body), name in merged.items())


def _unused_name(base: str, taken: set[str]) -> str:
    if base not in taken:
        return base
    return next(name for number in count(2) if (name := f"{base}_v{number}") not in taken)


def _rename_children(body: str, final: dict[str, tuple[str, dict[str, str]]]) -> str:
    """Give instances the final names of their modules and of the ports that were renamed.

    An instance starts with the escaped path of its module.
    """
    def rename(match: re.Match[str]) -> str:
        name, ports = final[match.group(1)]
        connections = _CONNECTION.sub(
            lambda port: f".{ports.get(port.group(1).strip(), port.group(1))}(", match.group(3))
        return f"  {name} {match.group(2)} ({connections}"
    return _INSTANCE.sub(rename, body)


def _plain_names(body: str) -> tuple[str, dict[str, str]]:
    """Give names that Verilog must escape plain ones; returns the renaming as well.

    They are words of the language (``inside``), parts of arrays (``products[0]``), and names with
    Amaranth's numbers (``next$7``). Many synthesis tools stumble over them.
    """
    words = set(re.findall(r"[A-Za-z_]\w*", body))
    renamed: dict[str, str] = {}
    for escaped in dict.fromkeys(_ESCAPED.findall(body)):
        plain = _PLAIN_NAME.sub("_", _NUMBER.sub("", escaped[1:])).strip("_")
        name = _unused_name(f"{plain}_" if plain == escaped[1:] else plain, words)
        words.add(name)
        renamed[escaped] = name
    return _ESCAPED.sub(lambda match: renamed[match.group(0)], body), renamed
