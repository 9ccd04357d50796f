"""``Attention``: products of queries, keys and values, as since operator set 23.

Source of the formulas: the operator's definition in the ONNX standard.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from ..node import OnnxNode

QUERY, KEY, VALUE, MASK = range(4)
"""Places of the inputs."""


def attention(node: OnnxNode) -> nn.Module:
    """``Attention`` of whole sequences: no stored keys and values, no lengths."""
    causal = bool(node.attribute("is_causal", 0))
    heads, shared = node.attribute("q_num_heads", 0), node.attribute("kv_num_heads", 0)
    scale, limit = node.attribute("scale", 0.0), node.attribute("softcap", 0.0)
    node.ignore("softmax_precision", "qk_matmul_output_mode")
    for place, what in ((1, "keys"), (2, "values"), (3, "scores")):
        node.unread(place, what)
    places = [place for place in (QUERY, KEY, VALUE, MASK) if node.has(place)]

    def run(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor,
            mask: torch.Tensor | None = None) -> torch.Tensor:
        apart = query.dim() == 3
        if apart:
            query, key, value = (x.unflatten(-1, (count, -1)).transpose(1, 2) for x, count in (
                (query, heads), (key, shared), (value, shared)))
        times = query.shape[1] // key.shape[1]
        if times > 1:
            key, value = (x.repeat_interleave(times, 1) for x in (key, value))
        scores = query @ key.transpose(-1, -2) * (scale or 1 / math.sqrt(query.shape[-1]))
        if limit:
            scores = limit * torch.tanh(scores / limit)
        if causal:
            allowed = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
            scores = scores.masked_fill(~allowed, -math.inf)
        if mask is not None:
            scores = scores.masked_fill(~mask, -math.inf) if mask.dtype == torch.bool \
                else scores + mask
        mixed = scores.softmax(-1) @ value
        return mixed.transpose(1, 2).flatten(2) if apart else mixed

    return node.apply(run, places)


OPERATORS = {"Attention": attention}
"""What reads each operator of this file, by name."""
