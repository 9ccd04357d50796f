"""How long-running functions tell what they are at."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""``progress(what, done, total)``; a ``total`` of 0 means that it is not known."""
