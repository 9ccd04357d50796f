"""Whether an ONNX file is float or int8."""

from __future__ import annotations

from pathlib import Path

from vqrom_hw.errors import VqromError

from .. import model_file


def is_onnx_int8(path: str | Path) -> bool:
    """Whether an ONNX model quantises activations, rather than weights alone.

    Raises
    ------
    VqromError
        If the file is no valid ONNX model.
    """
    try:
        model = model_file.load(Path(path), invent_weights=True)
    except VqromError as error:
        raise VqromError(f"ONNX model {str(path)!r}: {error}") from None
    constant = {tensor.name for tensor in model.graph.initializer}
    for node in model.graph.node:
        if all(name in constant for name in node.input):
            constant |= set(node.output)
        elif node.op_type == "QuantizeLinear":
            return True
    return False
