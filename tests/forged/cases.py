"""Forged and mutated inputs of every kind, each by a seed."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

from tests.random_networks import mixed_network, random_codebook
from tests.sw.compiler.program_checks import check_programs, config_of
from tests.sw.importers.onnx_models import node, save
from vqrom_hw.config import load_config
from vqrom_hw.errors import VqromError
from vqrom_sim.cli import main
from vqrom_sim.studies import Study
from vqrom_sim.technology import load_technology
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.compiler import compile_stages
from vqrom_sw.formats import load_network, save_network
from vqrom_sw.formats.vqnet import content_digest
from vqrom_sw.io import tensor_bytes

Case = Callable[[], None]

NUMBERS = (0, -1, 1, 2, 20, 127, -128, 255, 1 << 20, (1 << 31) - 1, -(1 << 31), 1 << 40, 10**30,
           0.5, 1e300, -1e-300, True, None, "x", [], {}, [1, 2], {"a": 1})
"""Values that stand in the place of others."""

SPECIAL = ("/dev/zero", "/dev/null", "/dev/random", "/proc/self/maps", "/proc/kcore",
           "/sys/kernel/mm/transparent_hugepage/enabled", "/", "/proc/self/mem")
"""Paths that are no regular files, or made up by the kernel."""


class Forger:
    """Makes cases of all kinds in a folder.

    Parameters
    ----------
    folder:
        An empty folder, in which each case writes its files.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._codebook = random_codebook(config_of("tiny"))
        self._codebook.save(folder / "codebook.safetensors")
        self._builder = mixed_network(self._codebook)
        self._network = self._builder.build()
        save_network(self._network, folder / "good.vqnet", self._codebook)
        np.save(folder / "good.npy", self._builder.images(1))
        os.mkfifo(folder / "fifo")

    def case(self, kind: str, seed: int) -> Case:
        """The case of a kind (one of :data:`KINDS`) with a seed."""
        return getattr(self, f"_{kind}")(np.random.default_rng(seed))

    def warm_up(self) -> None:
        """Run good commands in this process, so that cases forked from it import nothing."""
        (self.folder / "good.csv").write_text("Layer, M, N, K,\na, 3, 4, 5,\n")
        save(self.folder / "good.onnx", [node("Conv", "x w", "y")], (1, 3, 8, 8),
             {"w": np.ones((4, 3, 3, 3), np.float32)})
        for case in (self._simulate(self.folder / "good.vqnet", inputs=self.folder / "good.npy"),
                     self._simulate(None, topology=self.folder / "good.csv"),
                     self._simulate(None, topology=self.folder / "good.onnx")):
            with Path(os.devnull).open("w") as null, redirect_stdout(null), redirect_stderr(null):
                try:
                    case()
                except SystemExit as ended:
                    assert not ended.code, "a good command failed"

    def _vqnet(self, rng: np.random.Generator) -> Case:
        """Values of tensors, and of the graph, with a digest that is right."""
        path = self.folder / "good.vqnet"
        tensors = {name: value.copy() for name, value in load_file(path).items()}
        size = int.from_bytes(path.read_bytes()[:8], "little")
        metadata = json.loads(path.read_bytes()[8:8 + size])["__metadata__"]
        graph = json.loads(metadata["graph"])
        for _ in range(rng.integers(1, 4)):
            if rng.random() < 0.6:
                value = tensors[str(rng.choice(sorted(tensors)))]
                info = np.iinfo(value.dtype) if value.dtype.kind in "iu" else None
                choices = [info.min, info.max, info.max - 20, info.min + 20, 20, 0, 1] if info \
                    else [0.0, 1e300, math.nan]
                value.reshape(-1)[rng.integers(value.size)] = choices[rng.integers(len(choices))]
            else:
                _mutate(graph, rng)
        metadata["graph"] = json.dumps(graph)
        metadata["sha256"] = content_digest(metadata["graph"], tensors)
        forged = self.folder / "forged.vqnet"
        forged.write_bytes(tensor_bytes(tensors, metadata))

        def run() -> None:
            network = load_network(forged)
            codebook = UniversalCodebook.load(self.folder / "codebook.safetensors")
            compiled = compile_stages(network, codebook.codewords, config_of("tiny"))
            inputs = np.random.default_rng(1).integers(
                -128, 128, (1, *network.input_shape)).astype(np.int8)
            check_programs(compiled, codebook, inputs)
        return _one_line(run)

    def _npy(self, rng: np.random.Generator) -> Case:
        """Headers of arrays: shapes, kinds of numbers, orders, sizes."""
        height, width, channels = self._network.input_shape
        shape: list[Any] = [1, channels, height, width]
        if rng.random() < 0.7:
            shape[rng.integers(4)] = [True, 0, -1, 2, 1 << 40, 1 << 62, 1.0, None, (1,), "a", 10**30
                                      ][rng.integers(11)]
        kind = ["<f4", "|i1", "<f8", "<f2", "|b1", "<c8", "|O", "<U4", "<M8[s]", "|V8", ">f4", "x",
                [("a", "<f4")], "<i8", "|S4"][rng.integers(15)]
        header = repr({"descr": kind, "fortran_order": bool(rng.integers(2)),
                       "shape": tuple(shape)}).encode()
        if rng.random() < 0.2:
            header = header[:rng.integers(len(header))]
        version = bytes([int(rng.integers(0, 4)), 0])
        length = len(header).to_bytes(2 if version[0] == 1 else 4, "little")
        path = self.folder / "forged.npy"
        path.write_bytes(b"\x93NUMPY" + version + length + header
                         + bytes(int(rng.choice([1, 4, 8])) * height * width * channels))
        if rng.random() < 0.1:
            os.truncate(path, 1 << int(rng.integers(28, 40)))
        return self._simulate(self.folder / "good.vqnet", inputs=path)

    def _toml(self, rng: np.random.Generator) -> Case:
        """Configurations, technologies and studies: values, depths, lengths."""
        text = ['base = "edge16"\nname = "a"\nrows = 16\n', 'base = "45nm"\n[dram]\nx = 1\n',
                'workloads = ["alexnet"]\nmeasures = ["cycles"]\n[base]\nconfig = "tiny"\n'
                ][which := int(rng.integers(3))]
        match rng.integers(6):
            case 0:
                lines = text.splitlines()
                place = rng.integers(len(lines))
                value = _toml_value(NUMBERS[rng.integers(len(NUMBERS))])
                lines[place] = lines[place].partition("=")[0] + "= " + value
                text = "\n".join(lines)
            case 1:
                text = "x = " + "9" * int(rng.integers(1, 20_000)) + "\n" + text
            case 2:
                text = ".".join("a" * int(rng.integers(1, 50_000))) + " = 1\n" + text
            case 3:
                depth = int(rng.integers(1, 100_000))
                text = "x = " + "[" * depth + "]" * depth + "\n" + text
            case 4:
                content = bytearray(text.encode())
                content[rng.integers(len(content))] = rng.integers(256)
                text = content.decode("latin-1")
            case _:
                text = text[:rng.integers(len(text))]
        path = self.folder / "forged.toml"
        path.write_text(text)
        readers: list[Callable[[str], object]] = [load_config, load_technology, Study.load]
        return _one_line(lambda: readers[which](str(path)))

    def _csv(self, rng: np.random.Generator) -> Case:
        """Topologies: numbers, columns, lengths."""
        gemm = bool(rng.integers(2))
        cells = ["a", "30", "24", "16"] if gemm else ["a", "9", "9", "3", "3", "20", "9", "1"]
        for _ in range(rng.integers(1, 4)):
            cells[rng.integers(len(cells))] = str(rng.choice(
                ["0", "-1", "1e9", "16777215", "9" * 5000, "", "\0", "1000000", "4096", "DP", "٣"]))
        header = "Layer, M, N, K,\n" if gemm else "a,b,c,d,e,f,g,h,\n"
        path = self.folder / "forged.csv"
        path.write_text(header + ",".join(cells) + ",\n")
        return self._simulate(None, topology=path)

    def _onnx(self, rng: np.random.Generator) -> Case:
        """Constants that grow, and names of nodes."""
        big = int(rng.choice([1, 8, 1 << 14, 1 << 20, 1 << 33, 1 << 62, -1]))
        sizes = np.array([big, int(rng.choice([1, 3, 1 << 17]))], np.int64)
        grown = [node("ConstantOfShape", "s", "g"), node("Expand", "one s", "g"),
                 node("Tile", "one s", "g"), node("Pad", "one p", "g"),
                 node("Range", "zero big step", "g"),
                 node("Resize", "one _ _ s", "g"), node("OneHot", "idx big01 onoff", "g")
                 ][rng.integers(7)]
        nodes = [grown, node("ReduceSum", "g", "r", keepdims=0), node("Add", "x r", "z"),
                 node("Conv", "z w", "y")]
        names = ["../../x", "/etc/passwd", "a\nb", "a\0b", "", "class", "1", "\u202e",
                 "x" * 100_000]
        nodes[-1].name = names[rng.integers(len(names))].replace("\0", "")
        save(path := self.folder / "forged.onnx", nodes, (1, 3, 8, 8), {
            "s": sizes, "one": np.ones((1, 1), np.float32), "zero": np.float32(0),
            "big": np.float32(big), "step": np.float32(rng.choice([1, 0, -1, 1e-30])),
            "big01": np.array([big], np.int64), "idx": np.zeros(3, np.int64),
            "onoff": np.array([0, 1], np.float32), "p": np.array([0, 0, *sizes], np.int64),
            "w": np.ones((4, 3, 3, 3), np.float32)})
        return self._simulate(None, topology=path)

    def _special(self, rng: np.random.Generator) -> Case:
        """Devices, FIFOs and files of the kernel, for every option."""
        path = self.folder / f"special.{['npy', 'toml', 'csv', 'onnx', 'vqnet'][rng.integers(5)]}"
        path.unlink(missing_ok=True)
        path.symlink_to([*SPECIAL, str(self.folder / "fifo")][rng.integers(len(SPECIAL) + 1)])
        good, images = self.folder / "good.vqnet", self.folder / "good.npy"
        choices: list[Callable[[], Case]] = [
            lambda: self._simulate(path, inputs=images), lambda: self._simulate(good, inputs=path),
            lambda: self._simulate(good, inputs=images, codebook=path),
            lambda: self._simulate(good, inputs=images, config=path),
            lambda: self._simulate(None, topology=path)]
        return choices[rng.integers(len(choices))]()

    def _simulate(self, network: Path | None, **options: Path) -> Case:
        """`vqrom simulate` without Verilog."""
        given = {"config": "tiny", "output": self.folder / "out"} | options
        if network is not None:
            given = {"codebook": self.folder / "codebook.safetensors"} | given
        arguments = [str(network)] if network is not None else []
        engine = "model" if network is None else "reference"
        for name, value in (given | {"engine": engine}).items():
            arguments += [f"--{name}", str(value)]

        def run() -> None:
            sys.argv = ["vqrom", "simulate", *arguments]
            main()
        return run


KINDS = ("vqnet", "npy", "toml", "csv", "onnx", "special")
"""Kinds of cases."""


def _one_line(run: Callable[[], object]) -> Case:
    """A function as a command: what it refuses is one line and status 2."""
    def case() -> None:
        try:
            run()
        except VqromError as error:
            print(f"vqrom: error: {error}", file=sys.stderr)
            sys.exit(2)
    return case


def _mutate(graph: dict[str, Any], rng: np.random.Generator) -> None:
    """Another value in a random place of nested records."""
    place: Any = graph
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = keys[rng.integers(len(keys))]
        if isinstance(place[key], dict | list) and place[key] and rng.random() < 0.9:
            place = place[key]
            continue
        place[key] = NUMBERS[rng.integers(len(NUMBERS))]
        return


def _toml_value(value: Any) -> str:
    """A value as TOML writes it."""
    return "{a = 1}" if isinstance(value, dict) and value else \
        json.dumps("" if value is None else value)
