"""Networks from other tools: PyTorch modules, ONNX and TFLite files, SCALE-Sim topologies.

:func:`capture` turns any PyTorch module into a float network. :func:`read_onnx` and
:func:`read_tflite` make such modules from files; :func:`read_onnx_int8` and
:func:`read_tflite_int8` make quantised networks with the file's own integers, and
:func:`is_onnx_int8` and :func:`is_tflite_int8` tell which of the two a file needs.
:func:`read_topology` reads lists of layers without weights. :func:`check_module` compares a module
with the file that it was read from, and :func:`check_capture` a float network with the module that
it was captured from. :func:`images_in_front` makes modules of files fit for a capture whose outputs
have their images elsewhere.
"""

from .capture_check import check_capture
from .check import check_module
from .images_axis import images_in_front
from .imported_module import Imported
from .onnx import is_onnx_int8, read_onnx, read_onnx_int8
from .pytorch import capture
from .scale_sim import Topology, TopologyLayer, gemm, parse_topology, read_topology
from .tflite import is_tflite_int8, read_tflite, read_tflite_int8

__all__ = [
    "Imported", "Topology", "TopologyLayer", "capture", "check_capture", "check_module", "gemm",
    "images_in_front", "is_onnx_int8", "is_tflite_int8", "parse_topology", "read_onnx",
    "read_onnx_int8", "read_tflite", "read_tflite_int8", "read_topology",
]
