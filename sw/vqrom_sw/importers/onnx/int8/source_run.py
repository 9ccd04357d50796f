"""What the file itself computes: onnxruntime without any optimisation, image by image.

Without optimisation, QuantizeLinear and DequantizeLinear are computed as the standard has them, and
what is between them in float32; nothing is fused.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
import onnx.helper
import onnxruntime

from vqrom_hw.errors import VqromError


def session_of(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    """A session that computes each node as it stands.

    Raises
    ------
    VqromError
        If onnxruntime does not take the model.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        return onnxruntime.InferenceSession(model.SerializeToString(), options,
                                            providers=["CPUExecutionProvider"])
    except Exception as error:
        raise VqromError("onnxruntime must run the file, to compare with, but: "
                         f"{' '.join(str(error).split())[:200]}") from None


class SourceRun:
    """Runs a model on one image at a time.

    Parameters
    ----------
    model:
        The model, whose input takes one image, or any number.
    source:
        Name of its data input.

    Members
    -------
    names:
        All computed tensors.
    """

    def __init__(self, model: onnx.ModelProto, source: str):
        self._source = source
        copy = onnx.ModelProto()
        copy.CopyFrom(model)
        self.names = [name for node in model.graph.node for name in node.output if name]
        known = {entry.name for entry in copy.graph.output}
        copy.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name)
                                 for name in self.names if name not in known)
        self._session = session_of(copy)

    def shapes(self, shape: Sequence[int]) -> dict[str, tuple[int, ...]]:
        """Shape of each tensor with one image of a shape ``(1, ...)``."""
        found = self._run(self.names, np.zeros(shape, np.float32))
        return {name: value.shape for name, value in zip(self.names, found, strict=True)}

    def tensors(self, names: Sequence[str], x: np.ndarray) -> dict[str, np.ndarray]:
        """Tensors by name, ``[N, ...]``, for images float32 ``[N, ...]``."""
        runs = [self._run(names, x[image:image + 1]) for image in range(len(x))]
        return {name: np.concatenate(parts) for name, parts in
                zip(names, zip(*runs, strict=True), strict=True)}

    def _run(self, names: Sequence[str], x: np.ndarray) -> list[np.ndarray]:
        try:
            return [np.asarray(value) for value
                    in self._session.run(list(names), {self._source: x})]
        except Exception as error:
            raise VqromError("the file itself does not run with one image: "
                             f"{' '.join(str(error).split())[:200]}") from None


def run_nodes(nodes: Sequence[onnx.NodeProto], version: int, constants: dict[str, np.ndarray],
              name: str, x: np.ndarray, output: str) -> np.ndarray:
    """Run a few nodes of a model on a tensor.

    Parameters
    ----------
    nodes:
        The nodes.
    version:
        Operator set of the model.
    constants:
        Constant tensors that they read, by name.
    name, x:
        The tensor that they read, float32.
    output:
        Name of the result.

    Raises
    ------
    VqromError
        If they do not run.
    """
    given = onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, x.shape)
    graph = onnx.helper.make_graph(
        list(nodes), "nodes", [given], [onnx.helper.make_empty_tensor_value_info(output)],
        [onnx.numpy_helper.from_array(value, key) for key, value in constants.items()])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", version)],
                                   ir_version=min(10, onnx.IR_VERSION))
    try:
        return np.asarray(session_of(model).run([output], {name: x})[0])
    except VqromError:
        raise
    except Exception as error:
        raise VqromError(f"does not run on single numbers: "
                         f"{' '.join(str(error).split())[:160]}") from None
