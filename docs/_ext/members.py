"""Small repairs to what autodoc and napoleon read."""

from __future__ import annotations

import inspect

from amaranth.lib import wiring
from pydantic import BaseModel
from sphinx.application import Sphinx

COLON = "\ue000"
"""Stands for a colon while napoleon looks: it takes what is before one for a type."""


def hide_colons(app: Sphinx, what: str, name: str, obj: object, options: object,
                lines: list[str]) -> None:
    """Keep the sentence of a constant or a property whole."""
    if what in ("data", "attribute", "property"):
        lines[:] = [line.replace(": ", COLON + " ") for line in lines]


def show_colons(app: Sphinx, what: str, name: str, obj: object, options: object,
                lines: list[str]) -> None:
    """Undo :func:`hide_colons`."""
    lines[:] = [line.replace(COLON, ":") for line in lines]


def skip_generated(app: Sphinx, what: str, name: str, obj: object, skip: bool,
                   options: object) -> bool | None:
    """Leave out what is not written by hand.

    Napoleon falls over some of what pydantic adds to a model. A named tuple's fields are listed
    in its docstring; by themselves they say only "Alias for field number 0".
    """
    if isinstance(obj, type):
        return None
    if str(getattr(obj, "__doc__", "")).startswith("Alias for field number"):
        return True
    pydantic = name.startswith(("model_", "_")) or type(obj).__module__.startswith("pydantic")
    return True if pydantic else None


def component_signature(app: Sphinx, what: str, name: str, obj: object, options: object,
                        signature: str | None, returns: str | None
                        ) -> tuple[str, str | None] | None:
    """The arguments of a component's constructor, which Amaranth's base class hides.

    A pydantic model's are its members, which are listed below it anyway.
    """
    if isinstance(obj, type) and issubclass(obj, BaseModel):
        return "(**members)", None
    if not (isinstance(obj, type) and issubclass(obj, wiring.Component)):
        return None
    own = inspect.signature(obj.__init__)
    arguments = [argument for argument in own.parameters.values() if argument.name != "self"]
    return str(own.replace(parameters=arguments, return_annotation=inspect.Signature.empty)), None


def setup(app: Sphinx) -> dict[str, bool]:
    """Register this extension's handlers with Sphinx."""
    app.connect("autodoc-process-docstring", hide_colons, priority=100)
    app.connect("autodoc-process-docstring", show_colons, priority=900)
    app.connect("autodoc-skip-member", skip_generated, priority=100)
    app.connect("autodoc-process-signature", component_signature)
    return {"parallel_read_safe": True}
