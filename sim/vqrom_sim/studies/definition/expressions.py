"""Expressions of a study file, evaluated without running code of the file.

The library ``simpleeval`` walks the syntax tree and knows no names but those it is given; it bounds
powers and strings. Attributes, subscripts, comprehensions and strings made at run time are taken
out here as well, since a number or a truth value is all that a study asks for.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from simpleeval import DEFAULT_OPERATORS, FeatureNotAvailable, InvalidExpression, SimpleEval

from vqrom_hw.errors import VqromError

Scalar = str | int | float | bool | None
"""What a field or a column holds in one point."""

MAX_LENGTH = 1000
"""Most characters of an expression."""

FUNCTIONS = {
    "abs": abs, "ceil": math.ceil, "floor": math.floor, "log2": math.log2, "max": max, "min": min,
    "round": round, "sqrt": math.sqrt,
}
"""Functions that an expression may call."""

_NODES = (ast.Constant, ast.Name, ast.UnaryOp, ast.BinOp, ast.BoolOp, ast.Compare, ast.IfExp,
          ast.Call, ast.Expr, ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context,
          ast.Expression)
"""The kinds of syntax that are understood."""
_OPERATORS = {kind: made for kind, made in DEFAULT_OPERATORS.items()
              if kind not in (ast.Is, ast.IsNot)}


@dataclass(frozen=True)
class Expression:
    """An expression over fields and columns.

    Members
    -------
    text:
        As it is written: Python's operators, numbers, strings, names, and :data:`FUNCTIONS`.
    where:
        What it belongs to, for errors: ``"constraint"``, ``"derived column 'edp'"``.

    Raises
    ------
    VqromError
        If it is no expression of these, or too long.
    """

    text: str
    where: str

    def __post_init__(self) -> None:
        if len(self.text) > MAX_LENGTH:
            raise VqromError(f"{self.where}: must be at most {MAX_LENGTH} characters, "
                             f"not {len(self.text)}")
        for node in ast.walk(self._tree):
            if not isinstance(node, _NODES):
                raise VqromError(f"{self.where}: must be made of numbers, strings, names, "
                                 f"operators and calls, not {type(node).__name__}, "
                                 f"in {self.text!r}")
            if isinstance(node, ast.Call) and (
                    not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS
                    or node.keywords):
                raise VqromError(f"{self.where}: must call {', '.join(FUNCTIONS)} only, "
                                 f"not {ast.unparse(node.func)!r}, in {self.text!r}")

    @cached_property
    def _tree(self) -> ast.Expression:
        try:
            return ast.parse(self.text.strip(), mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise VqromError(f"{self.where}: must be an expression, not {self.text!r}") from None

    @cached_property
    def names(self) -> frozenset[str]:
        """Fields and columns that it reads."""
        return frozenset(node.id for node in ast.walk(self._tree)
                         if isinstance(node, ast.Name)) - FUNCTIONS.keys()

    def check_names(self, known: Iterable[str]) -> None:
        """Refuse a name that is no field or column.

        Raises
        ------
        VqromError
            If it reads one that is not known.
        """
        unknown = sorted(self.names - set(known))
        if unknown:
            raise VqromError(f"{self.where}: must name fields and columns of the study, "
                             f"not {unknown[0]!r}, in {self.text!r}")

    def value(self, values: Mapping[str, Scalar]) -> Scalar:
        """The expression's value; None where a column that it reads has none.

        Raises
        ------
        VqromError
            If it cannot be computed: a division by zero, a comparison of words with numbers.
        """
        if any(values[name] is None for name in self.names):
            return None
        evaluator = SimpleEval(operators=_OPERATORS, functions=FUNCTIONS,
                               names={name: values[name] for name in self.names})
        try:
            result = evaluator.eval(self.text.strip())
        except (InvalidExpression, FeatureNotAvailable, ArithmeticError, TypeError,
                ValueError) as error:
            raise VqromError(f"{self.where}: {self.text!r} cannot be computed: {error}") from None
        if isinstance(result, float) and not math.isfinite(result):
            raise VqromError(f"{self.where}: {self.text!r} must be finite, not {result!r}")
        if not isinstance(result, str | int | float):
            raise VqromError(f"{self.where}: {self.text!r} must be a number, a truth value or a "
                             f"word, not {type(result).__name__}")
        return result
