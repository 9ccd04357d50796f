"""The accelerator: its dimensions, its instruction set and the generator of its Verilog.

``config``, ``codebook`` and ``errors`` are read by every package; ``accelerator`` is the top level
of the hardware. The rest lives in rooms: ``isa`` (numbers that hardware and software share),
``bus``, ``control``, ``compute``, ``weights``, ``memory`` and ``vector`` (the parts of the
hardware), ``lib`` (components that several parts use) and ``export`` (files for the world outside).
What may be imported from a room is in its ``__all__``.
"""
