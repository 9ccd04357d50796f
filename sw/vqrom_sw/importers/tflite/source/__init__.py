"""A TFLite file as both readers see it, and what LiteRT computes of it.

:class:`TfliteFile` has the graph, whose operators (:class:`TfliteOperator`) give no option away
that nobody asked for; :class:`StaticValues` knows all that does not depend on the input;
:func:`strided_index` and :func:`slice_index` say what slices take. :class:`LiteRt` runs the file,
in the form that :func:`content_for_litert` gives it. :data:`KINDS` are all operators that there
are, :data:`STATIC_KINDS` those that are computed of constants while a file is read.
"""

from .litert import LiteRt
from .litert_file import content_for_litert
from .operator import KINDS, TfliteOperator
from .slicing import Index, bounds, slice_index, strided_index
from .static_values import STATIC_KINDS, StaticValues
from .tflite_file import TfliteFile, read_model

__all__ = [
    "KINDS", "STATIC_KINDS", "Index", "LiteRt", "StaticValues", "TfliteFile", "TfliteOperator",
    "bounds", "content_for_litert", "read_model", "slice_index", "strided_index",
]
