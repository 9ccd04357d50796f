"""Modules and commands that are loaded when they are needed, so that help is there at once.

PyTorch, numba and matplotlib take seconds to import; nobody should wait for them to read an
option's meaning. This is the only place that loads code late.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


def lazy_module(name: str) -> ModuleType:
    """A module whose code runs when something of it is first used.

    This is the recipe of Python's ``importlib`` documentation, "Implementing lazy imports".
    Declare the import for type checkers beside it, under ``TYPE_CHECKING``.
    """
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.find_spec(name)
    assert spec is not None and spec.loader is not None, name
    loader = importlib.util.LazyLoader(spec.loader)
    spec.loader = loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    loader.exec_module(module)
    package, _, child = name.rpartition(".")
    setattr(sys.modules[package], child, module)
    return module


class LazyGroup(TyperGroup):
    """A group whose commands are modules, imported when their command is asked for.

    :attr:`table` gives each command's module and the line that the group's help shows of it. The
    module has a typer app called ``app``. This is click's documented pattern, "Lazily Loading
    Subcommands".
    """

    table: dict[str, tuple[str, str]] = {}

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        # What the list of commands shows; never run.
        self.commands = {name: TyperCommand(name, help=line)
                         for name, (_, line) in self.table.items()}

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command of a command line, with its module loaded."""
        name, command, rest = super().resolve_command(ctx, args)
        if name in self.table:
            app = importlib.import_module(self.table[name][0]).app
            command = typer.main.get_command(app)
            command.name = name
        return name, command, rest
