"""The ``.vqnet`` network file: its records, the packing of index maps, and all sizes."""

from .vqnet import load_network, save_network

__all__ = ["load_network", "save_network"]
