"""Inputs: how a convolution that alone reads a program's input has it laid out in DRAM.

The host writes a program's input, so that it can put the pixels of a window side by side, and a
LOAD cuts words out of them that cover several. ``choose_form`` finds what costs least.
"""

from .input_form import InputForm, choose_form

__all__ = ["InputForm", "choose_form"]
