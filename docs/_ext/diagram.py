"""The directive ``diagram``: a block diagram, drawn when the page is built, as SVG in the page.

Inline SVG takes its colours from the page's style sheet, so one drawing serves light and dark.
"""

from __future__ import annotations

import importlib

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class Diagram(SphinxDirective):
    """``{diagram} NAME`` calls ``diagrams.NAME.draw()`` and shows the SVG that it returns.

    The content is the caption.
    """

    required_arguments = 1
    has_content = True
    option_spec = {"name": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        module = importlib.import_module(f"diagrams.{self.arguments[0]}")
        self.env.note_dependency(str(module.__file__))
        figure = nodes.figure("", classes=["diagram"])
        figure += nodes.raw("", module.draw(), format="html")
        caption = nodes.caption("", "", *self.parse_inline(" ".join(self.content))[0])
        if self.content:
            figure += caption
        return [figure]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("diagram", Diagram)
    return {"parallel_read_safe": True}
