"""TFLite files of one habit of a converter each: right, or refused with the reason."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.conftest import REPOSITORY
from tests.sw.importers.tflite.tflite_models import litert_outputs
from vqrom_hw.errors import VqromError
from vqrom_sw.importers import read_tflite

DATA = Path(os.environ.get("VQROM_DATA", REPOSITORY.parent / "shared" / "data"))

CASES = DATA.parent / "cases"
"""The folder of the files, beside that of the real data."""

REFUSED = {
    "concat_fused_relu": r"the file itself does not run in LiteRT: .*params->activation",
    "conv_tanh": r"operator 0 \(CONV_2D\): fused activation TANH is not known to LiteRT's kernels",
}
"""Why files are refused; all others are right."""

NO_REFERENCE = ("mean_squeeze_fc",)
"""Files with a version of an operator that has no reference kernel in LiteRT."""

COUNT = 42
"""Number of files, so that none is overlooked."""


def names() -> list[str]:
    """Names of the files, without their suffix; one that stands for all if there are none."""
    return sorted(path.stem for path in CASES.glob("*.tflite")) or ["all"]


@pytest.mark.parametrize("name", names())
def test_right_or_refused(name: str) -> None:
    if name == "all":
        pytest.skip(f"cases absent: no TFLite files in {CASES} (set VQROM_DATA)")
    path = CASES / f"{name}.tflite"
    if name in REFUSED:
        with pytest.raises(VqromError, match=REFUSED[name]) as caught:
            read_tflite(path)
        assert "\n" not in str(caught.value)
        return
    imported = read_tflite(path)
    for batch in (1, 3, 8):
        x = np.random.default_rng(batch).standard_normal(
            (batch, *imported.input_shape[1:])).astype(np.float32)
        file = x.transpose(0, 2, 3, 1) if x.ndim == 4 else x
        with torch.no_grad():
            found = imported.module(torch.from_numpy(x))
        (right,) = litert_outputs(path, file, name not in NO_REFERENCE)
        assert tuple(found.shape) == right.shape
        np.testing.assert_allclose(found.numpy(), right, rtol=0, atol=3e-6 * np.abs(right).max())


def test_all_files_are_there() -> None:
    if names() == ["all"]:
        pytest.skip(f"cases absent: no TFLite files in {CASES} (set VQROM_DATA)")
    assert len(names()) == COUNT and set(REFUSED) <= set(names())
