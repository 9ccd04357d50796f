"""Networks from other tools: PyTorch modules, ONNX and TFLite files, SCALE-Sim topologies."""

from .module import Imported
from .onnx import read_onnx
from .pytorch import capture
from .scale_sim import Topology, TopologyLayer, read_topology
from .tflite import is_tflite_int8, read_tflite, read_tflite_int8

__all__ = [
    "Imported", "Topology", "TopologyLayer", "capture", "is_tflite_int8", "read_onnx",
    "read_tflite", "read_tflite_int8", "read_topology",
]
