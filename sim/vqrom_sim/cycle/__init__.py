"""The cycle model: the accelerator's control, cycle by cycle, without a single value.

Every file transcribes the control of the RTL component that its docstring names: the same
registers, the same conditions, one function call per clock cycle, compiled by numba. So cycles,
counters and stall causes are those of the hardware, and tests hold them equal with no tolerance.
"""
