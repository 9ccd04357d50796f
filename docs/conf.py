"""Sphinx configuration: MyST pages, diagrams drawn from Python, references made from the code."""

import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS), str(DOCS / "_ext")]

project = "vqrom"
author = "the vqrom authors"
extensions = [
    "myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton",
    "sphinx_design", "diagram", "members", "configuration", "commands", "onnx_operators",
    "tflite_operators", "technologies",
]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build", "_ext", "diagrams"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True}
napoleon_google_docstring = False
# Ports of a component and fields of a record, in numpydoc's form; Amaranth's own name for them.
napoleon_custom_sections = [("Members", "params_style")]
napoleon_use_param = False
copybutton_prompt_text = r"\$ "

html_theme = "furo"
html_title = "vqrom"
html_show_copyright = False
html_static_path = ["_static"]
html_css_files = ["vqrom.css"]
