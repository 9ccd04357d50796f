"""The ``.vqnet`` network file: its records, the packing of index maps, and how many bytes it takes.

Other rooms write and read whole files (:func:`save_network`, :func:`load_network`) and count the
bytes of a network (:func:`network_size`); records and packing stay inside the room.
"""

from .network_size import NetworkSize, network_size
from .vqnet import load_network, save_network

__all__ = ["NetworkSize", "load_network", "network_size", "save_network"]
