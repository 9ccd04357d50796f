"""Pretrained networks by name, with inputs to calibrate on and samples to judge by."""

from .registry import ENTRIES, ZooEntry, ZooNetwork, entry, load, names

__all__ = ["ENTRIES", "ZooEntry", "ZooNetwork", "entry", "load", "names"]
