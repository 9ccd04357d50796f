"""The directive ``technologies``: a table of the memory model, made when the pages are."""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from technology_tables import TABLES


class Technologies(SphinxDirective):
    """The table of that name."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        if name not in TABLES:
            raise self.error(f"table must be one of {', '.join(TABLES)}, not {name!r}")
        return self.parse_text_to_nodes("\n".join(TABLES[name]()))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("technologies", Technologies)
    return {"parallel_read_safe": True}
