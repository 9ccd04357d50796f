"""Sources as they would be if a file had changed, for tests of what cached results depend on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from vqrom_sw.io import sources
from vqrom_sw.io.sources import Sources


@contextmanager
def with_changed(name: str) -> Iterator[None]:
    """While this lasts, the module of that name has one more comment."""
    now = sources.installed_sources()
    changed = Sources({**now.modules, name: now.modules[name] + b"# changed\n"}, now.packages)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "installed_sources", lambda: changed)
        yield


def check_key(key: Callable[[], str], *modules: str) -> None:
    """A key changes with each module that some modules depend on, and with every version of a
    tool, and with no other module of ours."""
    before, needed = key(), sources.installed_sources().closure(*modules)
    assert set(modules) <= needed and key() == before
    for name in sorted(sources.installed_sources().modules):
        with with_changed(name):
            assert (key() != before) == (name in needed), name
    tools = sources.environment()
    for place in range(len(tools)):
        with pytest.MonkeyPatch.context() as patch:
            changed = (*tools[:place], f"{tools[place]}.1", *tools[place + 1:])
            patch.setattr(sources, "environment", lambda changed=changed: changed)
            assert key() != before, tools[place]
    assert key() == before
