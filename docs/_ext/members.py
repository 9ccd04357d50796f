"""Small repairs to docstrings on their way into the reference."""

from __future__ import annotations

from sphinx.application import Sphinx


def names_as_code(app: Sphinx, what: str, name: str, obj: object, options: object,
                  lines: list[str]) -> None:
    """Keep a ``*`` at the end of a port's name (``s_axil_*``) from opening emphasis."""
    for number, line in enumerate(lines):
        if line.endswith("*:") and " " not in line:
            lines[number] = f"``{line[:-1]}``:"


def skip_pydantic(app: Sphinx, what: str, name: str, obj: object, skip: bool,
                  options: object) -> bool | None:
    """Leave out what pydantic adds to a model: napoleon falls over some of it."""
    pydantic = name.startswith(("model_", "_")) or type(obj).__module__.startswith("pydantic")
    return True if pydantic else None


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect them."""
    app.connect("autodoc-process-docstring", names_as_code, priority=100)
    app.connect("autodoc-skip-member", skip_pydantic, priority=100)
    return {"parallel_read_safe": True}
