"""Modules and commands that are loaded when they are needed, so that help is there at once.

PyTorch, numba and matplotlib take seconds to import; nobody should wait for them to read an
option's meaning. This is the only place that loads code late.
"""

from __future__ import annotations

import importlib
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


class LazyModule:
    """A module that is imported when something of it is first used.

    Declare the import for type checkers beside it, under ``TYPE_CHECKING``.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self._name), attribute)


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
