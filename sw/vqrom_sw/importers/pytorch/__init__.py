"""PyTorch modules as float networks, through the graph that ``torch.export`` makes of them."""

from .capture import capture

__all__ = ["capture"]
