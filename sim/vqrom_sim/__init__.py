"""Simulation of the generated Verilog, area, reports and the command line."""


__version__ = "0.1.0"
