"""The directive ``onnx-operators``: all operators of the standard, and which of them are read."""

from __future__ import annotations

from docutils import nodes
from onnx_table import table
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class OnnxOperators(SphinxDirective):
    """A table of all operators of the standard's own domain, in alphabetical order."""

    def run(self) -> list[nodes.Node]:
        return self.parse_text_to_nodes("\n".join(table()))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("onnx-operators", OnnxOperators)
    return {"parallel_read_safe": True}
