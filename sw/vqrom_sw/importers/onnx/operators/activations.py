"""Activation functions, and softmax.

Source of all formulas and defaults here: the operators' definitions in the ONNX standard.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn

from vqrom_sw.importers.imported_module import Call

from ..node import OnnxNode

SELU_ALPHA = 1.67326319217681884765625
SELU_GAMMA = 1.05070102214813232421875


def leaky_relu(node: OnnxNode) -> nn.Module:
    """``LeakyRelu``: values below 0 are multiplied by ``alpha``."""
    node.data(0)
    return nn.LeakyReLU(node.attribute("alpha", 0.01))


def prelu(node: OnnxNode) -> nn.Module:
    """``PRelu``: values below 0 are multiplied by a slope, one of each channel or any other."""
    data, slope = node.data(0), node.weight(1)
    channels = slope.numel()
    by_channel = slope.dim() == data.rank - 1 and slope.shape[0] == channels and data.rank > 1
    if by_channel or channels == 1:
        part = nn.PReLU(channels)
        part.weight = nn.Parameter(slope.reshape(-1).clone(), requires_grad=False)
        return part
    node.operands.clear()
    return node.apply(lambda x, slopes: torch.where(x < 0, slopes * x, x))


def elu(node: OnnxNode) -> nn.Module:
    """``Elu``: ``alpha * (exp(x) - 1)`` below 0."""
    node.data(0)
    return nn.ELU(node.attribute("alpha", 1.0))


def selu(node: OnnxNode) -> nn.Module:
    """``Selu``: ``gamma`` times ELU."""
    node.data(0)
    alpha, gamma = node.attribute("alpha", SELU_ALPHA), node.attribute("gamma", SELU_GAMMA)
    if math.isclose(alpha, SELU_ALPHA, rel_tol=1e-6) and \
            math.isclose(gamma, SELU_GAMMA, rel_tol=1e-6):
        return nn.SELU()
    return Call(lambda x: gamma * F.elu(x, alpha))


def celu(node: OnnxNode) -> nn.Module:
    """``Celu``: ``alpha * (exp(x / alpha) - 1)`` below 0."""
    node.data(0)
    return nn.CELU(node.attribute("alpha", 1.0))


def thresholded(node: OnnxNode) -> nn.Module:
    """``ThresholdedRelu``: 0 up to ``alpha``, and the value itself above."""
    node.data(0)
    alpha = node.attribute("alpha", 1.0)
    return nn.Threshold(alpha, 0.0)


def hard_sigmoid(node: OnnxNode) -> nn.Module:
    """``HardSigmoid``: ``alpha * x + beta``, at least 0 and at most 1."""
    node.data(0)
    alpha, beta = node.attribute("alpha", 0.2), node.attribute("beta", 0.5)
    if math.isclose(alpha, 1 / 6, rel_tol=1e-6) and beta == 0.5:
        return nn.Hardsigmoid()
    return Call(lambda x: (alpha * x + beta).clamp(0, 1))


def gelu(node: OnnxNode) -> nn.Module:
    """``Gelu`` with ``erf``, or its approximation with ``tanh``."""
    node.data(0)
    return nn.GELU(node.expect("approximate", "none", ("none", "tanh")))


def swish(node: OnnxNode) -> nn.Module:
    """``Swish``: ``x * sigmoid(alpha * x)``."""
    node.data(0)
    alpha = node.attribute("alpha", 1.0)
    return nn.SiLU() if alpha == 1 else Call(lambda x: x * torch.sigmoid(alpha * x))


def shrink(node: OnnxNode) -> nn.Module:
    """``Shrink``: 0 between ``-lambd`` and ``lambd``, nearer to 0 by ``bias`` outside."""
    node.data(0)
    limit, bias = node.attribute("lambd", 0.5), node.attribute("bias", 0.0)
    return Call(lambda x: torch.where(x < -limit, x + bias,
                                      torch.where(x > limit, x - bias, torch.zeros_like(x))))


def softmax(node: OnnxNode) -> nn.Module:
    """``Softmax`` along one axis, as since operator set 13."""
    data = node.data(0)
    return nn.Softmax(node.axis(node.attribute("axis", -1), data.rank))


def log_softmax(node: OnnxNode) -> nn.Module:
    """``LogSoftmax`` along one axis, as since operator set 13."""
    data = node.data(0)
    return nn.LogSoftmax(node.axis(node.attribute("axis", -1), data.rank))


def _module(make: type[nn.Module]):
    def read(node: OnnxNode) -> nn.Module:
        """An activation function without attributes."""
        node.data(0)
        return make()
    return read


OPERATORS = {
    "Relu": _module(nn.ReLU), "Sigmoid": _module(nn.Sigmoid), "Tanh": _module(nn.Tanh),
    "HardSwish": _module(nn.Hardswish), "Softplus": _module(nn.Softplus),
    "Softsign": _module(nn.Softsign), "Mish": _module(nn.Mish), "LeakyRelu": leaky_relu,
    "PRelu": prelu, "Elu": elu, "Selu": selu, "Celu": celu, "ThresholdedRelu": thresholded,
    "HardSigmoid": hard_sigmoid, "Gelu": gelu, "Swish": swish, "Shrink": shrink,
    "Softmax": softmax, "LogSoftmax": log_softmax,
}
"""What reads each operator of this file, by name."""
