"""The directive ``tflite-operators``: what both readers do with each operator, from the code."""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from tflite_table import lines


class TfliteOperators(SphinxDirective):
    """A table of all operators of the schema that either reader takes, and a list of the others."""

    def run(self) -> list[nodes.Node]:
        return self.parse_text_to_nodes("\n".join(lines()))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("tflite-operators", TfliteOperators)
    return {"parallel_read_safe": True}
