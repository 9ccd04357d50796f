"""What holds for every page: it fetches nothing, and runs only the scripts that it names."""

from __future__ import annotations

import base64
import hashlib
import json
from html.parser import HTMLParser
from typing import Any

from plotly.graph_objects import Figure


class Page(HTMLParser):
    """A page's tags, addresses, scripts and data.

    Members
    -------
    tags, addresses:
        Names of all elements, and every address that a browser would fetch or go to.
    handlers:
        Attributes that would run a script.
    scripts, data:
        Texts of the scripts, and the JSON that stands in the page, by its id.
    policy:
        The content security policy.
    text:
        All text outside scripts and styles.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.scripts: list[str] = []
        self.data: dict[str, Any] = {}
        self.policy = self.text = ""
        self._within: tuple[str, dict[str, str]] = ("", {})
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self.addresses += [values[name] for name in ("src", "href") if name in values]
        self.handlers += [name for name in values if name.startswith("on")]
        if values.get("http-equiv") == "Content-Security-Policy":
            self.policy = values["content"]
        if tag in ("script", "style"):
            self._within = tag, values

    def handle_data(self, data: str) -> None:
        tag, values = self._within
        if tag == "script" and values.get("type") == "application/json":
            self.data[values["id"]] = json.loads(data)
        elif tag == "script":
            self.scripts.append(data)
        elif not tag:
            self.text += f"{data} "

    def handle_endtag(self, tag: str) -> None:
        self._within = "", {}


def check_page(text: str) -> Page:
    """Check that a page needs no other file, and that its policy lets its own scripts run only."""
    page = Page(text)
    assert all(address.startswith(("data:image/png", "#")) for address in page.addresses)
    assert not page.handlers and "@import" not in text and "url(http" not in text
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
               for script in page.scripts]
    assert page.policy.partition("script-src ")[2].split() == [
        f"'sha256-{digest}'" for digest in digests]
    assert "default-src 'none'" in page.policy
    for name, spec in page.data.items():
        if name.endswith("-data"):
            # plotly refuses a property that it does not know.
            Figure(spec)
    return page
