"""What all pages share: one file that needs no other, its scripts named by their hashes.

A page fetches nothing and runs only the scripts that it was written with: its content security
policy names their SHA-256, so that markup which came in with a name could not run anything.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from vqrom_sw.io import write_bytes

_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.PackageLoader("vqrom_sim.report.pages"), autoescape=True,
    undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
_ENVIRONMENT.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}


def write_page(path: Path, template: str, scripts: Sequence[str], **values: Any) -> None:
    """Write a page.

    Parameters
    ----------
    path:
        Where it goes.
    template:
        Name of a file of ``templates``.
    scripts:
        Names of files of ``assets`` which the page runs after ``page.js``.
    values:
        What the template is filled in with. Text is escaped.

    Raises
    ------
    VqromError
        If the file cannot be written.
    """
    write_bytes(path, render(template, scripts, **values).encode())


def render(template: str, scripts: Sequence[str] = (), **values: Any) -> str:
    """The text of :func:`write_page`."""
    texts = [plotly_bundle(), *(_asset(name) for name in ("page.js", *scripts))]
    return _ENVIRONMENT.get_template(template).render(
        css=Markup(_asset("page.css")), scripts=[Markup(text) for text in texts],
        policy=" ".join(f"'sha256-{_digest(text)}'" for text in texts), **values)


@functools.cache
def plotly_bundle() -> str:
    """plotly.js as the Python package carries it (MIT licence), fit to stand in a page.

    Raises
    ------
    AssertionError
        If it holds what would end a script element.
    """
    text = get_plotlyjs()
    assert "</script" not in text.lower() and "<!--" not in text and "\r" not in text, \
        "plotly.js must not end the element that it stands in"
    return text


def figure(name: str, title: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """A picture for the template's macro ``plot``.

    Parameters
    ----------
    name:
        Its id in the page.
    title:
        What a screen reader says of it.
    spec:
        ``data`` and ``layout`` of plotly.
    """
    return {"name": name, "title": title, "spec": spec, "height": spec["layout"]["height"]}


def _asset(name: str) -> str:
    return (resources.files("vqrom_sim.report.pages") / "assets" / name).read_text("utf-8")


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
