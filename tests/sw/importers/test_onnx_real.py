"""Whole networks that others exported: those in the ``onnx`` package, and in packages of use."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

from vqrom_hw.errors import VqromError
from vqrom_sw.importers import read_onnx

LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"

STATE = {"state": np.zeros((2, 1, 128), np.float32)}
RATE = {"sr": np.array(16000)}
RECORDED = {"h": np.zeros((1, 1, 128), np.float32), "c": np.zeros((1, 1, 128), np.float32)}
NETWORKS = {
    "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx": ((1, 3, 64, 96), {}),
    "rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx": ((1, 3, 48, 96), {}),
    "rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx": ((1, 3, 48, 192), {}),
    "silero_vad/data/silero_vad.onnx": ((1, 576), STATE | RATE),
    "silero_vad/data/silero_vad_16k_op15.onnx": ((1, 576), STATE | RATE),
    "silero_vad/data/silero_vad_half.onnx": ((1, 576), STATE),
    "silero_vad/data/silero_vad_op18_ifless.onnx": ((1, 576), STATE | RATE),
    "silero_vad/data/silero_vad_openvino_16k.onnx": ((1, 576), STATE),
    "qonnx/data/onnx/bsd300x3-espcn/nn_resize/float_model.onnx": ((1, 3, 128, 128), {}),
    "qonnx/data/onnx/bsd300x3-espcn/nn_resize/quant_model.onnx": ((1, 3, 128, 128), {}),
    "qonnx/data/onnx/bsd300x3-espcn/subpixel/float_model.onnx": ((1, 3, 4, 4), {}),
    "qonnx/data/onnx/bsd300x3-espcn/subpixel/quant_model.onnx": ((1, 3, 128, 128), {}),
    "qonnx/data/onnx/eltwise_chanlast_testcase.onnx": ((1, 3, 224, 224), {}),
    "qonnx/data/onnx/mnist-conv/model.onnx": ((1, 1, 28, 28), {}),
    "qonnx/data/onnx/residual_block_clean.onnx": ((1, 1, 200, 200), {}),
}
"""Files of other packages that are read, with the example and the fixed inputs that they need."""

REFUSED = {
    "silero_vad/data/silero_vad_16k_sequence.onnx":
        ((1, 576), RECORDED, r"node '/recurrent/LSTM' \(LSTM\): axis 0 must not be that of the im"),
    "magika/models/standard_v3_3/model.onnx": ((), {}, "input 'bytes' must be FLOAT"),
    "qonnx/data/onnx/floatquant_exec/qonnx_act_weight_fp8.onnx":
        ((), {}, "operator FloatQuant of the domain 'onnx.brevitas' is not known"),
    "qonnx/data/onnx/matmul_update/sdp.onnx": ((), {}, "must have one data input, not 3"),
}
"""Files that are refused, and why."""


def file(name: str) -> Path:
    """A file of a package, which may lie in one of the folders of ``VQROM_WHEELS``."""
    package, _, rest = name.partition("/")
    folders = [Path(folder) / package for folder in
               os.environ.get("VQROM_WHEELS", "").split(os.pathsep) if folder]
    found = None if package in sys.modules else importlib.util.find_spec(package)
    if found is not None and found.submodule_search_locations:
        folders += [Path(folder) for folder in found.submodule_search_locations]
    for folder in folders:
        if (folder / rest).is_file():
            return folder / rest
    pytest.skip(f"package absent: {package} (set VQROM_WHEELS to the folder it is in)")


@pytest.mark.parametrize("name", ["bvlc_alexnet", "densenet121", "inception_v1", "inception_v2",
                                  "resnet50", "shufflenet", "squeezenet", "vgg19", "zfnet512"])
def test_light_networks_are_read(name: str) -> None:
    """Reading compares with onnxruntime; their inputs are not the first of ``graph.input``."""
    path = LIGHT / f"light_{name}.onnx"
    if not path.exists():
        pytest.skip(f"networks absent: no file {path}")
    assert read_onnx(path).input_shape == (1, 3, 224, 224)


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_of_packages_are_read(name: str) -> None:
    example, fixed = NETWORKS[name]
    imported = read_onnx(file(name), example, fixed)
    assert imported.input_shape == example


@pytest.mark.parametrize("name", REFUSED)
def test_networks_of_packages_are_refused_by_name(name: str) -> None:
    example, fixed, reason = REFUSED[name]
    with pytest.raises(VqromError, match=reason):
        read_onnx(file(name), example, fixed)


def test_several_inputs_are_listed() -> None:
    path = file("silero_vad/data/silero_vad_op18_ifless.onnx")
    with pytest.raises(VqromError, match="one data input, not 3: 'input', 'sr', 'state'"):
        read_onnx(path, (1, 576))
