"""Boolean functions in Liberty's notation: what a cell's output is for given inputs."""

from __future__ import annotations

import re
from collections.abc import Mapping

MAX_TOKENS = 200
_TOKEN = re.compile(r"[A-Za-z_]\w*|[01]|[!'&*|+^()]")


def evaluate(function: str, values: Mapping[str, bool]) -> bool:
    """Value of a function: ``! '`` NOT, ``& *`` or nothing AND, ``^`` XOR, ``| +`` OR.

    Parameters
    ----------
    function:
        As a Liberty file has it, such as ``!(A1 & A2)`` or ``(A B)'``.
    values:
        The value of each pin.

    Raises
    ------
    ValueError
        If it is malformed, very long, or names another pin.
    """
    tokens = _TOKEN.findall(function)
    if "".join(tokens) != re.sub(r"\s", "", function) or len(tokens) > MAX_TOKENS:
        raise ValueError(f"function {function!r} is not understood")
    parser = _Parser(tokens, values)
    result = parser.either()
    if parser.tokens:
        raise ValueError(f"function {function!r} goes on after its end")
    return result


class _Parser:
    """Recursive descent; a method for each level of precedence, loosest first."""

    def __init__(self, tokens: list[str], values: Mapping[str, bool]) -> None:
        self.tokens = tokens[::-1]
        self._values = values

    def either(self) -> bool:
        value = self._both()
        while self._next("|", "+"):
            self.tokens.pop()
            value |= self._both()
        return value

    def _both(self) -> bool:
        value = self._exclusive()
        while self.tokens and not self._next("|", "+", ")"):
            if self._next("&", "*"):
                self.tokens.pop()
            value &= self._exclusive()
        return value

    def _exclusive(self) -> bool:
        value = self._atom()
        while self._next("^"):
            self.tokens.pop()
            value ^= self._atom()
        return value

    def _atom(self) -> bool:
        token = self.tokens.pop() if self.tokens else ""
        if token == "!":
            return not self._atom()
        if token == "(":
            value = self.either()
            if not self._next(")"):
                raise ValueError("function lacks a closing parenthesis")
            self.tokens.pop()
        elif token in ("0", "1"):
            value = token == "1"
        elif token in self._values:
            value = self._values[token]
        else:
            raise ValueError(f"function has an unexpected {token!r}")
        while self._next("'"):
            self.tokens.pop()
            value = not value
        return value

    def _next(self, *tokens: str) -> bool:
        return bool(self.tokens) and self.tokens[-1] in tokens
