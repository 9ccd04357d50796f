"""The command line: arguments in, one function of ``vqrom_sim.flows`` called, tables out.

Each command is a module of this room, loaded when it is asked for, so that ``vqrom --help`` is
quick. What a command does is in the flows; here are its options, its bars and what it prints.
"""

from .main import main

__all__ = ["main"]
