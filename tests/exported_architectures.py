"""The families of :mod:`tests.architectures` as PyTorch exports them to ONNX, and compressed."""

from __future__ import annotations

import contextlib
import io
import tempfile
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import nn

from tests.architectures import build
from tests.compressed_architectures import family_codebook, random_inputs
from vqrom_sw.compress import compress
from vqrom_sw.importers import capture, read_onnx
from vqrom_sw.network import QuantizedNetwork

OPSETS = (13, 17, 23)
"""Operator sets: two of the older exporter, which traces TorchScript, and the newest that the
newer one, of ``torch.export``, takes."""

NEWER = 18
"""The first operator set that the newer exporter is asked for."""


def export(module: nn.Module, example: torch.Tensor, path: Path, opset: int) -> None:
    """Write a module as an ONNX file that takes any number of images."""
    options: dict[str, Any] = {"dynamic_axes": {"x": {0: "images"}}}
    if opset >= NEWER:
        options = {"dynamic_shapes": ({0: torch.export.Dim("images")},)}
        # torch.export takes a size of 1 for a constant.
        example = torch.cat([example, example])
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), \
            contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        torch.onnx.export(module, (example,), str(path), dynamo=opset >= NEWER,
                          opset_version=opset, input_names=["x"], **options)


@cache
def compressed_export(name: str, opset: int) -> QuantizedNetwork:
    """A family's ONNX file on the codebook that all families share.

    The module's outputs are compared with the family's own, so that exporter and importer together
    change nothing.
    """
    module, example = build(name)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        export(module, example, path, opset)
        read = read_onnx(path)
    inputs = random_inputs(name, 4)
    with torch.no_grad():
        ours, theirs = (_flat(run(torch.from_numpy(inputs))) for run in (read.module, module))
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3)
    network = capture(read.module, example, name)
    return compress(network, family_codebook(), inputs)


def _flat(outputs: Any) -> list[torch.Tensor]:
    if isinstance(outputs, torch.Tensor):
        return [outputs]
    return list(outputs.values() if isinstance(outputs, dict) else outputs)
