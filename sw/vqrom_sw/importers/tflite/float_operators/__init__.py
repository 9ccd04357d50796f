"""What reads each operator of float TFLite models: functions from a node to a part of a module.

:data:`OPERATORS` has them by name. An operator that is not there is refused; one that depends on
constants or shapes alone is never looked up here, but computed while the file is read.
"""

from __future__ import annotations

from collections.abc import Callable

from ..float_node import FloatNode, Part
from . import arithmetic, blocks, linear, moving, recurrent, reductions, resize, windows

OPERATORS: dict[str, Callable[[FloatNode], Part]] = {
    **windows.OPERATORS, **linear.OPERATORS, **arithmetic.OPERATORS, **moving.OPERATORS,
    **blocks.OPERATORS, **reductions.OPERATORS, **resize.OPERATORS, **recurrent.OPERATORS,
}
"""What reads the operators, by their names."""

__all__ = ["OPERATORS"]
