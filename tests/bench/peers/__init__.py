"""The same layers through other simulators, beside ours.

SCALE-Sim, ZigZag and AccelForge each run in an environment of their own under ``build/peers``, on
a machine as equal as they can describe (``jobs``), one layer after the other (``worker``). What
they say is checked (``checks``) and set beside the cycle model's figures (``table``).
"""
