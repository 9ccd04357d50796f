"""The command line: arguments in, one flow called, tables and files out."""

from .main import main
from .progress import Bars

__all__ = ["Bars", "main"]
