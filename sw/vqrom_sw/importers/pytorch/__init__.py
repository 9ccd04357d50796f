"""PyTorch modules, through the graph that ``torch.export`` captures."""

from .capture import capture

__all__ = ["capture"]
