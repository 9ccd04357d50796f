"""Types of ``amaranth.lib.wiring``: components, their members, and how they are connected.

The attributes of a component are its own annotations: see docs/decisions/0019-typed-ports.md.
"""

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, TypeVar

from amaranth.hdl import Elaboratable, ShapeLike

_Interface = TypeVar("_Interface")

class Flow(Enum):
    In = ...
    Out = ...
    def __call__(self, description: ShapeLike | Signature, *, init: Any = ...) -> Member: ...

In = Flow.In
Out = Flow.Out

class Member:
    flow: Flow
    is_port: bool
    is_signature: bool
    shape: Any
    signature: Signature

class SignatureMembers(Mapping[str, Member]):
    def __getitem__(self, name: str) -> Member: ...
    def __iter__(self) -> Iterator[str]: ...
    def __len__(self) -> int: ...

class Signature:
    members: SignatureMembers
    def __init__(self, members: Mapping[str, Member]) -> None: ...

class Component(Elaboratable):
    def __init__(self, signature: Mapping[str, Member] | Signature | None = ...) -> None: ...
    @property
    def signature(self) -> Signature: ...

def connect(m: Any, *args: Any, **kwargs: Any) -> None: ...
def flipped(interface: _Interface) -> _Interface: ...
