"""`vqrom study`: the command, and what it prints of a study's table."""

from .command import app

__all__ = ["app"]
